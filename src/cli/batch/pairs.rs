//! Options that would have no effect beside others: refused, by the names of both
//! and with the reason.
//!
//! Does not know what an option does where it has an effect.

use crate::cli::exit::Fault;
use crate::cli::flags::{Timeout, Typed};
use crate::inputs::{Origin, Trim};

/// Options of which one is no use beside another.
struct Pair {
    options: &'static [&'static str],
    beside: &'static [&'static str],
    /// Whether the option has an effect after all, or asks for none.
    may_stand: fn(&Typed) -> bool,
    /// What is said between their names.
    says: &'static str,
    why: &'static str,
}

const NOT: &str = "does not go with";
const IDLE: &str = "has no effect with";

/// With any of these, jobs read blocks of a stream or parts of files.
const PIPES: &[&str] = &["pipe", "pipe-part", "cat", "fifo"];

/// With this, jobs may run in processes that share nothing with parsim itself.
const WORKERS: &[&str] = &["workers"];

/// Options that only say how blocks are cut.
const CUTTING: &[&str] = &["block", "recstart", "recend", "regexp", "rrs"];

const NO_VALUES: &str = "jobs are given blocks to read, and no values";
const ALL_OF_IT: &str = "every job reads all of the input as it is";

#[rustfmt::skip]
const PAIRS: &[Pair] = &[
    Pair { options: &["fifo"], beside: &["cat"], may_stand: never, says: NOT, why: "a job reads a file or a named pipe" },
    Pair { options: &["round-robin"], beside: &["tee"], may_stand: never, says: IDLE, why: ALL_OF_IT },
    Pair { options: &["cat", "fifo"], beside: &["tee"], may_stand: never, says: NOT, why: "{} stands for a value there, and the input is on stdin" },
    Pair { options: &["quote"], beside: &["cat", "fifo"], may_stand: never, says: NOT, why: "the name of what a job reads is a variable of the shell's, which a quoted line does not know" },
    Pair { options: &["retries"], beside: &["round-robin"], may_stand: |t| t.run.retries == Some(1), says: NOT, why: "what a job has read cannot be given again" },
    Pair { options: &["resume", "resume-failed"], beside: &["round-robin", "tee"], may_stand: never, says: NOT, why: "every job reads anew" },
    Pair { options: &["retry-failed"], beside: PIPES, may_stand: never, says: NOT, why: "the job log has the commands and not what they read; see --resume-failed" },
    // What a process of its own cannot be handed.
    Pair { options: &["tty"], beside: WORKERS, may_stand: has_threads, says: NOT, why: "only parsim itself has the terminal" },
    Pair { options: &["ungroup"], beside: WORKERS, may_stand: has_threads, says: NOT, why: "what jobs write comes through the workers" },
    Pair { options: &["round-robin"], beside: WORKERS, may_stand: has_threads, says: NOT, why: "what jobs read is dealt out while they run" },
    Pair { options: &["tee"], beside: WORKERS, may_stand: has_threads, says: NOT, why: "what every job reads is put aside in parsim itself" },
    Pair { options: &["timeout"], beside: WORKERS, may_stand: |t| has_threads(t) || !matches!(t.run.timeout, Some(Timeout::Percent(_))), says: NOT, why: "a limit in percent follows jobs of which a worker does not hear" },
    Pair { options: &["jobs"], beside: WORKERS, may_stand: |t| has_threads(t) || !t.run.jobs.as_ref().is_some_and(|jobs| jobs.widths(1, 1).is_empty()), says: NOT, why: "there are as many workers to the end as there were at first" },
    // What blocks are made of.
    Pair { options: &["shuf"], beside: PIPES, may_stand: is_tee_with_values, says: IDLE, why: "blocks are cut in the order of the input" },
    Pair { options: CUTTING, beside: &["tee"], may_stand: never, says: IDLE, why: ALL_OF_IT },
    Pair { options: &["L", "max-lines", "header"], beside: &["tee"], may_stand: never, says: IDLE, why: ALL_OF_IT },
    Pair { options: &["recstart", "recend", "regexp", "rrs"], beside: &["csv"], may_stand: has_no_blocks, says: IDLE, why: "records of CSV end with their lines" },
    Pair { options: &["recstart", "recend", "regexp"], beside: &["L", "max-lines"], may_stand: counts_records, says: IDLE, why: "a record is so many lines; add -N to count records" },
    Pair { options: &["no-run-if-empty"], beside: &["pipe-part"], may_stand: |t| has_values(t) && is_tee(t), says: IDLE, why: "jobs read their parts of the file as they are" },
    Pair { options: &["no-run-if-empty", "skip-first-line", "max-args", "max-replace-args", "csv"], beside: &["tee"], may_stand: has_values, says: IDLE, why: ALL_OF_IT },
    // What values are made of.
    Pair { options: &["null"], beside: PIPES, may_stand: has_values, says: IDLE, why: "--recend '\\0' says how records end" },
    Pair { options: &["delimiter"], beside: PIPES, may_stand: has_values, says: IDLE, why: "--recend says how records end" },
    Pair { options: &["colsep"], beside: PIPES, may_stand: |t| has_values(t) || given(t, &["csv"]).is_some(), says: IDLE, why: NO_VALUES },
    Pair { options: &["trim"], beside: PIPES, may_stand: |t| has_values(t) || t.input.trim == Some(Trim::None), says: IDLE, why: NO_VALUES },
    Pair { options: &["E", "eof"], beside: PIPES, may_stand: |t| has_values(t) || t.input.end_mark.as_ref().is_none_or(Vec::is_empty), says: IDLE, why: NO_VALUES },
    Pair { options: &["link", "X", "m", "xargs", "max-chars", "exit"], beside: PIPES, may_stand: has_values, says: IDLE, why: NO_VALUES },
];

