//! A made-up study for each cause. Four cores, ten seconds of work one by one.

use std::time::Duration;

use super::*;
use crate::host::Surroundings;
use crate::measure::Usage;
use crate::study::{ColumnResult, RunResult, SpanTotal, WorkerCosts};
use crate::task::Column;

mod beyond;
mod named;

fn seconds(value: f64) -> Duration {
    Duration::from_secs_f64(value)
}

/// `tasks` that compute all the time: `task_wall` and CPU time are the wall time
/// of all slots.
fn column(column: Column, width: usize, tasks: u64, wall: f64) -> ColumnResult {
    let slots = width.min(usize::try_from(tasks).unwrap()) as f64;
    let busy = seconds(wall * slots);
    let run = RunResult {
        wall: seconds(wall),
        usage: Usage { user: busy, ..Usage::default() },
        tasks,
        task_wall: busy,
        task_cpu: busy,
        longest: seconds(wall * slots / tasks as f64),
        longest_label: "the big one".to_owned(),
        surroundings: Some(Surroundings { cpu: busy, ..Surroundings::default() }),
        ..RunResult::default()
    };
    ColumnResult::new(column, width, vec![run])
}

/// A hundred tasks of ten seconds in all against `width` slots that take `wall`.
fn study(width: usize, wall: f64) -> Study {
    let mut study = crate::study::tests::empty();
    study.columns = vec![column(Column::SERIAL, 1, 100, 10.0), column(Column::PARALLEL, width, 100, wall)];
    study
}

fn serial(study: &mut Study) -> &mut RunResult {
    &mut study.columns[0].runs[0]
}

fn parallel(study: &mut Study) -> &mut RunResult {
    &mut study.columns[1].runs[0]
}

/// The run's own CPU time was this, and nobody else's was any.
fn computed(run: &mut RunResult, cpu: f64) {
    run.usage.user = seconds(cpu);
    run.task_cpu = seconds(cpu);
    run.surroundings = Some(Surroundings { cpu: seconds(cpu), ..Surroundings::default() });
}

/// Tasks waited for a core so long, all together.
fn waited_for_a_core(run: &mut RunResult, delay: f64) {
    let counts = run.counts.get_or_insert_default();
    counts.run_delay = Some(seconds(delay));
}

fn said(study: &Study) -> String {
    explain(study).unwrap()
}

/// Worker processes in the place of the threads.
fn in_processes(column: &ColumnResult, startup: f64) -> ColumnResult {
    let crew = WorkerCosts {
        workers: column.width,
        startup: seconds(startup),
        peak_memory: Some(8 << 20),
        passed: 4_000_000,
        passing: seconds(0.2),
        replaced: 0,
        elsewhere: None,
    };
    let mut column = ColumnResult { column: Column::of_engine("processes"), ..column.clone() };
    column.runs[0].crew = Some(crew);
    column
}

#[test]
fn what_processes_cost_is_told_with_what_they_wait_for() {
    let mut study = study(4, 4.0);
    (parallel(&mut study).task_wall, parallel(&mut study).task_cpu) = (seconds(10.0), seconds(10.0));
    study.columns[1] = in_processes(&study.columns[1], 1.25);
    let said = said(&study);
    let expected = "starting 4 processes took 1.250 s, and each waited 50.00 ms for 4.00 MB to be passed, and a task takes 100.0 ms.";
    assert!(said.starts_with("Work outside tasks: ") && said.ends_with(expected), "{said}");
}

#[test]
fn processes_are_compared_with_as_many_threads() {
    let mut study = study(4, 2.5);
    study.columns.push(in_processes(&column(Column::of_engine("processes"), 4, 100, 3.0), 0.25));
    let said = said(&study);
    let expected = "With processes it took 20 % longer than with threads: starting 4 processes took 250.0 ms, and each waited 50.00 ms for 4.00 MB to be passed.";
    assert!(said.starts_with("No bottleneck found: ") && said.ends_with(expected), "{said}");
}

#[test]
fn what_reached_the_ideal_is_praised() {
    assert_eq!(said(&study(4, 2.55)), "No bottleneck found: 3.92x of at most 4.00x on 4 slots.");
    assert_eq!(
        said(&study(16, 2.55)),
        "No bottleneck found: 3.92x of at most 4.00x on 4 cores (fewer cores than slots)."
    );
}

#[test]
fn a_task_alone_and_one_at_a_time_have_nothing_to_gain() {
    let mut alone = study(4, 10.0);
    alone.columns = vec![column(Column::SERIAL, 1, 1, 10.0), column(Column::PARALLEL, 4, 1, 10.0)];
    assert_eq!(said(&alone), "One task alone has nothing to run beside it.");
    assert!(said(&study(1, 10.0)).ends_with("so there is no speed-up to find."));
}

