//! What was not measured, estimated from what was: the serial time of a batch
//! that only ran in parallel.
//!
//! Every figure made here is to be marked as an estimate. Pure arithmetic on the
//! sums of a run; no record is needed.

use std::fmt;

use super::{RunResult, Streaming};
use crate::numbers;

/// Below this share no task had to wait for a core, where nobody looked whether one did.
const IDLE: f64 = 0.5;

/// A cause that can make up for less than this share is not spoken of.
const MATTERS: f64 = 0.05;

/// What takes this share of a time makes most of it.
const MOSTLY: f64 = 0.5;

/// What whoever takes the output slowed down is hardly quicker one after another.
const HARDLY_QUICKER: f64 = 0.9;

/// What others wanted is known so well, as a factor.
const ROUGHLY: f64 = 1.5;

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

/// `4.012 s`, `2.010 s to 4.012 s`
impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = numbers::seconds;
        if self.is_one() {
            write!(f, "{}", told(self.middle()))
        } else {
            write!(f, "{} to {}", told(self.low), told(self.high))
        }
    }
}

/// What the tasks of a run would have taken one after another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SerialTime {
    /// How long that is.
    pub time: Estimate,
    /// Why it is not known better, or what it rests on.
    pub rests_on: Option<Ground>,
}

/// What makes an estimate of the serial time wide, or what it takes for granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// Tasks have several threads, and how these share the cores alone is not known.
    Threads,
    /// Tasks have several threads, or others' threads wanted the cores, too.
    Whose,
    /// Tasks waited for a core because of other work, or would have done so anyway.
    OtherWork,
    /// Tasks did not compute all of the time: for want of a core, or by themselves.
    Waits,
    /// Who takes the output was slow, and may be so one after another.
    Output,
    /// Tasks were started late, and would be so one after another.
    Starts,
    /// Tasks that compute do not slow each other down.
    OwnPace,
    /// Tasks that wait do not wait for each other.
    OwnWaits,
}

/// Behind the figures.
impl fmt::Display for Ground {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Threads => {
                ": each has several threads or processes, which may have more cores when it runs alone"
            }
            Self::Whose => ": more threads than jobs wanted a core, and whose they were is not known",
            Self::OtherWork => ": other work ran beside them, and how long they waited for it is not known",
            Self::Waits => {
                ": how long they waited for a core, and how long for something else, is not known; less if they waited for each other"
            }
            Self::Output => ": whoever reads their output held them up",
            Self::Starts => ", with the waits between their starts (input, delays)",
            Self::OwnPace => ", less if side by side they slowed each other down (memory, caches)",
            Self::OwnWaits => ", less if they waited for each other (a lock, a server)",
        })
    }
}

