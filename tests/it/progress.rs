//! How far a batch of commands is, and what it took: on stderr only, with a total as soon
//! as it can be known, and never at the price of a job that waits for it.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{PipeReader, Write as _};
use std::thread;

use crate::support::Fresh;
use crate::terminal::{terminal, terminal_of};

/// A job that is over when there is a file `go`.
const UNTIL_GO: &str = "until [ -e go ]; do sleep 0.01; done; : {}";

/// A pipe through which `text` comes.
fn piped(text: &str) -> PipeReader {
    let (reader, mut writer) = std::io::pipe().unwrap();
    let text = text.to_owned();
    // Who reads it may end before.
    thread::spawn(move || drop(writer.write_all(text.as_bytes())));
    reader
}

#[test]
fn without_a_terminal_progress_is_plain_lines_that_come_although_nothing_ends() {
    let fresh = Fresh::new();
    let line = fresh.parsim("parallel --progress=always -j2 --shell /bin/sh");
    let line = line.args(["until [ -e {} ]; do sleep 0.01; done; echo {}", ":::", "go", "."]);
    let told = || fs::read_to_string(fresh.path("told")).unwrap();
    let mut started = line.stderr(File::create(fresh.path("told")).unwrap()).start();
    let parts = [
        "1/2 done, 1 running: until [ -e go ]; do sleep 0.01; done; echo go (",
        " s), ",
        "/",
        ", 0:0",
        ", ETA 0:0",
    ];
    let is_whole = |line: &str| {
        let rest = parts.iter().try_fold(line, |rest, part| rest.split_once(part).map(|(_, rest)| rest));
        rest.is_some() && line.starts_with("parsim: ")
    };
    started.until("all is told", || told().lines().any(is_whole));
    fs::write(fresh.path("go"), "").unwrap();
    let ran = started.end();
    ran.exits(0).expect(ran.stdout == ".\ngo\n", "nothing but the jobs' output on stdout");
}

/// A job that is over when there is a file of its name.
const UNTIL_IT_IS: &str = "until [ -e {} ]; do sleep 0.01; done # for a process that lasts for some time";

#[test]
fn a_bar_moves_although_nothing_ends_and_goes_away() {
    let fresh = Fresh::new();
    let (stderr, shown) = terminal();
    let line = fresh.parsim("parallel --bar -j1 --shell /bin/sh").env("TERM", "xterm");
    let mut started = line.args([UNTIL_IT_IS, ":::", "a", "b"]).stderr(stderr).start();
    let drawn = |text: &str| {
        let shown = shown.so_far();
        shown.split('\r').filter(|line| line.contains(text)).map(str::to_owned).collect::<BTreeSet<_>>()
    };
    started.until("it moves", || drawn("░░   0% 0/2 done, 1 running: until [ -e a").len() > 2);
    fs::write(fresh.path("a"), "").unwrap();
    started.until("half of it", || !drawn("█░░░░░░  50% 1/2 done, 1 running: until [ -e b").is_empty());
    fs::write(fresh.path("b"), "").unwrap();
    started.end().exits(0);
    let shown = shown.join().unwrap();
    assert!(!shown.contains(" left"), "{shown:?}");
}

#[test]
fn a_bar_is_as_wide_as_its_terminal() {
    for (columns, expected) in [
        (40, "1/2 done, 1 running  ETA 0:"),
        (80, "████░░░░░  50% 1/2 done, 1 running: until [ -e go"),
        (120, "███████░░░░░░░  50% 1/2 done, 1 running: until [ -e go ]; do sleep 0.01; done #"),
    ] {
        let fresh = Fresh::new();
        let (stderr, shown) = terminal_of(columns);
        let line = fresh.parsim("parallel --bar -j2 --shell /bin/sh").env("TERM", "xterm");
        let mut started = line.args([UNTIL_IT_IS, ":::", "go", "."]).stderr(stderr).start();
        started.until(expected, || shown.so_far().contains(expected));
        fs::write(fresh.path("go"), "").unwrap();
        started.end().exits(0);
    }
}

#[test]
fn a_bar_leaves_a_clean_screen_when_the_batch_is_stopped_or_interrupted() {
    /// What takes a bar away, with nothing drawn in its place.
    const CLEARED: &str = "\r\u{1b}[2K\u{1b}[4D";
    let fresh = Fresh::new();
    let (stderr, shown) = terminal();
    let line = fresh.parsim("parallel --bar --shell /bin/sh").env("TERM", "xterm").stderr(stderr);
    let mut started = line.args(["exec sleep 60 # {}", ":::", "1"]).start();
    let n_drawn = || shown.so_far().matches("1 running").count();
    started.until("a bar is drawn", || n_drawn() > 0);
    started.signal("TSTP");
    let state = format!("/proc/{}/stat", started.id());
    started.until("it stands still", || fs::read_to_string(&state).is_ok_and(|state| state.contains(") T ")));
    let n_before = n_drawn();
    started.until("the bar is gone", || shown.so_far().ends_with(CLEARED));
    started.signal("CONT");
    started.until("it is drawn again", || n_drawn() > n_before);
    started.signal("INT");
    started.end().ends_by_signal(libc::SIGINT);
    let shown = shown.join().unwrap();
    let (_, told) = shown.rsplit_once(CLEARED).expect("a bar that is taken away");
    assert!(told.starts_with("parsim: interrupted"), "{told:?}");
}

