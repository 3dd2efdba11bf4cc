//! Elements as an array of Slurm: one `sbatch`, one `squeue` for all of them, `scancel`;
//! and what Slurm's words mean for whoever waits.
//!
//! Nothing else of Slurm is used: neither accounting nor a step for each task.

use std::ffi::OsString;
use std::time::Duration;

use anyhow::{Context as _, bail};

use super::run_spec::RunSpec;
use super::submitter::{
    Answer, ClusterOptions, ElementLife, ElementState, Submission, SubmittedJob, Submitter, ask,
};
use crate::text::printable;

/// A controller that is busy takes its time.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is parsim's own to say.
const OWN_OPTIONS: [&str; 12] = [
    "-J",
    "--job-name",
    "-a",
    "--array",
    "-o",
    "--output",
    "--parsable",
    "-n",
    "--ntasks",
    "-D",
    "--chdir",
    "--wrap",
];

/// Why `argument` cannot be handed on to sbatch.
pub(crate) fn refused_argument(argument: &str) -> Option<String> {
    let name = argument.split('=').next().unwrap_or_default();
    if !argument.starts_with('-') {
        return Some("expected an option of sbatch, as in --sbatch-arg=--constraint=fast".to_owned());
    }
    let is_short = |own: &str| own.len() == 2 && name.starts_with(own) && !name.starts_with("--");
    OWN_OPTIONS
        .iter()
        .any(|own| name == *own || is_short(own))
        .then(|| format!("{name} is set by parsim itself"))
}

/// Slurm.
pub(super) struct Slurm;

impl Submitter for Slurm {
    fn submit(&self, submission: &Submission<'_>) -> anyhow::Result<Vec<SubmittedJob>> {
        let mut jobs = Vec::new();
        let (mut first, mut left, mut most) = (submission.first, submission.count, submission.count);
        while left > 0 {
            let count = left.min(most);
            let part = Submission { first, count, program: submission.program.clone(), ..*submission };
            match submit_array(&part) {
                Ok(job) => {
                    (first, left) = (first + count, left - count);
                    jobs.push(job);
                }
                // An array may be too long, or an account may not have so many jobs.
                Err(Refused::TooMany(_)) if count > 1 => most = count.div_ceil(2),
                Err(Refused::TooMany(_)) if !jobs.is_empty() => break,
                Err(Refused::TooMany(why) | Refused::Other(why)) => bail!("{why}"),
                Err(Refused::Failed(error)) => return Err(error),
            }
        }
        Ok(jobs)
    }

    fn cancel(&self, spec: &RunSpec, jobs: &[SubmittedJob]) -> anyhow::Result<()> {
        if jobs.is_empty() {
            return Ok(());
        }
        // By name as well: numbers are used again.
        let name = OsString::from(format!("--name={}", spec.name));
        let ids = jobs.iter().map(|job| OsString::from(&job.id));
        let answer = ask("scancel", &std::iter::once(name).chain(ids).collect::<Vec<_>>(), "", PATIENCE)?;
        match answer.status {
            Some(0) => Ok(()),
            _ if answer.stderr.contains("Invalid job id") => Ok(()),
            _ => bail!("{}", told("scancel", &answer)),
        }
    }

    fn look(&self, spec: &RunSpec, jobs: &[SubmittedJob]) -> anyhow::Result<Vec<ElementState>> {
        let ids: Vec<&str> = jobs.iter().map(|job| job.id.as_str()).collect();
        let arguments = ["-h", "-r", "-t", "all", "-o", "%F|%K|%T|%r|%N|%j", "-j", &ids.join(",")];
        let answer = ask("squeue", &arguments.map(OsString::from), "", PATIENCE)?;
        // Jobs that ended long ago are forgotten.
        if answer.status != Some(0) && !answer.stderr.contains("Invalid job id") {
            bail!("{}", told("squeue", &answer));
        }
        Ok(states(&spec.name, jobs, &answer.stdout))
    }
}

/// Why an array was not taken.
enum Refused {
    TooMany(String),
    Other(String),
    Failed(anyhow::Error),
}

fn submit_array(submission: &Submission<'_>) -> Result<SubmittedJob, Refused> {
    let arguments = arguments(submission);
    let answer = ask("sbatch", &arguments, &script(submission), PATIENCE).map_err(Refused::Failed)?;
    if answer.status != Some(0) {
        let why = told("sbatch", &answer);
        let is_too_many = ["job array specification", "MaxSubmitJob", "submit limit", "MaxArraySize"];
        let is_too_many = is_too_many.iter().any(|words| answer.stderr.contains(words));
        return Err(if is_too_many { Refused::TooMany(why) } else { Refused::Other(why) });
    }
    // With several clusters their name follows.
    let id = answer.stdout.trim().split(';').next().unwrap_or_default().to_owned();
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_digit()) {
        let said = printable(answer.stdout.trim());
        return Err(Refused::Other(format!("sbatch did not say a job's number: {said:?}")));
    }
    Ok(SubmittedJob { first: submission.first, count: submission.count, id })
}

