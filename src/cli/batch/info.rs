//! What is asked for instead of a run: versions, cores, limits.

use super::settings::LONGEST_LINE;
use crate::cli::exit::{End, Exit, Fault};
use crate::cli::flags::{Ask, Scope, VERSION, help};
use crate::cli::terminal::print;
use crate::host::{Cores, Limits, sockets};

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
            format!("GNU parallel {GNU_VERSION}\nis whose command lines this runs: parsim {VERSION}\n")
        }
        Ask::MinVersion(least) => {
            print(&format!("{GNU_VERSION}\n"))?;
            return Ok(End::Status(
                (if least <= GNU_VERSION { Exit::Success } else { Exit::Fault }).status(),
            ));
        }
        Ask::Citation => "parsim asks for no citation.\n".to_owned(),
        Ask::Cores => {
            let cores = Cores::detect();
            format!("{}\n", cores.physical.unwrap_or(cores.limits.usable))
        }
        Ask::Threads => format!("{}\n", Limits::detect().usable),
        Ask::Sockets => format!("{}\n", sockets()),
        Ask::LineLength => format!("{LONGEST_LINE}\n"),
    };
    print(&text)
}
