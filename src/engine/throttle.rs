//! How soon the next task may start: after a delay, below a load, with memory
//! to spare.
//!
//! Does not know which task it is.

use std::time::{Duration, Instant};

use crate::event::{Event, Observer};
use crate::host::{self, RunningThreads};
use crate::numbers;
use crate::policy::{Delay, Load, Policy};
use crate::process::Interrupt;
use crate::study::StartWaits;
use crate::task::Outcome;

/// How often a machine that is too busy is looked at again. There is nothing to
/// wait on: neither load nor memory tells when it falls.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Holds starts back.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    load: Option<f64>,
    /// Who tells how many threads run, where that matters.
    running: Option<RunningThreads>,
    memory: Option<u64>,
    last: Option<Instant>,
    /// Pages swapped in and out at the last look, where that matters.
    swapped: Option<[u64; 2]>,
    /// How long starts waited so far, by what for.
    waits: StartWaits,
    /// For what reasons somebody had to wait so far.
    known: Vec<Reason>,
}

/// Why the machine is too busy.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Busy {
    Load { now: u64, most: f64 },
    Memory { now: u64, least: u64 },
    Swapping,
}

/// Which option has somebody wait.
type Reason = std::mem::Discriminant<Busy>;

impl Busy {
    fn why(self) -> String {
        match self {
            Self::Load { now, most } => {
                format!("load {now} is not below {} (--load)", numbers::three_digits(most))
            }
            Self::Memory { now, least } => {
                let (now, least) = (numbers::memory(now as f64), numbers::memory(least as f64));
                format!("{now} of memory free, {least} needed (--memfree)")
            }
            Self::Swapping => "the machine is swapping (--noswap)".to_owned(),
        }
    }
}

impl Throttle {
    pub(super) fn new(policy: &Policy) -> Self {
        let load = policy.load.map(|load| match load {
            Load::Average(load) => load,
            Load::Percent(percent) => host::Limits::detect().usable as f64 * percent / 100.0,
        });
        let swapped = if policy.spares_swap { host::swapped_pages() } else { None };
        Self {
            load,
            running: load.and_then(|_| RunningThreads::open()),
            memory: policy.memory,
            last: None,
            swapped,
            waits: StartWaits::default(),
            known: Vec::new(),
        }
    }

    /// How long starts waited so far.
    pub(super) fn waits(&self) -> StartWaits {
        self.waits
    }

    /// Waits until the next task may start; `false` when none is to be started
    /// any more. `observer` hears of a wait for a quieter machine.
    pub(super) fn wait(
        &mut self,
        pause: Option<Duration>,
        interrupt: &Interrupt,
        observer: &dyn Observer,
    ) -> bool {
        let begun = Instant::now();
        if let (Some(pause), Some(last)) = (pause, self.last)
            && !interrupt.sleep_before_a_start(pause.saturating_sub(last.elapsed()))
        {
            return false;
        }
        let delayed = begun.elapsed();
        self.waits.delay += delayed;
        let mut looks = 0;
        while let Some(busy) = self.is_too_busy() {
            looks += 1;
            // What is over at the second look is not worth a word.
            if looks > 1 {
                self.tell(busy, observer);
            }
            if !interrupt.sleep_before_a_start(LOOK_AGAIN) {
                return false;
            }
        }
        if looks > 0 {
            self.waits.busy += begun.elapsed().saturating_sub(delayed);
        }
        if looks > 1 {
            observer.observe(&Event::StartsGoOn);
        }
        if pause.is_some() {
            self.last = Some(Instant::now());
        }
        !interrupt.is_draining()
    }

    fn tell(&mut self, busy: Busy, observer: &dyn Observer) {
        let reason = std::mem::discriminant(&busy);
        let is_news = !self.known.contains(&reason);
        if is_news {
            self.known.push(reason);
        }
        observer.observe(&Event::StartsHeldUp { why: &busy.why(), is_news });
    }

    /// What the system does not tell holds nobody back.
    fn is_too_busy(&mut self) -> Option<Busy> {
        let above = |most: f64| {
            let now = self.running.as_ref()?.count().filter(|running| *running as f64 >= most)?;
            Some(Busy::Load { now, most })
        };
        let below = |least: u64| {
            let now = host::available_memory().filter(|available| *available < least)?;
            Some(Busy::Memory { now, least })
        };
        // Both ways at a time: what is only brought back in, or only put out of the
        // way, is no sign of too little memory.
        let swaps = self.swapped.is_some_and(|before| {
            self.swapped = host::swapped_pages();
            self.swapped.is_some_and(|now| now[0] > before[0] && now[1] > before[1])
        });
        let swaps = swaps.then_some(Busy::Swapping);
        swaps.or_else(|| self.load.and_then(above)).or_else(|| self.memory.and_then(below))
    }
}

/// Does what may `wait`, and adds to `waited` how long that took.
pub(super) fn timed<T>(waited: &mut Duration, wait: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let result = wait();
    *waited += begun.elapsed();
    result
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
    use crate::sync::Mutex;

    use super::*;

    #[test]
    fn a_wait_is_told_with_its_reason_which_is_news_once() {
        #[derive(Default)]
        struct Heard(Mutex<Vec<(String, bool)>>);
        impl Observer for Heard {
            fn observe(&self, event: &Event<'_>) {
                if let Event::StartsHeldUp { why, is_news } = event {
                    self.0.lock().push(((*why).to_owned(), *is_news));
                }
            }
        }
        let heard = Heard::default();
        let mut pace = Throttle::default();
        pace.tell(Busy::Load { now: 5, most: 2.0 }, &heard);
        pace.tell(Busy::Load { now: 6, most: 2.0 }, &heard);
        pace.tell(Busy::Swapping, &heard);
        let load = |now| format!("load {now} is not below 2.00 (--load)");
        let swapping = "the machine is swapping (--noswap)".to_owned();
        assert_eq!(heard.0.into_inner(), [(load(5), true), (load(6), false), (swapping, true)]);
    }

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
