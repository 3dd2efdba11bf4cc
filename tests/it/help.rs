//! Help on batches of commands says what is true.

use std::fs;

use crate::support::Fresh;

/// Whether a word of a help text stands for a value, and one that will do.
fn sample(word: &str) -> Option<&'static str> {
    Some(match word {
        "N" | "SECONDS" | "FACTOR" => "1",
        "BYTES" => "4096",
        "FILE" => "/dev/null",
        "OUT" => "out",
        "DELIM" | "REGEXP" | "STR" | "END" => "x",
        "HOW" => "lr",
        "RULE" => "soon,fail=1",
        "LOAD" => "1000",
        "SEQUENCE" => "TERM,25",
        "DIR" => "/",
        "NAME" | "NAMES" => "X",
        "PATH" => "/bin/sh",
        "WHO" => "threads",
        "HOSTS" => ":",
        "WHICH" => "auto",
        "TIME" => "1h",
        "ARG" => "-Cx",
        "CMD" => "true",
        "WHEN" => "never",
        _ if word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_uppercase()) => {
            panic!("what is {word}?")
        }
        _ => return None,
    })
}

/// Every option of `text`, with a value where it takes one.
fn options(text: &str) -> Vec<Vec<String>> {
    let mut options = Vec::new();
    // Examples and differences name options of other programs.
    let sections = text.lines().skip_while(|line| !line.starts_with("Inputs:"));
    for line in sections.take_while(|line| !line.starts_with("Signals:") && !line.starts_with("parsim ")) {
        // The words of a line's explanation are two blanks away.
        let is_table = line.starts_with("  -");
        let words: Vec<&str> = match line.trim().split_once("  ").filter(|_| is_table) {
            Some((named, _)) => named.split_whitespace().collect(),
            None => line.split_whitespace().collect(),
        };
        let trimmed: Vec<&str> = words.iter().map(|word| word.trim_end_matches([',', ';'])).collect();
        // The value stands behind the last of several names.
        let value = if is_table { trimmed.last().and_then(|word| sample(word)) } else { None };
        for (index, word) in trimmed.iter().enumerate().filter(|(_, word)| word.starts_with('-')) {
            let mut option = vec![(*word).to_owned()];
            // In brackets stands a value that may be left out.
            let attached = word.trim_end_matches(']').replace("[=", "=");
            let attached =
                attached.split_once('=').map(|(name, value)| format!("{name}={}", sample(value).unwrap()));
            if let Some(attached) = attached {
                option = vec![attached];
            } else if is_table {
                option.extend(value.map(str::to_owned));
            } else {
                option.extend(trimmed.get(index + 1).and_then(|word| sample(word)).map(str::to_owned));
            }
            options.push(option);
        }
    }
    options
}

/// Options that are about hosts which others name.
const OF_HOSTS: [&str; 9] = [
    "--basefile",
    "--hostgroups",
    "--nonall",
    "--onall",
    "--return",
    "--ssh-worker",
    "--transfer",
    "--transferfile",
    "--trc",
];

#[test]
fn every_option_that_help_names_is_accepted() {
    let fresh = Fresh::new();
    // For those that go on from an earlier run.
    fresh.parsim("parallel --joblog log true ::: 1").run().exits(0);
    for help in ["-h", "--help"] {
        let text = fresh.parsim(&format!("parallel {help}")).run().stdout;
        // What is for a cluster needs one, and is tried where there is one.
        let (before, cluster) = text.split_once("\nOn a cluster").unwrap_or((&text, ""));
        let after = cluster.split_once("\nOutput:").map_or("", |(_, after)| after);
        let options = options(&format!("{before}\nOutput:{after}"));
        assert!(options.len() > 30, "{options:?}");
        fs::write(fresh.path("hosts"), ":\n").unwrap();
        for mut option in options {
            if option[0] == "--sshloginfile" {
                "hosts".clone_into(&mut option[1]);
            }
            let goes_on = ["--resume", "--resume-failed", "--retry-failed"].contains(&option[0].as_str());
            let with_log = if goes_on { &["--joblog", "log"][..] } else { &[] };
            let about_hosts = OF_HOSTS.contains(&option[0].as_str());
            let with_hosts = if about_hosts { &["-S", ":"][..] } else { &[] };
            let inputs = if option[0] == "--nonall" { &[][..] } else { &[":::", "1"] };
            let line = fresh.parsim("parallel").args(with_log).args(with_hosts).args(&option);
            line.args(["--dry-run", "/bin/echo"]).args(inputs).run().exits(0);
        }
    }
}

