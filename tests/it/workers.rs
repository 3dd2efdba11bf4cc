//! Threads against processes: `--workers`, what worker processes cost, and what
//! becomes of tasks whose worker is gone.

use std::fs;
use std::time::Duration;

use serde_json::Value;

use crate::support::{Fresh, Started};

/// A busy machine gets so long for what takes no time.
const SOON: Duration = Duration::from_secs(20);

/// The children of a process, oldest first; none when it is gone.
fn children(id: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    let mut children: Vec<u32> = lists
        .flat_map(|list| list.split_whitespace().map(|id| id.parse().unwrap()).collect::<Vec<_>>())
        .collect();
    children.sort_unstable();
    children
}

/// Whether there is such a process that has not ended.
fn is_alive(id: u32) -> bool {
    fs::read_to_string(format!("/proc/{id}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

#[expect(unsafe_code, reason = "std cannot send signals")]
fn kill(id: u32, signal: i32) {
    // SAFETY: two numbers; the process is a child of one that was started here.
    assert_eq!(unsafe { libc::kill(id.try_into().unwrap(), signal) }, 0);
}

/// Starts sleepers in worker processes that are all asleep when it comes back.
fn asleep(fresh: &Fresh, options: &str, n_workers: usize) -> (Started, Vec<u32>) {
    let line = format!("sleep --parallel --workers processes --seconds 600 {options}");
    let mut started = fresh.parsim(&line).start();
    let id = started.id();
    started.until("its workers sleep", || {
        let workers = children(id);
        workers.len() == n_workers && workers.iter().all(|worker| has_a_task(*worker))
    });
    let workers = children(id);
    (started, workers)
}

/// Whether a worker does a task: it sleeps in ppoll, and its other thread hears in poll.
fn has_a_task(id: u32) -> bool {
    let call =
        |thread: u32| fs::read_to_string(format!("/proc/{id}/task/{thread}/syscall")).unwrap_or_default();
    call(id).split(' ').next().is_some_and(|number| number.parse() == Ok(libc::SYS_ppoll))
}

fn study(fresh: &Fresh) -> Value {
    serde_json::from_slice(&fs::read(fresh.path("study.json")).unwrap()).unwrap()
}

fn csv(options: &str) -> String {
    format!("csv --rows 50 --cols 10 --runs 1 --export-json study.json {options}")
}

#[test]
fn threads_and_processes_have_a_column_for_each_width_and_write_the_same_bytes() {
    let fresh = Fresh::new();
    let ran = fresh.parsim(&csv("--files 3 --matrix per-file --workers both -j 1,2")).run();
    ran.exits(0).says("3 of 3 files identical").says("data passed");
    for head in ["threads -j 1", "threads -j 2", "processes -j 1", "processes -j 2"] {
        ran.says(head);
    }
    let study = study(&fresh);
    let columns: Vec<(&str, u64, Option<u64>)> = study["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            let workers = it["runs"][0]["crew"]["workers"].as_u64();
            (it["way"].as_str().unwrap(), it["width"].as_u64().unwrap(), workers)
        })
        .collect();
    let expected = [
        ("serial", 1, None),
        ("parallel", 1, None),
        ("parallel", 2, None),
        ("processes", 1, Some(1)),
        ("processes", 2, Some(2)),
    ];
    assert_eq!(columns, expected);
    for file in ["x000000.csv", "x000001.csv", "x000002.csv"] {
        let [one, two, three] = ["serial", "parallel", "processes"]
            .map(|way| fs::read(fresh.path(format!("data_{way}/{file}"))).unwrap());
        assert!(!one.is_empty() && one == two && two == three, "{file}");
    }
}

#[test]
fn without_the_serial_way_one_thread_is_what_others_are_compared_with() {
    let ran = Fresh::new().parsim(&csv("--parallel --files 3 --workers both -j 1,2")).run();
    ran.exits(0).says("speed-up over threads -j 1").says("3 of 3 files identical");
}

#[test]
fn a_shared_matrix_is_passed_to_each_process_and_counted() {
    let fresh = Fresh::new();
    let ran = fresh.parsim(&csv("--files 4 --workers processes -j 2")).run();
    ran.exits(0)
        .says("workers' start")
        .says("workers' memory")
        .says("passing it")
        .says("4 of 4 files identical");
    let crew = &study(&fresh)["columns"][1]["runs"][0]["crew"];
    // 500 counts of two bytes each for each of both.
    assert!(crew["passed"].as_u64().unwrap() > 2 * 2 * 500, "{crew}");
    assert!(crew["passing"].as_f64().unwrap() > 0.0 && crew["startup"].as_f64().unwrap() > 0.0, "{crew}");
    assert!(crew["peak_memory"].as_u64().unwrap() > 1 << 20, "{crew}");
}

#[test]
fn matrices_of_every_kind_arrive_as_they_were_drawn() {
    let shape = "--rows 50 --cols 10";
    for kind in [
        format!("{shape} --lam 100000"),
        format!("{shape} --dist uniform"),
        format!("{shape} --rng fast --dist normal"),
        "--rows 0".to_owned(),
        "--cols 0 --rows 7".to_owned(),
    ] {
        let line = format!("csv --runs 1 --files 2 --workers processes {kind}");
        Fresh::new().parsim(&line).run().exits(0).says("2 of 2 files identical");
    }
}

#[test]
fn a_large_file_is_one_task_where_processes_take_part() {
    let fresh = Fresh::new();
    let line = "csv --rng fast --files 2 --rows 1100000 --cols 1 --matrix per-file --runs 1 --workers both";
    let ran = fresh.parsim(line).run();
    ran.exits(0).says("2 of 2 files identical").says("a file is one task, for processes share no memory");
    // The bytes are those of a file written in parts.
    fresh
        .parsim("csv --rng fast --files 2 --rows 1100000 --cols 1 --matrix per-file --serial")
        .run()
        .exits(0);
    let [parts, whole] =
        ["serial", "processes"].map(|way| fs::read(fresh.path(format!("data_{way}/x000001.csv"))).unwrap());
    assert!(parts == whole);
}

#[test]
fn results_come_back_in_input_order() {
    let fresh = Fresh::new();
    let ran = fresh.parsim("sleep --tasks 5 --seconds 0.01 --runs 1 --workers both").run();
    ran.exits(0).says("results 1, 2, 3, 4, 5").says("5 of 5 tasks identical");
}

#[test]
fn a_folder_whose_name_is_no_text_is_found_by_processes_too() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    let fresh = Fresh::new();
    let name = OsStr::from_bytes(b"odd \xff name");
    let ran = fresh.parsim(&csv("--files 2 --workers processes --out-dir")).args([name]).run();
    ran.exits(0).says("2 of 2 files identical");
    assert_eq!(fs::read_dir(fresh.path(name).join("data_processes")).unwrap().count(), 2);
}

#[test]
fn hooks_are_told_of_processes() {
    let fresh = Fresh::new();
    let line = "sleep --tasks 1 --seconds 0 --runs 1 --workers both --prepare";
    fresh.parsim(line).args(["echo $PARSIM_WAY >>ways"]).run().exits(0);
    assert_eq!(fs::read_to_string(fresh.path("ways")).unwrap(), "serial\nparallel\nprocesses\n");
}

#[test]
fn a_worker_that_is_killed_fails_its_task_and_the_next_one_gets_a_new_worker() {
    let fresh = Fresh::new();
    let (mut started, workers) = asleep(&fresh, "--tasks 2 -j 1", 1);
    kill(workers[0], libc::SIGKILL);
    let id = started.id();
    started.until("another one sleeps", || {
        let now = children(id);
        now.len() == 1 && now != workers && has_a_task(now[0])
    });
    let second = children(id)[0];
    kill(second, libc::SIGKILL);
    let ran = started.end_within(SOON);
    ran.exits(2);
    for (task, worker) in [(1, workers[0]), (2, second)] {
        ran.says(&format!(
            "failed: {task}: its worker (process {worker}) was killed by signal 9 (processes)"
        ));
    }
}

#[test]
fn others_go_on_when_a_worker_is_killed() {
    let fresh = Fresh::new();
    let (mut started, workers) = asleep(&fresh, "--tasks 2 -j 2 --export-json study.json", 2);
    kill(workers[0], libc::SIGKILL);
    let id = started.id();
    started.until("it is gone", || children(id).len() == 1);
    assert_eq!(children(id), [workers[1]]);
    kill(workers[1], libc::SIGTERM);
    let ran = started.end_within(SOON);
    ran.exits(2).says("was killed by signal 9").says("was asked to end");
    assert!(!is_alive(workers[1]));
}

#[test]
fn a_signal_ends_the_run_and_leaves_no_worker() {
    // A HUP that is ignored stays so, for nohup, under which tests may run.
    for (name, number) in [("INT", libc::SIGINT), ("TERM", libc::SIGTERM)] {
        // To parsim alone, and to all as a terminal does.
        for to_all in [false, true] {
            let (started, workers) = asleep(&Fresh::new(), "-j 3", 3);
            if to_all {
                started.signal_all(name);
            } else {
                started.signal(name);
            }
            let ran = started.end_within(SOON);
            ran.ends_by_signal(number).tells("interrupted in the processes run: 0 of 4 tasks had finished");
            assert!(!workers.iter().any(|worker| is_alive(*worker)), "{name}");
        }
    }
}

#[test]
fn a_signal_leaves_no_half_of_a_file() {
    let fresh = Fresh::new();
    let line = "csv --parallel --workers processes --rows 100000000 --cols 1 --files 2 --matrix per-file";
    let mut started = fresh.parsim(line).start();
    started.until("it writes", || fresh.names("data_processes").iter().any(|name| name.starts_with(".x")));
    started.signal("TERM");
    started.end_within(SOON).ends_by_signal(libc::SIGTERM);
    assert!(fresh.names("data_processes").is_empty());
}

#[test]
fn a_worker_that_is_killed_leaves_no_half_of_a_file() {
    let fresh = Fresh::new();
    let line = "csv --parallel --workers processes --rows 100000000 --cols 1 --files 1 --matrix per-file";
    let mut started = fresh.parsim(line).start();
    started.until("it writes", || !fresh.names("data_processes").is_empty());
    kill(children(started.id())[0], libc::SIGKILL);
    started.end_within(SOON).exits(1).says("was killed by signal 9");
    assert!(fresh.names("data_processes").is_empty());
}

#[test]
fn workers_end_when_parsim_is_gone() {
    let (mut started, workers) = asleep(&Fresh::new(), "-j 2", 2);
    started.signal("KILL");
    let mut is_over = false;
    while started.is_running() || !is_over {
        is_over = !workers.iter().any(|worker| is_alive(*worker));
        std::thread::yield_now();
    }
}

#[test]
fn workers_that_cannot_be_started_are_told_before_any_work() {
    let fresh = Fresh::new();
    let script = "cp $(command -v parsim) own && exec ./own csv --files 4 --rows 1 --cols 1 --parallel --workers processes -j 2 --prepare 'rm own'";
    let ran = fresh.shell(script).run();
    ran.refuses("cannot start 2 worker processes (a smaller -j needs fewer): cannot start a worker: ");
    assert!(fresh.names("data_processes").is_empty());
}

#[test]
fn there_are_no_more_processes_than_tasks() {
    let (started, workers) = asleep(&Fresh::new(), "--tasks 2 -j 64", 2);
    assert_eq!(workers.len(), 2);
    started.signal("TERM");
    started.end_within(SOON).ends_by_signal(libc::SIGTERM);
}

#[test]
fn workers_make_no_sense_one_task_at_a_time() {
    for who in ["processes", "both"] {
        let ran = Fresh::new().parsim(&format!("sleep --serial --workers {who}")).run();
        ran.refuses("serial means no workers: leave --workers out, or --serial");
    }
}

#[test]
fn the_worker_is_no_subcommand_for_people() {
    let help = Fresh::new().parsim("--help").run();
    assert!(!help.stdout.lines().any(|line| line.trim_start().starts_with("worker")));
    // Nobody asks anything of it.
    let ran = Fresh::new().parsim("worker").run();
    ran.exits(0).is_quiet();
    let ran = Fresh::new().shell("echo rubbish and more | parsim worker").run();
    ran.refuses("read what to do from standard input");
}

/// A message to a worker or from it.
fn message(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap();
    [&length.to_le_bytes()[..], &[kind], payload].concat()
}

#[cfg(target_os = "linux")]
#[test]
fn a_worker_says_where_it_is_how_many_cores_it_may_use_and_how_much_memory_there_is() {
    let fresh = Fresh::new();
    let protocol = fresh.parsim("worker --protocol").run().stdout;
    let hello = serde_json::json!({
        "protocol": protocol.trim(),
        "version": "0.0.1",
        "workload": "sleep",
        "blueprint": { "tasks": 1, "seconds": 0.0 },
        "column": { "way": "processes", "mode": "parallel", "engine": "processes" },
        "digested": false,
        "node": null,
    });
    fs::write(fresh.path("hello"), message(b'H', hello.to_string().as_bytes())).unwrap();
    // Of one core, whatever the machine has.
    let ran = fresh.shell("taskset -c 0 parsim worker <hello").run();
    ran.exits(0);
    let (head, said) = ran.stdout.split_at(5);
    assert_eq!((head.as_bytes()[4], usize::from(head.as_bytes()[0])), (b'R', said.len() % 256));
    let host: Value = serde_json::from_str(said).unwrap();
    let read = |file: &str| fs::read_to_string(file).unwrap().trim().to_owned();
    assert_eq!(host["host"], read("/proc/sys/kernel/hostname"));
    assert_eq!(host["boot_id"], read("/proc/sys/kernel/random/boot_id"));
    assert_eq!(host["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(host["cores"], 1);
    let total = read("/proc/meminfo").split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024;
    let memory = host["memory"].as_u64().unwrap();
    assert!(memory > 1 << 20 && memory <= total, "{memory} of {total}");
}

#[cfg(feature = "net")]
#[test]
fn services_are_asked_from_processes_too() {
    let ran = Fresh::new().parsim("tap --demo --parallel --workers processes").run();
    ran.exits(0).says("4 of 4 services up").says("workers' start");
    let ran = Fresh::new().parsim("tap --demo --workers processes --per-host 1").run();
    ran.refuses("--per-host counts requests in one process: leave it out, or --workers");
}