/// What Slurm is told beside the script.
fn arguments(submission: &Submission<'_>) -> Vec<OsString> {
    let Submission { layout, spec, count, .. } = submission;
    let ClusterOptions {
        slots_each,
        cpus_per_job,
        memory_per_job,
        partition,
        account,
        qos,
        walltime,
        sbatch_args,
        ..
    } = &spec.cluster;
    let mut log = OsString::from("--output=");
    log.push(escaped(layout.path("log").as_os_str()));
    log.push("/%A_%a.out");
    let mut directory = OsString::from("--chdir=");
    directory.push(&spec.directory);
    let mut words: Vec<OsString> = vec![
        "--parsable".into(),
        format!("--job-name={}", spec.name).into(),
        format!("--array=0-{}", count.saturating_sub(1)).into(),
        "--nodes=1".into(),
        "--ntasks=1".into(),
        format!("--cpus-per-task={}", slots_each.max(&1) * cpus_per_job.max(&1)).into(),
        // What a lost element had is taken over by others, which begin at once.
        "--no-requeue".into(),
        "--open-mode=append".into(),
        log,
        directory,
    ];
    let memory = memory_per_job.map(|each| each.saturating_mul(u64::from(*slots_each)).div_ceil(1 << 20));
    let option =
        |name: &str, value: &Option<String>| value.as_ref().map(|value| format!("--{name}={value}").into());
    words.extend(memory.map(|megabytes| format!("--mem={megabytes}M").into()));
    words.extend(option("partition", partition));
    words.extend(option("account", account));
    words.extend(option("qos", qos));
    words.extend(walltime.map(|time| format!("--time={}", clock(time)).into()));
    words.extend(sbatch_args.iter().map(OsString::from));
    words
}

/// A percent sign in a folder's name is no pattern.
fn escaped(path: &std::ffi::OsStr) -> OsString {
    match path.to_str() {
        Some(text) => text.replace('%', "%%").into(),
        None => path.to_owned(),
    }
}

/// Hours, minutes and seconds as Slurm reads them.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

fn script(submission: &Submission<'_>) -> String {
    let quoted = |path: &std::path::Path| shell_words::quote(&path.to_string_lossy()).into_owned();
    format!(
        "#!/bin/sh\nexec {} worker --run-dir {} --run {} --element \"$(({} + SLURM_ARRAY_TASK_ID))\"\n",
        quoted(&submission.program),
        quoted(submission.layout.root()),
        shell_words::quote(&submission.spec.name),
        submission.first,
    )
}

/// What a program of Slurm has to say of its failure.
fn told(program: &str, answer: &Answer) -> String {
    let text =
        answer.stderr.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ");
    let text = printable(&text);
    let status = answer.status.map_or_else(|| "a signal".to_owned(), |status| format!("status {status}"));
    if text.is_empty() {
        format!("{program} failed ({status})")
    } else {
        format!("{text} ({program}, {status})")
    }
}

/// What `squeue` says of the elements of `jobs`, which are called `name`: of those it
/// does not know nobody can tell.
fn states(name: &str, jobs: &[SubmittedJob], text: &str) -> Vec<ElementState> {
    let mut states: Vec<ElementState> = jobs
        .iter()
        .flat_map(SubmittedJob::elements)
        .map(|number| ElementState { number, life: ElementLife::Unknown })
        .collect();
    for line in text.lines() {
        let fields: Vec<&str> = line.split('|').map(str::trim).collect();
        let [id, index, state, reason, node, called] = fields[..] else { continue };
        // A controller that forgot jobs uses their numbers again: for others' jobs, and for
        // those in their place.
        let mut ours = jobs.iter().rev().filter(|_| called == name);
        let Some(job) = ours.find(|job| job.id == id) else { continue };
        let Some(number) = index.parse::<u32>().ok().and_then(|index| job.first.checked_add(index)) else {
            continue;
        };
        if let Some(known) = states.iter_mut().find(|known| known.number == number) {
            known.life = life(state, reason, node);
        }
    }
    states
}

fn life(state: &str, reason: &str, node: &str) -> ElementLife {
    match state {
        "PENDING" | "CONFIGURING" | "REQUEUED" | "REQUEUE_HOLD" | "REQUEUE_FED" | "SPECIAL_EXIT"
        | "RESV_DEL_HOLD" => ElementLife::Waiting(reason.to_owned()),
        "RUNNING" | "COMPLETING" | "SUSPENDED" | "STOPPED" | "SIGNALING" | "STAGE_OUT" | "RESIZING" => {
            ElementLife::Running(node.to_owned())
        }
        other => ElementLife::Ended(other.to_owned()),
    }
}

