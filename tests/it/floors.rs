//! What lib.rs promises of the sources: floors, and where certain things may be
//! done at all.
//!
//! Reads text and not types: what it looks for is written the same way
//! everywhere, and code behind `#[cfg(test)]` is left out.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The longest a file may be.
const MOST_LINES: usize = 500;

/// One file of src/.
pub(crate) struct Source {
    /// Below src/: `cli/args.rs`.
    pub(crate) name: String,
    pub(crate) text: String,
    /// Whether all of it is test code.
    pub(crate) is_test: bool,
}

impl Source {
    /// Its module of the table of floors: `cli` for `cli/args.rs`.
    fn module(&self) -> &str {
        let first = self.name.split('/').next().unwrap();
        first.strip_suffix(".rs").unwrap_or(first)
    }

    /// How many modules lead to it: 2 for `cli/args.rs`, 1 for `cli/mod.rs`.
    fn depth(&self) -> usize {
        self.name.split('/').filter(|part| *part != "mod.rs").count()
    }

    /// Its lines by number, without comments and without test code.
    pub(crate) fn code(&self) -> Vec<(usize, &str)> {
        let mut code = Vec::new();
        let mut lines = (1..).zip(self.text.lines());
        while let Some((number, line)) = lines.next() {
            if line.trim() == "#[cfg(test)]" {
                let indent = &line[..line.len() - line.trim_start().len()];
                let closing = format!("{indent}}}");
                // Up to the end of the item: a brace as far to the left, or one line.
                lines.by_ref().find(|(_, line)| {
                    *line == closing || (line.ends_with(';') && !line.starts_with(&format!("{indent} ")))
                });
                continue;
            }
            code.push((number, line.split("//").next().unwrap()));
        }
        code
    }
}

pub(crate) fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    walk(&root, &mut paths);
    // What Cargo runs before it compiles the crate is no part of that.
    paths.retain(|path| *path != root.join("build.rs"));
    let named = |path: &PathBuf| path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
    let mut sources: Vec<Source> = paths
        .iter()
        .map(|path| Source { name: named(path), text: fs::read_to_string(path).unwrap(), is_test: false })
        .collect();
    let tests: Vec<String> = sources.iter().flat_map(test_files).collect();
    for source in &mut sources {
        source.is_test = tests.contains(&source.name);
    }
    assert!(sources.len() > 40, "only {} files found in {}", sources.len(), root.display());
    sources
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
    paths.sort();
}

/// The files that `source` declares as `#[cfg(test)] mod NAME;`.
fn test_files(source: &Source) -> Vec<String> {
    let lines: Vec<&str> = source.text.lines().collect();
    let folder = match source.name.strip_suffix("mod.rs") {
        Some(folder) => folder.to_owned(),
        None => format!("{}/", source.name.strip_suffix(".rs").unwrap()),
    };
    let declared = lines.windows(2).filter(|pair| pair[0] == "#[cfg(test)]");
    let names = declared.filter_map(|pair| pair[1].strip_prefix("mod ")?.strip_suffix(';'));
    names.map(|name| format!("{folder}{name}.rs")).collect()
}

/// Floors by module, from the table in lib.rs.
fn floors() -> BTreeMap<String, u32> {
    let map = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    let mut floors = BTreeMap::new();
    for line in map.lines().filter_map(|line| line.strip_prefix("//! |")) {
        let mut cells = line.split('|').map(str::trim);
        let Some(Ok(floor)) = cells.next().map(str::parse::<u32>) else { continue };
        let modules = cells.next().unwrap().split('`').skip(1).step_by(2);
        for module in modules {
            let known = floors.insert(module.trim_end_matches(".rs").to_owned(), floor);
            assert!(known.is_none(), "{module} stands on two floors");
        }
    }
    floors
}

/// The modules of this crate that a line of `source` names.
fn used(source: &Source, line: &str) -> Vec<String> {
    let to_root = format!("{}::", vec!["super"; source.depth()].join("::"));
    let own_name = if source.name == "main.rs" { "parsim::" } else { "crate::" };
    let roots = [own_name, to_root.as_str()];
    let paths = roots.iter().flat_map(|root| after(line, root));
    paths.flat_map(first_names).collect()
}

