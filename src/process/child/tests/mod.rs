//! Real processes: sh, cat, sleep, dd. Order is proved by what they write and
//! by what is fed to them, not by clocks; a test that would wait for ten
//! minutes has failed.

mod endings;
mod hygiene;
mod killing;
mod streams;

use std::ffi::CString;
use std::io;
use std::sync::{Arc, LazyLock};

use super::*;

/// What became of a job, and all it wrote.
struct Ran {
    report: Report,
    out: String,
    err: String,
}

/// Does the same with a worker of either kind, each in a run of its own.
fn either_way(mut check: impl FnMut(&RunningJobs, &mut JobRunner<'_>)) {
    either_way_with(&TermSequence::default(), &mut check);
}

fn either_way_with(sequence: &TermSequence, mut check: impl FnMut(&RunningJobs, &mut JobRunner<'_>)) {
    for fast in [true, false] {
        let running = RunningJobs::new(sequence.clone(), 0).unwrap();
        let worker = if fast { JobRunner::new(&running, 1) } else { JobRunner::portable(&running, 1) };
        check(&running, &mut worker.unwrap());
        assert_eq!(running.list(), []);
    }
}

/// A TERM that is waited for until the test harness loses patience.
fn patient() -> TermSequence {
    "TERM,600000,KILL,0".parse().unwrap()
}

/// /bin/sh, with an environment all tests share.
fn shell() -> Command {
    static ENVIRONMENT: LazyLock<Arc<Words>> =
        LazyLock::new(|| Arc::new(Words::inherited_environment(&["PARALLEL_SEQ"])));
    Command::new(c"/bin/sh".to_owned(), Arc::clone(&ENVIRONMENT))
}

fn program(path: &str) -> Command {
    Command { program: CString::new(path).unwrap(), ..shell() }
}

fn script(text: &str) -> Words {
    Words::from_words(["sh", "-c", text]).unwrap()
}

/// Runs a shell script with nothing special about it.
fn sh(worker: &mut JobRunner<'_>, text: &str) -> Ran {
    let (command, argv) = (shell(), script(text));
    collect(worker, Job::new(&command, &argv)).unwrap()
}

/// Runs a job and keeps what it writes.
fn collect(worker: &mut JobRunner<'_>, job: Job<'_>) -> Result<Ran, StartError> {
    collect_and(worker, job, |_| {})
}

/// Runs a job and keeps what it writes; `look` sees its output grow.
fn collect_and(
    worker: &mut JobRunner<'_>,
    job: Job<'_>,
    mut look: impl FnMut(&str),
) -> Result<Ran, StartError> {
    let (mut out, mut err) = (String::new(), String::new());
    let report = worker.run(job, &mut |channel: JobStream, bytes: &[u8]| -> io::Result<Flow> {
        let text = std::str::from_utf8(bytes).map_err(io::Error::other)?;
        match channel {
            JobStream::Out => out.push_str(text),
            JobStream::Err => err.push_str(text),
        }
        look(&out);
        Ok(Flow::Continue)
    })?;
    Ok(Ran { report, out, err })
}

/// A process's state: None when there is none, 'Z' when it is dead.
fn state(pid: i32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

fn is_alive(pid: i32) -> bool {
    state(pid).is_some_and(|state| state != 'Z')
}

/// Waits for what has to come, sooner or later.
fn until(mut condition: impl FnMut() -> bool) {
    while !condition() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}