#[test]
fn too_few_tasks_for_the_slots_are_counted() {
    let mut study = study(4, 3.0);
    study.columns = vec![column(Column::SERIAL, 1, 3, 9.0), column(Column::PARALLEL, 4, 3, 3.2)];
    assert_eq!(
        said(&study),
        "Too few tasks: 3 tasks for 4 slots, so 3.00x is the most that was to be had; the speed-up is 2.81x."
    );
    study.columns[1] = column(Column::PARALLEL, 4, 3, 2.9);
    assert!(!said(&study).contains("Too few"), "{}", said(&study));
}

#[test]
fn tasks_that_do_not_divide_leave_slots_idle() {
    let mut study = study(4, 4.0);
    study.columns = vec![column(Column::SERIAL, 1, 5, 10.0), column(Column::PARALLEL, 4, 5, 4.0)];
    let run = parallel(&mut study);
    (run.task_wall, run.task_cpu, run.tail, run.longest) =
        (seconds(10.0), seconds(10.0), seconds(6.0), seconds(2.0));
    assert_eq!(
        said(&study),
        "Too few tasks to share out evenly: with 5 tasks for 4 slots these were idle for 38 % of the time while the last ones ended."
    );
}

#[test]
fn a_long_task_at_the_end_is_named() {
    let mut study = study(4, 5.0);
    let run = parallel(&mut study);
    (run.task_wall, run.task_cpu, run.tail, run.longest) =
        (seconds(10.0), seconds(10.0), seconds(9.5), seconds(4.0));
    assert_eq!(
        said(&study),
        "A long tail: the longest task (the big one) takes 80 % of the parallel time, and the slots were idle for 48 % while the last ones ended."
    );
}

#[test]
fn work_between_tasks_is_measured_per_task() {
    let mut study = study(4, 5.0);
    let run = parallel(&mut study);
    (run.task_wall, run.task_cpu, run.tail) = (seconds(10.0), seconds(10.0), seconds(0.2));
    assert_eq!(
        said(&study),
        "Work outside tasks: for 49 % of the time a slot had none; starting up and handing out took 98.00 ms for each task, which itself takes 100.0 ms."
    );
}

#[test]
fn tasks_with_threads_of_their_own_have_cpu_time_above_wall_time() {
    let mut study = study(4, 9.0);
    (serial(&mut study).usage.user, serial(&mut study).task_cpu) = (seconds(36.0), seconds(36.0));
    assert_eq!(
        said(&study),
        "The tasks are multi-threaded already: one by one they kept 3.60 of 4 cores busy (CPU time above wall time), which leaves 1.11x at most; the speed-up is 1.11x."
    );
}

#[test]
fn tasks_that_wait_need_no_cores() {
    let mut waiting = study(50, 0.2);
    for column in &mut waiting.columns {
        computed(&mut column.runs[0], 0.1);
        column.runs[0].task_cpu = seconds(0.1);
    }
    assert_eq!(
        said(&waiting),
        "The tasks wait rather than compute (CPU busy 1 % of the serial time), so 50 at a time gave 50.0x on 4 cores: more at a time helps, far beyond the number of cores."
    );
    // Other work does not hold up who waits, nor does the CPU time of waking.
    computed(parallel(&mut waiting), 0.4);
    parallel(&mut waiting).surroundings =
        Some(Surroundings { cpu: seconds(15.0), ..Surroundings::default() });
    parallel(&mut waiting).wall = seconds(4.0);
    parallel(&mut waiting).task_wall = seconds(200.0);
    assert_eq!(
        said(&waiting),
        "Side by side the tasks took 20.0x as long as one by one (CPU time +300 %): they wait for something they share, such as a lock, a server or the disk."
    );
}

#[test]
fn a_span_that_stretches_binds_and_advice_is_given() {
    let mut study = study(2, 8.0);
    let span = |name: &str, wall: f64| SpanTotal { name: name.to_owned(), wall: seconds(wall) };
    serial(&mut study).spans = vec![span("write(2)", 6.0), span("text", 4.0)];
    parallel(&mut study).spans = vec![span("write(2)", 11.8), span("text", 4.2)];
    study.advice.insert("write(2)".to_owned(), "Try --matrix per-file.".to_owned());
    assert_eq!(
        said(&study),
        "Bound by write(2): 74 % of the tasks' time, and side by side it takes 1.97x as long as one by one. Try --matrix per-file."
    );
    serial(&mut study).spans.remove(0);
    assert_eq!(
        said(&study),
        "Bound by write(2): 74 % of the tasks' time, and one by one there was none of it. Try --matrix per-file."
    );
}

