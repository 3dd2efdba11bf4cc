//! Batches of commands in worker processes: the same bytes as with threads, the same
//! endings, and nothing left running.

use std::fs;
use std::io::Read as _;
use std::time::Duration;

use crate::support::{Fresh, Ran};

/// A busy machine gets so long for what takes no time.
const SOON: Duration = Duration::from_secs(20);

/// What a script of `parsim parallel $W` does in a fresh folder: its output, and what it
/// leaves, with the rows of `log` without their times and as they are sorted.
fn done(script: &str, workers: &str) -> (Ran, Vec<(String, Vec<String>)>) {
    let fresh = Fresh::new();
    fs::write(fresh.path("k"), (1..=1000).map(|n| format!("{n}\n")).collect::<String>()).unwrap();
    let ran = fresh.shell(script).env("W", format!("--workers {workers}")).run();
    let content = |name: &String| {
        let text = String::from_utf8_lossy(&fs::read(fresh.path(name)).unwrap_or_default()).into_owned();
        let row = |line: &str| match line.splitn(5, '\t').collect::<Vec<_>>()[..] {
            [seq, host, _, _, rest] => format!("{seq} {host} {rest}"),
            _ => line.to_owned(),
        };
        let mut lines: Vec<String> = text.lines().map(row).collect();
        lines.sort();
        lines
    };
    let left = fresh.names(".").into_iter().map(|name| (name.clone(), content(&name))).collect();
    (ran, left)
}

/// Each script does the same in both.
#[track_caller]
fn are_alike(scripts: &[&str]) {
    for script in scripts {
        let ((threads, left_by_threads), (processes, left)) =
            (done(script, "threads"), done(script, "processes"));
        let status = (0..=255).find(|status| threads.has_exited(*status));
        processes.expect(processes.has_exited(status.unwrap()), &format!("as with threads: {script}"));
        assert_eq!(processes.stdout, threads.stdout, "{script}");
        assert_eq!(processes.stderr, threads.stderr, "{script}");
        assert_eq!(left, left_by_threads, "{script}");
        // It was not refused in both.
        assert!(threads.has_exited(255) == script.contains("no-shell"), "{script}: {}", threads.stderr);
    }
}

#[test]
fn what_jobs_write_comes_in_the_same_order_with_the_same_tags() {
    are_alike(&[
        "parsim parallel $W -k -j3 'echo {} {#}; echo e{} >&2' ::: a b c",
        "parsim parallel $W -k --tag -j2 'echo {}; echo e >&2; exit {}' ::: 0 3 0",
        "parsim parallel $W -k --tagstring '{#}-{}' 'echo {}' ::: x y",
        "parsim parallel $W -j1 --line-buffer 'echo {}; echo e{} >&2' ::: x y",
        "parsim parallel $W -k --line-buffer -j3 'echo {}; sleep 0.1; echo again {}' ::: x y z",
        "parsim parallel $W -k -v 'echo {}' ::: a c",
        "parsim parallel $W -j1 -t 'echo {}' ::: a c",
        "parsim parallel $W -k --dry-run 'echo {}' ::: 'a b' c",
        "parsim parallel $W -k --shellquote 'echo {}' ::: 'a b' c",
        "parsim parallel $W -k 'head -c 300000 /dev/zero | tr \\\\0 {}' ::: x y",
    ]);
}

#[test]
fn command_lines_and_what_jobs_are_started_with_are_the_same() {
    are_alike(&[
        "parsim parallel $W -k -j2 -X echo ::: 1 2 3 4 5",
        "parsim parallel $W -k -N2 echo {2} {1} ::: 1 2 3",
        "parsim parallel $W -k --colsep : --header : echo {x} {y} ::: x:y 1:2 3:4",
        "parsim parallel $W -k --plus echo {..} {##} {0#} ::: a.b.c d.e.f",
        "parsim parallel $W -k -q echo {} 'a  b' ::: 'x  y'",
        "parsim parallel $W -k -I ,, echo ,, {} ::: 1 2",
        "parsim parallel $W --total-jobs 9 echo {##} ::: 1",
        "parsim parallel $W -k -j1 --process-slot-var S 'echo $S {%} $PARALLEL_SEQ $PARALLEL_JOBSLOT' ::: 1 2",
        "X='a b' parsim parallel $W --env X 'echo $X {}' ::: 1",
        "PARALLEL_ENV=y=7 parsim parallel $W 'echo $y' ::: 1",
        "umask 027; parsim parallel $W umask ::: 1",
        "parsim parallel $W -k --nice 5 nice ::: 1 2",
        "parsim parallel $W -k --wd {} 'basename $(pwd)' ::: w1 w2",
        "parsim parallel $W -k --wd ... 'ls | wc -l' ::: 1 2",
        "parsim parallel $W --shell /bin/sh 'echo $0' ::: 1",
        "parsim parallel $W --no-shell echo ::: 1",
        "parsim parallel $W --no-shell 'echo | cat' ::: 1",
    ]);
    // The process that the user started, not the worker.
    let (ran, _) =
        done("parsim parallel $W -n0 'echo $PARALLEL_PID; ps -o ppid= -p $PPID' ::: 1", "processes");
    let mut numbers = ran.stdout.split_whitespace();
    assert_eq!(numbers.next(), numbers.next(), "{}", ran.stdout);
}

