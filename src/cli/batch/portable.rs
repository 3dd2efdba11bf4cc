//! Jobs in worker processes: which engine is asked for, and what a worker needs to run
//! jobs as parsim itself would.
//!
//! A worker is handed settings and no words of a command line: words mean more than
//! jobs (inputs, logs, defaults in the environment, warnings), and all of that has been
//! seen to by the time there is a worker. What is left of words are templates, which
//! the one parser reads again.

use std::sync::{Arc, OnceLock};

use anyhow::Context as _;
use signal_hook::consts::{SIGCONT, SIGTSTP, SIGUSR1, SIGUSR2};

use super::signal_thread::JobSignals;
use crate::cli::exit::Fault;
use crate::cli::flags::Typed;
use crate::engine::EngineRow;
use crate::process::child::RunningJobs;
use crate::process::{CaughtSignals, Interrupt, SignalThread, Wakeup};
use crate::task::Mode;
use crate::workload::Workload;
use crate::workload::command::CommandRunner;

/// The one engine of a batch that is run one way.
pub(super) fn engine(mode: Mode, typed: &Typed) -> Result<&'static EngineRow, Fault> {
    let workers = typed.run.workers;
    if mode == Mode::Serial && !workers.is_default() {
        return Err(Fault::Usage(
            "serial means no workers: leave --workers out, or run it in parallel".to_owned(),
        ));
    }
    let mut engines = workers.engines();
    match (engines.next(), engines.next()) {
        (Some(engine), None) => Ok(engine),
        _ => Err(Fault::Usage("--workers both compares them: parsim compare".to_owned())),
    }
}

/// Hears signals in a worker, on behalf of the jobs that it may run. Dropped, it does
/// not any more.
pub(in crate::cli) struct WorkerSignals {
    running: Arc<OnceLock<&'static RunningJobs>>,
    _thread: SignalThread,
}

impl WorkerSignals {
    /// Signals that mean something else than the end.
    pub(in crate::cli) const OTHERS: &[i32] = &[SIGUSR1, SIGUSR2];

    /// Catches them, before any job is prepared. Who is stopped by a terminal stops its
    /// jobs first; who is asked twice to end kills them. What parsim is asked about its
    /// progress is not for its workers.
    pub(in crate::cli) fn catch(interrupt: &Interrupt) -> anyhow::Result<Self> {
        let signals = [SIGTSTP, SIGCONT].iter().chain(Self::OTHERS).copied();
        let signals =
            CaughtSignals::catch(&signals.collect::<Vec<_>>()).context("install the handlers of signals")?;
        interrupt.wake_too(signals.waker());
        let running = Arc::new(OnceLock::new());
        let (known, mut jobs) = (Arc::clone(&running), JobSignals::new(interrupt));
        let attend = move |wakeup: Wakeup| {
            jobs.pass_on(wakeup, known.get().copied());
            None
        };
        let thread =
            SignalThread::start(signals, attend).context("start the thread that attends to signals")?;
        Ok(Self { running, _thread: thread })
    }

    /// Builds what runs the jobs of a batch elsewhere, from what it said of them.
    pub(in crate::cli) fn rebuild(&self, spec: serde_json::Value) -> anyhow::Result<Box<dyn Workload>> {
        let runner = CommandRunner::from_spec(spec)?;
        // A worker is built once.
        let _ = self.running.set(runner.running());
        Ok(Box::new(runner))
    }
}
