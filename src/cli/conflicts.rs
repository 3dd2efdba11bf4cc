//! Options that are understood and refused all the same, with reasons: what would have
//! no effect beside others, by the names of both, and what cannot be done one way or
//! both ways.
//!
//! Does not know what an option does where it has an effect.

use std::os::unix::ffi::OsStrExt as _;

use super::exit::{Fault, refuse};
use super::flags::{Flag, Grouping, Scope, Timeout, Typed};
use super::named_hosts::are_far;
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

/// With these, jobs run on other machines.
const HOSTS: &[&str] = &["sshlogin", "sshloginfile"];

/// What passes files of jobs.
const PASSING: &[&str] = &["transferfile", "transfer", "return", "trc"];

/// What says something about hosts that are named.
const ABOUT_HOSTS: [&[&str]; 2] = [&["basefile", "hostgroups", "nonall", "onall", "ssh-worker"], PASSING];

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
    // What another machine cannot be handed.
    Pair { options: &["tty"], beside: HOSTS, may_stand: is_here, says: NOT, why: "only this machine has the terminal" },
    Pair { options: &["ungroup"], beside: HOSTS, may_stand: is_here, says: NOT, why: "what jobs write comes through a connection; see --line-buffer" },
    Pair { options: &["round-robin"], beside: HOSTS, may_stand: is_here, says: NOT, why: "what jobs read is dealt out while they run" },
    Pair { options: &["tee"], beside: HOSTS, may_stand: is_here, says: NOT, why: "what every job reads is put aside on this machine" },
    Pair { options: &["pipe-part"], beside: HOSTS, may_stand: is_here, says: NOT, why: "other machines do not have the file; see --pipe" },
    Pair { options: &["timeout"], beside: HOSTS, may_stand: |t| is_here(t) || !matches!(t.run.timeout, Some(Timeout::Percent(_))), says: NOT, why: "a limit in percent follows jobs of which another machine does not hear" },
    Pair { options: &["load", "memfree", "memsuspend", "noswap"], beside: HOSTS, may_stand: is_here, says: NOT, why: "it looks at this machine, and jobs run on others" },
    Pair { options: WORKERS, beside: HOSTS, may_stand: |t| is_here(t) || t.run.workers.is_default(), says: NOT, why: "every host has one worker, which does as many jobs at a time as it has slots" },
    Pair { options: PASSING, beside: &["X", "m", "xargs"], may_stand: never, says: NOT, why: "a job's files are named by its one input" },
    Pair { options: &["nonall"], beside: &["onall", "hostgroups", "arg-file", "link"], may_stand: never, says: NOT, why: "every host runs the command once, without inputs" },
    Pair { options: &["onall", "nonall"], beside: &["resume", "resume-failed", "retry-failed"], may_stand: never, says: NOT, why: "the job log does not say which host is to run what" },
    Pair { options: &["onall", "nonall"], beside: PIPES, may_stand: never, says: NOT, why: "a block is read by one job" },
    // What is on the terminal.
    Pair { options: &["latest-line"], beside: &["tty"], may_stand: |t| t.output.grouping != Grouping::LatestLine, says: NOT, why: "a job that has the terminal writes there by itself" },
    // What blocks are made of.
    Pair { options: &["shuf"], beside: PIPES, may_stand: |t| t.has(Flag::Tee) && has_values(t), says: IDLE, why: "blocks are cut in the order of the input" },
    Pair { options: CUTTING, beside: &["tee"], may_stand: never, says: IDLE, why: ALL_OF_IT },
    Pair { options: &["L", "max-lines", "header"], beside: &["tee"], may_stand: never, says: IDLE, why: ALL_OF_IT },
    Pair { options: &["recstart", "recend", "regexp", "rrs"], beside: &["csv"], may_stand: |t| !t.pipes(), says: IDLE, why: "records of CSV end with their lines" },
    Pair { options: &["recstart", "recend", "regexp"], beside: &["L", "max-lines"], may_stand: counts_records, says: IDLE, why: "a record is so many lines; add -N to count records" },
    Pair { options: &["no-run-if-empty"], beside: &["pipe-part"], may_stand: |t| has_values(t) && t.has(Flag::Tee), says: IDLE, why: "jobs read their parts of the file as they are" },
    Pair { options: &["no-run-if-empty", "skip-first-line", "max-args", "max-replace-args", "csv"], beside: &["tee"], may_stand: has_values, says: IDLE, why: ALL_OF_IT },
    // What values are made of.
    Pair { options: &["null"], beside: PIPES, may_stand: has_values, says: IDLE, why: "--recend '\\0' says how records end" },
    Pair { options: &["delimiter"], beside: PIPES, may_stand: has_values, says: IDLE, why: "--recend says how records end" },
    Pair { options: &["colsep"], beside: PIPES, may_stand: |t| has_values(t) || t.has(Flag::Csv), says: IDLE, why: NO_VALUES },
    Pair { options: &["trim"], beside: PIPES, may_stand: |t| has_values(t) || t.input.trim == Some(Trim::None), says: IDLE, why: NO_VALUES },
    Pair { options: &["E", "eof"], beside: PIPES, may_stand: |t| has_values(t) || t.input.end_mark.as_ref().is_none_or(Vec::is_empty), says: IDLE, why: NO_VALUES },
    Pair { options: &["link", "X", "m", "xargs", "max-chars", "exit"], beside: PIPES, may_stand: has_values, says: IDLE, why: NO_VALUES },
];

