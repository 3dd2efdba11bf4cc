//! What the options about nodes mean: how many workers, with how many slots each, and what
//! a batch system is asked for; and which options make no sense elsewhere.

use std::ffi::OsString;
use std::time::Duration;
use std::{env, path};

use anyhow::Context as _;

use super::exit::{Fault, refuse};
use super::flags::{Flag, Typed};
use super::terminal::say;
use crate::engine::{ClusterOptions, DirectoryOptions, cpus_of_a_node};
use crate::host::Limits;
use crate::numbers::plural;

/// The engine of Slurm, as `--workers` has it.
const SLURM: &str = "slurm";

/// Options that mean something with Slurm only.
const OF_SLURM: [&str; 6] = ["slots", "memory-per-job", "partition", "account", "qos", "sbatch-arg"];

/// Options that mean something with workers that find their tasks in a directory.
const OF_A_DIRECTORY: [&str; 4] = ["nodes", "walltime", "run-dir", "detach"];

/// Options about the pace of this machine, or about what only this process has.
const OF_THIS_MACHINE: [(&str, &str); 7] = [
    ("delay", "each worker starts its jobs by itself"),
    ("load", "jobs run on other machines, whose load differs"),
    ("memfree", "jobs run on other machines, whose memory differs: see --memory-per-job"),
    ("memsuspend", "jobs run on other machines, whose memory differs: see --memory-per-job"),
    ("noswap", "jobs run on other machines, which swap by themselves"),
    ("max-time", "workers are told when to end by --walltime"),
    ("dry-run", "it prints jobs and runs none: leave --workers out"),
];

/// Where a test wants to see sooner that a worker is gone.
const LEASE: &str = "PARSIM_LEASE";

/// What a run by way of a directory is told, if `typed` asks for one. `words` are those that
/// whoever goes on with it is to type, where somebody can.
pub(super) fn options(
    typed: &Typed,
    words: Option<Vec<OsString>>,
) -> Result<Option<DirectoryOptions>, Fault> {
    let engines: Vec<_> = typed.run.workers.engines().collect();
    let row = engines.iter().find(|row| row.is_elsewhere);
    check(typed, row.map(|row| row.name))?;
    let Some(row) = row else { return Ok(None) };
    let wishes = &typed.run.cluster;
    let cpus_per_job = u32::try_from(typed.run.threads_per_job.unwrap_or(1)).unwrap_or(u32::MAX);
    let most = typed.run.jobs.as_ref().map(|jobs| jobs.one().map(|count| count.on(1, 1).get()));
    let asked = match most {
        Some(None) => {
            return refuse(format!(
                "-j is one number with --workers {}: jobs at once on each node",
                row.name
            ));
        }
        Some(Some(count)) => u32::try_from(count).ok(),
        None => None,
    };
    let (elements, slots_each) = if row.name == SLURM {
        let most = match (asked, cpus_of_a_node(wishes.partition.as_deref())) {
            (Some(slots), _) => slots,
            (None, Ok(cpus)) => (cpus / cpus_per_job).max(1),
            (None, Err(error)) => {
                say(&format!("one job at once on each node, as {error:#} (-j says how many)"));
                1
            }
        };
        match (wishes.nodes, wishes.slots) {
            (Some(_), Some(_)) => {
                return refuse("--nodes and --slots both say how many nodes: give one of them");
            }
            (Some(nodes), None) => (nodes, most),
            (None, Some(slots)) => (slots.div_ceil(most), most.min(slots)),
            (None, None) => {
                let jobs = plural(most.into(), "job");
                say(&format!("one node with {jobs} at once: --nodes N or --slots N asks for more"));
                (1, most)
            }
        }
    } else {
        let elements = wishes.nodes.unwrap_or(1);
        let usable = u32::try_from(Limits::detect().usable).unwrap_or(1) / cpus_per_job / elements;
        (elements, asked.unwrap_or(usable.max(1)))
    };
    let cluster = ClusterOptions {
        elements,
        slots_each,
        cpus_per_job,
        memory_per_job: wishes.memory_per_job,
        partition: wishes.partition.clone(),
        account: wishes.account.clone(),
        qos: wishes.qos.clone(),
        walltime: wishes.walltime,
        sbatch_args: wishes.sbatch_args.clone(),
    };
    let run_dir = wishes.run_dir.as_ref().map(path::absolute).transpose()?;
    Ok(Some(DirectoryOptions {
        cluster,
        run_dir,
        detaches: typed.has(Flag::Detach),
        words,
        program: env::current_exe().context("cannot find the program itself, to start workers")?,
        directory: env::current_dir().context("cannot tell the working directory")?,
        lease: env::var(LEASE).ok().and_then(|text| text.parse().ok()).map(Duration::from_secs_f64),
    }))
}

/// Refuses what means something for jobs here and for tasks on nodes only.
pub(super) fn check_tasks(typed: &Typed) -> Result<(), Fault> {
    let threads = typed.given.iter().find(|given| given.name == "threads-per-job");
    match threads.filter(|_| !typed.run.workers.engines().any(|row| row.is_elsewhere)) {
        Some(option) => refuse(format!(
            "{} needs --workers slurm or --workers local-dir: a task here has one thread",
            option.spelled
        )),
        None => Ok(()),
    }
}

/// Refuses options that mean nothing with the engine called `name`.
fn check(typed: &Typed, name: Option<&str>) -> Result<(), Fault> {
    let given = |options: &[&str]| typed.given.iter().find(|given| options.contains(&given.name));
    if let Some(option) = given(&OF_SLURM).filter(|_| name != Some(SLURM)) {
        return refuse(format!("{} needs --workers slurm", option.spelled));
    }
    if let Some(option) = given(&OF_A_DIRECTORY).filter(|_| name.is_none()) {
        return refuse(format!("{} needs --workers slurm or --workers local-dir", option.spelled));
    }
    let Some(name) = name else { return Ok(()) };
    for (option, why) in OF_THIS_MACHINE {
        if let Some(option) = given(&[option]) {
            return refuse(format!("{} does not go with --workers {name}: {why}", option.spelled));
        }
    }
    Ok(())
}
