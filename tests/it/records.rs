//! What is put down of each job, and how a batch goes on where an earlier run
//! stopped.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use crate::support::{Fresh, Ran};

/// Columns of a job log, without its header: number and command of each row, in
/// order of the numbers.
fn logged(fresh: &Fresh, log: &str) -> Vec<String> {
    let text = fs::read_to_string(fresh.path(log)).unwrap();
    let columns = |row: &str| {
        let columns: Vec<&str> = row.splitn(9, '\t').collect();
        format!("{} {} {}", columns[0], columns[6], columns[8])
    };
    let mut rows: Vec<String> = text.lines().skip(1).map(columns).collect();
    rows.sort();
    rows
}

/// Runs `script` by a shell that jobs have, too.
fn shell(fresh: &Fresh, script: &str) -> Ran {
    fresh.shell(script).env("PARSIM_SHELL", "/bin/sh").run()
}

#[test]
fn a_job_log_has_gnu_parallels_nine_columns() {
    let fresh = Fresh::new();
    shell(&fresh, "parsim serial --joblog l 'printf \"a\tb\"; exit {}' ::: 0 3").exits(1);
    let log = fs::read_to_string(fresh.path("l")).unwrap();
    let rows: Vec<&str> = log.lines().collect();
    assert_eq!(rows[0], "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand");
    let columns: Vec<&str> = rows[2].splitn(9, '\t').collect();
    assert_eq!([columns[0], columns[1]], ["2", ":"]);
    assert_eq!(columns[2].split_once('.').unwrap().1.len(), 3);
    assert_eq!(columns[3].len(), 10);
    assert_eq!(columns[4..], ["0", "3", "3", "0", "printf \"a\tb\"; exit 3"]);
    // A newline is written as NUL, so that a row is a line.
    shell(&fresh, "parsim serial -0 --joblog l echo ::: 'a\nb'").exits(0);
    assert_eq!(logged(&fresh, "l"), ["1 0 echo 'a\0b'"]);
}

#[test]
fn a_job_log_begins_anew_unless_it_is_appended_to() {
    let fresh = Fresh::new();
    shell(&fresh, "parsim serial --joblog l echo ::: a b; parsim serial --joblog l echo ::: c").exits(0);
    assert_eq!(logged(&fresh, "l"), ["1 0 echo c"]);
    shell(&fresh, "parsim serial --joblog +l echo ::: d").exits(0);
    assert_eq!(logged(&fresh, "l"), ["1 0 echo c", "1 0 echo d"]);
}

#[test]
fn a_log_that_cannot_be_written_is_told_before_any_job_is_run() {
    let fresh = Fresh::new();
    for option in ["--joblog", "--records"] {
        let ran = shell(&fresh, &format!("parsim parallel {option} no/such/log touch ::: ran"));
        ran.refuses("no/such/log").expect(!fresh.path("ran").exists(), "no job run");
    }
}

#[test]
fn records_are_one_json_object_a_line() {
    let fresh = Fresh::new();
    shell(&fresh, "parsim parallel -j1 --records r 'echo {}; exit {}' ::: 0 2").exits(1);
    let text = fs::read_to_string(fresh.path("r")).unwrap();
    let records: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(records.len(), 2);
    assert_eq!(records[1]["label"], "echo 2; exit 2");
    assert_eq!(records[1]["outcome"]["why"], 2);
    assert!(records[1]["cpu"].as_f64().is_some());
}

#[test]
fn a_batch_goes_on_with_the_jobs_that_are_not_in_the_log_wherever_they_stand() {
    let fresh = Fresh::new();
    let ran = shell(
        &fresh,
        "parsim parallel --joblog l echo ::: a b; parsim parallel -k --resume --joblog l echo ::: x b y a z",
    );
    ran.exits(0).expect(ran.stdout.ends_with("x\ny\nz\n"), "the new ones in input order");
    assert_eq!(logged(&fresh, "l"), ["1 0 echo a", "1 0 echo x", "2 0 echo b", "3 0 echo y", "5 0 echo z"]);
    let again = shell(&fresh, "parsim parallel --resume --joblog l echo ::: x b y a z");
    again
        .exits(0)
        .tells_one_line("nothing to do: all 5 jobs are in the job log")
        .expect(again.stdout.is_empty(), "nothing left to do");
}

