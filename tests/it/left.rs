//! What killed runs leave, and what becomes of it; and who may read what jobs
//! print.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::support::{Fresh, Started};

/// Every file and folder below `folder`, without following links.
fn below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .flat_map(|entry| {
            let path = entry.path();
            let inner = if entry.file_type().unwrap().is_dir() { below(&path) } else { Vec::new() };
            std::iter::once(path).chain(inner)
        })
        .collect()
}

/// The temporaries in the test's folder.
fn temporaries(fresh: &Fresh) -> Vec<PathBuf> {
    let is_one = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.starts_with('.') && [".tmp", ".spill", ".wd"].iter().any(|end| name.ends_with(end))
    };
    below(&fresh.path("")).into_iter().filter(is_one).collect()
}

/// Starts `script`, whose job waits at the pipe `gate`, and waits until there is
/// a temporary and the job is there.
fn waiting(fresh: &Fresh, script: &str) -> Started {
    let mut run = fresh.shell(script).start();
    run.until("a temporary, and a job", || !temporaries(fresh).is_empty() && fresh.path("waits").exists());
    run
}

/// Lets the job at the gate go on.
fn open_gate(fresh: &Fresh) {
    fs::write(fresh.path("gate"), "").unwrap();
    fs::remove_file(fresh.path("waits")).unwrap();
}

fn gated() -> Fresh {
    let fresh = Fresh::new();
    fs::create_dir(fresh.path("tmp")).unwrap();
    fresh.shell("mkfifo gate").run().exits(0);
    fresh
}

/// Options under which a run has a temporary while its job waits.
const KINDS: [&str; 7] = [
    "--results r",
    "--results r/{#}.txt",
    "--files",
    "--export-json study.json",
    "--pipe -N1 --cat",
    "--pipe -N1 --fifo",
    "--wd ...",
];

fn script(options: &str, command: &str) -> String {
    let input = if options.contains("--pipe") { "echo a |" } else { "" };
    let values = if options.contains("--pipe") { "" } else { "::: a" };
    // The value is not to stand behind the command.
    format!(
        "export TMPDIR=\"$PWD/tmp\"; {input} exec parsim parallel -j1 {options} ': {{}}; {command}' {values}"
    )
}

#[test]
fn what_a_killed_run_left_is_removed_by_the_next_one_that_writes_there() {
    for options in KINDS {
        let fresh = gated();
        // With --wd the job is elsewhere.
        let wait = format!("cd {}; touch waits; cat gate", fresh.path("").display());
        let start = script(options, &wait);
        // `echo a |` makes parsim a child of the shell, which is killed with it.
        let run = waiting(&fresh, &start);
        let left = temporaries(&fresh);
        run.signal_all("KILL");
        drop(run);
        open_gate(&fresh);
        assert!(left.iter().any(|path| path.exists()), "{options}: {left:?}");
        fresh.shell(&script(options, "true")).run().exits(0);
        let stayed: Vec<_> = left.iter().filter(|path| path.exists()).collect();
        assert!(stayed.is_empty(), "{options}: {stayed:?}");
    }
}

#[test]
fn what_a_run_that_is_alive_writes_is_left_to_it() {
    for options in ["--results r", "--files", "--export-json study.json", "--pipe -N1 --cat"] {
        let fresh = gated();
        let run = waiting(&fresh, &script(options, "touch waits; cat gate; echo done"));
        let held = temporaries(&fresh);
        fresh.shell(&script(options, "true")).run().exits(0);
        assert!(held.iter().all(|path| path.exists()), "{options}: {held:?}");
        open_gate(&fresh);
        run.end().exits(0);
        assert!(held.iter().all(|path| !path.exists()), "{options}: {held:?}");
    }
}

#[test]
fn files_of_a_killed_run_of_csv_are_gone_with_the_next() {
    let fresh = Fresh::new();
    let big = "csv --parallel --files 4 --rows 4000 --cols 4000 --progress=never";
    let mut run = fresh.parsim(big).start();
    run.until("a file begun", || !temporaries(&fresh).is_empty());
    run.signal("KILL");
    run.end().ends_by_signal(9);
    assert!(!temporaries(&fresh).is_empty());
    fresh.parsim("csv --parallel --files 1 --rows 2 --cols 2 --progress=never").run().exits(0);
    assert_eq!(temporaries(&fresh), Vec::<PathBuf>::new());
}

