//! How many threads there are, by what the kernel lists for the process.

use std::fs;

use crate::support::Fresh;

/// The names of the threads of a process; none when it is gone.
fn threads(id: u32) -> Vec<String> {
    let entries = fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| fs::read_to_string(entry.path().join("comm")).ok());
    names.map(|name| name.trim().to_owned()).collect()
}

#[test]
fn a_serial_run_never_has_a_second_thread() {
    for options in ["", "--export-json study.json", "--rng fast", "--rng numpy --progress=always"] {
        let fresh = Fresh::new();
        let line = format!("csv --serial --rows 1000000000 --cols 1 --files 1 --matrix per-file {options}");
        let mut started = fresh.parsim(&line).start();
        let id = started.id();
        let mut most: Vec<String> = Vec::new();
        let mut n_samples = 0;
        // From the start of the process on, until it has written for a while.
        started.until("it writes", || {
            let names = threads(id);
            if names.len() > most.len() {
                most = names;
            }
            n_samples += usize::from(fresh.names("data_serial").iter().any(|name| name.starts_with(".x")));
            n_samples > 50
        });
        assert_eq!(most.len(), 1, "{options}: {most:?}");
        started.signal("TERM");
        started.end().ends_by_signal(libc::SIGTERM);
    }
}

#[test]
fn a_parallel_run_has_a_thread_for_each_slot_and_no_more_than_tasks() {
    for (jobs, expected) in [(3, 3), (64, 4)] {
        let fresh = Fresh::new();
        let mut started = fresh.parsim(&format!("sleep --parallel --seconds 600 -j {jobs}")).start();
        let id = started.id();
        // A thread has its parent's name until it gives itself its own.
        let in_slots = || threads(id).iter().filter(|name| name.starts_with("slot ")).count();
        started.until("its threads are there", || in_slots() >= expected);
        let names = threads(id);
        assert_eq!(names.len(), expected + 1, "{names:?}");
        started.signal("TERM");
        started.end().ends_by_signal(libc::SIGTERM);
    }
}

#[test]
fn threads_for_which_there_is_no_memory_are_fewer_and_that_is_told_before_any_work() {
    for (ways, jobs) in [("--parallel", 290), ("--parallel", 1000), ("--runs 1", 290)] {
        let fresh = Fresh::new();
        let line = format!("csv {ways} --files 300 --rows 1 --cols 1 -j {jobs}");
        let ran = fresh.shell(&format!("ulimit -v 100000; exec parsim {line}")).run();
        ran.exits(0).tells(&format!("at a time, not {jobs}: memory is limited to 100000 KiB (ulimit -v)"));
        assert_eq!(fresh.names("data_parallel").len(), 300);
    }
}

#[test]
fn no_thread_of_a_parallel_run_is_left_when_the_next_serial_one_begins() {
    let fresh = Fresh::new();
    // Before the fourth run, which is serial, parsim is stopped to be looked at.
    let prepare = "echo $PARSIM_WAY >>ways; test $(wc -l <ways) -lt 4 || kill -STOP $PPID";
    let mut started = fresh.parsim("sleep --seconds 0.01 --runs 2 -j 4 --prepare").args([prepare]).start();
    let id = started.id();
    started.until("it is stopped", || {
        fs::read_to_string(format!("/proc/{id}/stat")).is_ok_and(|stat| stat.contains(") T "))
    });
    let ways = fs::read_to_string(fresh.path("ways")).unwrap();
    assert_eq!(ways, "serial\nparallel\nparallel\nserial\n");
    let names = threads(id);
    started.signal("CONT");
    started.end().exits(0);
    assert_eq!(names, ["parsim"]);
}