#[test]
fn the_total_is_told_once_the_inputs_have_ended() {
    let fresh = Fresh::new();
    let (stdin, mut inputs) = std::io::pipe().unwrap();
    let line = fresh.parsim("parallel --progress=always -j2 --shell /bin/sh").stdin(stdin);
    let mut started = line.args([UNTIL_GO]).start();
    inputs.write_all(b"1\n").unwrap();
    started.until_it_tells("parsim: 0 done, 1 running: ");
    drop(inputs);
    started.until_it_tells("parsim: 0/1 done, 1 running: ");
    fs::write(fresh.path("go"), "").unwrap();
    started.end().exits(0);
}

#[test]
fn inputs_that_are_there_are_counted_while_the_first_jobs_run() {
    let fresh = Fresh::new();
    let (stdin, mut inputs) = std::io::pipe().unwrap();
    let line = fresh.parsim("parallel --progress=always -j1 -n2 --shell /bin/sh").stdin(stdin);
    let mut started = line.args(["echo {} >>done; until [ -e go ]; do sleep 0.01; done"]).start();
    // More than what waits in memory.
    let many: String = (0..100_000).map(|number| format!("input {number}\n")).collect();
    inputs.write_all(many.as_bytes()).unwrap();
    started.until_it_tells("parsim: 0 of 50000+ done, 1 running: ");
    inputs.write_all(b"the last\n").unwrap();
    drop(inputs);
    started.until_it_tells("parsim: 0/50001 done, 1 running: ");
    started.signal("HUP");
    fs::write(fresh.path("go"), "").unwrap();
    started.end().exits(0).tells("stopped early: 1 of 50,001 jobs done, 50,000 not started; ");
    assert_eq!(fs::read_to_string(fresh.path("done")).unwrap(), "input 0 input 1\n");
}

#[test]
fn all_inputs_that_were_read_ahead_are_used_in_their_order() {
    let fresh = Fresh::new();
    let many: String = (1..=30_000).map(|number| format!("{number} {}\n", "x".repeat(number % 50))).collect();
    for options in ["-n100", "-X"] {
        let line = fresh.parsim(&format!("parallel --progress=always -k -j2 {options} echo"));
        let ran = line.stdin(piped(&many)).run();
        let is_all = ran.stdout.split_whitespace().eq(many.split_whitespace());
        ran.exits(0).expect(is_all, &format!("all of them with {options}"));
    }
}

#[test]
fn files_are_counted_in_all_their_combinations() {
    let fresh = Fresh::new();
    fs::write(fresh.path("list"), "a\nb\nc\n").unwrap();
    fs::write(fresh.path("table"), "head\n1\n\n2\n").unwrap();
    for (sources, total) in [
        ("-a list", 3),
        ("-a list -a table", 12),
        ("--link -a list -a table", 4),
        ("--header : -r -a table", 2),
        ("-E c -a list -a list", 4),
    ] {
        let line = fresh.parsim(&format!("parallel --progress=always -j1 --shell /bin/sh {sources}"));
        let mut started = line.args([UNTIL_GO]).start();
        started.until_it_tells(&format!("parsim: 0/{total} done, 1 running: "));
        started.signal("TERM");
        started.end().ends_by_signal(libc::SIGTERM);
    }
}

#[test]
fn jobs_that_an_earlier_run_did_do_not_count() {
    let fresh = Fresh::new();
    let job = "[ {} = b ] || [ -e go ] || exec sleep 60";
    let batch = || {
        let line = fresh.parsim("parallel --progress=always -j1 --joblog log --resume --shell /bin/sh");
        line.args([job])
    };
    fs::write(fresh.path("go"), "").unwrap();
    batch().stdin(piped("a\nb\n")).run().exits(0);
    fs::remove_file(fresh.path("go")).unwrap();
    fs::write(fresh.path("list"), "a\nb\nc\nd\n").unwrap();
    for line in [batch().stdin(piped("a\nb\nc\nd\n")), batch().stdin(File::open(fresh.path("list")).unwrap())]
    {
        let mut started = line.start();
        started.until_it_tells("parsim: 0/2 done, 1 running: ");
        started.signal("TERM");
        started.end().ends_by_signal(libc::SIGTERM);
    }
}