#[test]
fn what_jobs_read_is_the_same() {
    are_alike(&[
        "parsim parallel $W -k --pipe --block 1k -j2 'wc -c; tail -1' <k",
        "parsim parallel $W -k --pipe -N300 --cat -j2 'tail -1 {}; test -f {}' <k",
        "parsim parallel $W -k --pipe -N300 --fifo --tmpdir . 'tail -1 {}; test -p {}' <k",
        "parsim parallel $W -k --pipe-part -a k --block 1k -j2 'wc -c; tail -1'",
        "parsim parallel $W -k --pipe-part -a k --block 1k --header 1 'head -2'",
        "parsim parallel $W -k --pipe-part -a /dev/stdin --block 1k 'tail -1' <k",
        "parsim parallel $W --joblog log --pipe -N400 'cat >/dev/null' <k",
    ]);
}

#[test]
fn endings_are_the_same_and_so_are_logs_and_results() {
    are_alike(&[
        "parsim parallel $W -k --joblog log 'echo {}; exit {}' ::: 0 3 7",
        "parsim parallel $W --joblog log 'kill -9 $$' ::: 1 2",
        "parsim parallel $W --joblog log no-such-program ::: 1 2",
        "parsim parallel $W -k --joblog log --timeout 0.5 -j2 'echo {}; sleep {}' ::: 0 600",
        "parsim parallel $W --timeout 0.5 --term-seq INT,500,KILL 'trap \"echo int; exit 5\" INT; sleep 600 & wait' ::: 1",
        "parsim parallel $W -k --joblog log --retries 3 -j1 'echo >>t{}; wc -l <t{}; test -s tb' ::: a b",
        "parsim parallel $W --halt soon,fail=1 -j1 'echo {}; exit {}' ::: 0 3 0",
        "parsim parallel $W --halt soon,fail=1 -j1 'echo {}; exit {}' ::: 0 143 0",
        "parsim parallel $W --halt now,fail=1 -j1 'echo {}; kill -9 $$' ::: 1 2 3",
        "parsim parallel $W -k --results r 'echo {}; echo e >&2; exit {}' ::: 0 3; cat r/1/3/std*",
        "parsim parallel $W -k --results r.csv 'echo {}; exit {}' ::: 0 3 | wc -l; cut -d, -f1,2 r.csv >c; rm r.csv",
        "seq 3 | parsim parallel $W -k --joblog log echo; parsim parallel $W --resume --joblog log echo ::: 1 2 3 4",
        "parsim parallel $W --joblog log 'exit {}' ::: 0 1; parsim parallel $W --retry-failed --joblog log",
        "parsim parallel $W -k --plus --joblog log 'echo {uniq}' ::: 1 ::: 1 2",
        r"printf '\377\376\n' | parsim parallel $W --joblog log 'printf %s {} | od -An -tx1'",
    ]);
}