/// What the tasks of `run`, which had `cores` to run on and are `folded`, would have taken
/// one after another; `None` of a run without tasks.
///
/// A task that runs alone takes its wall time without the part in which it waited for a
/// core. How much that was of all tasks together shows in how many threads wanted a core
/// meanwhile, where somebody looked; else it is between nothing and all the time in which
/// they did not compute. Tasks with threads of their own are faster alone by as much as
/// there are cores for these. What was waited for between starts is waited for again.
///
/// That tasks slow each other down, or wait for each other, is not to be seen in a run of
/// one way: where nothing else makes the estimate wide, [`Ground`] says so.
#[must_use]
pub fn serial_time(run: &RunResult, folded: &Streaming, cores: usize) -> Option<SerialTime> {
    if run.tasks == 0 || run.wall.is_zero() {
        return None;
    }
    let (wall, cores) = (run.wall.as_secs_f64(), cores.max(1) as f64);
    let (tasks, cpu) = (run.task_wall.as_secs_f64(), run.task_cpu.as_secs_f64());
    let beyond = folded.one_by_one.beyond();
    // What each computed within its wall time, and when it did not.
    let computed = cpu - beyond;
    let idle = (tasks - computed).max(0.0);
    let (slept, doubt) = own_waits(run, idle, cores);
    let (alone, ground) = match threads_at_once(run, beyond, cores) {
        Some(at_once) => {
            // As many threads as wanted a core on average, on as many cores as there are.
            let least = cpu / at_once.clamp(1.0, cores);
            let ground = if has_company(run, cores) { Ground::Whose } else { Ground::Threads };
            (Estimate::between(least, (cpu + slept.high).min(tasks)), ground)
        }
        None => (Estimate { low: computed + slept.low, high: computed + slept.high }, doubt),
    };
    let (alone, ground) = match held_up(run, tasks) {
        Some(held_up) => {
            // Who holds one up may hold up the others at the same time.
            let least = (alone.low - held_up).max(HARDLY_QUICKER * wall).max(computed);
            (Estimate { low: least.min(alone.low), ..alone }, Ground::Output)
        }
        None => (alone, ground),
    };
    let time = paced(&alone, folded, computed, tasks);
    // What came after the last task, such as handing on its output, would come again.
    let rest = (wall - folded.one_by_one.last_end()).max(0.0);
    let time = Estimate { low: time.low + rest, high: time.high + rest };
    let ground = if !time.is_one() {
        Some(ground)
    } else if time.middle() > alone.high * (1.0 + 2.0 * MATTERS) + MATTERS * wall {
        Some(Ground::Starts)
    } else if run.tasks < 2 || tasks < wall * (1.0 + MATTERS) {
        // They hardly ran side by side.
        None
    } else if computed > MOSTLY * time.middle() {
        Some(Ground::OwnPace)
    } else {
        Some(Ground::OwnWaits)
    };
    Some(SerialTime { time, rests_on: ground })
}

/// How long of the time in which they did not compute, `idle`, tasks waited for anything but
/// a core, in seconds, and why that is not known better.
fn own_waits(run: &RunResult, idle: f64, cores: f64) -> (Estimate, Ground) {
    let used = run.usage.cpu().as_secs_f64() / (cores * run.wall.as_secs_f64());
    match &run.queue {
        Some(queue) if has_company(run, cores) => {
            // Threads of others were taken for those of tasks: so much they slept at least.
            let low = (queue.slept - queue.off).clamp(0.0, idle);
            (Estimate { low, high: idle }, Ground::OtherWork)
        }
        Some(queue) => {
            let [low, high] =
                [queue.slept - queue.off, queue.slept + queue.off].map(|end| end.clamp(0.0, idle));
            (Estimate { low, high }, Ground::Waits)
        }
        None if used < IDLE && !was_crowded_out(run) => (Estimate::exactly(idle), Ground::Waits),
        None => (Estimate { low: 0.0, high: idle }, Ground::Waits),
    }
}

/// Whether other work was seen beside the tasks.
fn has_company(run: &RunResult, cores: f64) -> bool {
    let others = run.queue.map_or(0.0, |queue| queue.had - run.usage.cpu().as_secs_f64());
    others > MATTERS * cores * run.wall.as_secs_f64()
}

/// How many threads of a task wanted a core at the same time, where these had to wait for
/// one: tasks took more CPU time than wall time by `beyond`, or more threads wanted one than
/// tasks were under way. `None` where tasks have one, or all had a core whenever they wanted
/// one: wall times are right then.
fn threads_at_once(run: &RunResult, beyond: f64, cores: f64) -> Option<f64> {
    // What parsim does itself wants a core, too, and has it.
    let (tasks, cpu) = (run.task_wall.as_secs_f64(), run.usage.cpu().as_secs_f64());
    let Some(queue) = run.queue else {
        let were_free = cpu < IDLE * cores * run.wall.as_secs_f64();
        return (beyond > MATTERS * tasks && !were_free).then_some(cores);
    };
    let wanted = tasks - queue.slept + queue.beyond;
    let had_to_wait = wanted - cpu > 2.0 * MATTERS * tasks;
    // Who had a core for some time wanted it for longer, by as much as the cores were short.
    let others = (queue.had - cpu).max(0.0) * (wanted / (cores * run.wall.as_secs_f64())).max(1.0);
    let own = queue.beyond - ROUGHLY * others;
    let has_several = beyond > MATTERS * tasks || own > 2.0 * MATTERS * tasks;
    (has_several && had_to_wait).then_some(wanted / tasks)
}

