//! Options about output and records, and questions that GNU parallel answers.

use std::os::unix::ffi::OsStrExt as _;

use super::super::escapes::resolved;
use super::super::option::Does::{AfterEquals, Flag as On, MaybeWhen, Text, Word};
use super::super::option::Row;
use super::super::typed::{Ask, Color, Flag, Grouping};
use super::super::values::When;
use super::running::number;

#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    Row { names: &["keep-order", "keeporder", "k"], does: On(|t| t.flags.set(Flag::KeepOrder)) },
    Row { names: &["no-keep-order", "nokeeporder", "nok", "no-k"], does: On(|t| t.flags.unset(Flag::KeepOrder)) },
    Row { names: &["group"], does: On(|t| t.output.grouping = Grouping::Group) },
    Row { names: &["ungroup", "u"], does: On(|t| t.output.grouping = Grouping::Ungroup) },
    Row { names: &["line-buffer", "line-buffered", "linebuffer", "linebuffered", "lb"], does: On(|t| t.output.grouping = Grouping::LineBuffer) },
    Row { names: &["tag", "ctag"], does: On(|t| t.flags.set(Flag::Tag)) },
    Row { names: &["tagstring", "tag-string", "ctagstring", "ctag-string"], does: Word(|t, v| {
        t.output.tag_string = Some(resolved(v.as_bytes())).filter(|text| !text.is_empty());
        Ok(())
    }) },
    Row { names: &["files", "output-as-files", "outputasfiles"], does: On(|t| t.flags.set(Flag::Files)) },
    Row { names: &["v"], does: On(|t| t.flags.set(Flag::Verbose)) },
    Row { names: &["verbose", "t"], does: On(|t| t.flags.set(Flag::Trace)) },
    Row { names: &["color", "colour"], does: MaybeWhen(|t, v| {
        t.output.color = Some(match v { Some(when) => Color::Own(When::parse(when)?), None => Color::Jobs });
        Ok(())
    }) },
    Row { names: &["progress"], does: AfterEquals(|t, v| {
        match v { Some(when) => t.output.progress = Some(When::parse(when)?), None => t.flags.set(Flag::Progress) }
        Ok(())
    }) },
    Row { names: &["bar"], does: On(|t| t.flags.set(Flag::Bar)) },
    Row { names: &["eta"], does: On(|t| t.flags.set(Flag::Eta)) },
    Row { names: &["joblog", "jl"], does: Word(|t, v| { t.output.joblog = Some(v.to_owned()); Ok(()) }) },
    Row { names: &["results", "result", "res"], does: Word(|t, v| { t.output.results = Some(v.to_owned()); Ok(()) }) },
    Row { names: &["resume"], does: On(|t| t.flags.set(Flag::Resume)) },
    Row { names: &["resume-failed", "resumefailed"], does: On(|t| t.flags.set(Flag::ResumeFailed)) },
    Row { names: &["retry-failed", "retryfailed"], does: On(|t| t.flags.set(Flag::RetryFailed)) },
    // Questions.
    Row { names: &["help"], does: On(|t| t.ask = Some(Ask::LongHelp)) },
    Row { names: &["h"], does: On(|t| t.ask = Some(Ask::ShortHelp)) },
    Row { names: &["version", "V"], does: On(|t| t.ask = Some(Ask::Version)) },
    Row { names: &["min-version", "minversion"], does: Text(|t, v| { t.ask = Some(Ask::MinVersion(number(v)?)); Ok(()) }) },
    Row { names: &["citation", "bibtex"], does: On(|t| t.ask = Some(Ask::Citation)) },
    Row { names: &["number-of-cores", "numberofcores"], does: On(|t| t.ask = Some(Ask::Cores)) },
    Row { names: &["number-of-threads", "numberofthreads", "number-of-cpus", "numberofcpus"], does: On(|t| t.ask = Some(Ask::Threads)) },
    Row { names: &["number-of-sockets", "numberofsockets"], does: On(|t| t.ask = Some(Ask::Sockets)) },
    Row { names: &["max-line-length-allowed", "maxlinelengthallowed"], does: On(|t| t.ask = Some(Ask::LineLength)) },
];
