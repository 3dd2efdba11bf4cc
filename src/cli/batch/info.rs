//! What is known without a run: versions, cores and limits, which are asked for instead
//! of one; and how many jobs there are, where the command line alone says it, for a bar.

use super::settings::LONGEST_LINE;
use crate::cli::exit::{End, Exit, Fault};
use crate::cli::flags::{Ask, Flag, Scope, Typed, VERSION, help};
use crate::cli::terminal::print;
use crate::host::{Host, Limits, sockets};
use crate::inputs::{Joined, Origin};

/// The version of GNU parallel whose command lines are understood.
const GNU_VERSION: u64 = 20_221_122;

/// Answers `ask`, of the subcommands of `scope`.
pub(super) fn answer(ask: Ask, scope: Scope) -> Result<End, Fault> {
    let text = match ask {
        Ask::ShortHelp | Ask::LongHelp if scope == Scope::COMPARE => help::compare(),
        Ask::ShortHelp => help::short(),
        Ask::LongHelp => help::long(),
        Ask::Version => {
            // Scripts look for these two words at the start, and take what follows
            // on the first line for a date.
            format!(
                "GNU parallel {GNU_VERSION}\nparsim {VERSION}, accepts GNU parallel {GNU_VERSION} command lines\n"
            )
        }
        Ask::MinVersion(least) => {
            print(&format!("{GNU_VERSION}\n"))?;
            return Ok(End::Status(
                (if least <= GNU_VERSION { Exit::Success } else { Exit::Fault }).status(),
            ));
        }
        Ask::Citation => "parsim asks for no citation.\n".to_owned(),
        Ask::Cores => {
            let host = Host::detect();
            format!("{}\n", host.physical.unwrap_or(host.usable))
        }
        Ask::Threads => format!("{}\n", Limits::detect().usable),
        Ask::Sockets => format!("{}\n", sockets()),
        Ask::LineLength => format!("{LONGEST_LINE}\n"),
    };
    print(&text)
}

/// The number of jobs, where each combination of the values typed is one.
pub(super) fn job_count(typed: &Typed) -> Option<u64> {
    let input = &typed.input;
    let changes_the_number = [
        Flag::Link,
        Flag::Multiple,
        Flag::Pipe,
        Flag::PipePart,
        Flag::Resume,
        Flag::ResumeFailed,
        Flag::RetryFailed,
        Flag::SkipBlank,
        Flag::SkipFirstLine,
        Flag::WithContext,
        Flag::Xargs,
    ];
    let is_packed = [input.max_args, input.max_replace_args, input.max_lines, input.lines];
    if typed.has_any(&changes_the_number)
        || is_packed.iter().any(Option::is_some)
        || input.header.is_some()
        || input.delimiter.is_some()
        || input.end_mark.is_some()
        || typed.sources.is_empty()
    {
        return None;
    }
    typed.sources.iter().try_fold(1_u64, |total, source| match (&source.origin, source.joined) {
        (Origin::Values(values), Joined::Product)
            if !values.is_empty() && !values.iter().any(|value| value.contains(&b'\n')) =>
        {
            total.checked_mul(values.len() as u64)
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::flags;

    #[test]
    fn only_combinations_of_typed_values_are_counted() {
        let total = |line: &str| {
            let words: Vec<_> = line.split_whitespace().map(Into::into).collect();
            job_count(&flags::parse(&words, Scope::ONE_WAY).unwrap())
        };
        assert_eq!(total("echo ::: a b c"), Some(3));
        assert_eq!(total("-k echo ::: a b c ::: 1 2"), Some(6));
        for line in ["echo", "echo :::: list", "echo ::: a b :::+ 1 2", "-n2 echo ::: a b", "-X echo ::: a b"]
        {
            assert_eq!(total(line), None, "{line}");
        }
    }
}