#[test]
fn what_no_other_process_can_be_handed_is_refused_by_both_names() {
    let fresh = Fresh::new();
    fs::write(fresh.path("jobs"), "2").unwrap();
    for (option, shown) in [
        ("--tty", "--tty"),
        ("-u", "-u"),
        ("--pipe --round-robin", "--round-robin"),
        ("--pipe --tee", "--tee"),
        ("--timeout 300%", "--timeout"),
        ("-j ./jobs", "-j"),
    ] {
        let ran = fresh.parsim(&format!("parallel --workers processes {option} cat")).run();
        ran.refuses(&format!("{shown} does not go with --workers: "));
        fresh
            .parsim(&format!("parallel --workers threads {option} true"))
            .args([":::", "1"])
            .run()
            .does_not_say("--workers");
    }
    fresh.parsim("serial --workers processes echo ::: 1").run().refuses("serial means no workers");
    fresh.parsim("parallel --workers both echo ::: 1").run().refuses("parsim compare");
    fresh.parsim("parallel --workers slum echo ::: 1").run().refuses("expected one of threads, processes");
    // What GNU parallel takes it for.
    fresh.parsim("parallel --work / pwd ::: 1").run().exits(0).says("/");
    // Defaults are for whoever can use them.
    let defaults = |line: &str| fresh.parsim(line).env("PARSIM", "--workers processes").run();
    defaults("serial echo $PARSIM_WAY ::: 1").exits(0).says("serial");
    let script = fresh.shell("parsim parallel 'echo $PARSIM_WAY' ::: 1").env("PARSIM", "--workers processes");
    script.run().exits(0).says("processes");
}

#[test]
fn threads_and_processes_are_compared_side_by_side() {
    let fresh = Fresh::new();
    let line = "compare --workers both --runs 1 -j 2 --outputs {way}/{} --prepare";
    let words = ["mkdir -p $PARSIM_WAY", "echo {} >{way}/{}; echo {#} of {##} $PARALLEL_SEQ; echo e >&2"];
    let ran = fresh.parsim(line).args(words).args([":::", "a", "b", "c"]).run();
    ran.exits(0).says("serial").says("threads").says("processes").says("3 of 3 jobs identical");
    ran.says("3 of 3 files");
    for way in ["serial", "parallel", "processes"] {
        assert_eq!(fresh.names(way), ["a", "b", "c"], "{way}");
    }
    let differs = "compare --workers processes --runs 1 --sample 2 echo $PARSIM_WAY ::: a b c d";
    let ran =
        fresh.shell(&format!("parsim {}", differs.replace("echo $PARSIM_WAY", "'echo $PARSIM_WAY'"))).run();
    ran.exits(102).says("processes").does_not_say("threads");
}