#[test]
fn a_run_that_goes_on_leaves_no_temporary_of_the_killed_one_among_results() {
    let fresh = gated();
    let run =
        waiting(&fresh, "exec parsim parallel -j1 --results r 'touch waits; cat gate; echo {}' ::: a b");
    run.signal("KILL");
    run.end().ends_by_signal(9);
    open_gate(&fresh);
    assert!(!temporaries(&fresh).is_empty());
    let go_on = "parsim parallel -j1 --results r --resume 'echo {}' ::: a b; cat r/1/*/stdout";
    fresh.shell(go_on).run().exits(0).says("a\nb\n");
    assert_eq!(temporaries(&fresh), Vec::<PathBuf>::new());
}

#[test]
fn temporaries_of_other_hosts_stay_and_are_told_of_once() {
    let fresh = Fresh::new();
    fs::create_dir(fresh.path("r")).unwrap();
    let names: Vec<PathBuf> = (0..2)
        .map(|number| fresh.path(format!("r/.x.1-{}-1-{number:016x}.tmp", "fedcba".repeat(3))))
        .collect();
    for name in &names {
        fs::write(name, "").unwrap();
    }
    let ran = fresh.shell("parsim parallel --results r/{} echo ::: a b c").run();
    ran.exits(0).tells_one_line("2 temporary files of other hosts in r left untouched");
    assert!(names.iter().all(|name| name.exists()));
}

#[test]
fn what_only_looks_like_a_temporary_stays() {
    let fresh = Fresh::new();
    fs::create_dir(fresh.path("r")).unwrap();
    let names = [".x.tmp", ".x.csv.123-4.tmp", "x.tmp", ".parsim-12-3.spill", ".1-2-3-4.wd"];
    for name in names {
        fs::write(fresh.path("r").join(name), "").unwrap();
    }
    fresh.shell("parsim parallel --results r/{} echo ::: a").run().exits(0).is_quiet();
    assert!(names.iter().all(|name| fresh.path("r").join(name).exists()));
}

#[test]
fn nobody_else_reads_or_guesses_what_parsim_makes_in_tmpdir() {
    let fresh = gated();
    let mode = |path: &Path| fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777;
    let mut names = Vec::new();
    for options in ["--files", "--pipe -N1 --cat", "--pipe -N1 --fifo", "--wd ..."] {
        let folder = fresh.path("").display().to_string();
        let wait = format!("cd {folder}; touch waits; cat gate");
        let run = waiting(&fresh, &format!("umask 022; {}", script(options, &wait)));
        let there = temporaries(&fresh);
        let pid = run.id().to_string();
        for path in &there {
            let wanted = if path.is_dir() { 0o700 } else { 0o600 };
            assert_eq!(mode(path), wanted, "{options}: {}", path.display());
        }
        open_gate(&fresh);
        let ran = run.end();
        ran.exits(0);
        if options == "--files" {
            let file = PathBuf::from(ran.stdout.trim_end());
            assert_eq!(mode(&file), 0o600);
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            let told = there.iter().any(|path| path.to_string_lossy().contains(&name[..name.len() - 4]));
            ran.expect(!told && !name.contains(&pid), "a name that nobody knows before");
            names.push(name);
        }
    }
    assert!(
        names.iter().all(|name| name.starts_with("par") && name.strip_suffix(".par").is_some()),
        "{names:?}"
    );
}

#[test]
fn a_link_in_tmpdir_leads_no_output_astray() {
    // Names of the kind that was predictable, for every process there may be.
    let fresh = gated();
    fs::write(fresh.path("victim"), "mine").unwrap();
    let plant = "i=0; while [ $i -lt 3 ]; do ln -s ../victim tmp/par$$-$i.par; i=$((i+1)); done; ";
    let ran = fresh.shell(&format!("{plant}{}", script("--files", "echo secret"))).run();
    ran.exits(0);
    assert_eq!(fs::read_to_string(fresh.path("victim")).unwrap(), "mine");
    assert_eq!(fs::read_to_string(ran.stdout.trim_end()).unwrap(), "secret\n");
}

#[test]
fn files_whose_names_are_no_text_are_compared_too() {
    let fresh = Fresh::new();
    let job = r#"mkdir -p d; cd d; echo 1 >"$(printf 'a\377')"; printenv PARSIM_WAY >"$(printf 'a\376')"; :"#;
    for pattern in ["d/a*", "d", "**/a?"] {
        let ran = fresh.parsim("compare --runs 1 --outputs").args([pattern, job, ":::", "1"]).run();
        ran.exits(102).says("1 of 2 files identical").says("differs: file d/a\\xfe (parallel): ");
        std::fs::remove_dir_all(fresh.path("d")).unwrap();
    }
}
