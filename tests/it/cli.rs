//! What can be typed: help, versions, widths, colours, and the cores there are.

use std::fs;

use serde_json::Value;

use crate::support::{Fresh, Ran};

const GATES: [&str; 2] = ["--min-speedup", "--fail-if-slower"];
const RUNNING: [&str; 5] = ["--jobs", "--progress", "--lanes", "--ascii", "--verbose"];
const REPORTING: [&str; 8] = [
    "--color",
    "--export-json",
    "--export-csv",
    "--export-markdown",
    "--export-html",
    "--export-junit",
    "--export-trace",
    "--export-prometheus",
];
const ELSEWHERE: [&str; 16] = [
    "--sshlogin",
    "--sshloginfile",
    "--sshdelay",
    "--ssh",
    "--filter-hosts",
    "--ssh-worker",
    "--threads-per-job",
    "--nodes",
    "--slots",
    "--memory-per-job",
    "--partition",
    "--account",
    "--qos",
    "--walltime",
    "--sbatch-arg",
    "--run-dir",
];
const WAYS: [&str; 8] =
    ["--compare", "--workers", "--serial", "--parallel", "--runs", "--warmup", "--prepare", "--cleanup"];
const SLEEP: [&str; 2] = ["--tasks", "--seconds"];
const CSV: [&str; 13] = [
    "--files",
    "--rows",
    "--cols",
    "--lam",
    "--seed",
    "--rng",
    "--matrix",
    "--dist",
    "--low",
    "--high",
    "--loc",
    "--scale",
    "--out-dir",
];

fn options(name: &str) -> Vec<&'static str> {
    let mut options = match name {
        "cpus" => vec![],
        "report" => [&REPORTING[..], &GATES, &["--lanes", "--ascii", "--verbose", "--history"]].concat(),
        "sleep" => [&RUNNING[..], &REPORTING, &WAYS, &ELSEWHERE, &GATES, &SLEEP].concat(),
        _ => [&RUNNING[..], &REPORTING, &WAYS, &ELSEWHERE, &GATES, &CSV].concat(),
    };
    options.push("--help");
    options.sort_unstable();
    options
}

/// The options that a help text explains: those at the start of a line.
fn explained(ran: &Ran) -> Vec<&str> {
    let lines = ran.stdout.lines().map(str::trim_start);
    // A short form comes first: `-j, --jobs <N>`.
    let long = lines.map(|line| match line.split_once(", ") {
        Some((short, long)) if short.len() == 2 => long,
        _ => line,
    });
    let mut options: Vec<&str> = long
        .filter(|line| line.starts_with("--"))
        .map(|line| line.split([' ', '=']).next().unwrap())
        .collect();
    options.sort_unstable();
    options
}

#[test]
fn help_explains_every_option_once_and_short_help_fits_a_screen() {
    let fresh = Fresh::new();
    for name in ["sleep", "csv-gen", "csv", "report", "cpus"] {
        for help in ["--help", "-h"] {
            let ran = fresh.parsim(&format!("{name} {help}")).run();
            // Those of other machines are in the long help alone.
            let in_brief = |option: &&str| help == "--help" || !ELSEWHERE.contains(option);
            let options: Vec<&str> = options(name).into_iter().filter(in_brief).collect();
            ran.exits(0).is_quiet().expect(explained(&ran) == options, "every option once");
            ran.expect(help == "--help" || ran.stdout.lines().count() < 70, "a text of less than 70 lines");
        }
    }
}

#[test]
fn help_names_the_subcommands_and_the_exit_statuses() {
    let ran = Fresh::new().parsim("--help").run();
    ran.exits(0);
    for name in ["serial", "parallel", "sleep", "csv-gen", "csv]", "report", "cpus"] {
        ran.says(name);
    }
    for (status, meaning) in parsim::testing::cli::STATUSES {
        ran.says(&format!("  {status:6} {meaning}\n"));
    }
}

#[test]
fn every_subcommand_that_runs_something_explains_the_exit_statuses() {
    let fresh = Fresh::new();
    for name in ["sleep", "csv"] {
        fresh.parsim(&format!("{name} --help")).run().exits(0).says("Exit status:\n  0 ").says("\n  102 ");
    }
}

#[test]
fn the_examples_of_the_help_can_be_typed() {
    let fresh = Fresh::new();
    let mut n_examples = 0;
    for name in ["sleep", "csv"] {
        let help = fresh.parsim(&format!("{name} --help")).run();
        for line in help.stdout.lines().filter_map(|line| line.strip_prefix("  parsim ")) {
            // What is done takes long; that it is understood shows at once.
            let words = line.split("   ").next().unwrap();
            fresh
                .parsim(&format!("{words} --export-json no/such/folder/x"))
                .run()
                .refuses("cannot open no/such/folder/x");
            n_examples += 1;
        }
    }
    assert_eq!(n_examples, 6);
}

