//! A finished job as a row of the log.

use std::io::Write as _;
use std::time::Duration;

/// The first line of a log.
pub const HEADER: &[u8] = b"Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n";

/// What a row tells of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row<'a> {
    /// Its number, from 1.
    pub seq: u64,
    /// When it started, since 1970.
    pub start: Duration,
    /// How long it ran.
    pub runtime: Duration,
    /// Bytes it was given on standard input.
    pub sent: u64,
    /// Bytes it wrote to standard output.
    pub received: u64,
    /// Its exit status; -1 for one that lasted too long, -2 for one left out.
    pub exit: i32,
    /// The signal that ended it, or 0.
    pub signal: i32,
    /// The command line.
    pub command: &'a [u8],
}

impl Row<'_> {
    /// The row with its newline. A newline in the command becomes a NUL, so that
    /// a row is a line; a tab stays, for the command is the last column.
    #[must_use]
    pub fn line(&self) -> Vec<u8> {
        let mut line = Vec::with_capacity(64 + self.command.len());
        let Self { seq, sent, received, exit, signal, .. } = self;
        let (start, runtime) = (decimal(self.start), decimal(self.runtime));
        write!(line, "{seq}\t:\t{start}\t{runtime:>10}\t{sent}\t{received}\t{exit}\t{signal}\t")
            .expect("memory takes all that is written");
        line.extend(self.command.iter().map(|&byte| if byte == b'\n' { 0 } else { byte }));
        line.push(b'\n');
        line
    }

    /// [`Self::start`] as it is written, in seconds with three decimals.
    #[must_use]
    pub fn start_text(&self) -> String {
        decimal(self.start)
    }

    /// [`Self::runtime`] as it is written, without the blanks before it.
    #[must_use]
    pub fn runtime_text(&self) -> String {
        decimal(self.runtime)
    }
}

/// Whole milliseconds, cut and not rounded: a log is no place for a moment that
/// has not come.
fn decimal(time: Duration) -> String {
    format!("{}.{:03}", time.as_secs(), time.subsec_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_gnu_parallels_byte_for_byte() {
        let row = Row {
            seq: 12,
            start: Duration::new(1_795_352_267, 492_999_999),
            runtime: Duration::from_micros(9_500),
            sent: 0,
            received: 7,
            exit: 3,
            signal: 0,
            command: b"printf \"a\nb\"\t#",
        };
        let expected = b"12\t:\t1795352267.492\t     0.009\t0\t7\t3\t0\tprintf \"a\0b\"\t#\n";
        assert_eq!(row.line(), expected);
    }
}
