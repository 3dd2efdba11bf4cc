//! Options about output, records and progress, and questions that GNU parallel
//! answers.

use std::os::unix::ffi::OsStrExt as _;

use super::super::row::Does::{AfterEquals, MaybeWhen, Switch, Text, Word};
use super::super::row::{EXPORTS, OptionSection, flag, option, own, quiet, section, set};
use super::super::typed::{Ask, Flag, Grouping, Scope};
use super::super::values::{When, resolved};
use super::running::number;

const LOGS: &str = "compare runs each job several times; parsim serial and parsim parallel keep logs and results, and --export-json keeps the records of all runs";
const ALL_JOBS: &str = "both ways have to do all of the jobs";

#[rustfmt::skip]
pub(in crate::cli::flags) static OUTPUT: OptionSection = section("Output", &[
    option(&["group"], "", "print job by job, as they end (the default)", Switch(|t| t.output.grouping = Grouping::Group)).brief(),
    flag(&["keep-order", "keeporder", "k"], "print job by job, in input order", Flag::KeepOrder).brief(),
    quiet(&["no-keep-order", "nokeeporder", "nok", "no-k"], Switch(|t| t.flags.retain(|flag| *flag != Flag::KeepOrder))),
    option(&["line-buffer", "line-buffered", "linebuffer", "linebuffered", "lb"], "", "print line by line, as they come",
        Switch(|t| t.output.grouping = Grouping::LineBuffer)).brief(),
    option(&["latest-line", "latestline", "ll"], "", "on a terminal, show the latest line of each job; else as --line-buffer",
        Switch(|t| t.output.grouping = Grouping::LatestLine)).brief()
        .not_compared("jobs are not looked at while they are measured"),
    option(&["ungroup", "u"], "", "pass output straight through, mixed", Switch(|t| t.output.grouping = Grouping::Ungroup)).brief()
        .not_compared("output that does not pass through parsim cannot be compared"),
    flag(&["tag", "ctag"], "print the values before each line", Flag::Tag).brief(),
    option(&["tagstring", "tag-string", "ctagstring", "ctag-string"], "STR", "print this text before each line", Word(|t, v| {
        t.output.tag_string = Some(resolved(v.as_bytes())).filter(|text| !text.is_empty());
        Ok(())
    })).brief(),
]);

#[rustfmt::skip]
pub(in crate::cli::flags) static RECORDS: OptionSection = OptionSection { more: Some(&EXPORTS), ..section("Records", &[
    option(&["joblog", "jl"], "FILE", "write a row for each job once its output is out (+FILE appends)",
        Word(|t, v| { t.output.joblog = Some(v.to_owned()); Ok(()) })).brief().not_compared(LOGS),
    own(&["records"], "FILE", "write everything measured about each job, as JSON Lines",
        Word(|t, v| { t.output.records = Some(v.into()); Ok(()) })).brief().not_compared(LOGS),
    flag(&["resume"], "skip jobs already in --joblog or --results", Flag::Resume).brief().not_compared(ALL_JOBS),
    flag(&["resume-failed", "resumefailed"], "the same, and rerun those that failed", Flag::ResumeFailed).brief().not_compared(ALL_JOBS),
    flag(&["retry-failed", "retryfailed"], "rerun only those that failed", Flag::RetryFailed).brief().not_compared(ALL_JOBS),
    option(&["results", "result", "res"], "OUT", "write output into files: DIR, a template, x.csv, x.tsv, x.json",
        Word(|t, v| { t.output.results = Some(v.to_owned()); Ok(()) })).brief().not_compared(LOGS),
    flag(&["files", "output-as-files", "outputasfiles"], "write output into temporary files and print their names", Flag::Files).brief().not_compared(LOGS),
]) };

const HOW_FAR: &str = "show progress: a bar on a terminal, else a line now and then";

#[rustfmt::skip]
pub(in crate::cli::flags) static PROGRESS: OptionSection = OptionSection { brief: "Progress", ..section("Progress and summary (on stderr)", &[
    flag(&["bar"], HOW_FAR, Flag::Bar).brief(),
    flag(&["eta"], HOW_FAR, Flag::Bar).brief(),
    option(&["progress"], "WHEN", "same as --bar; or auto, always, never", AfterEquals(|t, v| {
        match v { Some(when) => t.output.progress = Some(When::parse(when)?), None => t.flags.push(Flag::Bar) }
        Ok(())
    })).brief().of(Scope::BATCH.and(Scope::WORKLOAD)).told(Scope::COMPARE.and(Scope::WORKLOAD), "show progress: auto, always, never [default: auto]"),
    option(&["color", "colour"], "WHEN", "use colours: auto, always, never [default: auto]", MaybeWhen(|t, v| {
        t.output.color = v.map(When::parse).transpose()?;
        Ok(())
    })).of(Scope::BATCH.and(Scope::WORKLOAD).and(Scope::REPORT)),
    option(&["total-jobs", "totaljobs", "total"], "N", "how many jobs there will be, for the ETA",
        Text(|t, v| set(&mut t.run.total_jobs, number(v)))),
    own(&["summary"], "WHEN", "show time, CPU and busy cores: auto (on a terminal), always, never",
        Text(|t, v| set(&mut t.output.summary, When::parse(v)))).brief().not_compared("its report tells more than a summary would"),
]) };

#[rustfmt::skip]
pub(super) static QUESTIONS: OptionSection = section("Questions", &[
    quiet(&["help"], Switch(|t| t.ask = Some(Ask::LongHelp))),
    quiet(&["h"], Switch(|t| t.ask = Some(Ask::ShortHelp))),
    quiet(&["version", "V"], Switch(|t| t.ask = Some(Ask::Version))),
    quiet(&["min-version", "minversion"], Text(|t, v| { t.ask = Some(Ask::MinVersion(number(v)?)); Ok(()) })),
    quiet(&["citation", "bibtex"], Switch(|t| t.ask = Some(Ask::Citation))),
    quiet(&["number-of-cores", "numberofcores"], Switch(|t| t.ask = Some(Ask::Cores))),
    quiet(&["number-of-threads", "numberofthreads", "number-of-cpus", "numberofcpus"], Switch(|t| t.ask = Some(Ask::Threads))),
    quiet(&["number-of-sockets", "numberofsockets"], Switch(|t| t.ask = Some(Ask::Sockets))),
    quiet(&["max-line-length-allowed", "maxlinelengthallowed"], Switch(|t| t.ask = Some(Ask::LineLength))),
]);
