//! That the sources can be found their way about in: a name means one thing, and files
//! do not use each other in circles.
//!
//! Reads text and not types, as the test of floors does.

use std::collections::{BTreeMap, BTreeSet};

use crate::floors::{Source, sources};

/// So many of a hundred type names may be defined in more than one file.
const MOST_SHARED_NAMES: usize = 3;

/// The methods that a trait may have.
const MOST_METHODS: usize = 10;

/// What is defined at the start of `line`: its name, and whether other files see it.
fn defined(line: &str) -> Option<(&str, bool)> {
    let line = line.trim_start();
    let (is_visible, rest) = match line.strip_prefix("pub") {
        None => (false, line),
        Some(rest) => {
            (true, rest.strip_prefix('(').map_or(rest, |rest| rest.split_once(')').unwrap_or(("", "")).1))
        }
    };
    let rest = rest.trim_start();
    let kinds = ["struct ", "enum ", "trait ", "union "];
    let named = kinds.iter().find_map(|kind| rest.strip_prefix(kind))?;
    let end = named.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(named.len());
    Some((&named[..end], is_visible))
}

#[test]
fn a_type_name_means_one_thing_in_the_whole_tree() {
    let sources = sources();
    let mut files: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut visible = BTreeSet::new();
    for source in sources.iter().filter(|source| !source.is_test) {
        for (name, is_visible) in source.code().into_iter().filter_map(|(_, line)| defined(line)) {
            files.entry(name).or_default().insert(&source.name);
            if is_visible {
                visible.insert(name);
            }
        }
    }
    files.retain(|name, files| files.len() > 1 && visible.contains(name));
    assert!(visible.len() > 200, "only {} type names found", visible.len());
    let most = visible.len() * MOST_SHARED_NAMES / 100;
    assert!(files.len() <= most, "{} of {} names, more than {most}: {files:#?}", files.len(), visible.len());
}

/// The crate's files by module path: `cli::args` for `cli/args.rs`.
struct Tree<'a> {
    by_path: BTreeMap<String, &'a Source>,
    /// By module path and name: the path that it stands for.
    handed_on: BTreeMap<(String, String), String>,
}

impl<'a> Tree<'a> {
    fn new(sources: &'a [Source]) -> Self {
        let of_crate = sources.iter().filter(|source| !source.is_test && source.name != "main.rs");
        let by_path: BTreeMap<String, &Source> = of_crate.map(|source| (path(source), source)).collect();
        let mut handed_on = BTreeMap::new();
        for (module, source) in &by_path {
            for statement in
                statements(source).iter().filter(|text| text.starts_with("pub") && text.contains(" use "))
            {
                let (_, used) = statement.split_once(" use ").unwrap();
                for full in spread(used.trim_end_matches(';')) {
                    let full = absolute(&full, module);
                    let name = full.rsplit("::").next().unwrap().to_owned();
                    handed_on.insert((module.clone(), name), full);
                }
            }
        }
        Self { by_path, handed_on }
    }

    /// The module that defines what `full` names.
    fn home(&self, full: &str) -> Option<&str> {
        let mut full = full.to_owned();
        // Through one hand after another.
        for _ in 0..4 {
            let parts: Vec<&str> = full.split("::").collect();
            let known =
                (1..=parts.len()).rev().find(|&n| self.by_path.contains_key(&parts[..n].join("::")))?;
            let module = parts[..known].join("::");
            let next =
                parts.get(known).and_then(|name| self.handed_on.get(&(module.clone(), (*name).to_owned())));
            match next {
                Some(next) if *next != full => full.clone_from(next),
                _ => return self.by_path.get_key_value(&module).map(|(module, _)| module.as_str()),
            }
        }
        None
    }

    /// What each file uses, apart from what it only hands on. That a folder's face uses
    /// what is in the folder goes without saying.
    fn uses(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut uses = BTreeMap::new();
        for (module, source) in &self.by_path {
            let names: &mut BTreeSet<&str> = uses.entry(module.as_str()).or_default();
            let statements = statements(source);
            let own = statements
                .iter()
                .filter_map(|text| Some(text.strip_prefix("mod ")?.trim_end_matches(';').to_owned()));
            let children: Vec<String> = own.collect();
            for statement in &statements {
                if statement.starts_with("pub") && statement.contains(" use ") {
                    continue;
                }
                for full in named(statement, module, &children) {
                    let inside = format!("{module}::");
                    names
                        .extend(self.home(&full).filter(|home| home != module && !home.starts_with(&inside)));
                }
            }
        }
        uses
    }
}

