//! What a signal does to a batch, and progress as time passes.
//!
//! That INT, TERM and others end the jobs and that HUP lets them finish is known to
//! [`crate::process::Interrupt`] and to those who wait for jobs; here is what comes on top.

use std::sync::Arc;

use anyhow::Context as _;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGTSTP, SIGUSR1, SIGUSR2};

use crate::process::child::RunningJobs;
use crate::process::{CaughtSignals, Interrupt, SignalThread, Wakeup, stop_here};
use crate::progress::ProgressDisplay;

/// Signals that ask a batch for something other than its end.
pub(super) const ASKS: &[i32] = &[SIGUSR1, SIGUSR2];

/// Catches the signals of a batch: before any job is prepared, for what is
/// caught is undone in jobs.
pub(super) fn catch(interrupt: &Interrupt) -> anyhow::Result<CaughtSignals> {
    let signals = [SIGHUP, SIGUSR1, SIGUSR2, SIGTSTP, SIGCONT];
    let signals = CaughtSignals::catch(&signals).context("install the handlers of signals")?;
    interrupt.wake_too(signals.waker());
    Ok(signals)
}

/// Attends to `signals` and to the display until it is dropped.
pub(super) fn attend(
    signals: CaughtSignals,
    running: &'static RunningJobs,
    display: &Arc<ProgressDisplay>,
    interrupt: &Interrupt,
) -> anyhow::Result<SignalThread> {
    let display = Arc::clone(display);
    let mut jobs = JobSignals::new(interrupt);
    let attend = move |wakeup: Wakeup| {
        jobs.pass_on(wakeup, Some(running));
        match wakeup {
            Wakeup::Signal(SIGHUP) => {
                display.say("HUP: no more jobs are started; those that run may finish (TERM ends them)");
                display.list();
            }
            Wakeup::Signal(SIGUSR1) => display.list(),
            Wakeup::Signal(SIGUSR2) => display.toggle(),
            Wakeup::Signal(_) | Wakeup::Time => {}
        }
        display.tick()
    };
    SignalThread::start(signals, attend).context("start the thread that attends to signals")
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
        match (wakeup, running) {
            (Wakeup::Signal(SIGTSTP), _) => {
                if let Some(running) = running {
                    running.pause();
                }
                stop_here();
            }
            (Wakeup::Signal(SIGCONT), Some(running)) => running.resume(),
            (Wakeup::Signal(_) | Wakeup::Time, _) => {}
        }
    }
}
