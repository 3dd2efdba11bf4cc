//! The first place at which two streams of bytes differ, in a person's words:
//! line, byte, and what stands there in each.
//!
//! Does not know where the bytes come from, nor what they mean.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

/// So much of the line is quoted before the first difference ...
const BEFORE: usize = 24;

/// ... and so much from there on.
const AFTER: usize = 40;

/// Where two streams differ first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// How many bytes both begin with.
    offset: u64,
    /// How many lines end before it.
    lines: u64,
    /// What both have before it on the same line.
    shared: Vec<u8>,
    /// What follows in each; nothing where it ends.
    rests: [Vec<u8>; 2],
}

/// One of the two streams: parts of a file, one behind the other.
#[derive(Clone, Copy, Debug)]
pub struct FileStream<'a> {
    /// The file.
    pub file: &'a File,
    /// Where each part stands in it: where it begins, and how long it is.
    pub parts: &'a [(u64, u64)],
}

impl FileStream<'_> {
    /// At most `wanted` bytes from `offset` on: fewer only where the stream ends.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(&self, mut offset: u64, wanted: usize) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        for &(start, length) in self.parts {
            let left = usize::try_from(length.saturating_sub(offset)).unwrap_or(usize::MAX);
            let had = bytes.len();
            bytes.resize(had + left.min(wanted - had), 0);
            self.file.read_exact_at(&mut bytes[had..], start + offset.min(length))?;
            offset = offset.saturating_sub(length);
        }
        Ok(bytes)
    }
}

/// Files are read in blocks of this size.
const BLOCK: usize = 64 << 10;

impl Mismatch {
    /// The first difference of two streams; `None` where there is none.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub fn of(one: FileStream<'_>, other: FileStream<'_>) -> io::Result<Option<Self>> {
        let mut offset = 0;
        loop {
            let [here, there] = [one.read(offset, BLOCK)?, other.read(offset, BLOCK)?];
            let same = here.iter().zip(&there).take_while(|(one, other)| one == other).count();
            offset += same as u64;
            if same < here.len() || same < there.len() {
                return Self::at(one, other, offset).map(Some);
            }
            if here.is_empty() {
                return Ok(None);
            }
        }
    }

    /// `one` against `other`, which begins with the same `offset` bytes.
    fn at(one: FileStream<'_>, other: FileStream<'_>, offset: u64) -> io::Result<Self> {
        let mut lines = 0;
        let mut shared = Vec::new();
        let mut done = 0;
        while done < offset {
            let wanted = usize::try_from(offset - done).unwrap_or(usize::MAX).min(BLOCK);
            let block = one.read(done, wanted)?;
            lines += block.split(|&byte| byte == b'\n').count() as u64 - 1;
            match block.iter().rposition(|&byte| byte == b'\n') {
                Some(last) => shared = block[last + 1..].to_vec(),
                None => shared.extend_from_slice(&block),
            }
            // One byte more than is quoted shows that something was left out.
            shared.drain(..shared.len().saturating_sub(BEFORE + 1));
            done += block.len() as u64;
        }
        Ok(Self { offset, lines, shared, rests: [one.read(offset, AFTER)?, other.read(offset, AFTER)?] })
    }

    /// The first difference of two files; `None` where there is none.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub fn of_files(one: &File, other: &File) -> io::Result<Option<Self>> {
        let whole = |file: &File| Ok::<_, io::Error>([(0, file.metadata()?.len())]);
        let (here, there) = (whole(one)?, whole(other)?);
        Self::of(FileStream { file: one, parts: &here }, FileStream { file: other, parts: &there })
    }

    /// In words, the streams called by their names.
    pub fn told(&self, one: &str, other: &str) -> String {
        let side = |name: &str, rest: &[u8]| {
            if rest.is_empty() {
                format!("{name} ends there")
            } else {
                format!("{name} {}", self.quoted(rest))
            }
        };
        let (line, byte) = (self.lines + 1, self.offset + 1);
        let [here, there] = &self.rests;
        format!("line {line}, byte {byte}: {}, {}", side(one, here), side(other, there))
    }

    /// The line around the difference, or what fits of it.
    fn quoted(&self, rest: &[u8]) -> String {
        let line = rest.split_inclusive(|&byte| byte == b'\n').next().unwrap_or_default();
        let cut = self.shared.len().saturating_sub(BEFORE);
        let text = [&self.shared[cut..], line].concat();
        let before = if cut > 0 { "..." } else { "" };
        let after = if line.len() == AFTER && !line.ends_with(b"\n") { "..." } else { "" };
        // What is no text is shown byte by byte.
        let shown = match std::str::from_utf8(&text) {
            Ok(text) => text.chars().map(shown).collect(),
            Err(_) => text.escape_ascii().to_string(),
        };
        format!("{before}\"{shown}\"{after}")
    }
}

fn shown(character: char) -> String {
    if character.is_control() || character == '"' || character == '\\' {
        character.escape_debug().to_string()
    } else {
        character.to_string()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn told(one: &[u8], other: &[u8]) -> Option<String> {
        let file = |bytes: &[u8]| {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(bytes).unwrap();
            file
        };
        let mismatch = Mismatch::of_files(&file(one), &file(other)).unwrap();
        mismatch.map(|mismatch| mismatch.told("serial", "parallel"))
    }

    #[test]
    fn equal_streams_do_not_differ() {
        assert_eq!(told(b"", b""), None);
        let long = vec![b'x'; 200_000];
        assert_eq!(told(&long, &long), None);
    }

    #[test]
    fn the_first_difference_is_told_with_its_line_and_byte() {
        let text = told(b"a\nbc\nd\n", b"a\nbx\nd\n").unwrap();
        assert_eq!(text, r#"line 2, byte 4: serial "bc\n", parallel "bx\n""#);
    }

    #[test]
    fn a_stream_that_ends_early_is_said_to_end() {
        assert_eq!(told(b"ab", b"a").unwrap(), r#"line 1, byte 2: serial "ab", parallel ends there"#);
        assert_eq!(told(b"", b"a\n").unwrap(), r#"line 1, byte 1: serial ends there, parallel "a\n""#);
    }

    #[test]
    fn a_long_line_is_cut_on_both_sides() {
        let mut one = vec![b'x'; 100_000];
        let mut other = one.clone();
        one.extend([b'1'; 90]);
        other.extend([b'2'; 90]);
        let text = told(&one, &other).unwrap();
        let (before, after) = ("x".repeat(24), "1".repeat(40));
        assert!(
            text.starts_with(&format!("line 1, byte 100001: serial ...\"{before}{after}\"...,")),
            "{text}"
        );
    }

    #[test]
    fn what_is_no_text_is_told_byte_by_byte() {
        assert_eq!(
            told(&[0xff, 1], &[0xff, 2]).unwrap(),
            r#"line 1, byte 2: serial "\xff\x01", parallel "\xff\x02""#
        );
    }
}
