//! Options that are understood and refused all the same, with reasons.

use std::os::unix::ffi::OsStrExt as _;

use super::pairs;
use crate::cli::exit::Fault;
use crate::gnu_args::{Flag, Timeout, Typed};

/// Options that are for comparing both ways.
const FOR_COMPARE: &[&str] = &[
    "runs",
    "warmup",
    "prepare",
    "cleanup",
    "outputs",
    "sample",
    "show-output",
    "min-speedup",
    "fail-if-slower",
    "lanes",
    "ascii",
];

/// What `compare` does not do, and why.
const NOT_COMPARED: &[(&[&str], &str)] = &[
    (&["halt", "max-time"], "both ways have to do the same jobs"),
    (
        &["joblog", "records", "results", "files"],
        "compare runs each job several times; parsim serial and parsim parallel keep logs and results, and --export-json keeps the records of all runs",
    ),
    (&["resume", "resume-failed", "retry-failed"], "both ways have to do all of the jobs"),
    (
        &[
            "pipe",
            "pipe-part",
            "cat",
            "fifo",
            "tee",
            "round-robin",
            "block",
            "recstart",
            "recend",
            "regexp",
            "remove-rec-sep",
            // As help has it.
            "rrs",
        ],
        "the input would be gone after the first run: cut it into files, and compare over these",
    ),
    (
        &["dry-run", "shell-quote"],
        "there is nothing to compare where nothing runs; parsim parallel --dry-run shows the jobs",
    ),
    (&["tty"], "the output of a job on the terminal cannot be compared"),
    (&["summary"], "its report tells more than a summary would"),
    (&["ungroup"], "output that does not pass through parsim cannot be compared"),
];

/// Whether `compare` refuses the option of this name.
pub(in crate::cli) fn is_not_compared(option: &str) -> bool {
    NOT_COMPARED.iter().any(|(options, _)| options.contains(&option))
}

/// Refuses what cannot be done both ways.
pub(in crate::cli) fn check_both_ways(typed: &Typed) -> Result<(), Fault> {
    let refuse = |text: String| Err(Fault::Usage(text));
    for option in &typed.given {
        if let Some((_, why)) = NOT_COMPARED.iter().find(|(options, _)| options.contains(option)) {
            return refuse(format!("--{option} does not go with compare: {why}"));
        }
    }
    if matches!(typed.run.timeout, Some(Timeout::Percent(_))) {
        return refuse(
            "--timeout N% does not go with compare: both ways have to have the same limit".to_owned(),
        );
    }
    Ok(())
}

/// Whether nothing of `typed` is for comparing alone.
pub(super) fn goes_one_way(typed: &Typed) -> bool {
    !typed.given.iter().any(|option| FOR_COMPARE.contains(option))
}

/// Refuses what cannot be done.
pub(super) fn check(typed: &Typed) -> Result<(), Fault> {
    let refuse = |text: String| Err(Fault::Usage(text));
    if let Some(option) = typed.given.iter().find(|option| FOR_COMPARE.contains(option)) {
        return refuse(format!("--{option} goes with both ways: parsim compare"));
    }
    pairs::check(typed)?;
    if typed.pipes() && lacks_command(typed) {
        return refuse(
            "--pipe needs a command that reads what is piped: parsim parallel --pipe wc -l".to_owned(),
        );
    }
    Ok(())
}

/// Whether no job of a pipe would have a command. Only `--tee` takes values for
/// commands: elsewhere there are as many jobs as blocks, whatever their number.
fn lacks_command(typed: &Typed) -> bool {
    let has = |flag| typed.flags.has(flag);
    let words = || typed.command.iter().map(|word| word.as_bytes().trim_ascii());
    // The values of --pipe-part come on standard input, if from nowhere else.
    let has_values = !typed.sources.is_empty() || has(Flag::PipePart);
    match (words().all(<[u8]>::is_empty), has(Flag::Tee)) {
        (true, true) => !has_values || !typed.command.is_empty(),
        (true, false) => true,
        (false, _) => !has_values && words().all(|word| word == b"{}"),
    }
}
