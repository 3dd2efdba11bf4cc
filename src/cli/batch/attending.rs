//! What a signal does to a batch, and progress as time passes.
//!
//! That INT and TERM end the jobs and that HUP lets them finish is known to
//! [`crate::interrupt`] and to those who wait for jobs; here is what comes on top.

use std::sync::Arc;

use anyhow::Context as _;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP, SIGUSR1, SIGUSR2};

use crate::process::child::Running;
use crate::process::signals::{Attendant, Signals, Stir, stop_here};
use crate::progress::Meter;

/// Catches the signals of a batch: before any job is prepared, for what is
/// caught is undone in jobs.
pub(super) fn catch() -> anyhow::Result<Signals> {
    let signals = [SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGTSTP, SIGCONT];
    Signals::catch(&signals).context("install the handlers of signals")
}

/// Attends to `signals` and to the meter until it is dropped.
pub(super) fn attend(
    signals: Signals,
    running: &'static Running,
    meter: &Arc<Meter>,
) -> anyhow::Result<Attendant> {
    let meter = Arc::clone(meter);
    let mut ends = 0;
    let attend = move |stir: Stir| {
        match stir {
            // The kill sequence has begun already: whoever waits for a job saw
            // the same signal.
            Stir::Signal(SIGINT | SIGTERM) => {
                ends += 1;
                if ends > 1 {
                    running.kill_now();
                }
            }
            Stir::Signal(SIGHUP) => {
                meter.say("HUP: no more jobs are started; those that run may finish (TERM ends them)");
                meter.list();
            }
            Stir::Signal(SIGUSR1) => meter.list(),
            Stir::Signal(SIGUSR2) => meter.toggle(),
            Stir::Signal(SIGTSTP) => {
                running.pause();
                stop_here();
            }
            Stir::Signal(SIGCONT) => running.resume(),
            Stir::Signal(_) | Stir::Time => {}
        }
        meter.tick()
    };
    Attendant::start(signals, attend).context("start the thread that attends to signals")
}
