//! What is not praised, and what is not the tasks'.

use super::*;

/// What slowed a run.
type Spoil = fn(&mut RunResult);

#[test]
fn what_parsim_does_itself_is_not_the_tasks() {
    let mut study = study(4, 5.0);
    serial(&mut study).usage.user = seconds(20.0);
    parallel(&mut study).bytes = 4_200_000_000;
    assert_eq!(
        said(&study),
        "parsim itself took in 4.20 GB of output, which kept 1.00 of 4 cores busy even one by one and leaves 2.00x at most; the speed-up is 2.00x."
    );
}

#[test]
fn more_than_slots_and_cores_can_give_is_not_praised_but_asked_why() {
    let asked = |width: usize, wall: f64, spoil: Spoil| {
        let mut study = study(width, wall);
        // Tasks that took no longer one by one.
        (parallel(&mut study).task_wall, parallel(&mut study).task_cpu) = (seconds(10.0), seconds(10.0));
        computed(parallel(&mut study), 10.0);
        for column in &mut study.columns {
            (column.runs[0].usage.block_reads, column.runs[0].usage.block_writes) = (50_000, 50_000);
        }
        spoil(serial(&mut study));
        said(&study)
    };
    let unknown = "something slowed the serial run, and nothing that was measured tells what";
    let causes: [(Spoil, &str); 7] = [
        (|_| (), unknown),
        (
            |run| run.usage.block_reads = 400_000,
            "the serial run read 205 MB from disk, which was not in memory yet, the parallel one 25.6 MB",
        ),
        (
            |run| run.usage.block_writes = 400_000,
            "the serial run wrote 205 MB to disk, the parallel one 25.6 MB",
        ),
        (
            |run| run.surroundings.as_mut().unwrap().throttled = seconds(2.0),
            "a quota (cgroup) held the serial run back for 20 % of its time",
        ),
        (
            |run| run.surroundings.as_mut().unwrap().cpu = seconds(38.0),
            "other work took 70 % of the cores during the serial run",
        ),
        (
            |run| run.task_cpu = seconds(12.0),
            "one by one the tasks took 1.20x the CPU time that they took side by side, as with caches not yet filled or cores at a lower clock",
        ),
        (
            |run| run.task_wall = seconds(13.0),
            "one by one the tasks did not compute for 3.000 s altogether, side by side for 0 s, as when other work or the disk held them up",
        ),
    ];
    for (spoil, cause) in causes {
        let expected =
            format!("4.76x is more than 4 slots can give: {cause}; --warmup 1 and --runs 5 show what lasts.");
        assert_eq!(asked(4, 2.1, spoil), expected);
    }
    // The cores bind, however many slots there are.
    let beyond = asked(16, 2.1, |_| ());
    assert!(beyond.starts_with("4.76x is more than 4 cores can give (4.00x): "), "{beyond}");
    assert_eq!(
        asked(4, 2.45, |_| ()),
        "No bottleneck found: 4 slots allow 4.00x, and 4.08x is that within the error of measurement."
    );
}

#[test]
fn of_two_serial_runs_a_slow_first_one_is_named() {
    let mut study = study(4, 2.0);
    (parallel(&mut study).task_wall, parallel(&mut study).task_cpu) = (seconds(10.0), seconds(10.0));
    let first = RunResult { wall: seconds(15.0), ..serial(&mut study).clone() };
    study.columns[0].runs.insert(0, first);
    assert!(
        said(&study)
            .contains("than 4 slots can give: the first serial run took 1.50x as long as the second;"),
        "{}",
        said(&study)
    );
}

#[test]
fn one_at_a_time_against_one_at_a_time_is_told_with_what_differs() {
    let told = |wall: f64, spoil: fn(&mut RunResult)| {
        let mut study = study(1, wall);
        spoil(parallel(&mut study));
        for column in &mut study.columns {
            column.runs = vec![column.runs[0].clone(); 5];
        }
        said(&study)
    };
    let nothing = "Both ways ran one task at a time, so there is no speed-up to find.";
    assert_eq!(told(10.0, |_| ()), nothing);
    let ten = |run: &mut RunResult| run.task_wall = seconds(10.0);
    assert_eq!(
        told(10.5, ten),
        format!("{nothing} The difference (+5 %) is another: 5.000 ms more between two tasks.")
    );
    assert!(told(9.0, |_| ()).contains("(-10 %) is another: 10.00 ms less in each task, as other work"));
}
