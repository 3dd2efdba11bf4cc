//! What a signal does to a batch, and progress as time passes.
//!
//! That INT, TERM and others end the jobs and that HUP lets them finish is known to
//! [`crate::process::Interrupt`] and to those who wait for jobs; here is what comes on top.

use std::sync::Arc;

use anyhow::Context as _;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP, SIGUSR1, SIGUSR2};

use crate::process::Interrupt;
use crate::process::child::Running;
use crate::process::signals::{Attendant, Signals, Stir, stop_here};
use crate::progress::Meter;

/// Signals that ask a batch for something other than its end.
pub(super) const ASKS: &[i32] = &[SIGUSR1, SIGUSR2];

/// Catches the signals of a batch: before any job is prepared, for what is
/// caught is undone in jobs.
pub(super) fn catch(interrupt: &Interrupt) -> anyhow::Result<Signals> {
    let signals = [SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGTSTP, SIGCONT];
    let signals = Signals::catch(&signals).context("install the handlers of signals")?;
    interrupt.wake_for_others(signals.ring());
    Ok(signals)
}

/// Attends to `signals` and to the meter until it is dropped.
pub(super) fn attend(
    signals: Signals,
    running: &'static Running,
    meter: &Arc<Meter>,
    interrupt: &Interrupt,
) -> anyhow::Result<Attendant> {
    let meter = Arc::clone(meter);
    let mut jobs = JobSignals::new(interrupt);
    let attend = move |stir: Stir| {
        jobs.pass_on(stir, Some(running));
        match stir {
            Stir::Signal(SIGHUP) => {
                meter.say("HUP: no more jobs are started; those that run may finish (TERM ends them)");
                meter.list();
            }
            Stir::Signal(SIGUSR1) => meter.list(),
            Stir::Signal(SIGUSR2) => meter.toggle(),
            Stir::Signal(_) | Stir::Time => {}
        }
        meter.tick()
    };
    Attendant::start(signals, attend).context("start the thread that attends to signals")
}

/// What signals mean for the jobs that run in this process, wherever that is.
pub(super) struct JobSignals {
    interrupt: Interrupt,
    /// How many asked for the end.
    ends: u32,
}

impl JobSignals {
    pub(super) fn new(interrupt: &Interrupt) -> Self {
        Self { interrupt: interrupt.clone(), ends: 0 }
    }

    /// Has what is `running`, if anything is known of, end, stop or go on.
    pub(super) fn pass_on(&mut self, stir: Stir, running: Option<&Running>) {
        // The kill sequence has begun already: whoever waits for a job saw the same
        // signal. The second one kills.
        let ends_now = matches!(stir, Stir::Signal(SIGINT | SIGTERM)) || self.interrupt.another_came();
        self.ends += u32::from(ends_now);
        match (stir, running) {
            (_, Some(running)) if ends_now && self.ends > 1 => running.kill_now(),
            (Stir::Signal(SIGTSTP), _) => {
                if let Some(running) = running {
                    running.pause();
                }
                stop_here();
            }
            (Stir::Signal(SIGCONT), Some(running)) => running.resume(),
            (Stir::Signal(_) | Stir::Time, _) => {}
        }
    }
}