fn path(source: &Source) -> String {
    let name = source.name.trim_end_matches(".rs").trim_end_matches("/mod");
    if name == "lib" { String::new() } else { name.replace('/', "::") }
}

/// The code of `source`, each `use` and `mod` in one piece.
fn statements(source: &Source) -> Vec<String> {
    let mut statements: Vec<String> = Vec::new();
    let mut open = false;
    for (_, line) in source.code() {
        let line = line.trim();
        if open {
            let last = statements.last_mut().unwrap();
            last.push_str(line);
        } else {
            statements.push(line.to_owned());
        }
        let last = statements.last().unwrap();
        let is_use = last.starts_with("use ") || (last.starts_with("pub") && last.contains(" use "));
        open = is_use && !last.ends_with(';');
    }
    statements
}

/// Every path that `statement` of `module` names within the crate.
fn named(statement: &str, module: &str, children: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    let in_word = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let roots = ["crate::", "super::", "self::"].map(str::to_owned).into_iter();
    for root in roots.chain(children.iter().map(|child| format!("{child}::"))) {
        for (at, _) in statement.match_indices(&root) {
            if statement[..at].ends_with(in_word) {
                continue;
            }
            let rest = &statement[at..];
            let end = if statement.starts_with("use ") {
                rest.trim_end_matches(';').len()
            } else {
                rest.find(|c: char| !in_word(c)).unwrap_or(rest.len())
            };
            let of_child = children.iter().any(|child| root.strip_suffix("::") == Some(child));
            for full in spread(&rest[..end]) {
                let full = if of_child { format!("self::{full}") } else { full };
                found.push(absolute(&full, module));
            }
        }
    }
    found
}

/// `a::b` and `a::c::d` of `a::{b, c::{d}}`.
fn spread(path: &str) -> Vec<String> {
    let path = path.split(" as ").next().unwrap().trim();
    let Some((before, group)) = path.split_once('{') else { return vec![path.to_owned()] };
    let mut depth = 0;
    let mut pieces = vec![String::new()];
    for character in group.chars() {
        match character {
            '}' if depth == 0 => break,
            ',' if depth == 0 => pieces.push(String::new()),
            other => {
                depth += i32::from(other == '{') - i32::from(other == '}');
                pieces.last_mut().unwrap().push(other);
            }
        }
    }
    let pieces = pieces.iter().map(|piece| piece.trim()).filter(|piece| !piece.is_empty());
    pieces
        .flat_map(spread)
        .map(|piece| {
            if piece == "self" { before.trim_end_matches(':').to_owned() } else { format!("{before}{piece}") }
        })
        .collect()
}

/// `full` as seen from the crate's root.
fn absolute(full: &str, module: &str) -> String {
    let mut at: Vec<&str> = module.split("::").collect();
    let mut rest = full;
    if let Some(rest) = rest.strip_prefix("crate::") {
        return rest.to_owned();
    }
    if let Some(after) = rest.strip_prefix("self::") {
        rest = after;
    } else if !rest.starts_with("super::") && !rest.contains("::") {
        return full.to_owned();
    }
    while let Some(after) = rest.strip_prefix("super::") {
        at.pop();
        rest = after;
    }
    if at.is_empty() { rest.to_owned() } else { format!("{}::{rest}", at.join("::")) }
}

/// The files that each file reaches.
fn reached<'a>(from: &'a str, uses: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let mut next = vec![from];
    while let Some(module) = next.pop() {
        for used in uses.get(module).into_iter().flatten() {
            if seen.insert(*used) {
                next.push(used);
            }
        }
    }
    seen
}

fn folder<'a>(module: &str, tree: &'a Tree<'_>) -> &'a str {
    let name = &tree.by_path[module].name;
    name.rsplit_once('/').map_or("", |(folder, _)| folder)
}

#[test]
fn no_trait_asks_for_more_than_can_be_kept_in_mind() {
    let mut wide = Vec::new();
    let mut n_traits = 0;
    for source in sources().iter().filter(|source| !source.is_test) {
        let code = source.code();
        let mut lines = code.iter().map(|(_, line)| *line);
        while let Some(line) = lines.next() {
            let Some((name, _)) = defined(line).filter(|_| line.contains("trait ") && line.ends_with('{'))
            else {
                continue;
            };
            n_traits += 1;
            let inside = lines.by_ref().take_while(|line| *line != "}");
            let methods = inside.filter(|line| line.starts_with("    fn ")).count();
            if methods > MOST_METHODS {
                wide.push(format!("{}: {name} has {methods} methods", source.name));
            }
        }
    }
    assert!(n_traits > 10, "only {n_traits} traits found");
    assert!(wide.is_empty(), "{wide:#?}");
}