/// What follows each `root` that is not the end of a longer name.
fn after<'a>(line: &'a str, root: &str) -> Vec<&'a str> {
    let starts_here =
        |at: usize| !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
    line.match_indices(root)
        .filter(|(at, _)| starts_here(*at))
        .map(|(at, _)| &line[at + root.len()..])
        .collect()
}

/// `a` of `a::b`, and `a`, `c` of `{a::{b, d}, c}`.
fn first_names(path: &str) -> Vec<String> {
    let name = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let Some(group) = path.strip_prefix('{') else { return vec![name(path)] };
    let mut names = Vec::new();
    let mut depth = 0;
    let mut start = 0;
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                names.push(name(group[start..at].trim()));
                start = at + 1;
                if character == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    names
}

/// Where `what` is written in code outside `allowed`, which holds files and
/// folders (`cli/`).
fn outside(allowed: &[&str], what: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| !source.is_test) {
        let may = allowed.iter().any(|place| match place.strip_suffix('/') {
            Some(_) => source.name.starts_with(place),
            None => source.name == *place,
        });
        for (number, line) in source.code() {
            if !may && what.iter().any(|what| is_written(line, what)) {
                found.push(format!("src/{}:{number}: {}", source.name, line.trim()));
            }
        }
    }
    found
}

/// Whether `line` holds `what`, and not as the end of a longer word.
fn is_written(line: &str, what: &str) -> bool {
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    let inside = |at: usize| what.starts_with(in_word) && line[..at].ends_with(in_word);
    line.match_indices(what).any(|(at, _)| !inside(at))
}

#[track_caller]
fn only_in(allowed: &[&str], what: &[&str]) {
    let found = outside(allowed, what);
    assert!(found.is_empty(), "{what:?} belongs to {allowed:?} only:\n{}", found.join("\n"));
    // A word that is nowhere is misspelt here, or the rule is out of date.
    let found = outside(&[], what);
    assert!(allowed.is_empty() || !found.is_empty(), "{what:?} is nowhere");
}