#[test]
fn failed_jobs_are_run_again_when_asked_for_and_others_are_not() {
    let fresh = Fresh::new();
    let job = "'echo {}; test -e ok || test {} != b'";
    let ran = shell(&fresh, &format!("parsim parallel -k --joblog l {job} ::: a b"));
    ran.exits(1);
    let ran = shell(&fresh, &format!("parsim parallel -k --resume --joblog l {job} ::: a b c"));
    ran.exits(0).expect(ran.stdout == "c\n", "only the new one");
    let ran =
        shell(&fresh, &format!(": >ok; parsim parallel -k --resume-failed --joblog l {job} ::: a b c d"));
    ran.exits(0).expect(ran.stdout == "b\nd\n", "the failed one and the new one");
    let ran = shell(&fresh, &format!("parsim parallel -k --resume-failed --joblog l {job} ::: a b c d"));
    ran.exits(0).expect(ran.stdout.is_empty(), "nothing left to do");
}

#[test]
fn another_command_over_the_same_inputs_goes_on_by_number_and_says_so() {
    let fresh = Fresh::new();
    shell(&fresh, "parsim parallel --joblog l 'exit {}' ::: 0 1 0").exits(1);
    let ran = shell(&fresh, "parsim parallel --resume-failed --joblog l 'echo again {}' ::: 0 1 0 5");
    ran.exits(0).tells_one_line("skipping jobs 1 and 3 by number");
    let mut lines: Vec<&str> = ran.stdout.lines().collect();
    lines.sort_unstable();
    ran.expect(lines == ["again 1", "again 5"], "the failed number and the new one");
}

#[test]
fn commands_that_hold_their_slot_go_on_by_number() {
    let fresh = Fresh::new();
    shell(&fresh, "parsim parallel -j2 --joblog l 'echo {%} {}' ::: a b").exits(0);
    let ran = shell(&fresh, "parsim parallel -j2 --resume --joblog l 'echo {%} {}' ::: a b c");
    ran.exits(0).tells_one_line("skipping jobs 1-2 by number");
    ran.expect(ran.stdout == "1 c\n", "the new one in the first slot");
}

