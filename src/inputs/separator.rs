//! Where records end within bytes, and where the header before them does.

use regex::bytes::Regex;

use super::InputError;
use super::blocks::BlockSpec;
use super::columns::{Quotes, compile};
use super::source::Header;
use super::stream::{find, split};

/// What stands between two records; the first part belongs to the record
/// before, the second to the record after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Separator {
    /// These bytes; if both are empty, each byte is a record.
    Bytes {
        /// `--recend`
        end: Vec<u8>,
        /// `--recstart`
        start: Vec<u8>,
    },
    /// What these regular expressions match.
    Regexp {
        /// `--recend`
        end: Vec<u8>,
        /// `--recstart`
        start: Vec<u8>,
    },
    /// Newlines that are not between the quotes of CSV with this separator.
    Csv(u8),
}

impl Default for Separator {
    fn default() -> Self {
        Self::Bytes { end: b"\n".to_vec(), start: Vec::new() }
    }
}

/// A [`Separator`] ready to be looked for.
pub(super) enum RecordFinder {
    EachByte,
    /// The whole mark, how much of it belongs to the record before, and how far
    /// to go on from it.
    Bytes {
        mark: Vec<u8>,
        end: usize,
        step: usize,
    },
    /// The whole mark; its first group belongs to the record before.
    Regexp(Regex),
    Csv(u8),
}

/// How far a search for records has come.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Scan {
    at: usize,
    /// So many bytes hold no end of a line behind that, which CSV asks for.
    searched: usize,
    quotes: Quotes,
}

impl Scan {
    /// One that begins after `at` bytes, where no quotes matter.
    pub(super) fn from(at: usize) -> Self {
        Self { at, ..Self::default() }
    }

    /// How many of `length` bytes it has no need of any more; it goes on as if it
    /// had begun after them. One of those it has passed stays: a record does not
    /// end where the bytes begin.
    pub(super) fn forget(&mut self, length: usize) -> usize {
        let passed = self.at.saturating_sub(1).min(length);
        self.at -= passed;
        self.searched = self.searched.saturating_sub(passed);
        passed
    }
}

impl RecordFinder {
    pub(super) fn new(separator: &Separator) -> Result<Self, InputError> {
        Ok(match separator {
            Separator::Bytes { end, start } if end.is_empty() && start.is_empty() => Self::EachByte,
            Separator::Bytes { end, start } => Self::Bytes {
                mark: [&end[..], start].concat(),
                end: end.len(),
                step: if end.is_empty() { start.len() } else { end.len() },
            },
            Separator::Regexp { end, start } => {
                // Each alone first, so that a complaint names the right one.
                compile("--recend", end)?;
                compile("--recstart", start)?;
                // `^` and `$` are at every line's, as in GNU parallel.
                Self::Regexp(compile("--recend", &[b"(?m)(", &end[..], b")(?:", start, b")"].concat())?)
            }
            Separator::Csv(separator) => Self::Csv(*separator),
        })
    }

    /// The next end of a record in `bytes`, which begin with a record. `scan`
    /// keeps its place while `bytes` grow. With `more` to come, a match that
    /// could grow is left for later.
    pub(super) fn next(&self, scan: &mut Scan, bytes: &[u8], more: bool) -> Option<usize> {
        loop {
            let end = match self {
                Self::EachByte => {
                    let end = scan.at + 1;
                    bytes.get(scan.at)?;
                    scan.at = end;
                    end
                }
                Self::Bytes { mark, end, step } => {
                    let Some(found) = find(bytes.get(scan.at..)?, mark) else {
                        scan.at = (bytes.len() + 1).saturating_sub(mark.len()).max(scan.at);
                        return None;
                    };
                    let found = scan.at + found;
                    scan.at = found + step;
                    found + end
                }
                Self::Regexp(regex) => {
                    if scan.at > bytes.len() {
                        return None;
                    }
                    let groups = regex.captures_at(bytes, scan.at)?;
                    let (whole, end) = (groups.get(0)?, groups.get(1)?.end());
                    if more && whole.end() == bytes.len() {
                        return None;
                    }
                    scan.at = if whole.is_empty() { end + 1 } else { end.max(whole.start() + 1) };
                    if end == whole.start() {
                        scan.at = whole.end().max(scan.at);
                    }
                    end
                }
                Self::Csv(separator) => {
                    let from = scan.searched.max(scan.at);
                    let Some(newline) = find(bytes.get(from..)?, b"\n") else {
                        scan.searched = bytes.len();
                        return None;
                    };
                    let end = from + newline + 1;
                    scan.quotes = scan.quotes.after(&bytes[scan.at..end], *separator);
                    scan.at = end;
                    if scan.quotes == Quotes::Open {
                        continue;
                    }
                    scan.at
                }
            };
            // A mark at the very beginning ends nothing.
            if end > 0 {
                return Some(end);
            }
        }
    }