/// Whether there is such a process that has not ended.
fn is_alive(id: &str) -> bool {
    fs::read_to_string(format!("/proc/{id}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

#[test]
fn nothing_is_left_running_however_parsim_ends() {
    for (signal, to_all) in [("INT", false), ("INT", true), ("TERM", true), ("KILL", false)] {
        let fresh = Fresh::new();
        let script =
            "exec parsim parallel --workers processes -j2 'echo $$ $PPID >{}; exec sleep 600' ::: a b c";
        let mut started = fresh.shell(script).start();
        let read = |name: &str| fs::read_to_string(fresh.path(name)).unwrap_or_default();
        started.until("two jobs run", || read("a").ends_with('\n') && read("b").ends_with('\n'));
        let ids = read("a") + &read("b");
        if to_all {
            started.signal_all(signal);
        } else {
            started.signal(signal);
        }
        let ran = started.end_within(SOON);
        assert!(ran.signal().is_some());
        let over = std::time::Instant::now() + SOON;
        while ids.split_whitespace().any(is_alive) {
            assert!(std::time::Instant::now() < over, "{signal}: {ids}");
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(!fresh.path("c").exists());
    }
}

#[expect(unsafe_code, reason = "std cannot send signals")]
fn kill(id: &str) {
    let id = id.trim().parse().unwrap();
    // SAFETY: two numbers; the process descends from one that was started here.
    assert_eq!(unsafe { libc::kill(id, libc::SIGKILL) }, 0);
}

/// The guard of a worker: its child that is no job.
fn guard_of(worker: &str) -> String {
    let worker = worker.trim();
    let threads = fs::read_dir(format!("/proc/{worker}/task")).unwrap().flatten();
    let children = threads.map(|thread| fs::read_to_string(thread.path().join("children")).unwrap());
    let children = children.collect::<String>();
    let is_guard = |id: &&str| fs::read_to_string(format!("/proc/{id}/comm")).unwrap() == "parsim-guard\n";
    children.split_whitespace().find(is_guard).unwrap().to_owned()
}

#[test]
fn a_worker_that_is_killed_leaves_no_process_of_the_job_that_it_did() {
    let fresh = Fresh::new();
    // One that a job left behind when it ended is nobody's, and one of a job that runs may be
    // anybody's child and deaf to TERM.
    let script = r#"exec parsim parallel --workers processes -j1 '
        if [ {} = a ]; then sleep 600 >/dev/null 2>&1 & echo $! >behind; exit; fi
        (trap "" TERM HUP INT; (sleep 600; :) & echo $! >deaf; wait; wait) &
        sleep 600 & echo $$ $! >ids
        echo $PPID >worker; wait' ::: a b"#;
    let mut started = fresh.shell(script).start();
    let read = |name: &str| fs::read_to_string(fresh.path(name)).unwrap_or_default();
    started.until("the second job runs", || ["worker", "deaf"].iter().all(|name| read(name).ends_with('\n')));
    kill(&read("worker"));
    let ran = started.end_within(SOON);
    ran.exits(1).tells("was killed by signal 9");
    let over = std::time::Instant::now() + SOON;
    let ids = read("ids") + &read("deaf");
    while ids.split_whitespace().any(is_alive) {
        assert!(std::time::Instant::now() < over, "{ids}");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(is_alive(read("behind").trim()));
    kill(&read("behind"));
}

#[test]
fn the_guard_of_a_worker_has_nothing_open_and_a_session_of_its_own_and_goes_with_the_worker() {
    let fresh = Fresh::new();
    let script = "exec 7<&0; exec parsim parallel --workers processes -j1 'echo $PPID >worker; until [ -e go ]; do sleep 0.01; done; : {}' ::: a";
    let mut started = fresh.shell(script).start();
    let read = |name: &str| fs::read_to_string(fresh.path(name)).unwrap_or_default();
    started.until("a job runs", || read("worker").ends_with('\n'));
    let guard = guard_of(&read("worker"));
    let open: Vec<String> = fs::read_dir(format!("/proc/{guard}/fd"))
        .unwrap()
        .flatten()
        .map(|entry| fs::read_link(entry.path()).unwrap().to_string_lossy().into_owned())
        .collect();
    let n_null = open.iter().filter(|to| *to == "/dev/null").count();
    let n_pipes = open.iter().filter(|to| to.starts_with("pipe:")).count();
    assert_eq!((n_null, n_pipes, open.len()), (3, 1, 4), "{open:?}");
    let stat = fs::read_to_string(format!("/proc/{guard}/stat")).unwrap();
    let session = stat.rsplit(") ").next().unwrap().split(' ').nth(3).unwrap();
    assert_eq!(session, guard);
    fs::write(fresh.path("go"), "").unwrap();
    started.end_within(SOON).exits(0);
    assert!(!is_alive(&guard));
}

#[test]
fn a_stdout_that_nobody_reads_stops_neither_the_other_jobs_nor_their_end() {
    let fresh = Fresh::new();
    let script = r"exec parsim parallel --workers processes -j2 '
        echo $$ >{}.new; mv {}.new {}; seq 50000; [ {} = a ] || exec sleep 600' ::: a b c d";
    let (mut reader, writer) = std::io::pipe().unwrap();
    let mut started = fresh.shell(script).stdout(writer).start();
    let read = |name: &str| fs::read_to_string(fresh.path(name)).unwrap_or_default();
    // What the first one wrote is more than the pipe holds.
    started.until("the third job runs", || ["b", "c"].iter().all(|name| fresh.path(name).exists()));
    started.signal("INT");
    let ids = read("b") + &read("c");
    started.until("no job runs", || !ids.split_whitespace().any(is_alive));
    let (mut output, mut piece) = (Vec::new(), vec![0; 65536]);
    while !output.ends_with(b"\n50000\n") {
        let length = reader.read(&mut piece).unwrap();
        output.extend_from_slice(&piece[..length]);
    }
    started.end_within(SOON).ends_by_signal(libc::SIGINT);
    assert!(!fresh.path("d").exists());
}

#[test]
fn jobs_that_run_may_finish_when_the_terminal_hangs_up() {
    let fresh = Fresh::new();
    let script = "exec parsim parallel --workers processes -j1 'echo >{}; until [ -e go ]; do sleep 0.01; done; echo {}' ::: a b";
    let mut started = fresh.shell(script).start();
    started.until("a job runs", || fresh.path("a").exists());
    started.signal_all("HUP");
    started.until_it_tells("HUP: no more jobs are started");
    fs::write(fresh.path("go"), "").unwrap();
    let ran = started.end_within(SOON);
    ran.exits(0).expect(ran.stdout == "a\n", "the job that ran finished");
}
