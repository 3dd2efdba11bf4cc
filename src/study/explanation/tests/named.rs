//! Causes that are told by name: each by what was counted or seen of the tasks.

use super::*;
use crate::study::{SlotTotal, StartWaits};
use crate::task::{Awaited, WaitTime};

/// Tasks waited so long for that, all together.
fn waited_for(run: &mut RunResult, awaited: Awaited, time: f64) {
    let counts = run.counts.get_or_insert_default();
    counts.waits.insert(awaited, WaitTime(seconds(time)));
}

/// Tasks that take four times as long side by side, in which they wait for that.
fn shares(awaited: Awaited) -> Study {
    let mut study = study(4, 10.0);
    computed(parallel(&mut study), 10.0);
    waited_for(parallel(&mut study), awaited, 29.0);
    study
}

#[test]
fn what_tasks_were_seen_to_wait_for_is_named() {
    assert_eq!(
        said(&shares(Awaited::Lock)),
        "Side by side the tasks took 4.00x as long as one by one (CPU time 0 %): for 73 % of that time they waited for a lock that they share."
    );
    let names = [
        (Awaited::Disk, "waited for the disk."),
        (Awaited::Network, "waited for a server, at the other end of a connection."),
        (Awaited::Pipe, "waited for another program, at the other end of a pipe."),
        (Awaited::Clock, "again and again to get a lock, or keep to a rate."),
        (Awaited::Thread, "waited for a lock in memory, or for another thread."),
    ];
    for (awaited, name) in names {
        assert!(said(&shares(awaited)).ends_with(name), "{}", said(&shares(awaited)));
    }
    let mut disk = shares(Awaited::Disk);
    parallel(&mut disk).usage.block_writes = 200_000;
    assert!(
        said(&disk).ends_with("waited for the disk (they wrote 102 MB at 10.2 MB/s)."),
        "{}",
        said(&disk)
    );
}

#[test]
fn what_tasks_waited_for_alone_as_well_is_not_what_they_share() {
    let mut study = shares(Awaited::Lock);
    waited_for(serial(&mut study), Awaited::Lock, 29.0);
    assert!(!said(&study).contains("a lock that"), "{}", said(&study));
    // Nor is a short wait why they got so much longer.
    let mut study = shares(Awaited::Lock);
    waited_for(parallel(&mut study), Awaited::Lock, 5.0);
    assert!(!said(&study).contains("a lock that"), "{}", said(&study));
}

#[test]
fn other_work_is_added_to_a_cause_and_does_not_take_its_place() {
    let mut study = shares(Awaited::Lock);
    parallel(&mut study).surroundings = Some(Surroundings { cpu: seconds(25.0), ..Surroundings::default() });
    waited_for_a_core(parallel(&mut study), 1.0);
    waited_for_a_core(serial(&mut study), 0.0);
    assert!(said(&study).ends_with("a lock that they share."), "{}", said(&study));
    waited_for_a_core(parallel(&mut study), 12.0);
    assert!(
        said(&study).ends_with(
            "a lock that they share. Other work on this machine took 30 % of 4 cores meanwhile, for which tasks waited, too."
        ),
        "{}",
        said(&study)
    );
}

#[test]
fn where_nobody_looked_the_disk_is_no_suspect_if_nothing_was_read_or_written() {
    let mut study = study(4, 10.0);
    computed(parallel(&mut study), 10.0);
    parallel(&mut study).counts = Some(ProcessCounts::default());
    assert!(said(&study).ends_with("something they share, such as a lock or a server."), "{}", said(&study));
    parallel(&mut study).counts = Some(ProcessCounts { block_writes: 8, ..ProcessCounts::default() });
    assert!(said(&study).ends_with("such as a lock, a server or the disk."), "{}", said(&study));
}

#[test]
fn what_held_starts_up_is_named() {
    let told = |start_waits: StartWaits| {
        let mut study = study(4, 5.0);
        let run = parallel(&mut study);
        (run.task_wall, run.task_cpu, run.start_waits) = (seconds(10.0), seconds(10.0), Some(start_waits));
        said(&study)
    };
    let none = StartWaits::default();
    assert_eq!(
        told(StartWaits { delay: seconds(4.5), ..none }),
        "Slots had no task: --delay had the next task wait for 4.500 s of the 5.000 s that it took; the speed-up is 2.00x."
    );
    assert!(told(StartWaits { busy: seconds(4.5), ..none }).contains("such as --load or --memfree"));
    assert!(told(StartWaits { input: seconds(4.5), ..none }).contains("the next input was waited for"));
    assert!(told(StartWaits { delay: seconds(0.5), ..none }).starts_with("Work outside tasks"));
}

