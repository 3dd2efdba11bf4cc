//! How soon the next task may start: after a delay, below a load, with memory
//! to spare.
//!
//! Does not know which task it is.

use std::time::{Duration, Instant};

use crate::host;
use crate::interrupt::Interrupt;
use crate::policy::{Delay, Load, Policy};
use crate::record::Outcome;

/// How often a machine that is too busy is looked at again. There is nothing to
/// wait on: neither load nor memory tells when it falls.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Holds starts back.
#[derive(Debug, Default)]
pub(super) struct Pace {
    load: Option<f64>,
    memory: Option<u64>,
    last: Option<Instant>,
    /// Pages swapped in and out at the last look, where that matters.
    swapped: Option<[u64; 2]>,
}

impl Pace {
    pub(super) fn new(policy: &Policy) -> Self {
        let load = policy.load.map(|load| match load {
            Load::Average(load) => load,
            Load::Percent(percent) => host::Limits::detect().usable as f64 * percent / 100.0,
        });
        let swapped = if policy.spares_swap { host::swapped_pages() } else { None };
        Self { load, memory: policy.memory, last: None, swapped }
    }

    /// Waits until the next task may start; `false` when none is to be started
    /// any more.
    pub(super) fn wait(&mut self, pause: Option<Duration>, interrupt: &Interrupt) -> bool {
        if let (Some(pause), Some(last)) = (pause, self.last)
            && !interrupt.sleep_before_a_start(pause.saturating_sub(last.elapsed()))
        {
            return false;
        }
        while self.is_too_busy() {
            if !interrupt.sleep_before_a_start(LOOK_AGAIN) {
                return false;
            }
        }
        if pause.is_some() {
            self.last = Some(Instant::now());
        }
        !interrupt.is_draining()
    }

    /// What the system does not tell holds nobody back.
    fn is_too_busy(&mut self) -> bool {
        let above = |most: f64| host::running_threads().is_some_and(|running| running as f64 >= most);
        let below = |least: u64| host::available_memory().is_some_and(|available| available < least);
        // Both ways at a time: what is only brought back in, or only put out of the
        // way, is no sign of too little memory.
        let swaps = self.swapped.is_some_and(|before| {
            self.swapped = host::swapped_pages();
            self.swapped.is_some_and(|now| now[0] > before[0] && now[1] > before[1])
        });
        swaps || self.load.is_some_and(above) || self.memory.is_some_and(below)
    }
}

/// The pause between two starts, which may follow how the tasks fare: 30 % more
/// after a failure and 10 % less after a success, as GNU parallel's `auto`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pause(Option<Delay>);

impl Pause {
    pub(super) fn new(delay: Option<Delay>) -> Self {
        Self(delay)
    }

    pub(super) fn length(self) -> Option<Duration> {
        self.0.map(|delay| delay.pause)
    }

    pub(super) fn follow(&mut self, outcome: &Outcome) {
        if let Some(delay) = self.0.as_mut().filter(|delay| delay.adapts) {
            // From nothing it could not grow.
            let least = Duration::from_millis(1);
            delay.pause = if outcome.is_failure() {
                delay.pause.max(least).mul_f64(1.3)
            } else {
                delay.pause.mul_f64(0.9)
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_adapting_pause_grows_with_failures_and_shrinks_with_successes() {
        let mut pause = Pause::new(Some(Delay { pause: Duration::from_secs(1), adapts: true }));
        pause.follow(&Outcome::Exited(1));
        assert_eq!(pause.length(), Some(Duration::from_millis(1300)));
        pause.follow(&Outcome::Success);
        assert_eq!(pause.length(), Some(Duration::from_millis(1170)));
        let mut fixed = Pause::new(Some(Delay { pause: Duration::from_secs(1), adapts: false }));
        fixed.follow(&Outcome::Exited(1));
        assert_eq!(fixed.length(), Some(Duration::from_secs(1)));
    }
}
