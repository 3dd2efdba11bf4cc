//! What signals do beside ending the work: they stop the jobs with parsim and let them
//! go on, kill them when the second one comes, and leave nothing half written.
//!
//! That INT, TERM and others end the jobs and that HUP lets them finish is known to
//! [`crate::process::Interrupt`] and to those who wait for jobs.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGTSTP, SIGUSR1, SIGUSR2};

use crate::process::child::RunningJobs;
use crate::process::{CaughtSignals, Interrupt, SignalThread, Wakeup, end_by, ending_signals, stop_here};
use crate::progress::ProgressDisplay;
use crate::temporary;

/// Signals that ask a batch for something other than its end.
pub(super) const ASKS: &[i32] = &[SIGUSR1, SIGUSR2];

/// Signals that stop a process and let it go on.
const STOPS: &[i32] = &[SIGTSTP, SIGCONT];

/// Catches the signals of a process that runs jobs, and `more`: before any job is
/// prepared, for what is caught is undone in jobs.
pub(super) fn catch_beside_jobs(interrupt: &Interrupt, more: &[i32]) -> anyhow::Result<CaughtSignals> {
    let signals = catch(&[STOPS, more].concat())?;
    interrupt.wake_too(signals.waker());
    Ok(signals)
}

fn catch(signals: &[i32]) -> anyhow::Result<CaughtSignals> {
    CaughtSignals::catch(signals).context("cannot install the handlers of signals")
}

/// Calls `attend` for each of `signals` and as time passes, until it is dropped.
pub(super) fn attend(
    signals: CaughtSignals,
    attend: impl FnMut(Wakeup) -> Option<Duration> + Send + 'static,
) -> anyhow::Result<SignalThread> {
    SignalThread::start(signals, attend).context("cannot start the thread that attends to signals")
}

/// Attends to `caught` and to `display` until it is dropped. `running` is what stops and goes
/// on with this process.
pub(super) fn attend_beside(
    caught: CaughtSignals,
    running: Option<&'static RunningJobs>,
    display: &Arc<ProgressDisplay>,
    interrupt: &Interrupt,
) -> anyhow::Result<SignalThread> {
    let display = Arc::clone(display);
    let mut jobs = JobSignals::new(interrupt);
    attend(caught, move |wakeup| {
        match wakeup {
            // Whoever gets the terminal finds it clean.
            Wakeup::Signal(SIGTSTP) => display.clear(),
            Wakeup::Signal(SIGHUP) => {
                display.say("HUP: no more jobs are started; those that run may finish (TERM ends them)");
                display.list();
            }
            Wakeup::Signal(SIGUSR1) => display.list(),
            Wakeup::Signal(SIGUSR2) => display.toggle(),
            Wakeup::Signal(_) | Wakeup::Time => {}
        }
        jobs.pass_on(wakeup, running);
        display.tick()
    })
}

/// Catches what stops this process and lets it go on.
pub(super) fn catch_stops() -> anyhow::Result<CaughtSignals> {
    catch(STOPS)
}

/// What signals mean for the jobs that run in this process, wherever that is.
pub(super) struct JobSignals {
    interrupt: Interrupt,
    /// How many of those that ask for the end were seen.
    seen: u32,
}

impl JobSignals {
    pub(super) fn new(interrupt: &Interrupt) -> Self {
        Self { interrupt: interrupt.clone(), seen: 0 }
    }

    /// Has what is `running`, if anything is known of, end, stop or go on.
    pub(super) fn pass_on(&mut self, wakeup: Wakeup, running: Option<&RunningJobs>) {
        // The kill sequence has begun already: whoever waits for a job saw the same
        // signal. The second one kills.
        let ends = self.interrupt.n_signals();
        if let Some(running) = running.filter(|_| ends > self.seen.max(1)) {
            running.kill_now();
        }
        self.seen = ends;
        match wakeup {
            Wakeup::Signal(SIGTSTP) => {
                if let Some(running) = running {
                    running.pause();
                }
                stop_here();
            }
            Wakeup::Signal(SIGCONT) => running.into_iter().for_each(RunningJobs::resume),
            Wakeup::Signal(_) | Wakeup::Time => {}
        }
    }
}

/// Until this is dropped, a signal that ends parsim first has what it is writing in
/// `folders` removed. For subcommands that run nothing which has to be ended first.
pub(super) fn removed_by_signals(folders: Vec<PathBuf>) -> anyhow::Result<SignalThread> {
    let signals = catch(&ending_signals().collect::<Vec<_>>())?;
    attend(signals, move |wakeup| {
        if let Wakeup::Signal(signal) = wakeup {
            for folder in &folders {
                temporary::remove_own(folder);
            }
            // It does not come back.
            let _ = end_by(signal);
        }
        None
    })
}