#[test]
fn cpus_tells_the_usable_cores_and_a_batch_system_is_obeyed() {
    let fresh = Fresh::new();
    let ran = fresh.parsim("cpus").run();
    ran.exits(0).is_quiet();
    for label in
        ["model  ", "logical cores  ", "physical cores  ", "affinity mask  ", "cgroup quota  ", "load  "]
    {
        ran.says(label);
    }
    let usable = |ran: &Ran| -> (usize, String) {
        let line = ran.stdout.lines().find_map(|line| line.strip_prefix("usable cores")).unwrap();
        let (number, rule) = line.trim().split_once(' ').unwrap();
        (number.parse().unwrap(), rule.to_owned())
    };
    let (all, _) = usable(&ran);
    assert!(all >= 1);
    for name in ["SLURM_CPUS_PER_TASK", "PBS_NCPUS", "NSLOTS"] {
        let ran = fresh.parsim("cpus").env(name, "1").run();
        ran.exits(0).says(&format!("{name}=1"));
        let (cores, rule) = usable(&ran);
        ran.expect(cores == 1, "one usable core");
        // Of equal limits the first one is said to decide.
        ran.expect(all == 1 || rule == format!("({name})"), "the variable to have decided");
    }
    let ran = fresh.parsim("cpus").env("SLURM_CPUS_PER_TASK", "many").run();
    ran.exits(0).says("SLURM_CPUS_PER_TASK=many (not a positive number)");
    assert_eq!(usable(&ran).0, all);
    let ran = fresh.parsim("csv --parallel --files 1 --rows 1 --cols 1").env("NSLOTS", "1").run();
    ran.exits(0).says("1 file, 1 at a time on 1 core");
}

/// The widths of the parallel columns, and the usable cores.
fn widths(fresh: &Fresh, jobs: &str) -> (Vec<u64>, u64) {
    let line = format!("sleep --tasks 5 --seconds 0 --parallel --runs 1 --export-json - --jobs {jobs}");
    let ran = fresh.parsim(&line).run();
    ran.exits(0);
    let study: Value = serde_json::from_str(&ran.stdout).unwrap();
    let columns = study["columns"].as_array().unwrap();
    let widths = columns.iter().map(|column| column["width"].as_u64().unwrap());
    (widths.collect(), study["host"]["usable"].as_u64().unwrap())
}

#[test]
fn jobs_are_a_number_a_share_a_difference_or_a_sweep() {
    let fresh = Fresh::new();
    let (_, usable) = widths(&fresh, "1");
    for (jobs, expected) in [
        ("3", vec![3]),
        ("0", vec![5]),
        ("100%", vec![usable]),
        ("200%", vec![2 * usable]),
        ("+2", vec![usable + 2]),
        ("-1", vec![usable.saturating_sub(1).max(1)]),
        ("-1000000", vec![1]),
        ("1,2,4", vec![1, 2, 4]),
        ("4,1,4", vec![4, 1]),
        ("2-4", vec![2, 3, 4]),
    ] {
        assert_eq!(widths(&fresh, jobs).0, expected, "-j {jobs}");
    }
    for jobs in ["", "x", "1.5", "4-2", "0-3", "1,,2", "-5%", "99999999999", "1-99999"] {
        let ran = fresh.parsim("sleep --seconds 0").args([format!("--jobs={jobs}")]).run();
        ran.refuses("give N, N%, +N, -N, 0 (as many as tasks), or a list or range such as 1,2,4 or 1-8");
    }
    fresh.parsim("sleep --seconds 0 --serial -j 1").run().exits(0);
}

#[test]
fn colours_in_a_pipe_come_only_when_asked_for_and_the_option_decides() {
    let fresh = Fresh::new();
    for (option, environment, colored) in [
        ("", [].as_slice(), false),
        ("--color auto", &[("TERM", "xterm")], false),
        ("--color always", &[], true),
        ("--color always", &[("NO_COLOR", "1"), ("TERM", "dumb")], true),
        ("", &[("CLICOLOR_FORCE", "1")], true),
        ("", &[("CLICOLOR_FORCE", "0")], false),
        ("", &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
        ("", &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "")], true),
        ("--color never", &[("CLICOLOR_FORCE", "1")], false),
        ("", &[("TERM", "dumb")], false),
    ] {
        let mut line = fresh.parsim(&format!("sleep --seconds 0 --serial {option}"));
        for (name, value) in environment {
            line = line.env(name, value);
        }
        let ran = line.run();
        ran.exits(0).expect(ran.stdout.contains('\u{1b}') == colored, &format!("colours: {colored}"));
    }
}

