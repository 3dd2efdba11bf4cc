//! Why inputs cannot be had.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// Inputs that cannot be opened, read or made sense of.
#[derive(Debug)]
#[non_exhaustive]
pub enum InputError {
    /// A file that cannot be opened.
    Open {
        /// The file as it was named.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file that could be opened but not read on.
    Read {
        /// The file as it was named, `-` for standard input.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A regular expression that is none, or one that this engine cannot do.
    Pattern {
        /// What it is for: `--colsep`, `--recstart`, ...
        option: &'static str,
        /// The engine's reason, in one line.
        reason: String,
    },
    /// A record that is no CSV.
    Csv {
        /// The record's beginning.
        record: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A record that has not ended after so many bytes.
    Endless {
        /// The file as it was named, `-` for standard input.
        path: PathBuf,
        /// How many bytes a record may have.
        limit: usize,
        /// What may help.
        hint: &'static str,
    },
    /// One value alone makes a longer command line than is allowed.
    TooLong {
        /// How long the line would be.
        length: usize,
        /// The longest line allowed.
        limit: usize,
        /// The beginning of the values.
        values: String,
    },
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open { path, source } => write!(f, "open input file {}: {source}", path.display()),
            Self::Read { path, source } if path.as_os_str() == "-" => {
                write!(f, "read standard input: {source}")
            }
            Self::Read { path, source } => write!(f, "read input file {}: {source}", path.display()),
            Self::Pattern { option, reason } => write!(f, "regular expression of {option}: {reason}"),
            Self::Csv { record, reason } => write!(f, "read CSV record {record}: {reason}"),
            Self::Endless { path, limit, hint } => {
                let path: &dyn fmt::Display =
                    if path.as_os_str() == "-" { &"standard input" } else { &path.display() };
                write!(f, "{path}: a record does not end within {limit} bytes: {hint}")
            }
            Self::TooLong { length, limit, values } => {
                write!(
                    f,
                    "command line too long: {length} bytes, at most {limit} are allowed, at input {values}"
                )
            }
        }
    }
}

impl Error for InputError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        None
    }
}

/// The beginning of `bytes` for a message, in one line.
pub(super) fn beginning(bytes: &[u8]) -> String {
    const MOST: usize = 60;
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(4 * MOST)]);
    let mut shown: String = text.chars().take(MOST).flat_map(char::escape_debug).collect();
    if text.chars().count() > MOST || bytes.len() > 4 * MOST {
        shown.push_str("...");
    }
    shown
}
