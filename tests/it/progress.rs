//! How far a batch of commands is, and what it took: on stderr only, and never
//! at the price of reading ahead.

use std::fs;
use std::io::Write as _;

use crate::support::Fresh;
use crate::terminal::terminal;

/// Whether it is told with times of a second at least, whichever they are: each `@`
/// stands for one.
fn is_told(told: &str, expected: &str) -> bool {
    let pieces: Vec<&str> = expected.split('@').collect();
    let after_a_time = |text: &'_ str| {
        let (digits, rest) = text.strip_prefix("0:")?.split_at_checked(2)?;
        (digits != "00" && digits.bytes().all(|digit| digit.is_ascii_digit())).then(|| rest.to_owned())
    };
    told.match_indices(pieces[0]).any(|(at, first)| {
        let rest = Some(told[at + first.len()..].to_owned());
        let goes_on =
            |rest: Option<String>, piece: &&str| after_a_time(&rest?)?.strip_prefix(piece).map(str::to_owned);
        pieces[1..].iter().fold(rest, goes_on).is_some()
    })
}

#[test]
fn without_a_terminal_progress_is_plain_lines_that_come_although_nothing_ends() {
    let fresh = Fresh::new();
    let line = fresh.parsim("parallel --progress=always -j2 --shell /bin/sh");
    let told = fs::File::create(fresh.path("told")).unwrap();
    let line = line.args(["until [ -e {} ]; do sleep 0.01; done; echo {}", ":::", "go", "."]);
    let mut started = line.stderr(told).start();
    let expected = "parsim: 1/2 jobs, 1 running, 0 left, @, ETA @, longest @: \
                    until [ -e go ]; do sleep 0.01; done; echo go\n";
    started.until("seconds are told", || {
        fs::read_to_string(fresh.path("told")).is_ok_and(|told| is_told(&told, expected))
    });
    fs::write(fresh.path("go"), "").unwrap();
    let ran = started.end();
    ran.exits(0).expect(ran.stdout == ".\ngo\n", "nothing but the jobs' output on stdout");
}

#[test]
fn a_bar_moves_although_nothing_ends_and_goes_away() {
    let fresh = Fresh::new();
    let (stderr, shown) = terminal();
    let line = fresh.parsim("parallel --bar -j1 --shell /bin/sh").env("TERM", "xterm");
    line.args(["sleep {} #", ":::", "3", "1"]).stderr(stderr).run().exits(0);
    let shown = shown.join().unwrap();
    assert!(shown.contains("0/2 jobs, 1 running, 1 left, 0:00"), "{shown:?}");
    assert!(is_told(&shown, "0/2 jobs, 1 running, 1 left, @, longest @: sleep 3 #"), "{shown:?}");
    assert!(shown.contains("1/2 jobs, 1 running, 0 left"), "{shown:?}");
}

#[test]
fn the_total_is_told_once_the_inputs_have_ended() {
    let fresh = Fresh::new();
    let (stdin, mut inputs) = std::io::pipe().unwrap();
    let line = fresh.parsim("parallel --progress=always -j2 --shell /bin/sh").stdin(stdin);
    let mut started = line.args(["until [ -e go ]; do sleep 0.01; done; : {}"]).start();
    inputs.write_all(b"1\n").unwrap();
    started.until_it_tells("parsim: 0 jobs, 1 running, 0:0");
    drop(inputs);
    started.until_it_tells("parsim: 0/1 jobs, 1 running, 0 left");
    fs::write(fresh.path("go"), "").unwrap();
    started.end().exits(0);
}

#[test]
fn a_batch_is_summed_up_on_a_terminal_or_when_asked_to() {
    let fresh = Fresh::new();
    let batch = |options: &str| {
        fresh.parsim(&format!("parallel {options} --shell /bin/sh -j2 true")).args([":::", "1", "2"])
    };
    batch("").run().exits(0).is_quiet();
    batch("--summary never").run().exits(0).is_quiet();
    let ran = batch("--summary always").run();
    ran.exits(0)
        .tells("parsim: 2 jobs in ")
        .tells("CPU: on average ")
        .tells(" busy\n")
        .tells("busy, slot by slot: ");
    ran.expect(ran.stdout.is_empty(), "nothing on stdout");
    let (stderr, shown) = terminal();
    batch("").env("TERM", "xterm").stderr(stderr).run().exits(0);
    assert!(shown.join().unwrap().contains("parsim: 2 jobs in "));
}

#[test]
fn default_options_come_from_the_environment_and_typed_ones_win() {
    let fresh = Fresh::new();
    let batch = |way: &str, defaults: &str| {
        fresh.parsim(&format!("{way} -k echo {{%}}-{{}} ::: 1 2")).env("PARSIM", defaults).run()
    };
    let ran = batch("serial", "-j 2 --tagstring 'a b'");
    ran.exits(0).expect(ran.stdout == "a b\t1-1\na b\t1-2\n", "the tag, and one at a time");
    batch("parallel", "echo").exits(255).tells_one_line("$PARSIM holds default options and nothing else");
    batch("parallel", "--no-such").exits(255).tells_one_line("$PARSIM: ");
    let ran = fresh.parsim("parallel --tagstring typed echo ::: 1").env("PARSIM", "--tag").run();
    ran.exits(0).expect(ran.stdout == "typed\t1\n", "the typed option");
}

#[test]
fn defaults_that_do_not_go_with_a_subcommand_are_left_out_there() {
    let fresh = Fresh::new();
    let defaults = "--runs 2 -j 2 --joblog log --halt now,fail=1 --tag";
    let ran = fresh.parsim("compare --export-json study echo {} ::: a b").env("PARSIM", defaults).run();
    ran.exits(0).is_quiet();
    let study: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(fresh.path("study")).unwrap()).unwrap();
    for column in study["columns"].as_array().unwrap() {
        assert_eq!(column["runs"].as_array().unwrap().len(), 2, "{column}");
    }
    assert!(!fresh.path("log").exists());
    let ran = fresh.parsim("parallel -k echo ::: a b").env("PARSIM", defaults).run();
    ran.exits(0).expect(ran.stdout == "a\ta\nb\tb\n", "the tag");
    assert_eq!(fs::read_to_string(fresh.path("log")).unwrap().lines().count(), 3);
    // What was typed is refused all the same.
    fresh.parsim("compare --halt now,fail=1 echo ::: a").env("PARSIM", "-k").run().refuses("--halt");
}
