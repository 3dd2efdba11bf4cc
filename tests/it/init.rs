//! parsim as the first process of a container, and as another one that orphans fall
//! to: how it ends, and what becomes of processes that nobody waits for.

use std::os::unix::process::CommandExt as _;
use std::time::Duration;

use crate::support::{Fresh, Line};

/// The end is to come soon; a busy machine gets more.
const SOON: Duration = Duration::from_secs(20);

/// parsim with `words` as the first process of a name space; None where users may not
/// make one.
fn first(fresh: &Fresh, words: &str) -> Option<Line> {
    let unshare = "unshare -Urfp --mount-proc";
    let is_allowed = fresh.shell(&format!("{unshare} true 2>/dev/null")).run().has_exited(0);
    is_allowed.then(|| fresh.shell(&format!("exec {unshare} parsim {words}")))
}

/// The same where it is not the first one, but orphans below it are its own.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "std cannot ask to be given orphans")]
fn reaper(fresh: &Fresh, words: &str) -> Line {
    let mut line = fresh.shell(&format!("exec parsim {words}"));
    let ask = || {
        // SAFETY: takes numbers, and may be called between fork and exec.
        unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) };
        Ok(())
    };
    // SAFETY: `ask` is one system call.
    unsafe { line.command().pre_exec(ask) };
    line
}

/// A job that leaves an orphan, which ends, and waits until nothing is left of it, not
/// even its ending.
const LEAVES_AN_ORPHAN: &str = "sh -c \"sleep 0.1 & echo \\$! >orphan\"; \
                                while [ -e /proc/$(cat orphan) ]; do sleep 0.01; done; echo reaped";

#[test]
fn a_signal_to_the_first_process_ends_it_with_the_status_that_a_shell_would_give() {
    for (subcommand, signals) in [
        ("parallel", &[("INT", 130), ("TERM", 143), ("QUIT", 131), ("ABRT", 134), ("XCPU", 152)][..]),
        ("compare", &[("INT", 130), ("TERM", 143), ("HUP", 129), ("USR1", 138), ("ALRM", 142)]),
    ] {
        for &(name, status) in signals {
            let fresh = Fresh::new();
            let words = format!("{subcommand} --shell /bin/sh 'kill -s {name} 1; sleep 600; :' ::: a");
            let Some(line) = first(&fresh, &format!("{words} 2>/dev/null")) else { return };
            line.start().end_within(SOON).exits(status);
        }
    }
}

#[test]
fn a_closed_pipe_ends_the_first_process_as_any_other() {
    let fresh = Fresh::new();
    let script = "{ yes | unshare -Urfp --mount-proc parsim parallel --shell /bin/sh echo; echo $? >status; } \
                  2>err | head -n 1 >out; cat status err";
    if first(&fresh, "--version").is_some() {
        let ran = fresh.shell(script).run();
        ran.exits(0).expect(ran.stdout == "141\n", "an end by SIGPIPE and not a word");
    }
}

#[test]
fn orphans_are_reaped_while_jobs_run_and_no_job_loses_its_ending_by_that() {
    let batch = format!("parallel -j3 --joblog log --shell /bin/sh ::: '{LEAVES_AN_ORPHAN}' 'exit 3'");
    // Short jobs that end beside it, some with an orphan each.
    let others = (0..40).map(|n| format!(" '(sleep 0.0{} &) ; exit {}'", n % 10, n % 2));
    let batch = batch + &others.collect::<String>();
    let fresh = Fresh::new();
    let lines = [first(&fresh, &batch), Some(reaper(&fresh, &batch))];
    for line in lines.into_iter().flatten() {
        line.start().end_within(SOON).exits(21).says("reaped\n");
        let log = std::fs::read_to_string(fresh.path("log")).unwrap();
        let mut endings: Vec<&str> = log.lines().skip(1).map(|row| row.split('\t').nth(6).unwrap()).collect();
        endings.sort_unstable();
        assert_eq!(endings, [vec!["0"; 21], vec!["1"; 20], vec!["3"]].concat());
        std::fs::remove_file(fresh.path("log")).unwrap();
        std::fs::remove_file(fresh.path("orphan")).unwrap();
    }
}

#[test]
fn whoever_is_given_orphans_ends_as_it_would_otherwise() {
    let fresh = Fresh::new();
    for (words, status) in [("parallel true ::: 1", 0), ("parallel false ::: 1 2", 2), ("nonsense", 255)] {
        let lines = [first(&fresh, words), Some(reaper(&fresh, words))];
        for line in lines.into_iter().flatten() {
            line.start().end_within(SOON).exits(status);
        }
    }
    // By a signal, too, and passed on to who does the work.
    for (name, number) in [("TERM", libc::SIGTERM), ("INT", libc::SIGINT), ("QUIT", libc::SIGQUIT)] {
        let fresh = Fresh::new();
        let words = "compare --shell /bin/sh 'echo >ready; sleep 600; :' ::: a";
        let mut started = reaper(&fresh, words).start();
        started.until("it runs", || fresh.path("ready").exists());
        started.signal(name);
        started.end_within(SOON).ends_by_signal(number);
    }
}