#[test]
fn lines_are_drawn_with_what_the_locale_can_write() {
    let fresh = Fresh::new();
    let line = || fresh.parsim("sleep --seconds 0 --serial");
    line().run().exits(0).says("────");
    for locale in ["C", "POSIX", ""] {
        let ran = line().env("LC_ALL", locale).run();
        ran.exits(0).says("----").expect(ran.stdout.is_ascii(), "nothing but ASCII");
    }
    line().env("LC_ALL", "").env("LANG", "de_DE.utf8").run().exits(0).says("────");
}

#[test]
fn progress_can_be_turned_off_and_is_silent_for_short_work() {
    let fresh = Fresh::new();
    for when in ["never", "always", "auto"] {
        fresh.parsim(&format!("sleep --seconds 0 --progress={when}")).run().exits(0).is_quiet();
    }
    fresh
        .parsim("sleep --seconds 0 --progress=perhaps")
        .run()
        .refuses("--progress perhaps")
        .tells("auto, always, never");
}

#[test]
fn control_characters_of_an_option_do_not_reach_the_terminal() {
    let fresh = Fresh::new();
    let line = fresh.parsim("csv --files 1 --rows 1 --cols 1 --runs 1 --out-dir").args(["a\u{1b}[31m\nb"]);
    let ran = line.run();
    ran.exits(0).does_not_say("\u{1b}").says("written to a\\u{1b}[31m\\nb/data_serial/x000000.csv");
}

#[test]
fn control_characters_of_an_option_do_not_break_the_one_line_of_a_fault() {
    let fresh = Fresh::new();
    let line = fresh.parsim("sleep --export-json").args(["no\nsuch\u{1b}[31m/x"]);
    let ran = line.run();
    ran.refuses("no\\nsuch").expect(!ran.stderr.contains('\u{1b}'), "no escape on stderr");
}

#[test]
fn errors_of_the_system_are_told_without_their_numbers() {
    let fresh = Fresh::new();
    fs::create_dir(fresh.path("folder")).unwrap();
    for script in [
        "parsim report none.json",
        "parsim report folder",
        "parsim parallel -a none echo",
        "parsim parallel --pipe cat <folder",
        "parsim parallel --joblog folder/no/x echo ::: 1",
        "parsim parallel --results none/../x.csv echo ::: 1",
        "parsim parallel echo ::: 1 >/dev/full",
        "parsim parallel --line-buffer echo ::: 1 >/dev/full",
        "parsim parallel -k --tag echo ::: 1 >/dev/full",
        "parsim sleep --tasks 1 --seconds 0 --parallel >/dev/full",
        "parsim sleep --tasks 1 --seconds 0 --export-json none/x",
        "parsim tap --urls none",
        "parsim tap --cacert none http://127.0.0.1:1/",
    ] {
        let ran = fresh.shell(script).run();
        ran.does_not_say("os error").expect(!ran.stderr.contains("os error"), "no number of an error");
        ran.expect(!ran.stderr.is_empty(), "a message");
    }
}

#[test]
fn a_long_value_is_told_without_its_middle() {
    let fresh = Fresh::new();
    let long = "x".repeat(3000);
    let lines = ["report", "parallel --timeout", "sleep --tasks", "tap --urls", "parallel false :::"];
    for line in lines.into_iter().chain(["compare -N", "man", "help"]) {
        let ran = fresh.parsim(line).args([&long]).stdin(std::process::Stdio::null()).run();
        ran.expect(ran.stderr.contains("xxx...xxx") && ran.stderr.len() < 700, "a short message");
    }
}

#[test]
fn a_mistyped_option_of_any_length_is_answered_at_once() {
    let fresh = Fresh::new();
    let long = format!("--{}", "x".repeat(100_000));
    let ran = fresh.parsim("parallel").args([&long]).run();
    ran.refuses("xxx...xxx").expect(ran.stderr.len() < 700, "a short message");
    let name = "x".repeat(3000);
    let ran = fresh.parsim("compare --command-name").args([name.as_str(), "true", ":::", "a"]).run();
    ran.exits(0).says("xxx...xxx").expect(!ran.stdout.contains(&name), "a heading that is cut");
}

#[test]
fn negative_numbers_may_have_a_negative_exponent() {
    let fresh = Fresh::new();
    let line = "csv --parallel --files 1 --rows 2 --cols 2 --dist uniform --low -1e-3 --high -1e-4";
    fresh.parsim(line).run().exits(0);
    fresh.parsim("csv --lam -1e-300").run().refuses("lam < 0 or lam is NaN");
}

#[test]
fn a_mistyped_option_points_to_the_help_that_has_it() {
    let fresh = Fresh::new();
    for line in
        ["csv --fiels 3", "csv --files x", "csv --jobs", "csv --rng nump", "csv --progress never", "csv x"]
    {
        let ran = fresh.parsim(line).run();
        ran.refuses("").expect(ran.stderr.ends_with("ee parsim csv-gen --help\n"), "the help of csv-gen");
    }
    fresh.parsim("cvs").run().refuses("'csv'");
}