#[test]
fn stretch_without_a_known_reason_tells_shared_memory_from_shared_locks() {
    let memory = study(4, 4.0);
    assert_eq!(
        said(&memory),
        "Side by side the tasks took 1.60x as long as one by one (CPU time +60 %): they share something that slows each of them, such as memory, caches or the clock of the cores."
    );
    let mut threads = memory.clone();
    threads.host.physical = Some(2);
    assert!(said(&threads).ends_with("(CPU time +60 %): 2 physical cores carry 4 slots."));
    let mut lock = memory;
    computed(parallel(&mut lock), 10.0);
    assert!(said(&lock).contains("(CPU time 0 %): they wait for something they share"));
}

#[test]
fn the_disk_is_named_with_its_rate() {
    let mut study = study(4, 5.0);
    let run = parallel(&mut study);
    run.task_cpu = seconds(2.0);
    run.usage = Usage { user: seconds(2.0), block_reads: 2_000_000, ..Usage::default() };
    run.surroundings =
        Some(Surroundings { cpu: seconds(2.0), disk_wait: seconds(15.0), ..Surroundings::default() });
    serial(&mut study).usage.block_reads = 2_000_000;
    assert_eq!(
        said(&study),
        "Bound by the disk: the tasks read 1.02 GB at 205 MB/s and computed for 10 % of their time; the speed-up is 2.00x."
    );
    // Cores that were never idle did not wait for it.
    computed(parallel(&mut study), 2.0);
    assert!(said(&study).contains("they wait for something they share"));
}

#[test]
fn swapping_is_named_with_its_bytes() {
    let mut study = study(4, 20.0);
    parallel(&mut study).surroundings =
        Some(Surroundings { swapped: 3_000_000_000, ..Surroundings::default() });
    assert_eq!(
        said(&study),
        "Swapping: 3.00 GB went to or from swap side by side, 0 B one by one: fewer at a time would fit into memory."
    );
}

#[test]
fn a_quota_that_throttles_is_named_with_its_share() {
    let mut study = study(4, 6.7);
    study.host.quota = Some(1.5);
    let around = Surroundings { throttled: seconds(16.0), ..Surroundings::default() };
    parallel(&mut study).surroundings = Some(around);
    assert_eq!(
        said(&study),
        "Throttled by a quota of 1.50 cores (cgroup): the kernel held the tasks back for 60 % of the slots' time; the speed-up is 1.49x."
    );
}

/// Half of four cores was others', and tasks waited for them as long.
fn crowded_out(wall: f64) -> Study {
    let mut study = study(4, wall);
    study.columns[0] = column(Column::SERIAL, 1, 100, 2.0 * wall);
    computed(parallel(&mut study), 2.0 * wall);
    let around = Surroundings { cpu: seconds(4.0 * wall), ..Surroundings::default() };
    parallel(&mut study).surroundings = Some(around);
    waited_for_a_core(parallel(&mut study), 2.0 * wall);
    waited_for_a_core(serial(&mut study), 0.0);
    study
}

#[test]
fn other_work_is_named_when_tasks_waited_for_the_cores_that_it_had() {
    let study = crowded_out(5.0);
    assert_eq!(
        said(&study),
        "Other work on this machine took 50 % of 4 cores during the parallel run, and tasks waited for a core for 50 % of their time; the speed-up is 2.00x, and would be more on an idle machine."
    );
    // Cores that the tasks left to it were not taken from them.
    let mut idle = study.clone();
    waited_for_a_core(parallel(&mut idle), 0.1);
    assert!(!said(&idle).contains("Other work"), "{}", said(&idle));
    // One by one they waited as long for each.
    let mut always = study.clone();
    waited_for_a_core(serial(&mut always), 10.0);
    assert!(!said(&always).contains("Other work"), "{}", said(&always));
    // A little of it is not why.
    let mut little = study.clone();
    parallel(&mut little).surroundings = Some(Surroundings { cpu: seconds(11.5), ..Surroundings::default() });
    assert!(!said(&little).contains("Other work"), "{}", said(&little));
    let mut stolen = study;
    parallel(&mut stolen).surroundings =
        Some(Surroundings { cpu: seconds(10.0), stolen: seconds(8.0), ..Surroundings::default() });
    assert!(said(&stolen).starts_with("Other virtual machines took 40 % of 4 cores"), "{}", said(&stolen));
}