#[test]
fn who_reads_the_output_is_named_and_so_is_parsim_itself() {
    let mut study = study(4, 5.0);
    let run = parallel(&mut study);
    (run.task_cpu, run.usage.user, run.bytes) = (seconds(10.0), seconds(10.2), 600_000_000);
    run.counts.get_or_insert_default().handing_on = seconds(8.0);
    run.start_waits = Some(StartWaits { output: seconds(1.0), ..StartWaits::default() });
    assert_eq!(
        said(&study),
        "Bound by output: for 45 % of the slots' time whoever reads it (stdout, or where it goes) took nothing of the 600 MB; the speed-up is 2.00x."
    );
    parallel(&mut study).usage.user = seconds(17.0);
    assert_eq!(
        said(&study),
        "Bound by output: the tasks wrote 600 MB, and for 45 % of the slots' time it was read and compared here; the speed-up is 2.00x."
    );
}

#[test]
fn a_quota_of_the_tasks_own_group_is_named() {
    let mut study = study(4, 10.0);
    computed(parallel(&mut study), 10.0);
    parallel(&mut study).counts.get_or_insert_default().throttled = seconds(28.0);
    // Who is held back is ready, and waits for nobody's work.
    waited_for_a_core(parallel(&mut study), 28.0);
    waited_for_a_core(serial(&mut study), 0.0);
    parallel(&mut study).surroundings = Some(Surroundings { cpu: seconds(30.0), ..Surroundings::default() });
    assert_eq!(
        said(&study),
        "Throttled by a quota of the tasks' own control group (cgroup): the kernel held them back for 70 % of their time; the speed-up is 1.00x."
    );
}

#[test]
fn tasks_that_were_stopped_are_told() {
    let said = said(&shares(Awaited::Continuing));
    assert!(
        said.starts_with("Tasks were stopped by a signal (STOP or TSTP) for 73 % of their time"),
        "{said}"
    );
}

#[test]
fn tasks_that_are_pinned_are_told_with_their_cores() {
    let mut study = study(4, 9.5);
    computed(parallel(&mut study), 10.0);
    parallel(&mut study).counts.get_or_insert_default().pinned_to = [2].into();
    assert!(
        said(&study).starts_with("The tasks are pinned to 1 core (number 2), by taskset or the like"),
        "{}",
        said(&study)
    );
    // Pinned to as many as there are slots, they have what they need.
    parallel(&mut study).counts.get_or_insert_default().pinned_to = [0, 1, 2, 3].into();
    assert!(!said(&study).contains("pinned"), "{}", said(&study));
}

#[test]
fn a_slow_slot_is_named_where_its_tasks_are_longer_than_any_was_alone() {
    let mut study = study(2, 9.0);
    study.columns[0] = column(Column::SERIAL, 1, 10, 10.0);
    study.columns[1] = column(Column::PARALLEL, 2, 10, 9.0);
    let slot = |tasks: u64, wall: f64| SlotTotal { tasks, wall: seconds(wall), ..SlotTotal::default() };
    parallel(&mut study).slots = vec![slot(7, 8.0), slot(3, 9.0)];
    assert_eq!(
        said(&study),
        "One of the slots is slow: in slot 2 a task took 3.000 s on average, in the others 1.143 s; the speed-up is 1.11x."
    );
    // Such long tasks there were alone as well.
    serial(&mut study).longest = seconds(2.9);
    assert!(!said(&study).contains("slot 2"), "{}", said(&study));
}

#[test]
fn a_slot_is_not_slow_whose_core_others_had() {
    let mut study = study(2, 9.0);
    study.columns[0] = column(Column::SERIAL, 1, 10, 10.0);
    study.columns[1] = column(Column::PARALLEL, 2, 10, 9.0);
    let slot = |tasks: u64, wall: f64, cpu: f64| SlotTotal { tasks, wall: seconds(wall), cpu: seconds(cpu) };
    parallel(&mut study).slots = vec![slot(7, 8.0, 7.0), slot(3, 9.0, 3.0)];
    waited_for_a_core(parallel(&mut study), 6.0);
    assert!(!said(&study).contains("slot 2"), "{}", said(&study));
    // Who computes three times as much is slow by itself.
    parallel(&mut study).slots[1].cpu = seconds(8.0);
    assert!(said(&study).contains("in slot 2 a task took 3.000 s"), "{}", said(&study));
}