/// What a reason to wait means, where it is more than a queue: `Ok` where that passes, `Err`
/// where it does not.
pub(super) fn meaning(reason: &str) -> Result<String, String> {
    let can_never = match reason {
        "PartitionConfig" | "PartitionNodeLimit" => Some(
            "no node of the partition has so much, or it has fewer nodes: ask for less, or name another --partition",
        ),
        "PartitionTimeLimit" => Some("the partition allows less time: give a shorter --walltime"),
        "BadConstraints" | "ReqNodeNotAvail" => Some("no node is as --sbatch-arg asks for"),
        "InvalidAccount" => Some("the account is not known: see --account"),
        "InvalidQOS" => Some("the quality of service is not known: see --qos"),
        "DependencyNeverSatisfied" => Some("it depends on a job that failed"),
        "JobHeldAdmin" | "JobHeldUser" => Some("it is held: scontrol release lets it go"),
        _ => None,
    };
    if let Some(why) = can_never {
        return Err(format!("can never start: {reason} ({why})"));
    }
    let is_limit = ["Assoc", "QOS", "MaxJobs"].iter().any(|prefix| reason.starts_with(prefix));
    Ok(if is_limit {
        format!("cannot start yet: {reason} (a limit of your account or --qos)")
    } else if reason.is_empty() || reason == "None" {
        "queued".to_owned()
    } else {
        format!("queued: {reason}")
    })
}

/// What the end of an element means, if that is not all as it should be.
pub(super) fn ending(state: &str) -> Option<String> {
    let why = match state {
        "COMPLETED" | "CANCELLED" => return None,
        "TIMEOUT" => "its time was over (TIMEOUT): give a longer --walltime",
        "NODE_FAIL" => "its node failed (NODE_FAIL)",
        "OUT_OF_MEMORY" => {
            "it needed more memory than it was given (OUT_OF_MEMORY): give more --memory-per-job"
        }
        "PREEMPTED" => "it had to make room for others (PREEMPTED)",
        "BOOT_FAIL" => "its node did not start (BOOT_FAIL)",
        "DEADLINE" => "its deadline had come (DEADLINE)",
        other => return Some(format!("it ended: {other}")),
    };
    Some(why.to_owned())
}

/// How many CPUs a node of the partition has, at least.
pub(crate) fn cpus_of_a_node(partition: Option<&str>) -> anyhow::Result<u32> {
    let mut arguments: Vec<OsString> = vec!["-h".into(), "-o".into(), "%c".into()];
    arguments.extend(partition.map(|name| format!("--partition={name}").into()));
    let answer = ask("sinfo", &arguments, "", PATIENCE)?;
    let counts = answer.stdout.lines().filter_map(|line| line.trim().trim_end_matches('+').parse().ok());
    counts.min().with_context(|| match partition {
        Some(name) => format!("Slurm knows no node of the partition {name}: see sinfo"),
        None => format!("Slurm tells of no nodes: {}", told("sinfo", &answer)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_squeue_says_is_understood_and_what_it_does_not_say_is_unknown() {
        let jobs = [
            SubmittedJob { first: 0, count: 3, id: "17".to_owned() },
            SubmittedJob { first: 3, count: 2, id: "18".to_owned() },
        ];
        let text = "17|0|RUNNING|None|n3|mine\n17|2|PENDING|Priority||mine\n18|0|TIMEOUT|TimeLimit|n1|mine\n\
                    18|1|RUNNING|None|n2|theirs\n99|0|RUNNING||n9|mine\nnoise\n";
        let lives = |jobs: &[SubmittedJob]| -> Vec<ElementLife> {
            states("mine", jobs, text).into_iter().map(|state| state.life).collect()
        };
        let again = lives(&[jobs[0].clone(), SubmittedJob { first: 3, ..jobs[0].clone() }]);
        assert_eq!(again[0], ElementLife::Unknown);
        assert_eq!(again[3], ElementLife::Running("n3".to_owned()));
        let lives = lives(&jobs);
        assert_eq!(lives[0], ElementLife::Running("n3".to_owned()));
        assert_eq!(lives[1], ElementLife::Unknown);
        assert_eq!(lives[2], ElementLife::Waiting("Priority".to_owned()));
        assert_eq!(lives[3], ElementLife::Ended("TIMEOUT".to_owned()));
        assert_eq!(lives[4], ElementLife::Unknown);
    }

    #[test]
    fn words_of_slurm_say_what_to_do() {
        assert!(meaning("PartitionConfig").unwrap_err().starts_with("can never start: PartitionConfig"));
        assert_eq!(meaning("Priority").unwrap(), "queued: Priority");
        assert!(meaning("AssocGrpCPUMinutesLimit").unwrap().contains("a limit of your account"));
        assert_eq!(ending("COMPLETED"), None);
        assert!(ending("TIMEOUT").unwrap().contains("--walltime"));
        assert!(ending("OUT_OF_MEMORY").unwrap().contains("--memory-per-job"));
        assert_eq!(clock(Duration::from_secs(3_723)), "1:02:03");
        assert_eq!(clock(Duration::from_millis(1)), "0:00:01");
    }

    #[test]
    fn what_parsim_says_itself_is_not_handed_on() {
        assert_eq!(refused_argument("--constraint=fast"), None);
        assert_eq!(refused_argument("-Cfast"), None);
        for own in ["--array=3", "-a3", "--parsable", "-J", "-oX", "--output=x"] {
            assert!(refused_argument(own).is_some_and(|why| why.contains("parsim itself")), "{own}");
        }
        assert!(refused_argument("fast").is_some());
    }
}
