//! The first exercise: each task sleeps, then returns its number plus one.
//!
//! It waits and hardly computes, so its speed-up is bounded by the number of
//! tasks at a time and not by the cores.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::Args;
use serde::{Deserialize, Serialize};

use super::row::typed_nothing;
use super::{Cx, Options, Portable, Profile, Row, Sharing, Size, Tasks, Workload};
use crate::task::{Outcome, Task};

/// The row of the table of workloads.
pub const ROW: Row = Row {
    name: "sleep",
    about: "The first exercise: 4 tasks, each sleeps 1 s and returns its number plus one",
    examples: "Examples:\n  parsim sleep                 one after another, then all at once\n  parsim sleep --tasks 100 --seconds 0.05 -j 1,10,100",
    ..Row::of::<SleepOptions>()
};

/// What can be chosen.
#[derive(Args, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SleepOptions {
    /// Number of tasks
    #[arg(long, value_name = "N", default_value_t = 4, allow_negative_numbers = true)]
    pub tasks: u64,
    /// Seconds that each sleeps
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0, allow_hyphen_values = true)]
    pub seconds: f64,
}

impl Default for SleepOptions {
    fn default() -> Self {
        typed_nothing()
    }
}

impl Options for SleepOptions {
    fn build(self, _sharing: Sharing) -> anyhow::Result<Box<dyn Workload>> {
        Ok(Box::new(Sleep::new(self)?))
    }
}

/// The workload: task i sleeps and writes i + 1.
#[derive(Clone, Debug)]
pub struct Sleep {
    options: SleepOptions,
    time: Duration,
}

impl Sleep {
    /// Checks the options.
    ///
    /// # Errors
    /// When the time is negative, not a number or beyond what a clock can wait.
    pub fn new(options: SleepOptions) -> anyhow::Result<Self> {
        let seconds = options.seconds;
        ensure!(seconds >= 0.0, "--seconds {seconds}: give a time of 0 or more seconds");
        let time = Duration::try_from_secs_f64(seconds)
            .with_context(|| format!("--seconds {seconds}: too long to wait for"))?;
        Ok(Self { options, time })
    }
}

impl Workload for Sleep {
    fn name(&self) -> &str {
        ROW.name
    }

    fn tasks(&self) -> Tasks<'_> {
        super::numbered(self.options.tasks)
    }

    fn run(&self, task: &Task, cx: &mut Cx<'_>) -> Outcome {
        if !cx.interrupt().sleep(self.time) {
            return Outcome::Interrupted;
        }
        Outcome::from(cx.write(format!("{}\n", task.seq + 1).as_bytes()))
    }

    fn profile(&self) -> Profile {
        let nothing = "--tasks 0: nothing to do; try --tasks 4";
        Profile {
            size: Size { tasks: Some(self.options.tasks), bytes: None },
            waits: true,
            opens: 0,
            remarks: if self.options.tasks == 0 { vec![nothing.to_owned()] } else { Vec::new() },
            ..Profile::default()
        }
    }

    fn portable(&self) -> Option<&dyn Portable> {
        Some(self)
    }
}

impl Portable for Sleep {
    fn spec(&self) -> serde_json::Value {
        serde_json::json!(self.options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_cannot_be_waited_for_are_named() {
        for seconds in [-1.0, f64::NAN, 1e300, f64::INFINITY] {
            let error = Sleep::new(SleepOptions { tasks: 1, seconds }).unwrap_err().to_string();
            assert!(error.contains(&format!("--seconds {seconds}")), "{error}");
        }
    }

    #[test]
    fn the_workload_can_be_built_again_from_its_spec() {
        let sleep = Sleep::new(SleepOptions { tasks: 7, seconds: 0.25 }).unwrap();
        let again = (ROW.from_spec)(sleep.spec()).unwrap();
        assert_eq!(again.profile().size.tasks, Some(7));
        assert_eq!(again.portable().unwrap().spec(), sleep.spec());
    }
}