#[test]
fn every_file_uses_lower_floors_only() {
    let floors = floors();
    let mut wrong = Vec::new();
    let mut n_uses = 0;
    for source in sources().iter().filter(|source| source.name != "lib.rs" && !source.is_test) {
        let floor = floors[source.module()];
        for (number, line) in source.code() {
            for module in used(source, line) {
                n_uses += 1;
                let Some(other) = floors.get(&module) else {
                    wrong.push(format!("src/{}:{number}: {module} is not in the table", source.name));
                    continue;
                };
                if module != source.module() && *other >= floor {
                    wrong.push(format!(
                        "src/{}:{number}: floor {floor} uses {module} of floor {other}",
                        source.name
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(n_uses > 100, "only {n_uses} uses found: they are not written as this test reads them");
}

#[test]
fn the_table_of_floors_names_every_module_and_no_other() {
    let mut modules: Vec<String> = sources().iter().map(|source| source.module().to_owned()).collect();
    modules.dedup();
    modules.retain(|module| module != "lib");
    let named: Vec<String> = floors().into_keys().collect();
    modules.sort();
    modules.dedup();
    assert_eq!(named, modules);
}

#[test]
fn imports_are_read_in_all_their_forms() {
    let source = |name: &str| Source { name: name.to_owned(), text: String::new(), is_test: false };
    let deep = source("cli/args.rs");
    assert_eq!(used(&deep, "use crate::run::{Batch, Run};"), ["run"]);
    assert_eq!(
        used(&deep, "use crate::{run::{Batch, Run}, study, host::Host as H};"),
        ["run", "study", "host"]
    );
    assert_eq!(used(&deep, "let x: &dyn crate::output::Sink = crate::sink::new();"), ["output", "sink"]);
    assert_eq!(used(&deep, "use super::super::study;"), ["study"]);
    assert!(used(&deep, "use super::exit; pub(crate) fn x() {}").is_empty());
    assert_eq!(used(&source("format.rs"), "use super::cli;"), ["cli"]);
    assert_eq!(used(&source("main.rs"), "use parsim::cli::{self, End};"), ["cli"]);
    let text =
        "use a;\n#[cfg(test)]\nmod tests {\n    use b;\n}\nuse c; // d\n#[cfg(test)]\nmod more;\nuse e;\n";
    let source = Source { name: "x.rs".to_owned(), text: text.to_owned(), is_test: false };
    assert_eq!(source.code(), [(1, "use a;"), (6, "use c; "), (9, "use e;")]);
    assert_eq!(test_files(&source), ["x/more.rs"]);
}

#[test]
fn every_file_says_at_its_top_what_it_is_for() {
    let silent = |source: &&Source| !source.text.starts_with("//! ");
    let silent: Vec<String> = sources().iter().filter(silent).map(|source| source.name.clone()).collect();
    assert!(silent.is_empty(), "no //! at the top of {silent:?}");
}

#[test]
fn no_file_is_longer_than_can_be_read_in_one_go() {
    let long: Vec<String> = sources()
        .iter()
        .map(|source| (source.text.lines().count(), &source.name))
        .filter(|(n_lines, _)| *n_lines > MOST_LINES)
        .map(|(n_lines, name)| format!("src/{name}: {n_lines} lines"))
        .collect();
    assert!(long.is_empty(), "longer than {MOST_LINES} lines: {long:?}");
}

#[test]
fn only_engines_start_threads() {
    // A lookup that cannot be ended, and the services of --demo, wait beside the tasks.
    only_in(&["engine/"], &["rayon::"]);
    // The second waits in the place of the kernel where that cannot. One looks at the machine
    // now and then; the last one reads inputs, for a person who watches.
    let allowed = [
        "engine/",
        "process/",
        "http/connect.rs",
        "workload/service/demo.rs",
        "host/run_queue.rs",
        "workload/command/read_ahead.rs",
    ];
    only_in(&allowed, &["thread::spawn", "thread::scope", "thread::Builder"]);
}

#[test]
fn nothing_is_printed_past_the_terminal_and_the_progress() {
    only_in(&[], &["println!", "eprintln!", "print!", "eprint!", "dbg!"]);
    only_in(&["cli/", "progress/", "process/"], &["io::stdout", "io::stderr"]);
}

#[test]
fn unsafe_code_is_in_three_places() {
    only_in(&["process/", "measure/", "numpy/wide.rs"], &["unsafe ", "unsafe("]);
}

#[test]
fn only_run_one_reads_the_clocks_of_a_task() {
    only_in(&["engine/lifecycle.rs", "measure/"], &[".thread_cpu()"]);
    // Spans within a task are the business of its context.
    // What it takes to have it done by another process is the engine's.
    let allowed = [
        "engine/lifecycle.rs",
        "experiment/",
        "measure/",
        "workload/cx.rs",
        "engine/remote/",
        "engine/run_directory/",
    ];
    only_in(&allowed, &[".now()"]);
}

#[test]
fn time_of_the_system_is_asked_for_where_something_is_measured_drawn_or_waited_for() {
    let allowed = [
        "cli/mod.rs",
        "measure/",
        "process/child/",
        "engine/remote/",
        "engine/run_directory/",
        "host/run_queue.rs",
        "progress/",
        "process/signal/",
        "engine/throttle.rs",
        "output/lines.rs",
        "http/",
        // How long a command of --on-change may last.
        "process/shell.rs",
        // How often a host is asked.
        "workload/service/",
    ];
    only_in(&allowed, &["Instant::now"]);
    only_in(&["experiment/pass.rs", "moment.rs"], &["SystemTime::now"]);
}

#[test]
fn only_the_entry_ends_the_process() {
    only_in(&[], &["process::exit", "process::abort"]);
    only_in(&["cli/mod.rs"], &["ExitCode::from"]);
    only_in(&["cli/mod.rs", "process/signal/", "cli/signals.rs"], &["end_by("]);
}

#[test]
fn the_environment_is_known_to_command_line_and_host() {
    only_in(&["main.rs", "cli/", "host/", "process/", "temporary/mod.rs"], &["env::", "std::env;"]);
}
