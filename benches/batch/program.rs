//! One run of a program: its time, its peak memory, its output counted and
//! digested.

use std::ffi::{CString, OsStr};
use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use parsim::testing::process::child::{
    Command, Flow, Job, JobRunner, JobStdin, JobStdout, ProcessEnd, RunningJobs, TermSequence, Words, resolve,
};
use xxhash_rust::xxh3::Xxh3;

/// What nobody's run is to inherit. Cargo tells the loader of its own folders, and
/// each job would look there for its libraries first: a user's jobs do not.
const NOT_OURS: [&str; 4] = ["LD_LIBRARY_PATH", "PARALLEL", "PARSIM", "SHELL"];

/// What one run of a program came to.
pub(crate) struct Ran {
    /// From its start to its end.
    pub(crate) seconds: f64,
    /// Of it, or of the largest of its children.
    pub(crate) peak_memory: u64,
    /// How much it wrote to standard output ...
    pub(crate) bytes: u64,
    /// ... and a digest of that.
    pub(crate) digest: u128,
}

/// Where `name` is, if PATH has it.
pub(crate) fn find(name: &str) -> Option<String> {
    let path = std::env::var_os("PATH")?;
    resolve(OsStr::new(name), &path).ok().map(|path| path.to_string_lossy().into_owned())
}

/// Inputs in a file, read from its beginning by every run.
pub(crate) fn inputs(lines: impl Iterator<Item = String>) -> anyhow::Result<File> {
    let mut file = std::io::BufWriter::new(tempfile::tempfile().context("make a file of inputs")?);
    for line in lines {
        writeln!(file, "{line}")?;
    }
    Ok(file.into_inner()?)
}

/// Runs `argv` with `inputs` on standard input; its messages are ours. It must
/// succeed.
pub(crate) fn run(argv: &[String], inputs: &File) -> anyhow::Result<Ran> {
    run_to(argv, inputs, 0)
}

/// The same where it may end with `status`, too.
pub(crate) fn run_to(argv: &[String], inputs: &File, status: i32) -> anyhow::Result<Ran> {
    let name = argv.first().context("an argument vector without a program")?;
    let program = find(name).with_context(|| format!("find {name}"))?;
    let environment = Arc::new(Words::inherited_environment(&NOT_OURS));
    let command = Command::new(CString::new(program)?, environment);
    let words = Words::from_words(argv.iter().map(OsStr::new))?;
    let mut shell = Words::new();
    // Every peer starts its jobs through the same shell, where it takes one.
    shell.push_variable("SHELL", "/bin/sh")?;
    let mut file = inputs;
    file.rewind()?;
    // A pipe as a shell would give it, read as any other program would.
    let (reader, writer) = io::pipe().context("make a pipe")?;
    let running = RunningJobs::new(TermSequence::default(), 0)?;
    let (ran, taken) = thread::scope(|scope| {
        let taken = scope.spawn(|| taken(reader));
        let job = Job {
            stdin: JobStdin::File(inputs.as_fd()),
            stdout: JobStdout::File(writer.as_fd()),
            stderr: JobStdout::Inherited,
            variables: &shell,
            ..Job::new(&command, &words)
        };
        let ran = JobRunner::new(&running, 0).map(|mut runner| {
            let started = Instant::now();
            let report = runner.run(job, &mut |_, _: &[u8]| Ok(Flow::Continue));
            (report, started.elapsed())
        });
        drop(writer);
        (ran, taken.join().expect("the reader does not panic"))
    });
    let ((report, lasted), (bytes, digest)) = (ran?, taken?);
    let report = report?;
    let is_right = report.ended.is_success() || report.ended == ProcessEnd::Exited(status);
    ensure!(is_right, "{} ended with {:?}", argv.join(" "), report.ended);
    Ok(Ran { seconds: lasted.as_secs_f64(), peak_memory: report.usage.max_rss_bytes, bytes, digest })
}

/// All that comes through a pipe: how much, and a digest of it.
fn taken(mut pipe: io::PipeReader) -> io::Result<(u64, u128)> {
    let (mut block, mut bytes, mut digest) = (vec![0; 64 << 10], 0, Xxh3::new());
    loop {
        match pipe.read(&mut block)? {
            0 => return Ok((bytes, digest.digest128())),
            count => {
                bytes += count as u64;
                digest.update(&block[..count]);
            }
        }
    }
}

/// The digest that an output of `bytes` has.
pub(crate) fn digest(bytes: &[u8]) -> u128 {
    let mut digest = Xxh3::new();
    digest.update(bytes);
    digest.digest128()
}

/// The bytes of a path or word, for a test of what was written.
pub(crate) fn lines(words: impl Iterator<Item = String>) -> Vec<u8> {
    words.flat_map(|word| [OsStr::new(&word).as_bytes(), b"\n"].concat()).collect()
}
