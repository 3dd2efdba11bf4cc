//! What Slurm says, in words that help: made-up sbatch, squeue, scancel and sinfo stand in
//! PATH. (`.ci/slurm` runs parsim on a real one.)

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::{Fresh, Line};

/// Takes an array and starts its elements, unless it is to refuse it.
const SBATCH: &str = r#"#!/bin/sh
printf '%s\n' "$@" >"$FAKE/args"
cat >"$FAKE/script"
if [ -e "$FAKE/refuses" ]; then cat "$FAKE/refuses" >&2; exit "$(cat "$FAKE/status" 2>/dev/null || echo 1)"; fi
if [ -e "$FAKE/limit" ] && [ -e "$FAKE/elements" ] && [ -s "$FAKE/elements" ]; then cat "$FAKE/limit" >&2; exit 1; fi
if [ -e "$FAKE/prints" ]; then cat "$FAKE/prints"; exit; fi
for word; do case $word in --job-name=*) name=${word#--job-name=};; --array=0-*) last=${word#--array=0-};; --chdir=*) cd "${word#--chdir=}";; esac; done
if [ -e "$FAKE/most" ] && [ "$last" -ge "$(cat "$FAKE/most")" ]; then
    echo 'sbatch: error: Batch job submission failed: Invalid job array specification' >&2; exit 1
fi
id=$(cat "$FAKE/id" 2>/dev/null || echo 17)
# One that forgot its jobs uses their numbers again.
[ -e "$FAKE/forgets" ] || echo $((id + 1)) >"$FAKE/id"
echo "$name" >"$FAKE/name"
index=0
while [ ! -e "$FAKE/waits" ] && [ $index -le "$last" ]; do
    SLURM_ARRAY_TASK_ID=$index SLURMD_NODENAME=n$index sh "$FAKE/script" >>"$FAKE/log" 2>&1 </dev/null &
    echo "$id $index $!" >>"$FAKE/elements"
    index=$((index + 1))
done
echo "$id"
"#;

/// Tells which elements are there, or what it is to tell.
const SQUEUE: &str = r#"#!/bin/sh
echo asked >>"$FAKE/asked"
name=$(cat "$FAKE/name")
if [ -e "$FAKE/forgot" ]; then echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1; fi
if [ -e "$FAKE/queue" ]; then sed "s/\$/|$name/" "$FAKE/queue"; exit; fi
if [ -e "$FAKE/hangs" ]; then echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1; fi
while read -r id index pid; do
    if kill -0 "$pid" 2>/dev/null; then echo "$id|$index|RUNNING|None|n$index|$name"; else echo "$id|$index|COMPLETED|None|n$index|$name"; fi
done <"$FAKE/elements"
"#;

const SCANCEL: &str = r#"#!/bin/sh
printf '%s\n' "$@" >>"$FAKE/cancelled"
if [ -e "$FAKE/denies" ]; then cat "$FAKE/denies" >&2; exit 1; fi
rm -f "$FAKE/queue"
while read -r _ _ pid; do kill "$pid" 2>/dev/null; done <"$FAKE/elements"
exit 0
"#;

const SINFO: &str = "#!/bin/sh\necho '4+'\necho 2\n";

/// A directory with a Slurm in it.
fn cluster() -> Fresh {
    let fresh = Fresh::new();
    fs::create_dir(fresh.path("fake")).unwrap();
    for (name, text) in [("sbatch", SBATCH), ("squeue", SQUEUE), ("scancel", SCANCEL), ("sinfo", SINFO)] {
        let path = fresh.path("fake").join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    fs::write(fresh.path("fake/elements"), "").unwrap();
    fresh
}

fn parallel(fresh: &Fresh, options: &str) -> Line {
    on_it(fresh, &format!("parallel --workers slurm {options}")).env("PARSIM_LEASE", "2")
}

/// A line where the Slurm in `fresh` is found.
fn on_it(fresh: &Fresh, words: &str) -> Line {
    let path = format!("{}:{}", fresh.path("fake").display(), std::env::var("PATH").unwrap_or_default());
    fresh.parsim(words).env("PATH", path).env("FAKE", fresh.path("fake"))
}

fn told(fresh: &Fresh, name: &str) -> String {
    fs::read_to_string(fresh.path("fake").join(name)).unwrap_or_default()
}

fn tell(fresh: &Fresh, name: &str, text: &str) {
    fs::write(fresh.path("fake").join(name), text).unwrap();
}

#[test]
fn jobs_run_on_nodes_and_the_array_is_asked_for_as_typed() {
    let fresh = cluster();
    let options = "-k --nodes 3 --threads-per-job 2 --memory-per-job 100M --partition big --account a7 \
                   --qos high --walltime 1:30:00 --sbatch-arg=--constraint=fast --joblog log echo x{} ::: 1 2 3 4 5";
    parallel(&fresh, options).run().exits(0).says("x1\nx2\nx3\nx4\nx5\n");
    let args = told(&fresh, "args");
    for word in [
        "--parsable",
        "--array=0-2",
        "--nodes=1",
        "--ntasks=1",
        "--cpus-per-task=2",
        "--mem=100M",
        "--partition=big",
        "--account=a7",
        "--qos=high",
        "--time=1:30:00",
        "--no-requeue",
        "--constraint=fast",
    ] {
        assert!(args.lines().any(|line| line == word), "{word} is not in {args}");
    }
    let log = fs::read_to_string(fresh.path("log")).unwrap();
    let hosts: Vec<&str> = log.lines().skip(1).filter_map(|row| row.split('\t').nth(1)).collect();
    assert!(hosts.len() == 5 && hosts.iter().all(|host| ["n0", "n1", "n2"].contains(host)), "{log}");
    assert_eq!(fresh.names("."), ["fake", "log"]);
}

#[test]
fn slurms_own_spellings_are_understood() {
    let fresh = cluster();
    parallel(&fresh, "--slots 4 --cpus-per-task 1 --mem-per-task 64M echo ::: 1 2 3 4").run().exits(0);
    let args = told(&fresh, "args");
    assert!(args.contains("--array=0-1\n") && args.contains("--cpus-per-task=2\n"), "{args}");
}

#[test]
fn without_a_number_of_nodes_there_is_one_and_that_is_said() {
    let fresh = cluster();
    parallel(&fresh, "echo ::: 1")
        .run()
        .exits(0)
        .tells("one node with 2 jobs at once: --nodes N or --slots N");
    parallel(&fresh, "--nodes 2 --slots 4 echo ::: 1").run().refuses("--nodes and --slots both say");
    for zero in ["--nodes 0", "--slots 0", "--threads-per-job 0"] {
        parallel(&fresh, &format!("{zero} echo ::: 1")).run().refuses("must be at least 1");
    }
    // Nobody tells how many CPUs nodes have.
    fs::write(fresh.path("fake/sinfo"), "#!/bin/sh\necho sinfo: nonsense >&2; exit 1\n").unwrap();
    let ran = parallel(&fresh, "--nodes 1 echo ::: 1").run();
    ran.exits(0).tells("one job at once on each node, as Slurm tells of no nodes: sinfo: nonsense");
    fs::write(fresh.path("fake/sinfo"), "#!/bin/sh\necho 1\n").unwrap();
    parallel(&fresh, "echo ::: 1").run().exits(0).tells("one node with 1 job at once");
}

#[test]
fn workloads_are_asked_for_as_batches_are() {
    let fresh = cluster();
    let path = format!("{}:{}", fresh.path("fake").display(), std::env::var("PATH").unwrap_or_default());
    let options = "sleep --tasks 4 --seconds 0.01 --workers slurm --slots 2 --threads-per-job 2 \
                   --memory-per-job 100M --partition big";
    let line = fresh.parsim(options).env("PATH", path).env("FAKE", fresh.path("fake"));
    line.run().exits(0);
    let args = told(&fresh, "args");
    for word in ["--array=0-1", "--cpus-per-task=2", "--mem=100M", "--partition=big"] {
        assert!(args.lines().any(|line| line == word), "{word} is not in {args}");
    }
    for subcommand in ["csv", "sleep"] {
        let line = fresh.parsim(&format!("{subcommand} --threads-per-job 2"));
        line.run().refuses("--threads-per-job needs --workers slurm or --workers local-dir");
    }
}

#[test]
fn what_sbatch_refuses_is_passed_on_and_nothing_is_left() {
    let fresh = cluster();
    for (status, words) in [
        (1, "invalid partition specified: nope"),
        (1, "Batch job submission failed: Memory specification can not be satisfied"),
        (255, "Invalid --time specification"),
        (1, "Batch job submission failed: Invalid generic resource (gres) specification"),
        (1, "Batch job submission failed: Invalid account or account/partition combination specified"),
        (1, "Batch job submission failed: Invalid qos specification"),
        (1, "Batch job submission failed: Unable to contact slurm controller (connect failure)"),
        (1, "Batch job submission failed: Requested node configuration is not available"),
        (1, "Batch job submission failed: Access/permission denied"),
        (1, "unrecognized option '--nonsense'"),
    ] {
        tell(&fresh, "refuses", &format!("sbatch: error: {words}\n"));
        tell(&fresh, "status", &status.to_string());
        parallel(&fresh, "--nodes 2 echo ::: 1 2 3")
            .run()
            .exits(255)
            .tells(words)
            .tells(&format!("(sbatch, status {status})"));
        assert_eq!(fresh.names("."), ["fake"]);
    }
    tell(&fresh, "refuses", "");
    parallel(&fresh, "--nodes 1 echo ::: 1").run().exits(255).tells("sbatch failed (status 1)");
    fs::remove_file(fresh.path("fake/refuses")).unwrap();
    for words in ["", "Submitted batch job 17\n", "no number\u{1b}[2J"] {
        tell(&fresh, "prints", words);
        let ran = parallel(&fresh, "--nodes 1 echo ::: 1").run();
        ran.exits(255).tells("sbatch did not say a job's number");
        assert!(!ran.stderr.contains('\u{1b}'), "{}", ran.stderr);
        assert_eq!(fresh.names("."), ["fake"]);
    }
}

#[test]
fn an_account_that_may_not_have_so_many_elements_has_fewer() {
    let fresh = cluster();
    tell(&fresh, "most", "2");
    let words = "sbatch: error: AssocMaxSubmitJobLimit\nsbatch: error: Batch job submission failed: Job \
                 violates accounting/QOS policy (job submit limit, user's size and/or time limits)\n";
    tell(&fresh, "limit", words);
    let ran = parallel(&fresh, "-k --nodes 4 -j1 echo ::: 1 2 3 4 5 6").run();
    ran.exits(0).says("1\n2\n3\n4\n5\n6\n").tells("Slurm takes 2 of 4 elements: they do all of the work");
    tell(&fresh, "elements", "");
    tell(&fresh, "most", "1");
    let ran = parallel(&fresh, "-k --nodes 2 -j1 echo ::: 1 2").run();
    ran.exits(0).says("1\n2\n").tells("Slurm takes 1 of 2 elements: it does all of the work");
}

#[test]
fn a_name_of_a_cluster_behind_a_number_is_none_of_it() {
    let fresh = cluster();
    let text = SBATCH.replace("echo \"$id\"\n", "echo \"$id;cluster\"\n");
    fs::write(fresh.path("fake/sbatch"), text).unwrap();
    parallel(&fresh, "-k --nodes 2 -j1 echo ::: 1 2").run().exits(0).says("1\n2\n");
}

#[test]
fn workers_that_cannot_be_cancelled_are_told_of() {
    let fresh = cluster();
    parallel(&fresh, "--nodes 1 -j1 --run-dir run --detach echo ::: 1").run().exits(0);
    let cancel = || {
        let line = fresh.parsim("cancel run").env("FAKE", fresh.path("fake"));
        line.env("PATH", format!("{}:/usr/bin:/bin", fresh.path("fake").display())).run()
    };
    let words = "scancel: error: Kill job error on job id 17: Access/permission denied";
    tell(&fresh, "denies", words);
    cancel().exits(255).tells(words).tells("(scancel, status 1)");
    // One that has ended long ago needs no end.
    tell(&fresh, "denies", "scancel: error: Kill job error on job id 17: Invalid job id specified");
    cancel().exits(0).tells("ended 1 worker;");
    fs::remove_file(fresh.path("fake/scancel")).unwrap();
    fs::remove_file(fresh.path("fake/denies")).unwrap();
    if !Path::new("/usr/bin/scancel").exists() {
        cancel().exits(255).tells("cannot run scancel");
    }
}

#[test]
fn without_slurm_that_is_said_and_nothing_is_left() {
    let fresh = Fresh::new();
    let line = fresh.parsim("parallel --workers slurm --nodes 2 -j2 echo ::: 1 2 3").env("PATH", "/nowhere");
    line.run().exits(255).tells("cannot run sbatch: is Slurm installed here, and sbatch in PATH?");
    assert!(fresh.names(".").is_empty());
}

#[test]
fn an_array_that_is_too_long_is_submitted_in_parts() {
    let fresh = cluster();
    tell(&fresh, "most", "2");
    parallel(&fresh, "-k --nodes 5 -j1 echo ::: 1 2 3 4 5 6 7 8")
        .run()
        .exits(0)
        .says("1\n2\n3\n4\n5\n6\n7\n8\n");
    let elements = told(&fresh, "elements");
    assert_eq!(elements.lines().count(), 5, "{elements}");
}

#[test]
fn what_can_never_start_is_told_at_once() {
    for (reason, words) in [
        ("PartitionConfig", "no node of the partition has so much"),
        ("PartitionNodeLimit", "no node of the partition has so much"),
        ("PartitionTimeLimit", "give a shorter --walltime"),
        ("BadConstraints", "no node is as --sbatch-arg asks for"),
        ("InvalidAccount", "see --account"),
        ("InvalidQOS", "see --qos"),
        ("DependencyNeverSatisfied", "it depends on a job that failed"),
        ("JobHeldAdmin", "scontrol release"),
    ] {
        let fresh = cluster();
        tell(&fresh, "waits", "");
        tell(&fresh, "queue", &format!("17|0|PENDING|{reason}|\n"));
        let mut started = parallel(&fresh, "--nodes 1 -j64 echo ::: 1").start();
        started.until_it_tells(&format!("can never start: {reason} ("));
        started.until_it_tells(words);
        started.signal("INT");
        started.end().ends_by_signal(libc::SIGINT).tells("parsim resume");
        // By the name, too: numbers are used again.
        let cancelled = told(&fresh, "cancelled");
        assert!(cancelled.lines().any(|word| word.starts_with("--name=parsim-")), "{cancelled}");
    }
}

#[test]
fn an_end_that_is_slurms_is_told_in_words_and_the_rest_is_submitted_again() {
    for (state, words) in [
        ("TIMEOUT", "its time was over (TIMEOUT): give a longer --walltime"),
        ("NODE_FAIL", "its node failed (NODE_FAIL)"),
        ("OUT_OF_MEMORY", "more memory than it was given (OUT_OF_MEMORY)"),
        ("PREEMPTED", "make room for others (PREEMPTED)"),
        ("BOOT_FAIL", "its node did not start (BOOT_FAIL)"),
        ("DEADLINE", "its deadline had come (DEADLINE)"),
        ("FAILED", "it ended: FAILED"),
    ] {
        let fresh = cluster();
        tell(&fresh, "waits", "");
        tell(&fresh, "queue", &format!("17|0|{state}|x|\n"));
        let mut started = parallel(&fresh, "--nodes 1 -j1 echo x{} ::: 1").start();
        started.until_it_tells(words);
        fs::remove_file(fresh.path("fake/waits")).unwrap();
        started.until_it_tells("all workers have ended and 1 job is left");
        let _ = fs::remove_file(fresh.path("fake/queue"));
        // Nothing more comes of it than the result, once, or a word on why there is none.
        let ran = started.end();
        ran.expect(ran.has_exited(0) || ran.has_exited(255), "it comes to an end");
    }
}

#[test]
fn a_controller_that_does_not_answer_holds_nothing_up() {
    let fresh = cluster();
    tell(&fresh, "hangs", "");
    parallel(&fresh, "-k --nodes 2 -j1")
        .args(["sleep 0.5; echo {}", ":::", "1", "2", "3"])
        .run()
        .exits(0)
        .says("1\n2\n3\n");
}

#[test]
fn workers_whom_the_controller_forgot_go_on_as_long_as_they_live() {
    let fresh = cluster();
    tell(&fresh, "forgot", "");
    let job = "echo {} >>side; until [ -e go ]; do sleep 0.05; done; echo {}";
    let line = parallel(&fresh, "-k --nodes 2 -j1 --run-dir run").args([job, ":::", "1", "2", "3", "4", "5"]);
    let mut started = line.env("PARSIM_LEASE", "60").start();
    started.until("squeue was asked twice", || told(&fresh, "asked").lines().count() > 1);
    // Whether they have ended nobody can say ...
    on_it(&fresh, "status run").run().exits(0).says("workers   2 not known any more (ended, or forgotten)\n");
    fs::write(fresh.path("go"), "").unwrap();
    let ran = started.end();
    ran.exits(0).says("1\n2\n3\n4\n5\n").is_quiet();
    // ... but when there is nothing left to do.
    on_it(&fresh, "status run").run().exits(0).says("workers   2 ended\n");
    assert_eq!(fs::read_to_string(fresh.path("side")).unwrap().lines().count(), 5);
}

#[test]
fn workers_whom_the_controller_forgot_and_who_died_are_replaced() {
    let fresh = cluster();
    tell(&fresh, "forgot", "");
    // The number is used again.
    tell(&fresh, "forgets", "");
    let job = "[ -e second{} ] || { touch second{}; kill -9 $PPID; sleep 600; }; echo {}";
    let ran = parallel(&fresh, "-k --nodes 2 -j1").args([job, ":::", "1", "2"]).run();
    ran.exits(0).says("1\n2\n").tells("all workers have ended and");
}

#[test]
fn workers_without_the_working_directory_say_so() {
    let fresh = cluster();
    let text = SBATCH.replace("cd \"${word#--chdir=}\"", "cd /");
    fs::write(fresh.path("fake/sbatch"), text).unwrap();
    let ran = parallel(&fresh, "--nodes 1 -j1 echo ::: 1").run();
    ran.exits(255).tells("n0: the working directory").tells("is not there");
}

#[test]
fn a_directory_in_memory_is_refused() {
    if !Path::new("/dev/shm").is_dir() {
        return;
    }
    let fresh = cluster();
    let folder = tempfile::tempdir_in("/dev/shm").unwrap();
    let run = folder.path().join("run");
    let options = format!("--nodes 1 --run-dir {} echo ::: 1", run.display());
    parallel(&fresh, &options).run().exits(255).tells("in this machine's memory").tells("--run-dir");
    assert!(!run.exists());
}

#[test]
fn arguments_of_parsims_own_are_refused() {
    let fresh = cluster();
    for own in ["--array=3", "-Jx", "--wrap=x", "--parsable"] {
        parallel(&fresh, &format!("--sbatch-arg={own} echo ::: 1")).run().refuses("is set by parsim itself");
    }
}