#[test]
fn where_no_wait_is_counted_threads_that_were_taken_off_their_cores_are() {
    let mut study = crowded_out(5.0);
    for column in &mut study.columns {
        column.runs[0].counts = None;
    }
    assert!(!said(&study).contains("Other work"), "{}", said(&study));
    parallel(&mut study).usage.involuntary_switches = 9000;
    assert!(said(&study).starts_with("Other work on this machine took 45 % of 4 cores"), "{}", said(&study));
}

#[test]
fn other_work_is_not_told_of_runs_that_a_few_ticks_would_fill() {
    assert!(said(&crowded_out(0.1)).starts_with("Other work on this machine took 50 % of 4 cores"));
    assert!(!said(&crowded_out(0.09)).contains("Other work"));
}

#[test]
fn short_runs_are_counted_together() {
    let mut study = crowded_out(0.02);
    for column in &mut study.columns {
        column.runs[0].tasks = 8;
    }
    let busy = Surroundings { cpu: seconds(0.04), ..Surroundings::default() };
    let ticks = Surroundings { cpu: seconds(0.14), ..busy };
    let run = parallel(&mut study).clone();
    let without = RunResult { surroundings: Some(busy), ..run.clone() };
    let with_ticks = RunResult { surroundings: Some(ticks), ..run };
    // Most runs saw nothing, and the others what was there meanwhile.
    study.columns[1].runs = vec![without; 3];
    study.columns[1].runs.extend([with_ticks.clone(), with_ticks]);
    assert!(said(&study).starts_with("Other work on this machine took 50 % of 4 cores"), "{}", said(&study));
}

#[test]
fn a_wait_for_a_core_is_not_ruled_out_in_runs_that_are_too_short_to_see_other_work() {
    let mut study = study(4, 0.05);
    study.columns[0] = column(Column::SERIAL, 1, 100, 0.1);
    computed(parallel(&mut study), 0.1);
    assert!(said(&study).ends_with("or for a core that other work has; runs this short do not tell which."));
}

#[test]
fn more_slots_than_cores_are_the_reason_while_the_cores_are_busy() {
    let mut crowded = study(64, 4.0);
    parallel(&mut crowded).usage.user = seconds(14.0);
    let run = parallel(&mut crowded);
    (run.longest, run.tail) = (seconds(3.9), seconds(60.0));
    run.task_wall = seconds(190.0);
    assert_eq!(
        said(&crowded),
        "Side by side the tasks took 19.0x as long as one by one (CPU time +40 %): there are fewer cores than slots."
    );
    // Cores that had nothing to do show that it was something else.
    computed(parallel(&mut crowded), 10.0);
    assert!(said(&crowded).starts_with("A long tail"), "{}", said(&crowded));
}

#[test]
fn tasks_that_once_missed_a_core_are_not_said_to_wait() {
    let mut short = study(2, 0.008);
    short.columns[0] = column(Column::SERIAL, 1, 100, 0.01);
    for column in &mut short.columns {
        computed(&mut column.runs[0], 0.001);
    }
    parallel(&mut short).task_wall = seconds(0.01);
    assert!(!said(&short).contains("wait rather than compute"), "{}", said(&short));
    short.waits = true;
    assert!(said(&short).starts_with("The tasks wait rather than compute"), "{}", said(&short));
    // What is slower side by side did not wait at once.
    short.columns[1].runs[0].wall = seconds(0.02);
    assert!(!said(&short).contains("wait rather than compute"), "{}", said(&short));
}

#[test]
fn other_work_took_no_more_than_the_tasks_left() {
    let mut study = crowded_out(5.0);
    parallel(&mut study).surroundings =
        Some(Surroundings { cpu: seconds(25.0), stolen: seconds(2.0), ..Surroundings::default() });
    assert!(said(&study).starts_with("Other work on this machine took 50 % of 4 cores"));
}

#[test]
fn nothing_is_said_where_nothing_is_claimed() {
    let mut failed = study(4, 5.0);
    failed.unnamed_failures = 1;
    assert_eq!(explain(&failed), None);
    let mut one_way = study(4, 5.0);
    one_way.columns.remove(0);
    assert_eq!(explain(&one_way), None);
}

#[test]
fn no_measurable_difference_is_explained_where_more_was_surely_to_be_had() {
    let mut study = study(4, 10.0);
    for column in &mut study.columns {
        column.runs = vec![column.runs[0].clone(); 5];
    }
    assert!(said(&study).starts_with("Side by side the tasks took 4.00x as long"));
    study.host.usable = 1;
    assert_eq!(explain(&study), None);
}
