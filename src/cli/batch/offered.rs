//! Options that are understood and refused all the same, with reasons.

use crate::cli::exit::Fault;
use crate::gnu_args::{Flag, Typed};
use crate::record::Way;

/// Options that are for comparing both ways.
const FOR_COMPARE: &[&str] = &["runs", "warmup", "prepare", "cleanup", "outputs", "sample", "show-output"];

/// Options that are not there yet.
const NOT_YET: &[&str] = &[
    "files",
    "joblog",
    "results",
    "resume",
    "resume-failed",
    "retry-failed",
    "records",
    "summary",
    "export-json",
    "export-csv",
    "export-markdown",
    "export-html",
    "export-trace",
    "export-junit",
];

/// Refuses what cannot be done.
pub(super) fn check(way: Way, typed: &Typed) -> Result<(), Fault> {
    let refuse = |text: String| Err(Fault::Usage(text));
    let has = |flag| typed.flags.has(flag);
    if let Some(option) = typed.given.iter().find(|option| FOR_COMPARE.contains(option)) {
        return refuse(format!("--{option} is for running a batch both ways: parsim compare"));
    }
    if let Some(option) = typed.given.iter().find(|option| NOT_YET.contains(option)) {
        return refuse(format!("--{option} is not offered yet; see parsim {way} --help"));
    }
    let needs_pipe = [
        (Flag::RoundRobin, "--round-robin"),
        (Flag::Tee, "--tee"),
        (Flag::Cat, "--cat"),
        (Flag::Fifo, "--fifo"),
    ];
    // As in GNU parallel these two mean --pipe.
    let pipes = has(Flag::Pipe) || has(Flag::PipePart) || has(Flag::Cat) || has(Flag::Fifo);
    if let Some((_, name)) = needs_pipe.iter().find(|(flag, _)| has(*flag) && !pipes) {
        return refuse(format!("{name} needs --pipe: it is about what jobs read"));
    }
    if has(Flag::RoundRobin) && typed.run.retries.is_some_and(|tries| tries != 1) {
        return refuse("--retries with --round-robin: what a job has read cannot be given again".to_owned());
    }
    Ok(())
}
