//! Workers on a run directory whose processes are killed one after the other, as batch systems
//! do it, and workers that were started for another run.

use std::fs;

use crate::elsewhere::{executions, kill, parallel, parent, until_none_is_left, workers};
use crate::support::Fresh;

/// The processes whose words are `words`, below one of `ancestors`.
fn below(ancestors: &[u32], words: &[&str]) -> Vec<u32> {
    let line: Vec<u8> = words.iter().flat_map(|word| word.bytes().chain([0])).collect();
    let is_it = |pid: &u32| fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|found| found == line);
    let is_below =
        |pid: &u32| std::iter::successors(Some(*pid), |pid| parent(*pid)).any(|pid| ancestors.contains(&pid));
    let all = fs::read_dir("/proc").unwrap().flatten();
    let all = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    all.filter(is_it).filter(is_below).collect()
}

/// Whether a process has not ended.
fn is_there(pid: u32) -> bool {
    fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty())
}

/// The children of `parents` whose name in ps is `name`.
fn children(parents: &[u32], name: &str) -> Vec<u32> {
    let all = fs::read_dir("/proc").unwrap().flatten();
    let all = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let is_one = |pid: &u32| {
        parent(*pid).is_some_and(|parent| parents.contains(&parent))
            && fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.trim_end() == name)
    };
    all.filter(is_one).collect()
}

#[test]
fn what_a_job_makes_of_it_that_its_own_processes_are_killed_counts_for_nothing() {
    let fresh = Fresh::new();
    // A shell goes on when what it runs is killed, and may call that a success.
    for (end, name) in [("exit 0", "success"), ("exit 3", "failure"), ("kill -9 $$", "signal")] {
        let job = format!(
            "[ -e {name} ] && {{ echo whole; exit; }}; touch {name}; sleep 6543; echo cut off; {end}"
        );
        let line = parallel(&fresh, "--nodes 1 -j1 --run-dir run").args([&job, ":::", "1"]);
        let mut started = line.start();
        started.until("the job runs", || !below(&workers(&fresh), &["sleep", "6543"]).is_empty());
        let running = workers(&fresh);
        let jobs = below(&running, &["sleep", "6543"]);
        // From the leaves on, the oldest branch first; what runs the jobs is not there yet.
        let guards = || children(&running, "parsim-guard");
        let canaries = || children(&guards(), "parsim-canary");
        started.until("they have their names", || canaries().len() == running.len());
        let (guards, canaries) = (guards(), canaries());
        let first = if name == "failure" { guards } else { canaries };
        first.into_iter().for_each(kill);
        jobs.into_iter().for_each(kill);
        started.end().exits(0).says("whole\n");
        until_none_is_left(&fresh);
        fs::remove_dir_all(fresh.path("run")).unwrap();
    }
}

#[test]
fn a_worker_that_was_started_for_another_run_does_nothing() {
    let fresh = Fresh::new();
    let line = parallel(&fresh, "-k --run-dir run --detach").args(["echo {} >>side", ":::", "1", "2"]);
    line.run().exits(0);
    fresh.parsim("resume run").run().exits(0);
    let run = fresh.path("run");
    let ran = fresh
        .parsim("worker")
        .args(["--run-dir", run.to_str().unwrap(), "--run", "parsim-0000", "--element", "0"])
        .run();
    ran.exits(255).tells("is another run by now");
    assert_eq!(executions(&fresh), 2);
}

#[test]
fn a_worker_whose_run_makes_room_for_another_one_leaves_that_alone() {
    let fresh = Fresh::new();
    let job = "echo {} >>side; touch begun{}; until [ -e go ]; do sleep 0.05; done; echo {}";
    let line = || parallel(&fresh, "-k --nodes 1 -j1 --run-dir run").args([job, ":::", "1", "2", "3"]);
    let mut first = line().start();
    first.until("a job runs", || fresh.path("begun1").exists());
    let old = workers(&fresh);
    first.signal("KILL");
    first.end();
    fs::rename(fresh.path("run"), fresh.path("old")).unwrap();
    fs::remove_file(fresh.path("begun1")).unwrap();
    let mut second = line().start();
    second.until("a job runs", || fresh.path("begun1").exists());
    second.until("the other worker has left", || !old.iter().copied().any(is_there));
    fs::write(fresh.path("go"), "").unwrap();
    second.end().exits(0).says("1\n2\n3\n");
    assert_eq!(executions(&fresh), 4);
}

#[test]
fn a_living_worker_that_others_take_for_dead_leaves_the_rest_to_them() {
    let fresh = Fresh::new();
    let job =
        "echo $PPID >>by; touch begun{}; until [ -e go ] || [ -e go$PPID ]; do sleep 0.05; done; echo {}";
    let line = parallel(&fresh, "-k --nodes 1 -j1 --run-dir run").args([job, ":::", "1", "2", "3"]);
    let mut started = line.start();
    started.until("a job runs", || fresh.path("begun1").exists());
    fs::write(fresh.path("run/dead/0r0"), "").unwrap();
    started.until_it_tells("all workers have ended and");
    let by = || fs::read_to_string(fresh.path("by")).unwrap();
    let first = by().lines().next().unwrap().to_owned();
    // It is done with its job, and there are others that nobody does.
    fs::write(fresh.path(format!("go{first}")), "").unwrap();
    started.until("the first worker has left", || !is_there(first.parse().unwrap()));
    fs::write(fresh.path("go"), "").unwrap();
    started.end().exits(0).says("1\n2\n3\n");
    assert_eq!(by().lines().filter(|worker| *worker == first).count(), 1, "{}", by());
}