/// Refuses what has no effect.
pub(super) fn check(typed: &Typed) -> Result<(), Fault> {
    if given(typed, PIPES).is_none() {
        let alone = [CUTTING, &["round-robin", "tee"]];
        if let Some(option) = alone.iter().find_map(|options| given(typed, options)) {
            return Err(Fault::Usage(format!("{option} needs --pipe: it is about what jobs read")));
        }
    }
    for pair in PAIRS {
        if let (Some(option), Some(other)) = (given(typed, pair.options), given(typed, pair.beside))
            && !(pair.may_stand)(typed)
        {
            return Err(Fault::Usage(format!("{option} {} {other}: {}", pair.says, pair.why)));
        }
    }
    if let Some(option) = given(typed, &["cat", "fifo"])
        && has_values(typed)
    {
        let text =
            format!("::: and its like have no effect with {option}: {{}} is the name of what a job reads");
        return Err(Fault::Usage(text));
    }
    Ok(())
}

/// How the first one given of `options` was typed.
fn given<'t>(typed: &'t Typed, options: &[&str]) -> Option<&'t str> {
    let given = typed.given.iter().find(|given| options.contains(&given.name))?;
    Some(&given.spelled)
}

fn never(_: &Typed) -> bool {
    false
}

fn has_threads(typed: &Typed) -> bool {
    typed.run.workers.engines().all(|engine| engine.shares_memory)
}

fn is_tee(typed: &Typed) -> bool {
    given(typed, &["tee"]).is_some()
}

fn is_tee_with_values(typed: &Typed) -> bool {
    is_tee(typed) && has_values(typed)
}

fn has_no_blocks(typed: &Typed) -> bool {
    !typed.pipes()
}

fn counts_records(typed: &Typed) -> bool {
    !typed.pipes() || typed.input.max_args.is_some() || typed.input.max_replace_args.is_some()
}

/// Whether jobs of a pipe are given values, too.
fn has_values(typed: &Typed) -> bool {
    if given(typed, &["pipe-part"]).is_none() {
        return !typed.sources.is_empty();
    }
    // Its files are read; what --tee has for values may come on standard input.
    is_tee(typed) || typed.sources.iter().any(|source| !matches!(source.origin, Origin::File(_)))
}
