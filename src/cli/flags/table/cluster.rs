//! Options about workers that a batch system starts on its nodes.

use super::super::row::Does::{Set, Text, Word};
use super::super::row::{OptionSection, own, section, set};
use super::super::typed::{Flag, Scope};
use super::super::values;
use super::running::at_least_one;
use crate::engine::refused_argument;

/// Whoever can have tasks done there.
const ELSEWHERE: Scope = Scope::BATCH.and(Scope::WORKLOAD);

#[rustfmt::skip]
pub(in crate::cli::flags) static CLUSTER: OptionSection = section("On a cluster (--workers slurm or local-dir; see parsim help slurm)", &[
    own(&["nodes"], "N", "how many workers, each on one node, with -j jobs at once [default: 1]",
        Text(|t, v| set(&mut t.run.cluster.nodes, elements(v)))).of(ELSEWHERE),
    own(&["slots"], "N", "as many nodes as N jobs at once need",
        Text(|t, v| set(&mut t.run.cluster.slots, elements(v)))).of(ELSEWHERE),
    own(&["memory-per-job", "mem-per-task"], "BYTES", "memory that each job needs: 500M, 2G",
        Text(|t, v| set(&mut t.run.cluster.memory_per_job, values::size(v)))).of(ELSEWHERE),
    own(&["partition"], "NAME", "the partition to run in",
        Text(|t, v| { t.run.cluster.partition = Some(v.to_owned()); Ok(()) })).of(ELSEWHERE),
    own(&["account"], "NAME", "the account that pays",
        Text(|t, v| { t.run.cluster.account = Some(v.to_owned()); Ok(()) })).of(ELSEWHERE),
    own(&["qos"], "NAME", "the quality of service",
        Text(|t, v| { t.run.cluster.qos = Some(v.to_owned()); Ok(()) })).of(ELSEWHERE),
    own(&["walltime"], "TIME", "end each worker after [D-]H:M:S, 90s, 30m or 1.5h, and start others\nwhile jobs are left",
        Text(|t, v| set(&mut t.run.cluster.walltime, values::walltime(v)))).of(ELSEWHERE),
    own(&["sbatch-arg"], "ARG", "pass ARG to sbatch (repeatable): --sbatch-arg=-Cfast",
        Text(|t, v| {
            if let Some(why) = refused_argument(v) {
                return Err(why);
            }
            t.run.cluster.sbatch_args.push(v.to_owned());
            Ok(())
        })).of(ELSEWHERE),
    own(&["run-dir"], "DIR", "keep the run's files in DIR, new or empty, on a file system that\nall nodes share [default: ./parsim-..., removed at the end]",
        Word(|t, v| { t.run.cluster.run_dir = Some(v.into()); Ok(()) })).of(ELSEWHERE),
    own(&["detach"], "", "start the workers and leave (parsim status, resume, cancel DIR)", Set(Flag::Detach)).of(Scope::ONE_WAY),
]);

fn elements(text: &str) -> Result<u32, String> {
    u32::try_from(at_least_one(text)?).map_err(|_| "too many".to_owned())
}