#[test]
fn files_do_not_use_each_other_in_circles() {
    let sources = sources();
    let tree = Tree::new(&sources);
    let uses = tree.uses();
    let n_uses: usize = uses.values().map(BTreeSet::len).sum();
    assert!(n_uses > 500, "only {n_uses} uses found: they are not written as this test reads them");
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        uses.keys().map(|from| (*from, reached(from, &uses))).collect();
    let mut circles = BTreeSet::new();
    for (module, others) in &reached {
        let circle: BTreeSet<&str> = others
            .iter()
            .filter(|other| *other != module && reached[*other].contains(module))
            .copied()
            .chain([*module])
            .collect();
        let folders: BTreeSet<&str> = circle.iter().map(|module| folder(module, &tree)).collect();
        let in_cli = circle.iter().any(|module| module.starts_with("cli"));
        if circle.len() > 1 && (folders.len() > 1 || in_cli) {
            circles.insert(circle);
        }
    }
    let ties = |circle: &BTreeSet<&str>| {
        let of = |module: &&str| {
            uses[*module]
                .iter()
                .filter(|used| circle.contains(**used))
                .map(|used| format!("{module} -> {used}"))
                .collect::<Vec<_>>()
        };
        circle.iter().flat_map(of).collect::<Vec<_>>()
    };
    let told: Vec<Vec<String>> = circles.iter().map(ties).collect();
    assert!(told.is_empty(), "{told:#?}");
}

#[test]
fn every_file_is_a_module() {
    let sources = sources();
    let declared = |folder: &str, name: &str| {
        let here = |source: &&Source| {
            let parent = source.name.trim_end_matches(".rs").trim_end_matches("/mod");
            parent == folder || (folder.is_empty() && source.name == "lib.rs")
        };
        let parents = sources.iter().filter(here);
        parents.flat_map(|source| source.text.lines()).any(|line| {
            let line = line.trim();
            line.ends_with(&format!("mod {name};")) && !line.starts_with("//")
        })
    };
    let is_lost = |source: &&Source| {
        let path = source.name.trim_end_matches(".rs").trim_end_matches("/mod");
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        !["lib", "main"].contains(&path) && !declared(folder, name)
    };
    let lost: Vec<&String> = sources.iter().filter(is_lost).map(|source| &source.name).collect();
    assert!(lost.is_empty(), "the compiler never sees {lost:?}");
}

#[test]
fn a_folder_that_lists_its_files_lists_all_of_them_and_no_others() {
    let sources = sources();
    let mut n_lists = 0;
    for source in sources.iter().filter(|source| source.name.ends_with("/mod.rs")) {
        let first_cells = source.text.lines().filter_map(|line| {
            let row = line.strip_prefix("//! |")?;
            row.split(" | ").next()
        });
        let listed: BTreeSet<&str> = first_cells
            .flat_map(|cell| cell.split('`').skip(1).step_by(2))
            .map(|name| name.trim_end_matches('/'))
            .collect();
        if listed.is_empty() {
            continue;
        }
        n_lists += 1;
        let code = source.code();
        let there: BTreeSet<&str> = code
            .iter()
            .filter_map(|(_, line)| line.strip_suffix(';')?.rsplit_once("mod "))
            .filter(|(before, _)| before.is_empty() || before.starts_with("pub"))
            .map(|(_, name)| name)
            .collect();
        assert_eq!(listed, there, "src/{}", source.name);
    }
    assert!(n_lists > 5, "only {n_lists} lists found");
}

#[test]
fn paths_are_read_in_all_their_forms() {
    assert_eq!(spread("a::{b, c::{d, e}, self}"), ["a::b", "a::c::d", "a::c::e", "a"]);
    assert_eq!(absolute("super::super::x::Y", "a::b::c"), "a::x::Y");
    assert_eq!(absolute("self::x::Y", "a::b"), "a::b::x::Y");
    assert_eq!(absolute("crate::x::Y", "a::b"), "x::Y");
    assert_eq!(named("let x = super::y::z(1);", "a::b", &[]), ["a::y::z"]);
    assert_eq!(named("child::run(2)", "a", &["child".to_owned()]), ["a::child::run"]);
    assert_eq!(defined("pub(super) enum Kind<'a> {"), Some(("Kind", true)));
    assert_eq!(defined("    struct Own;"), Some(("Own", false)));
    assert_eq!(defined("fn f(x: struct_like) {"), None);
}
