//! What is asked for instead of a run: versions, cores, limits.

use super::settings::LONGEST_LINE;
use crate::cli::args::VERSION;
use crate::cli::exit::{End, Fault};
use crate::cli::{help, print};
use crate::gnu_args::Ask;
use crate::host::{Cores, Limits, sockets};

/// The version of GNU parallel whose command lines are understood.
const GNU_VERSION: u64 = 20_221_122;

/// Answers `ask`.
pub(super) fn answer(ask: Ask) -> Result<End, Fault> {
    let text = match ask {
        Ask::ShortHelp => help::SHORT.to_owned(),
        Ask::LongHelp => help::LONG.to_owned(),
        Ask::Version => {
            // Scripts look for these two words at the start, and take what follows
            // on the first line for a date.
            format!("GNU parallel {GNU_VERSION}\nis whose command lines this runs: parsim {VERSION}\n")
        }
        Ask::MinVersion(least) => {
            print(&format!("{GNU_VERSION}\n"))?;
            return Ok(End::Status(if least <= GNU_VERSION { 0 } else { 255 }));
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
