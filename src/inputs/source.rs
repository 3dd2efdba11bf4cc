//! Input sources and how to read them, as plain data.

use std::path::PathBuf;

/// One input source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputSource {
    /// What its values are called in a command, where that is known before they are read:
    /// values that have a name are taken as they are, one a row.
    pub name: Option<Vec<u8>>,
    /// Where its values come from.
    pub origin: Origin,
    /// How it stands to the source before it.
    pub joined: Joined,
}

impl InputSource {
    /// A source that multiplies with those before it.
    pub fn new(origin: Origin) -> Self {
        Self { name: None, origin, joined: Joined::Product }
    }

    /// A source that goes along with the one before it.
    #[cfg(test)]
    pub fn linked(origin: Origin) -> Self {
        Self { joined: Joined::Linked, ..Self::new(origin) }
    }
}

/// Where a source's values come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Given as they are: `::: a b`.
    Values(Vec<Vec<u8>>),
    /// Records of a file: `:::: FILE`, `-a FILE`.
    File(PathBuf),
    /// Records of standard input: `-`, or no source at all.
    Stdin,
}

/// How a source stands to the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joined {
    /// Every value with every value: `:::`.
    Product,
    /// The first with the first, until the shortest ends: `:::+`.
    Linked,
}

/// How all sources combine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Combine {
    /// As each source says; the last varies fastest.
    #[default]
    AsJoined,
    /// All side by side, shorter ones from their beginning again: `--link`.
    Link,
}

/// How values are found in what sources hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// What ends a record of a file; not empty.
    pub delimiter: Vec<u8>,
    /// How a record becomes columns.
    pub split: Split,
    /// What the names of columns are taken from.
    pub header: Option<Header>,
    /// What is cut off around each value.
    pub trim: Trim,
    /// A record that ends its source: `-E`.
    pub end_mark: Option<Vec<u8>>,
    /// Whether records of blanks are passed over: `-r`.
    pub skip_blank: bool,
    /// Whether the first record of the first source is passed over.
    pub skip_first: bool,
    /// Whether a record that ends in a blank goes on in the next: `-L`.
    pub continued: bool,
    /// How sources combine.
    pub combine: Combine,
}

impl Default for Reading {
    fn default() -> Self {
        Self {
            delimiter: b"\n".to_vec(),
            split: Split::Whole,
            header: None,
            trim: Trim::None,
            end_mark: None,
            skip_blank: false,
            skip_first: false,
            continued: false,
            combine: Combine::AsJoined,
        }
    }
}

/// How a record becomes columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Split {
    /// It is one value.
    Whole,
    /// At each match of this regular expression: `--colsep`.
    At(Vec<u8>),
    /// As CSV with this separator: `--csv`.
    Csv(u8),
}

/// Where the names of columns come from, or how much of a stream is its head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Header {
    /// The names of the files: `--header 0`.
    FileNames,
    /// The first record: `--header :`.
    First,
    /// This many lines (of a stream that is cut into blocks).
    Lines(usize),
    /// What this regular expression matches at the beginning of such a stream.
    Matching(Vec<u8>),
}

/// What is cut off around each value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trim {
    /// Nothing.
    #[default]
    None,
    /// Blanks before it.
    Left,
    /// Blanks after it.
    Right,
    /// Both.
    Both,
}

impl Trim {
    /// `value` without the blanks that are to go.
    pub(super) fn apply(self, mut value: &[u8]) -> &[u8] {
        if matches!(self, Self::Left | Self::Both) {
            while let [b' ' | b'\t'..=b'\r', rest @ ..] = value {
                value = rest;
            }
        }
        if matches!(self, Self::Right | Self::Both) {
            while let [rest @ .., b' ' | b'\t'..=b'\r'] = value {
                value = rest;
            }
        }
        value
    }
}

/// Whether `byte` is white space; as Perl's `\s`, a vertical tab is.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// C's escapes in delimiters and record marks, `-d '\t'`: replaces `\a \b \e \f \n \r \t \v \\`,
/// `\ooo` (octal, up to three digits) and `\xhh`; any other backslash stands for itself.
pub fn unescape(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        let (byte, used) = if *first == b'\\' { escaped(tail) } else { (*first, 0) };
        bytes.push(byte);
        rest = &tail[used..];
    }
    bytes
}

/// The byte that `\` and `tail` stand for, and how much of `tail` it takes.
fn escaped(tail: &[u8]) -> (u8, usize) {
    const LETTERS: &[u8] = b"abefnrtv\\";
    const BYTES: &[u8] = b"\x07\x08\x1b\x0c\n\r\t\x0b\\";
    let (byte, before) = match tail {
        [b'0'..=b'7', ..] => (number(tail, 8, 3), 0),
        [b'x', digits @ ..] => (number(digits, 16, 2), 1),
        [letter, ..] => (LETTERS.iter().position(|it| it == letter).map(|at| (BYTES[at], 1)), 0),
        [] => (None, 0),
    };
    byte.map_or((b'\\', 0), |(byte, used)| (byte, before + used))
}

/// A number of at most `most` digits that fits a byte, and how many it has.
fn number(digits: &[u8], radix: u32, most: usize) -> Option<(u8, usize)> {
    let digits = std::str::from_utf8(digits.split(|byte| !byte.is_ascii_hexdigit()).next()?).ok()?;
    (1..=most).rev().find_map(|used| Some((u8::from_str_radix(digits.get(..used)?, radix).ok()?, used)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trimming_takes_all_white_space_of_its_side() {
        let value = b" \t\x0ba b\r\n";
        assert_eq!(Trim::None.apply(value), value);
        assert_eq!(Trim::Left.apply(value), b"a b\r\n");
        assert_eq!(Trim::Right.apply(value), b" \t\x0ba b");
        assert_eq!(Trim::Both.apply(value), b"a b");
        assert_eq!(Trim::Both.apply(b"  "), b"");
    }

    #[test]
    fn escapes_are_those_of_c() {
        assert_eq!(unescape(br"\n\t\r\0\\"), b"\n\t\r\0\\");
        assert_eq!(unescape(br"\101\x41\x4g"), b"AA\x04g");
        assert_eq!(unescape(br"\0101"), b"\x081");
        assert_eq!(unescape(br"\777"), b"\x3f7");
    }

    #[test]
    fn other_backslashes_stand_for_themselves() {
        assert_eq!(unescape(br"\q\"), br"\q\");
        assert_eq!(unescape(br"\xz"), br"\xz");
        assert_eq!(unescape(b"###"), b"###");
    }
}
