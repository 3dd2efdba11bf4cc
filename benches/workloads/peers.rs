//! The notebook's job against NumPy and polars, where Python has them.
//!
//! Both sides draw their numbers inside the time and find their folder empty.
//! A peer's start-up and imports are outside.

use std::env;
use std::ffi::OsString;
use std::hint::black_box;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, ensure};
use parsim::testing::engine::{Engine, Pool, Serial};
use parsim::testing::host::Host;
use parsim::testing::numpy::{Mt19937, Poisson};
use parsim::workload::csv::{CsvGen, CsvOptions, MatrixChoice};

use crate::Scale;
use crate::pairs::Pairs;
use crate::renewed::renew;
use crate::support::{NOTEBOOK_SHA256, check_sha256, folder, one_run};

/// The jobs in Python.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/workloads/peers.py");

/// The folder of the peers' files.
const PEERS: &str = "data_peer";

/// The status with which the script says so.
const NOT_INSTALLED: i32 = 3;

/// NumPy's draws, np.savetxt file after file and in a pool of processes, and
/// polars.
pub(crate) fn compare(scale: &Scale, out: &mut dyn io::Write) -> anyhow::Result<()> {
    let base = folder()?;
    let cores = Host::detect().usable;
    let field = Field { base: base.path(), files: scale.files, cores };

    let Some(mut numpy) = field.peer("numpy", out)? else { return Ok(()) };
    writeln!(
        out,
        "against Python, its start-up and imports not counted; each side draws in its time and finds its folder empty:"
    )?;
    let pairs = Pairs::measure(scale.pairs, draw, || numpy.time("draw"))?;
    writeln!(
        out,
        "1,000,000 Poisson(20) counts of MT19937, seeding included: {} NumPy {} ({}; at most 0.75x is the goal, 0.2x the aim)",
        pairs.of_theirs(),
        numpy.version,
        pairs.in_words(),
    )?;

    let shared = CsvOptions { files: scale.files, ..CsvOptions::default() };
    let pairs = field.files(&shared, &Serial, &mut numpy, "savetxt", scale.slow_pairs)?;
    writeln!(
        out,
        "csv serial: {} faster than np.savetxt ({}; at least 50x is the goal)",
        pairs.of_ours(),
        pairs.in_words(),
    )?;

    numpy.time("start_pool")?;
    let per_file = CsvOptions { matrix: MatrixChoice::PerFile, ..shared.clone() };
    let threads = Pool::new(NonZeroUsize::new(cores).unwrap_or(NonZeroUsize::MIN));
    let pairs = field.files(&per_file, &threads, &mut numpy, "pool_savetxt", scale.slow_pairs)?;
    writeln!(
        out,
        "csv per-file, {cores} threads: {} faster than np.savetxt in as many processes ({}; at least 15x is the goal)",
        pairs.of_ours(),
        pairs.in_words(),
    )?;
    numpy.end()?;

    let Some(mut polars) = field.peer("polars", out)? else { return Ok(()) };
    let pairs =
        field.files(&shared, &Serial, &mut polars, "write_csv", scale.slow_pairs.max(scale.pairs / 2))?;
    writeln!(
        out,
        "csv serial: {} faster than polars {} on all its threads ({}; at least 5x is the goal)",
        pairs.of_ours(),
        polars.version,
        pairs.in_words(),
    )?;
    polars.end()
}

/// A million counts of the seed 123; in seconds.
fn draw() -> anyhow::Result<f64> {
    let start = Instant::now();
    let mut counts = vec![0; 1_000_000];
    Poisson::new(20.0)?.fill(&mut Mt19937::from_seed(123), &mut counts);
    let sum: i64 = black_box(&counts).iter().sum();
    ensure!(sum == 20_001_331, "the counts add up to {sum}");
    Ok(start.elapsed().as_secs_f64())
}

/// Where the sides meet.
struct Field<'a> {
    base: &'a Path,
    files: i64,
    cores: usize,
}

impl Field<'_> {
    /// A Python that has imported `library`; or else one line that says why not.
    fn peer(&self, library: &str, out: &mut dyn io::Write) -> anyhow::Result<Option<Peer>> {
        let python: OsString = env::var_os("PARSIM_BENCH_PYTHON").unwrap_or_else(|| "python3".into());
        let peer = Peer::start(&python, library, self)?;
        if peer.is_none() {
            let python = Path::new(&python).display();
            // NumPy draws the numbers for the others too.
            let without = if library == "numpy" { ", and what needs it" } else { "" };
            writeln!(out, "{library} is not installed for {python}: skipped{without}")?;
        }
        Ok(peer)
    }

    /// Ours and the peer's time for the same files, each side's into an empty
    /// folder of its own.
    fn files(
        &self,
        options: &CsvOptions,
        executor: &(impl Engine + Clone),
        peer: &mut Peer,
        job: &str,
        pairs: usize,
    ) -> anyhow::Result<Pairs> {
        let mut csv = CsvGen::new(CsvOptions { out_dir: Some(self.base.to_owned()), ..options.clone() })?;
        let our_folder = self.base.join(format!("data_{}", executor.column()));
        let their_folder = self.base.join(PEERS);
        let ours = || {
            renew(&our_folder)?;
            let run = one_run(&mut csv, executor.clone())?;
            Ok((run.preparation + run.wall).as_secs_f64())
        };
        let theirs = || {
            renew(&their_folder)?;
            peer.time(job)
        };
        let pairs = Pairs::measure(pairs, ours, theirs)?;
        for folder in [our_folder, their_folder] {
            check_sha256(&folder.join("x000000.csv"), NOTEBOOK_SHA256)?;
        }
        Ok(pairs)
    }
}

/// A Python that does jobs as it is told.
struct Peer {
    child: Child,
    jobs: ChildStdin,
    answers: BufReader<ChildStdout>,
    version: String,
}

impl Peer {
    /// Starts `peers.py` and waits until it is ready; `None` when Python or the
    /// library is not there.
    fn start(python: &OsString, library: &str, field: &Field<'_>) -> anyhow::Result<Option<Self>> {
        let folder = field.base.join(PEERS);
        let mut command = Command::new(python);
        command.arg(SCRIPT).arg(library).arg(folder);
        command.args([field.files.to_string(), field.cores.to_string()]);
        let Ok(mut child) = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn() else {
            return Ok(None);
        };
        let jobs = child.stdin.take().context("the pipe that was asked for")?;
        let answers = BufReader::new(child.stdout.take().context("the pipe that was asked for")?);
        let mut peer = Self { child, jobs, answers, version: String::new() };
        let answer = peer.answer()?;
        if let Some(version) = answer.strip_prefix("ready ") {
            version.clone_into(&mut peer.version);
            return Ok(Some(peer));
        }
        let status = peer.child.wait().context("wait for Python")?;
        ensure!(status.code() == Some(NOT_INSTALLED), "{library} in Python: {status}");
        Ok(None)
    }

    /// Does `job`; in the seconds that Python counted.
    fn time(&mut self, job: &str) -> anyhow::Result<f64> {
        writeln!(self.jobs, "{job}").with_context(|| format!("ask for {job}"))?;
        let answer = self.answer()?;
        answer.parse().with_context(|| format!("{job} was answered with {answer:?}"))
    }

    fn answer(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        self.answers.read_line(&mut line).context("read what Python answers")?;
        Ok(line.trim_end().to_owned())
    }

    /// No more jobs.
    fn end(mut self) -> anyhow::Result<()> {
        drop(self.jobs);
        let status = self.child.wait().context("wait for Python")?;
        ensure!(status.success(), "Python ended with {status}");
        Ok(())
    }
}