/// How long tasks waited for who takes their output, in seconds, where that matters.
fn held_up(run: &RunResult, tasks: f64) -> Option<f64> {
    let waited = run.counts.as_ref()?.handing_on.as_secs_f64();
    (waited > 2.0 * MATTERS * tasks).then_some(waited)
}

/// When tasks that take as long as `alone` says altogether would have ended, each started no
/// earlier than it was; they computed for `computed` of their wall times `tasks`.
fn paced(alone: &Estimate, folded: &Streaming, computed: f64, tasks: f64) -> Estimate {
    let [at_least, at_most] = folded.one_by_one.ends();
    let low = alone.low.max(at_least - (computed - alone.low).max(0.0));
    // The longer tasks take, the less of it passes while the next start is waited for anyway:
    // so the end is below the line between the two that are known.
    let share = ((alone.high - computed) / (tasks - computed).max(f64::MIN_POSITIVE)).clamp(0.0, 1.0);
    let high = alone.high.max(at_least + share * (at_most - at_least));
    Estimate { low: low.min(high), high }
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
    use crate::host::RunQueue;
    use crate::measure::Usage;
    use crate::task::tests::record;
    use crate::task::{ProcessCounts, Record};

    /// Tasks of `each` seconds wall time.
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

    /// A batch on two cores, with `slots` at a time, of so many tasks of `each` seconds wall
    /// time and `cpu` seconds CPU time.
    struct Batch {
        tasks: u32,
        slots: u32,
        each: f64,
        cpu: f64,
        run: RunResult,
    }

    fn batch(tasks: u32, slots: u32, each: f64, cpu: f64) -> Batch {
        Batch { tasks, slots, each, cpu, run: run(tasks, each, 0.0, each * f64::from(tasks.div_ceil(slots))) }
    }

    impl Batch {
        /// It was looked how many threads wanted a core: the tasks slept for so long, or had
        /// more threads, and other processes had the cores for so long.
        fn seen(mut self, slept: f64, beyond: f64, others: f64) -> Self {
            let had = self.cpu * f64::from(self.tasks) + others;
            self.run.queue = Some(RunQueue { slept, off: 0.02 * slept, beyond, had });
            self
        }

        fn estimate(&self) -> SerialTime {
            let cpu = Duration::from_secs_f64(self.cpu);
            let mut run = RunResult { task_cpu: cpu * self.tasks, ..self.run.clone() };
            run.usage.user = cpu * self.tasks;
            let records = (0..self.tasks).map(|number| Record {
                start: Duration::from_secs_f64(self.each) * (number / self.slots),
                wall: Duration::from_secs_f64(self.each),
                cpu,
                ..record(u64::from(number))
            });
            serial_time(&run, &Streaming::of(records), 2).unwrap()
        }

        /// The ends of the estimate, with a digit behind the point.
        fn told(&self) -> (String, Option<Ground>) {
            let SerialTime { time, rests_on } = self.estimate();
            (format!("{:.1}-{:.1}", time.low, time.high), rests_on)
        }
    }

    #[test]
    fn tasks_that_sleep_take_their_wall_times_however_many_sleep_at_a_time() {
        for slots in [2, 4, 16] {
            let told = batch(32, slots, 0.5, 0.001).told();
            assert_eq!(told, ("16.0-16.0".to_owned(), Some(Ground::OwnWaits)), "{slots}");
        }
    }

    #[test]
    fn tasks_that_compute_take_their_cpu_times_however_many_share_a_core() {
        for slots in [2, 4, 16] {
            let told = batch(32, slots, 0.5 * f64::from(slots) / 2.0, 0.5).seen(0.0, 0.0, 0.0).told();
            assert_eq!(told, ("16.0-16.0".to_owned(), Some(Ground::OwnPace)), "{slots}");
        }
    }

    #[test]
    fn where_nobody_looked_who_wanted_a_core_a_range_is_told() {
        let (time, ground) = batch(32, 16, 4.0, 0.5).told();
        assert_eq!((time.as_str(), ground), ("16.0-128.0", Some(Ground::Waits)));
    }

    #[test]
    fn half_sleeping_and_half_spinning_is_told_apart_by_who_wanted_a_core() {
        // A quarter of a second each, sixteen on two cores.
        let told = batch(32, 16, 2.2, 0.25).seen(8.5, 0.0, 0.0).told();
        assert_eq!(told, ("16.3-16.7".to_owned(), Some(Ground::OwnWaits)));
    }

    #[test]
    fn beside_other_work_a_range_is_told() {
        let told = batch(4, 2, 2.0, 1.0).seen(0.0, 4.0, 4.0).told();
        assert_eq!(told, ("4.0-8.0".to_owned(), Some(Ground::OtherWork)));
        // Others had a little; as many threads more than tasks are the tasks' own.
        let told = batch(4, 2, 2.0, 1.0).seen(0.0, 4.4, 0.5).told();
        assert_eq!(told, ("2.6-8.0".to_owned(), Some(Ground::Whose)));
        let mut crowded = batch(4, 2, 2.0, 0.2);
        assert!(crowded.estimate().time.is_one());
        (crowded.run.usage.involuntary_switches, crowded.run.usage.voluntary_switches) = (90, 20);
        assert_eq!(crowded.told(), ("2.4-8.0".to_owned(), Some(Ground::Waits)));
    }

    #[test]
    fn tasks_with_threads_of_their_own_share_the_cores_otherwise_when_alone() {
        // Two threads each on two cores: side by side a core each, alone both.
        let told = batch(8, 2, 1.0, 1.0).seen(0.0, 8.0, 0.0).told();
        assert_eq!(told, ("4.0-8.0".to_owned(), Some(Ground::Threads)));
        // One task at a time has both cores, and nobody looked.
        let told = batch(8, 1, 1.0, 1.9).told();
        assert_eq!(told, ("7.6-8.0".to_owned(), None));
        // Where there were cores for all threads, wall times are right.
        let free = batch(8, 2, 1.0, 1.9).seen(0.0, 7.2, 0.0).told();
        assert_eq!(free.0, "8.0-8.0");
    }

    #[test]
    fn what_came_slowly_comes_slowly_one_after_another() {
        let records: Vec<Record> = (0..10)
            .map(|seq| Record {
                start: Duration::from_secs(seq),
                wall: Duration::from_millis(200),
                cpu: Duration::from_millis(200),
                ..record(seq)
            })
            .collect();
        let run = RunResult { task_cpu: Duration::from_secs(2), ..run(10, 0.2, 2.0, 9.2) };
        let SerialTime { time, rests_on } = serial_time(&run, &Streaming::of(&records), 2).unwrap();
        assert_eq!((format!("{time}").as_str(), rests_on), ("9.200 s", Some(Ground::Starts)));
    }

    #[test]
    fn who_takes_output_slowly_may_do_so_one_after_another() {
        let mut slow = batch(4, 2, 2.0, 0.1);
        slow.run.counts =
            Some(ProcessCounts { handing_on: Duration::from_secs(7), ..ProcessCounts::default() });
        assert_eq!(slow.told(), ("3.6-8.0".to_owned(), Some(Ground::Output)));
    }

    #[test]
    fn nothing_is_estimated_of_nothing() {
        assert_eq!(serial_time(&run(0, 0.0, 0.0, 1.0), &Streaming::default(), 2), None);
    }
}