#[test]
fn the_short_help_is_short_and_the_long_one_has_examples() {
    let fresh = Fresh::new();
    for way in ["serial", "parallel"] {
        let short = fresh.parsim(&format!("{way} -h")).run();
        short.exits(0).is_quiet().expect(short.stdout.lines().count() <= 25, "a screen at most");
        let long = fresh.parsim(&format!("{way} --help")).run();
        long.exits(0).is_quiet().says("\nExamples:\n").says("parsim help gnu");
        assert_eq!(fresh.parsim(&format!("help {way}")).run().stdout, long.stdout);
        assert_eq!(fresh.parsim(&format!("{way} -k --help")).run().stdout, long.stdout);
    }
}

#[test]
fn a_word_that_help_does_not_know_is_named_with_the_nearest_it_knows() {
    let fresh = Fresh::new();
    fresh.parsim("help messure").run().refuses("there is no help on 'messure': did you mean 'measure'?");
    fresh.parsim("help paralel").run().refuses("there is no help on 'paralel': did you mean 'parallel'?");
}

#[test]
fn topics_are_told_of_and_listed() {
    let fresh = Fresh::new();
    fresh.parsim("help gnu").run().exits(0).is_quiet().says("Deliberate differences:\n");
    fresh.parsim("help exit").run().exits(0).is_quiet().says("\n  1-100 ").says("--halt");
    fresh.parsim("help measure").run().exits(0).is_quiet().says("CPU time");
    fresh.parsim("--help").run().exits(0).says("help gnu").says("help exit").says("help measure");
}

#[test]
fn an_option_of_two_meanings_has_them_and_both_helps_say_so() {
    let fresh = Fresh::new();
    // GNU parallel's tidies up other machines, of which there are none.
    fresh.parsim("parallel --cleanup echo {} ::: a").run().exits(0).is_quiet().says("a\n");
    fresh.parsim("serial --clean -k echo ::: b").run().exits(0).says("b\n");
    let compared = fresh.parsim("compare --cleanup").args(["touch tidy", "true", ":::", "1"]).run();
    compared.exits(0).expect(fresh.path("tidy").exists(), "the command was run");
    // A default is parsim's own, and left out where it has no meaning.
    let with_default = fresh.parsim("parallel echo ::: c").env("PARSIM", "--cleanup 'touch no'").run();
    with_default.exits(0).is_quiet().expect(!fresh.path("no").exists(), "no command was run");
    fresh.parsim("parallel --help").run().says("--cleanup CMD)");
    for help in ["compare --help", "csv --help"] {
        fresh.parsim(help).run().says("parsim parallel --cleanup is GNU").says("takes no CMD");
    }
    fresh.parsim("parallel --help").run().says("N times in all (parsim tap --retries N: N times more)");
    fresh.parsim("tap --help").run().says("--retries N: N tries in all)");
}

#[test]
fn a_share_of_the_cores_is_the_same_number_of_jobs_everywhere() {
    let fresh = Fresh::new();
    let slots = |line: &str| {
        let ran = fresh.parsim(line).run();
        ran.exits(0);
        let rows = ran.stdout.lines().filter(|row| row.contains(",parallel,"));
        let widths: Vec<String> = rows.map(|row| row.split(',').nth(9).unwrap().to_owned()).collect();
        assert!(!widths.is_empty(), "{}", ran.stdout);
        widths
    };
    for jobs in ["75%", "75%,75%", "0%", "+1"] {
        let compared = slots(&format!("compare --export-csv - -j {jobs} true ::: 1 2 3 4 5 6 7 8"));
        assert_eq!(
            compared,
            slots(&format!("sleep --export-csv - --seconds 0 --tasks 8 -j {jobs}")),
            "-j {jobs}"
        );
    }
}

#[test]
fn examples_fit_on_a_narrow_terminal() {
    let fresh = Fresh::new();
    let ran = fresh.parsim("cone --help").run();
    let examples = ran.stdout.split("Examples:").nth(1).unwrap().split("Exit status:").next().unwrap();
    let long: Vec<&str> = examples.lines().filter(|line| line.chars().count() > 80).collect();
    assert!(long.is_empty() && examples.lines().count() > 10, "{long:#?}");
}
