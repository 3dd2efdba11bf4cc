//! What was not measured, estimated from what was: the serial time of a batch
//! that only ran in parallel.
//!
//! Every figure made here is to be marked as an estimate. Pure arithmetic on the
//! sums of a run; no record is needed.

use std::fmt;

use super::RunResult;
use crate::numbers;

/// From this share on, the cores were busy: tasks waited for cores, so that their
/// wall times say too much, and their CPU times are what they would take alone.
const BUSY: f64 = 0.9;

/// Below this share no task had to wait for a core: wall times are right.
const IDLE: f64 = 0.5;

/// Ends that are no further apart than this are told as one figure.
const AS_ONE: f64 = 1.1;

/// A time that was not measured: between `low` and `high`, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// At least so long.
    pub low: f64,
    /// At most so long.
    pub high: f64,
}

impl Estimate {
    /// From the smaller to the larger.
    fn between(one: f64, other: f64) -> Self {
        Self { low: one.min(other), high: one.max(other) }
    }

    fn exactly(seconds: f64) -> Self {
        Self { low: seconds, high: seconds }
    }

    /// The middle of it, in seconds.
    #[must_use]
    pub fn middle(&self) -> f64 {
        f64::midpoint(self.low, self.high)
    }

    /// Whether it is as good as one figure.
    #[must_use]
    pub fn is_one(&self) -> bool {
        self.high <= self.low * AS_ONE
    }
}

/// `est. 4.012 s`, `est. 2.010 s to 4.012 s`
impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = numbers::seconds;
        if self.is_one() {
            write!(f, "est. {}", told(self.middle()))
        } else {
            write!(f, "est. {} to {}", told(self.low), told(self.high))
        }
    }
}

/// How many cores `run` kept busy on average: CPU time over wall time.
#[must_use]
pub fn cores_busy(run: &RunResult) -> f64 {
    let wall = run.wall.as_secs_f64();
    if wall > 0.0 { run.usage.cpu().as_secs_f64() / wall } else { 0.0 }
}

/// What the tasks of `run`, which had `cores` to run on, would have taken one
/// after another; `None` of a run without tasks.
///
/// From the summed CPU time where the cores were at least 90 % busy, from the
/// tasks' summed wall time below 50 %, a range in between. A range, too, where the
/// cores were busy with other work, for which tasks were taken off them. Tasks with several
/// threads each take more CPU time than wall time even alone: then it is a
/// range too. Right to about a tenth for tasks that sleep or compute; tasks that
/// do both while the cores are busy may take longer alone than is said here.
#[must_use]
pub fn serial_time(run: &RunResult, cores: usize) -> Option<Estimate> {
    if run.tasks == 0 || run.wall.is_zero() {
        return None;
    }
    let cores = cores.max(1) as f64;
    let busy = cores_busy(run) / cores;
    let (cpu, wall) = (run.usage.cpu().as_secs_f64(), run.task_wall.as_secs_f64());
    Some(if cpu > wall * AS_ONE {
        Estimate::between((cpu / cores).max(run.longest.as_secs_f64()).min(wall), wall)
    } else if busy >= BUSY {
        Estimate::exactly(cpu)
    } else if busy < IDLE && !was_crowded_out(run) {
        Estimate::exactly(wall)
    } else {
        Estimate::between(cpu, wall)
    })
}

/// Whether tasks were more often taken off a core than they gave one up to wait:
/// then others wanted it, and wall times say too much.
fn was_crowded_out(run: &RunResult) -> bool {
    run.usage.involuntary_switches > run.usage.voluntary_switches
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::measure::Usage;

    /// Tasks of `each` seconds wall time, on two cores.
    fn run(tasks: u32, each: f64, cpu: f64, wall: f64) -> RunResult {
        RunResult {
            wall: Duration::from_secs_f64(wall),
            usage: Usage { user: Duration::from_secs_f64(cpu), ..Usage::default() },
            tasks: u64::from(tasks),
            task_wall: Duration::from_secs_f64(each) * tasks,
            longest: Duration::from_secs_f64(each),
            ..RunResult::default()
        }
    }

    fn serial(run: &RunResult) -> Estimate {
        serial_time(run, 2).unwrap()
    }

    #[test]
    fn tasks_that_sleep_take_their_wall_times_however_many_sleep_at_a_time() {
        for slots in [2.0, 4.0, 16.0] {
            assert_eq!(serial(&run(32, 0.5, 0.03, 16.0 / slots)), Estimate { low: 16.0, high: 16.0 });
        }
    }

    #[test]
    fn tasks_that_compute_take_their_cpu_times_however_many_share_a_core() {
        for stretched in [0.5, 1.0, 4.0] {
            assert_eq!(serial(&run(32, stretched, 16.0, 8.1)), Estimate { low: 16.0, high: 16.0 });
        }
    }

    #[test]
    fn in_between_a_range_is_told() {
        let estimate = serial(&run(4, 2.0, 4.2, 3.0));
        assert_eq!((estimate.low, estimate.high), (4.2, 8.0));
        assert_eq!(estimate.to_string(), "est. 4.200 s to 8.000 s");
    }

    #[test]
    fn beside_other_work_a_range_is_told() {
        let mut crowded = run(4, 2.0, 0.5, 4.0);
        assert!(serial(&crowded).is_one());
        crowded.usage.involuntary_switches = 90;
        crowded.usage.voluntary_switches = 20;
        assert_eq!(serial(&crowded), Estimate { low: 0.5, high: 8.0 });
    }

    #[test]
    fn tasks_with_threads_of_their_own_are_told_as_a_range() {
        let estimate = serial(&run(4, 1.0, 7.8, 4.0));
        assert_eq!((estimate.low, estimate.high), (3.9, 4.0));
        assert_eq!(estimate.to_string(), "est. 3.950 s");
    }

    #[test]
    fn nothing_is_estimated_of_nothing() {
        assert_eq!(serial_time(&run(0, 0.0, 0.0, 1.0), 2), None);
        assert!(cores_busy(&RunResult::default()).abs() < f64::EPSILON);
    }
}
