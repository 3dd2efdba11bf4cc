//! The first exercise, and the pair of functions that runs when nothing was
//! given.

use crate::support::{Fresh, Ran};

#[test]
fn results_are_told_in_input_order_and_agree() {
    let waits = "The tasks wait rather than compute";
    let run = || Fresh::new().parsim("sleep --seconds 0.02 --runs 1").run();
    let ran = Ran::at_best(run, |ran| ran.stdout.contains(waits));
    ran.exits(0).is_quiet();
    ran.says("\nresults 1, 2, 3, 4\n").says("4 of 4 tasks identical").says(waits);
}

#[test]
fn one_way_alone_gives_the_same_results_and_tells_how_to_see_both() {
    let fresh = Fresh::new();
    for way in ["serial", "parallel"] {
        let ran = fresh.parsim(&format!("sleep --{way} --tasks 5 --seconds 0.001")).run();
        ran.exits(0).is_quiet().says("\nresults 1, 2, 3, 4, 5\n").does_not_say("identical");
        ran.says("to see both ways side by side: parsim sleep --tasks 5 --seconds 0.001\n");
    }
}

#[test]
fn as_many_tasks_as_sixty_four_wait_at_a_time_whatever_the_cores() {
    let fresh = Fresh::new();
    for (tasks, width) in [(40, 40), (70, 64)] {
        let line = format!("sleep --parallel --tasks {tasks} --seconds 0.001");
        // Few cores, so that they are not what decides.
        let ran = fresh.parsim(&line).env("SLURM_CPUS_PER_TASK", "1").run();
        ran.exits(0).says(&format!("{tasks} tasks, {width} at a time on "));
    }
}

#[test]
fn serial_and_parallel_with_nothing_given_run_the_pair_of_functions() {
    let fresh = Fresh::new();
    // Both wait for a second a task, so side by side.
    let lines =
        ["serial", "parallel"].map(|way| (way, fresh.parsim(&format!("{way} --export-json {way}.json"))));
    let started = lines.map(|(way, line)| (way, line.start()));
    for (way, started) in started {
        let ran = started.end();
        ran.exits(0).tells(&format!(
            "parsim: nothing to run was given, so this is the exercise `parsim sleep --{way}`\n"
        ));
        ran.says(&format!("parsim sleep --{way} --export-json {way}.json   4 tasks"));
        let json = std::fs::read(fresh.path(format!("{way}.json"))).unwrap();
        let study: serde_json::Value = serde_json::from_slice(&json).unwrap();
        let columns = study["columns"].as_array().unwrap();
        assert_eq!(columns.len(), 1, "{study:#}");
        assert_eq!(columns[0]["way"], way);
        assert_eq!(columns[0]["output"], "1\n2\n3\n4\n");
        assert_eq!(columns[0]["runs"][0]["tasks"], 4);
    }
}

#[test]
fn a_workload_behind_serial_or_parallel_is_told_how_to_be_run() {
    let fresh = Fresh::new();
    fresh.parsim("parallel csv --files 20").run().refuses("csv is a workload: parsim csv --parallel");
    fresh.parsim("serial csv-gen").run().refuses("csv-gen is a workload: parsim csv-gen --serial");
}