#[test]
fn a_quota_that_leaves_fewer_cores_than_slots_is_what_binds() {
    let mut study = study(2, 9.9);
    (study.host.usable, study.host.quota) = (1, Some(1.0));
    assert_eq!(
        said(&study),
        "The cores' time is limited by a quota of 1.00 cores (cgroup), which allows 1.00x at most; the speed-up is 1.01x."
    );
    // One that leaves more than there is limits nothing: it is the cores that do.
    study.columns[1].runs[0].wall = seconds(5.05);
    study.columns[1].width = 4;
    (study.host.usable, study.host.quota) = (2, Some(3.0));
    assert!(
        said(&study).ends_with("of at most 2.00x on 2 cores (fewer cores than slots)."),
        "{}",
        said(&study)
    );
}

#[test]
fn threads_that_others_kept_off_the_cores_are_threads_all_the_same() {
    let mut study = study(2, 9.0);
    study.host.usable = 2;
    computed(serial(&mut study), 12.0);
    computed(parallel(&mut study), 12.0);
    assert!(!said(&study).contains("multi-threaded"), "{}", said(&study));
    waited_for_a_core(serial(&mut study), 4.0);
    // What they leave is known only roughly.
    let mut quick = study.clone();
    quick.columns[1].runs[0].wall = seconds(5.0);
    assert!(said(&quick).contains("which leaves about 1.67x; the speed-up is 2.00x"), "{}", said(&quick));
    assert!(
        said(&study).contains("multi-threaded already: one by one they kept 1.20 of 2 cores busy"),
        "{}",
        said(&study)
    );
}

#[test]
fn threads_that_take_long_to_start_leave_nothing_to_gain() {
    let mut study = study(2, 0.0013);
    study.columns[0] = column(Column::SERIAL, 1, 4, 0.0012);
    parallel(&mut study).lead = Some(seconds(0.0009));
    assert_eq!(
        said(&study),
        "Starting 2 threads took 900.0 us of 1.300 ms: there is little to gain with work this short; the speed-up is 0.92x."
    );
    study.columns[1].width = 1;
    assert_eq!(
        said(&study),
        "Both ways ran one task at a time, so there is no speed-up to find. Starting 1 thread took 900.0 us of 1.300 ms."
    );
    // Where nothing differs it is told all the same: it is what one thinks of first.
    study.columns[0] = column(Column::SERIAL, 1, 4, 0.0013);
    parallel(&mut study).lead = Some(seconds(0.000_004));
    assert!(said(&study).ends_with(" Starting 1 thread took 4.000 us of 1.300 ms."), "{}", said(&study));
}

#[test]
fn jobs_that_do_nothing_are_told_to_be_starts() {
    let mut study = study(2, 0.09);
    study.columns[0] = column(Column::SERIAL, 1, 100, 0.1);
    parallel(&mut study).counts = Some(ProcessCounts::default());
    assert!(
        said(&study).starts_with("The jobs are over so soon (1.000 ms each, one by one) that starting"),
        "{}",
        said(&study)
    );
}

#[test]
fn what_the_schedule_alone_costs_is_told_whatever_else_slowed_the_tasks() {
    let mut uneven = study(2, 8.0);
    uneven.columns = vec![column(Column::SERIAL, 1, 3, 9.0), column(Column::PARALLEL, 2, 3, 8.0)];
    // Each takes 4 s where it took 3 alone: a third more than what the last slot idles.
    let run = parallel(&mut uneven);
    (run.task_wall, run.tail, run.longest) = (seconds(12.0), seconds(4.0), seconds(4.0));
    waited_for_a_core(run, 3.0);
    run.task_cpu = seconds(9.0);
    assert!(said(&uneven).starts_with("Too few tasks to share out evenly"), "{}", said(&uneven));
    let mut tail = study(2, 19.0);
    tail.columns = vec![column(Column::SERIAL, 1, 7, 24.0), column(Column::PARALLEL, 2, 7, 19.0)];
    serial(&mut tail).longest = seconds(15.0);
    let run = parallel(&mut tail);
    (run.task_wall, run.tail, run.longest) = (seconds(30.0), seconds(8.0), seconds(15.0));
    assert!(said(&tail).starts_with("A long tail: the longest task (the big one)"), "{}", said(&tail));
}