    /// The last end of a record in `bytes`, of every `nth`.
    pub(super) fn last(&self, bytes: &[u8], nth: usize) -> Option<usize> {
        if let (Self::Bytes { mark, end, .. }, 1) = (self, nth) {
            let found = match &mark[..] {
                [byte] => bytes.iter().rposition(|b| b == byte),
                mark => bytes.windows(mark.len()).rposition(|window| window == mark),
            };
            return found.map(|at| at + end).filter(|end| *end > 0);
        }
        let mut scan = Scan::default();
        let mut last = None;
        let mut n = 0_usize;
        while let Some(end) = self.next(&mut scan, bytes, false) {
            n += 1;
            if n.is_multiple_of(nth) {
                last = Some(end);
            }
        }
        last
    }

    /// `block` without the marks between its records.
    pub(super) fn remove_marks(&self, block: &mut Vec<u8>) {
        match self {
            Self::EachByte | Self::Csv(_) => {}
            Self::Bytes { mark, .. } => *block = split(block, mark).collect::<Vec<_>>().concat(),
            Self::Regexp(regex) => {
                *block = regex.replace_all(block, regex::bytes::NoExpand(b"")).into_owned();
            }
        }
    }
}

/// Finds what comes before the first record of a file: a line that is passed over, and
/// the header.
#[derive(Clone)]
pub(super) struct HeaderFinder {
    skips_line: bool,
    header: Option<Header>,
    /// What the header matches, if it is a pattern; it is looked for within so many bytes.
    pattern: Option<Regex>,
    size: usize,
    /// How much of the header's bytes was searched for the ends of its lines, and how many
    /// there were.
    searched: usize,
    n_lines: usize,
}

impl HeaderFinder {
    pub(super) fn new(spec: &BlockSpec) -> Result<Self, InputError> {
        let pattern = match &spec.header {
            Some(Header::Matching(pattern)) => {
                // Alone first, so that a complaint shows it as it was given.
                compile("--header", pattern)?;
                Some(compile("--header", &[b"\\A(?:", &pattern[..], b")"].concat())?)
            }
            _ => None,
        };
        let (skips_line, header) = (spec.skip_first, spec.header.clone());
        Ok(Self { skips_line, header, pattern, size: spec.size.get(), searched: 0, n_lines: 0 })
    }

    /// How many of `bytes`, the first of the file that were not passed over yet, are
    /// passed over now, and how long the header is behind them: `None` when it takes
    /// more bytes to know, which there are unless they have `ended`.
    pub(super) fn find(&mut self, bytes: &[u8], ended: bool) -> (usize, Option<usize>) {
        let mut passed = 0;
        if self.skips_line {
            let end = find(bytes, b"\n").map(|newline| newline + 1);
            // A long line takes no memory.
            passed = end.unwrap_or(bytes.len());
            self.skips_line = end.is_none() && !ended;
        }
        let bytes = &bytes[passed..];
        let length = match self.header {
            _ if self.skips_line => None,
            None | Some(Header::FileNames) => Some(0),
            Some(Header::First) => self.end_of_lines(bytes, 1),
            Some(Header::Lines(n)) => self.end_of_lines(bytes, n),
            Some(Header::Matching(_)) if bytes.len() < self.size && !ended => None,
            Some(Header::Matching(_)) => {
                let found = self.pattern.as_ref().and_then(|pattern| pattern.find(bytes));
                Some(found.map_or(0, |found| found.end()))
            }
        };
        // What has fewer lines has no header.
        (passed, length.or(ended.then_some(0)))
    }

    /// Where the first `n` lines end: goes on where it came to before.
    fn end_of_lines(&mut self, bytes: &[u8], n: usize) -> Option<usize> {
        while self.n_lines < n {
            let Some(newline) = find(&bytes[self.searched..], b"\n") else {
                self.searched = bytes.len();
                return None;
            };
            self.searched += newline + 1;
            self.n_lines += 1;
        }
        Some(self.searched)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_searched_for_the_end_of_a_csv_record_is_not_looked_at_again() {
        let (csv, mut scan) = (RecordFinder::Csv(b','), Scan::default());
        assert_eq!(csv.next(&mut scan, b"a,bcd", true), None);
        // Nothing that is behind it can be an end any more.
        assert_eq!(csv.next(&mut scan, b"a\nbcde\nf", true), Some(7));
        assert_eq!((csv.next(&mut scan, b"a\nbcde\nf", true), scan.forget(9)), (None, 6));
        assert_eq!(csv.next(&mut scan, b"\nf\n", true), Some(3));
    }

    #[test]
    fn what_was_searched_for_the_end_of_a_header_is_not_looked_at_again() {
        let header = Some(Header::Lines(2));
        let mut finder =
            HeaderFinder::new(&BlockSpec { header, skip_first: true, ..BlockSpec::default() }).unwrap();
        assert_eq!(finder.find(b"passed over", false), (11, None));
        assert_eq!(finder.find(b"\none\ntw", false), (1, None));
        assert_eq!(finder.find(b"o\n\n\ntwo\nrest", false), (0, Some(8)));
    }
}