/// Refuses what cannot be done both ways.
pub(super) fn check_both_ways(typed: &Typed) -> Result<(), Fault> {
    if let Some((name, why)) = typed.given.iter().find_map(|given| Some((given.name, given.not_compared?))) {
        return refuse(format!("--{name} does not go with compare: {why}"));
    }
    if let Some(Timeout::Percent(_)) = typed.run.timeout {
        return refuse("--timeout N% does not go with compare: both ways have to have the same limit");
    }
    Ok(())
}

/// What is for comparing alone of what was typed.
pub(super) fn for_comparing(typed: &Typed) -> Option<&'static str> {
    typed.given.iter().find(|given| !given.scope.has(Scope::ONE_WAY)).map(|given| given.name)
}

/// Refuses what cannot be done one way.
pub(super) fn check_one_way(typed: &Typed) -> Result<(), Fault> {
    if let Some(name) = for_comparing(typed) {
        return refuse(format!("--{name} is for both ways: use parsim compare"));
    }
    check_pairs(typed)?;
    if typed.pipes() && lacks_command(typed) {
        return refuse("--pipe needs a command that reads what is piped: parsim parallel --pipe wc -l");
    }
    Ok(())
}

/// Whether no job of a pipe would have a command. Only `--tee` takes values for
/// commands: elsewhere there are as many jobs as blocks, whatever their number.
fn lacks_command(typed: &Typed) -> bool {
    let words = || typed.command.iter().map(|word| word.as_bytes().trim_ascii());
    // The values of --pipe-part come on standard input, if from nowhere else.
    let has_values = !typed.sources.is_empty() || typed.has(Flag::PipePart);
    match (words().all(<[u8]>::is_empty), typed.has(Flag::Tee)) {
        (true, true) => !has_values || !typed.command.is_empty(),
        (true, false) => true,
        (false, _) => !has_values && words().all(|word| word == b"{}"),
    }
}

/// Refuses what has no effect.
pub(super) fn check_pairs(typed: &Typed) -> Result<(), Fault> {
    if given(typed, PIPES).is_none() {
        let alone = [CUTTING, &["round-robin", "tee"]];
        if let Some(option) = alone.iter().find_map(|options| given(typed, options)) {
            return refuse(format!("{option} needs --pipe: it is about what jobs read"));
        }
    }
    if typed.run.hosts.is_empty()
        && let Some(option) = ABOUT_HOSTS.iter().find_map(|options| given(typed, options))
    {
        return refuse(format!("{option} is about other machines: name them, for example with -S h1,h2"));
    }
    if typed.has(Flag::NonAll) && !typed.sources.is_empty() {
        return refuse("--nonall runs the command once on every host, without inputs: see --onall");
    }
    for pair in PAIRS {
        if let (Some(option), Some(other)) = (given(typed, pair.options), given(typed, pair.beside))
            && !(pair.may_stand)(typed)
        {
            return refuse(format!("{option} {} {other}: {}", pair.says, pair.why));
        }
    }
    if let Some(option) = given(typed, &["cat", "fifo"])
        && has_values(typed)
    {
        return refuse(format!(
            "::: and its like have no effect with {option}: {{}} is the name of what a job reads"
        ));
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

/// Whether this machine is the only one that was named.
fn is_here(typed: &Typed) -> bool {
    are_far(typed).is_ok_and(|far| !far)
}

fn has_threads(typed: &Typed) -> bool {
    typed.run.workers.engines().all(|engine| engine.shares_memory)
}

fn counts_records(typed: &Typed) -> bool {
    !typed.pipes() || typed.input.max_args.is_some() || typed.input.max_replace_args.is_some()
}

/// Whether jobs of a pipe are given values, too.
fn has_values(typed: &Typed) -> bool {
    if !typed.has(Flag::PipePart) {
        return !typed.sources.is_empty();
    }
    // Its files are read; what --tee has for values may come on standard input.
    typed.has(Flag::Tee) || typed.sources.iter().any(|source| !matches!(source.origin, Origin::File(_)))
}