/// Jobs that write now and then, and wait for files in between.
const TALKERS: &str = "parallel -j2 --latest-line --tag --shell /bin/sh";
const TALKER: &str = "echo {} one; until [ -e go ]; do sleep 0.01; done; echo {} two >&2; \
                      until [ -e go{} ]; do sleep 0.01; done; echo {} end";

#[test]
fn on_a_terminal_each_slot_has_a_line_with_its_job_and_its_latest_output() {
    let fresh = Fresh::new();
    let (screen, shown) = terminal();
    let line = fresh.parsim(TALKERS).env("TERM", "xterm").args([TALKER, ":::", "a", "b"]);
    let mut started = line.stdout(screen.try_clone().unwrap()).stderr(screen).start();
    let drawn = |slot: &str, latest: &str| {
        let shown = shown.so_far();
        let mut lines = shown.match_indices(slot).map(|(at, _)| shown[at..].chars().take(99));
        lines.any(|line| line.collect::<String>().contains(latest))
    };
    started.until("both have written", || {
        drawn("1 echo a one; until [ -e go", ": a one") && drawn("2 echo b one; until [ -e go", ": b one")
    });
    fs::write(fresh.path("go"), "").unwrap();
    started.until("they write on", || drawn("1 echo a", ": a two") && drawn("2 echo b", ": b two"));
    fs::write(fresh.path("gob"), "").unwrap();
    started.until("one of them ends", || shown.so_far().contains("b\tb end"));
    fs::write(fresh.path("goa"), "").unwrap();
    started.end().exits(0);
    let shown = shown.join().unwrap();
    let left: Vec<&str> = shown.lines().filter(|line| line.contains('\t')).collect();
    assert!(left.len() == 2 && left[0].ends_with("b\tb end") && left[1].ends_with("a\ta end"), "{left:?}");
    assert!(!shown.contains("/2 done"), "no bar that nobody wants: {shown:?}");
}

#[test]
fn off_a_terminal_every_line_comes_once_whether_or_not_the_latest_is_shown() {
    let fresh = Fresh::new();
    for name in ["go", "goa", "gob"] {
        fs::write(fresh.path(name), "").unwrap();
    }
    let all = "a\ta one\na\ta end\nb\tb one\nb\tb end\n";
    let ran = fresh.parsim(&format!("{TALKERS} -k")).args([TALKER, ":::", "a", "b"]).run();
    ran.exits(0).expect(ran.stdout == all && ran.stderr == "a\ta two\nb\tb two\n", "each line once");
    let (stderr, shown) = terminal();
    let line = fresh.parsim(&format!("{TALKERS} -k --summary never")).env("TERM", "xterm");
    let ran = line.args([TALKER, ":::", "a", "b"]).stderr(stderr).run();
    ran.exits(0).expect(ran.stdout == all, "each line once");
    // The last of those that go there.
    let shown = shown.join().unwrap();
    assert!(shown.contains("a\ta two\r\n") && shown.contains("b\tb two\r\n"), "{shown:?}");
    fresh.parsim("parallel --ll --tty true ::: a").run().refuses("--ll does not go with --tty");
    fresh.parsim("compare --ll true ::: a").run().refuses("--latest-line does not go with compare");
}

#[test]
fn a_comparison_says_on_a_terminal_which_run_of_how_many_it_is_at() {
    let fresh = Fresh::new();
    let (stderr, shown) = terminal();
    let line = fresh.parsim("compare -j2 --runs 2 --shell /bin/sh").env("TERM", "xterm").stderr(stderr);
    let job = "until [ -e {way}{} ]; do sleep 0.01; done";
    let mut started = line.args([job, ":::", "1", "2"]).start();
    let let_go = |job: &str| fs::write(fresh.path(job), "").unwrap();
    let drawn = |parts: &[&str]| {
        let shown = shown.so_far();
        shown.split('\r').any(|line| parts.iter().all(|part| line.contains(part)))
    };
    let_go("serial1");
    started.until("half of a run", || {
        drawn(&["run 1/4 serial: 1/2 done, 1 running: until [ -e serial2", "ETA 0:"])
    });
    let_go("serial2");
    started.until("the other way", || drawn(&["run 2/4 parallel: 0/2 done, 2 running"]));
    let_go("parallel1");
    let_go("parallel2");
    started.end().exits(0);
    for (options, term) in [("--progress=never", "xterm"), ("", "dumb")] {
        let (stderr, shown) = terminal();
        let line = fresh.parsim(&format!("compare -j2 {options} --shell /bin/sh")).env("TERM", term);
        line.args(["sleep 0.6; : {}", ":::", "1", "2"]).stderr(stderr).run().exits(0);
        let shown = shown.join().unwrap();
        assert!(!shown.contains("run "), "{options} {term}: {shown:?}");
    }
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