#[test]
fn what_is_left_starts_before_the_input_has_ended() {
    let fresh = Fresh::new();
    shell(&fresh, "parsim parallel --joblog l touch ::: a").exits(0);
    let mut line = fresh.parsim("parallel --resume --joblog l touch").stdin(Stdio::piped());
    line.command().env("PARSIM_SHELL", "/bin/sh");
    let mut child = line.command().spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"a\nb\n").unwrap();
    // The input ends only once the second line has had its effect.
    while !fresh.path("b").exists() {
        std::thread::yield_now();
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn failed_commands_are_taken_from_the_log_alone() {
    let fresh = Fresh::new();
    shell(&fresh, "parsim parallel -0 --joblog l 'printf \"%s|\" {}; test -e ok' ::: a 'b\n c'").exits(2);
    let ran = shell(&fresh, ": >ok; parsim parallel -k --retry-failed --joblog l");
    ran.exits(0).expect(ran.stdout == "a|b\n c|", "both again, newline and all");
    let ran = shell(&fresh, "parsim parallel -k --retry-failed --joblog l echo ::: not this");
    ran.exits(0).expect(ran.stdout.is_empty(), "nothing failed any more");
}

#[test]
fn a_row_cut_off_is_no_command_to_run_again_and_told_of() {
    let fresh = Fresh::new();
    let rows = "1\t:\t1.0\t 0.1\t0\t2\t1\t0\techo a\n2\t:\t1.0\t 0.1\t0\t2\t1\t0\techo bc";
    fs::write(fresh.path("l"), rows).unwrap();
    let ran = shell(&fresh, "parsim parallel --joblog l --retry-failed");
    ran.exits(0).says("a").does_not_say("b").tells("the last row of l was cut off");
}

#[test]
fn a_log_of_gnu_parallel_with_a_row_cut_off_is_gone_on_from() {
    let fresh = Fresh::new();
    let log = "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n\
               2\t:\t1795352267.503\t     0.009\t0\t2\t0\t0\techo b\n\
               1\t:\t1795352267.492\t     0.000\t0\t2\t1\t0\techo a\n\
               3\t:\t1795352267.5";
    fs::write(fresh.path("l"), log).unwrap();
    let ran = shell(&fresh, "parsim parallel -k --resume-failed --joblog l echo ::: a b c");
    ran.exits(0).is_quiet().expect(ran.stdout == "a\nc\n", "the failed one and the one cut off");
    assert_eq!(logged(&fresh, "l"), ["1 0 echo a", "1 1 echo a", "2 0 echo b", "3 0 echo c"]);
}

#[test]
fn what_cannot_be_gone_on_from_is_refused() {
    let fresh = Fresh::new();
    fs::write(fresh.path("text"), "one\ntwo\n").unwrap();
    shell(&fresh, "parsim parallel --resume echo ::: a").refuses("need --joblog FILE or --results");
    shell(&fresh, "parsim parallel --retry-failed echo ::: a").refuses("needs --joblog");
    shell(&fresh, "parsim parallel --retry-failed --joblog none").refuses("none");
    shell(&fresh, "parsim parallel --resume --joblog text echo ::: a")
        .refuses("line 1 is not a row of a job log");
    assert_eq!(fs::read_to_string(fresh.path("text")).unwrap(), "one\ntwo\n");
}

#[test]
fn jobs_that_were_interrupted_are_not_in_the_log() {
    let fresh = Fresh::new();
    let mut line = fresh.parsim("parallel -j2 --joblog l").args([
        "test {} = a || { : >{}; sleep 60; }",
        ":::",
        "a",
        "b",
    ]);
    line.command().env("PARSIM_SHELL", "/bin/sh");
    let mut started = line.start();
    started.until("b runs and a is logged", || fresh.path("b").exists() && logged(&fresh, "l").len() == 1);
    started.signal("TERM");
    started.end().ends_by_signal(15);
    assert_eq!(logged(&fresh, "l").len(), 1);
}

/// Killed at any moment, a run leaves a log from which the next goes on: each
/// job's effect is there, and none is there twice but those of jobs whose rows
/// were not written yet, of which there are no more than slots.
#[test]
fn a_run_that_was_killed_is_gone_on_from_without_a_job_lost_or_repeated() {
    let fresh = Fresh::new();
    fs::create_dir(fresh.path("tmp")).unwrap();
    let jobs = 60;
    let mut kills = 0;
    for wanted in (5..jobs).step_by(13) {
        let mut line = fresh.shell(&format!(
            "exec parsim parallel -j2 --resume --joblog l 'echo {{}} >>done' ::: $(seq {jobs})"
        ));
        line.command().env("PARSIM_SHELL", "/bin/sh").env("TMPDIR", fresh.path("tmp"));
        let mut started = line.start();
        // Ended before it was killed, it is done.
        while started.is_running() && !reached(&fresh, wanted) {
            std::thread::yield_now();
        }
        started.signal("KILL");
        started.end();
        kills += 1;
        // What it left running ends by itself.
        let ran = fresh.shell("while pgrep -s 0 -f 'echo [0-9]* >>done' >none; do :; done; rm -f none");
        ran.run();
    }
    shell(
        &fresh,
        &format!("TMPDIR=tmp parsim parallel --resume --joblog l 'echo {{}} >>done' ::: $(seq {jobs})"),
    )
    .exits(0);
    let done = fs::read_to_string(fresh.path("done")).unwrap();
    let mut effects: Vec<u32> = done.lines().map(|line| line.parse().unwrap()).collect();
    effects.sort_unstable();
    let repeated = effects.len();
    effects.dedup();
    assert_eq!(effects, (1..=jobs).collect::<Vec<_>>());
    assert!(repeated - effects.len() <= 2 * kills, "{} repeated in {kills} kills", repeated - effects.len());
    assert_eq!(logged(&fresh, "l").len(), effects.len());
    assert!(fresh.names("tmp").is_empty());
}

fn reached(fresh: &Fresh, rows: u32) -> bool {
    fs::read_to_string(fresh.path("l")).is_ok_and(|log| log.lines().count() > rows as usize)
}

#[test]
fn results_are_in_gnu_parallels_tree_and_not_shown() {
    let fresh = Fresh::new();
    let ran = shell(&fresh, "parsim parallel --results out 'echo {1}{2}; echo e >&2' ::: a b/c ::: 1");
    ran.exits(0).is_quiet().expect(ran.stdout.is_empty(), "nothing shown");
    let read = |name: &str| fs::read_to_string(fresh.path(name)).unwrap();
    assert_eq!(fresh.names("out/1"), ["a", "b\\_c"]);
    assert_eq!(fresh.names("out/1/a/2/1"), ["seq", "stderr", "stdout"]);
    assert_eq!(read("out/1/b\\_c/2/1/stdout"), "b/c1\n");
    assert_eq!(read("out/1/b\\_c/2/1/stderr"), "e\n");
    assert_eq!(read("out/1/b\\_c/2/1/seq"), "2");
}

#[test]
fn no_value_leads_out_of_the_folder_of_results() {
    let fresh = Fresh::new();
    let long = "x".repeat(300);
    let ran = shell(&fresh, &format!("parsim parallel --results deep/out echo ::: .. . '' ../../up {long}"));
    ran.exits(0);
    assert_eq!(fresh.names("deep"), ["out"]);
    assert_eq!(fresh.names("."), ["deep"]);
    let names = fresh.names("deep/out/1");
    assert_eq!(names[..4], ["..\\_..\\_up", "\\.", "\\..", "\\e"]);
    assert_eq!(names.len(), 5);
}

#[test]
fn results_are_named_by_a_template() {
    let fresh = Fresh::new();
    shell(&fresh, "parsim parallel --results 'r_{}.txt' 'echo {}; echo e >&2' ::: a; parsim parallel --results 'd/{}/' echo ::: b").exits(0);
    assert_eq!(fresh.names("."), ["d", "r_a.txt", "r_a.txt.err", "r_a.txt.seq"]);
    assert_eq!(fresh.names("d/b"), ["seq", "stderr", "stdout"]);
}

#[test]
fn results_in_a_table_have_gnu_parallels_columns_in_input_order_when_asked_to() {
    let fresh = Fresh::new();
    // The first job ends when the second is all but over.
    let job = "'echo \"{}\"; test {} = b && : >over || until test -e over; do :; done'";
    shell(&fresh, &format!("parsim parallel -j2 -k --joblog l --results t.csv {job} ::: 'a' b")).exits(0);
    let table = fs::read_to_string(fresh.path("t.csv")).unwrap();
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    assert_eq!(
        header.join(","),
        "Seq,Host,Starttime,JobRuntime,Send,Receive,Exitval,Signal,Command,V1,Stdout,Stderr"
    );
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let cells: Vec<[&str; 4]> = rows.iter().map(|row| [&row[0], &row[5], &row[9], &row[10]]).collect();
    assert_eq!(cells, [["1", "2", "a", "a\n"], ["2", "2", "b", "b\n"]]);
}

#[test]
fn a_table_of_results_can_go_to_standard_output() {
    let fresh = Fresh::new();
    let ran = shell(&fresh, "parsim parallel -k --results -.json 'echo {}; echo \"q\\\"\" >&2' ::: a b");
    let rows: Vec<serde_json::Value> =
        ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    ran.is_quiet().expect(rows.len() == 2, "two rows and nothing else");
    assert_eq!(rows[1]["V"], serde_json::json!(["b"]));
    assert_eq!(rows[1]["Stdout"], "b\n");
    assert_eq!(rows[1]["Stderr"], "q\"\n");
}

#[test]
fn files_of_output_are_named_instead_of_shown() {
    let fresh = Fresh::new();
    fs::create_dir(fresh.path("tmp")).unwrap();
    let ran = shell(&fresh, "TMPDIR=tmp parsim parallel -k --files --tag echo ::: a b");
    let contents: Vec<String> = ran
        .stdout
        .lines()
        .map(|line| line.split_once('\t').unwrap())
        .map(|(tag, file)| format!("{tag} {}", fs::read_to_string(fresh.path(file)).unwrap()))
        .collect();
    assert_eq!(contents, ["a a\n", "b b\n"]);
    ran.expect(
        fresh.names("tmp").iter().all(|name| name.starts_with("par") && name.strip_suffix(".par").is_some()),
        "names",
    );
    assert_eq!(fresh.names("tmp").len(), 2);
}

#[test]
fn failed_jobs_have_the_last_of_what_was_not_shown() {
    let ran = shell(
        &Fresh::new(),
        "parsim parallel --results out 'seq 5000 >&2; echo {} is bad >&2; exit 3' ::: it",
    );
    ran.exits(1).tells("    5000\n    it is bad\n").expect(ran.stderr.len() < 10_000, "the tail only");
}

#[test]
fn results_that_are_there_are_not_made_again() {
    let fresh = Fresh::new();
    shell(&fresh, "parsim parallel --results out 'echo {} >>ran' ::: a b").exits(0);
    fs::remove_file(fresh.path("out/1/b/seq")).unwrap();
    shell(&fresh, "parsim serial --resume --results out 'echo {} >>ran' ::: a b c").exits(0);
    let ran = fs::read_to_string(fresh.path("ran")).unwrap();
    let mut jobs: Vec<&str> = ran.lines().collect();
    jobs.sort_unstable();
    assert_eq!(jobs, ["a", "b", "b", "c"]);
}

#[test]
fn results_of_a_job_cut_off_are_absent() {
    let fresh = Fresh::new();
    let mut line =
        fresh.parsim("parallel --results out").args(["echo half; : >runs; sleep 60; :", ":::", "a"]);
    line.command().env("PARSIM_SHELL", "/bin/sh");
    let mut started = line.start();
    started.until("it runs", || fresh.path("runs").exists());
    started.signal("TERM");
    started.end().ends_by_signal(15);
    assert!(fresh.names("out/1/a").is_empty());
}

#[test]
fn results_of_failed_jobs_do_not_keep_them_from_running_again() {
    let fresh = Fresh::new();
    // One slot: what two jobs side by side append has no order of its own.
    let batch = "parsim parallel -j1 -k --joblog l --results r 'echo {} >>ran; exit {}' ::: 0 3";
    shell(&fresh, batch).exits(1);
    shell(&fresh, &batch.replace("--results", "--resume-failed --results")).exits(1);
    assert_eq!(fs::read_to_string(fresh.path("ran")).unwrap(), "0\n3\n3\n");
    // With a log it is the log that decides, however much is there.
    shell(&fresh, &batch.replace("--results", "--resume --resume-failed --results")).exits(1);
    assert_eq!(fs::read_to_string(fresh.path("ran")).unwrap(), "0\n3\n3\n3\n");
}

#[test]
fn no_two_files_of_rows_or_exports_are_one() {
    let fresh = Fresh::new();
    fs::write(fresh.path("x"), "kept\n").unwrap();
    for (options, both) in [
        ("parallel --joblog x --records x", "--joblog and --records both go to x"),
        ("parallel --joblog +x --export-json ./x", "--joblog and --export-json both go to ./x"),
        ("parallel --records t.csv --results t.csv", "--records and --results both go to t.csv"),
        ("parallel --joblog - --export-csv -", "--joblog and --export-csv both go to stdout"),
        ("compare --export-json x --export-csv x", "--export-json and --export-csv both go to x"),
    ] {
        fresh.parsim(&format!("{options} true ::: 1")).run().refuses(both);
    }
    assert_eq!(fs::read_to_string(fresh.path("x")).unwrap(), "kept\n");
    assert_eq!(fresh.names("."), ["x"]);
    fresh.parsim("parallel --joblog /dev/null --records /dev/null true ::: 1").run().exits(0).is_quiet();
}

#[test]
fn what_is_refused_takes_no_row_away() {
    let fresh = Fresh::new();
    for name in ["log", "t.csv", "r"] {
        fs::write(fresh.path(name), "a row\ntorn").unwrap();
    }
    for options in [
        "--joblog log --records missing/r true ::: 1",
        "--joblog log --export-json missing/x true ::: 1",
        "--records r --joblog missing/l true ::: 1",
        "--records +r --joblog missing/l true ::: 1",
        "--results t.csv --joblog missing/l true ::: 1",
        "--results t.csv --joblog log --shell missing true; ::: 1",
    ] {
        fresh.parsim("parallel").args(options.split(' ')).run().exits(255);
        for name in ["log", "t.csv", "r"] {
            let text = fs::read_to_string(fresh.path(name)).unwrap();
            assert_eq!(text, "a row\ntorn", "{name} after {options}");
        }
    }
    fresh.parsim("parallel --joblog log --records r --results t.csv true ::: 1").run().exits(0);
    for name in ["log", "t.csv", "r"] {
        assert!(!fs::read_to_string(fresh.path(name)).unwrap().contains("row"), "{name}");
    }
}

#[test]
fn rows_are_appended_to_a_line_without_an_end() {
    let fresh = Fresh::new();
    for option in ["--joblog", "--records"] {
        fs::write(fresh.path("log"), "my own line").unwrap();
        fresh.parsim(&format!("parallel {option} +log true ::: 1")).run().exits(0);
        let log = fs::read_to_string(fresh.path("log")).unwrap();
        assert!(log.starts_with("my own line\n") && log.lines().count() == 2, "{log}");
    }
}

#[test]
fn that_nothing_is_left_to_do_is_told_although_the_time_is_over() {
    let fresh = Fresh::new();
    fresh.parsim("parallel --joblog log true ::: 1 2").run().exits(0);
    let resume = |values: &str| {
        fresh.parsim(&format!("parallel --joblog log --resume --max-time 0 true ::: {values}")).run()
    };
    resume("1 2").exits(0).tells_one_line("--resume: nothing to do: all 2 jobs are in the job log");
    resume("1 2 3").exits(104).tells("--max-time 0 s was over");
}
