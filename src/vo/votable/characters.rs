//! From bytes as they come to the characters of XML: decoded into UTF-8, line ends made
//! one, what XML does not allow refused, and no more of it than the limits have.
//!
//! Knows no markup.

use std::io::{self, BufRead, Read};

use super::super::encoding::{
    Encoding, binary, is_wide, looks_like_text, not_ascii, not_utf8, not_utf16, windows_1252,
};
use super::super::sniff::refuse_unsafe;
use super::super::{ParseError, ParseErrorKind};
use super::TableError;

/// So many bytes are asked for at once.
const CHUNK: usize = 64 << 10;

/// So much has to have come before the encoding, or that it is a web page, is told.
const HEAD: usize = 4096;

/// The characters of a document, as a reader of UTF-8.
pub struct Characters<R> {
    input: R,
    charset: Option<String>,
    /// Found once the first bytes have come.
    encoding: Option<Encoding>,
    /// Bytes that came and are not decoded: the start of a character.
    raw: Vec<u8>,
    /// Decoded characters, of which so many are taken.
    decoded: Vec<u8>,
    taken: usize,
    /// Whether the last character was a carriage return, so that a line feed is part of it.
    after_return: bool,
    is_at_end: bool,
    /// Bytes that came.
    n_bytes: u64,
    most_bytes: u64,
    /// How many characters' bytes may still be taken before the next
    /// [`Self::allow`].
    allowance: usize,
    failure: Option<TableError>,
}

impl<R: Read> Characters<R> {
    pub fn new(input: R, charset: Option<&str>, most_bytes: u64) -> Self {
        Self {
            input,
            charset: charset.map(str::to_owned),
            encoding: None,
            raw: Vec::new(),
            decoded: Vec::new(),
            taken: 0,
            after_return: false,
            is_at_end: false,
            n_bytes: 0,
            most_bytes,
            allowance: usize::MAX,
            failure: None,
        }
    }

    /// Lets so many bytes of characters pass from now on.
    pub fn allow(&mut self, bytes: usize) {
        self.allowance = bytes;
    }

    /// Why reading failed, once.
    pub fn take_failure(&mut self) -> Option<TableError> {
        self.failure.take()
    }

    fn fill(&mut self) -> Result<(), TableError> {
        self.decoded.clear();
        self.taken = 0;
        while self.decoded.is_empty() && !self.is_at_end {
            self.fetch()?;
            let is_known = self.encoding.is_some();
            if !is_known && (self.raw.len() >= HEAD || self.is_at_end) {
                let mark = self.begin()?;
                self.raw.drain(..mark);
            }
            if let Some(encoding) = self.encoding {
                self.decode(encoding)?;
            }
        }
        Ok(())
    }

    /// Takes in what has come.
    fn fetch(&mut self) -> Result<(), TableError> {
        let before = self.raw.len();
        self.raw.resize(before + CHUNK, 0);
        let read = loop {
            match self.input.read(&mut self.raw[before..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.raw.truncate(before + *read.as_ref().unwrap_or(&0));
        let n_read = read.map_err(TableError::Input)?;
        self.is_at_end = n_read == 0;
        self.n_bytes += n_read as u64;
        if self.n_bytes > self.most_bytes {
            return Err(TableError::TooLarge(format!("longer than {} bytes", self.most_bytes)));
        }
        Ok(())
    }

    /// Tells the encoding, or that this is no document at all; the length of the byte
    /// order mark.
    fn begin(&mut self) -> Result<usize, TableError> {
        let head = &self.raw[..self.raw.len().min(HEAD)];
        // Whether more is wrong than that, markup will tell.
        let not_xml =
            |text: &str| refuse_unsafe(text).err().filter(|error| error.kind == ParseErrorKind::NotXml);
        if !is_wide(head)
            && let Some(error) = not_xml(&String::from_utf8_lossy(head))
        {
            return Err(error.into());
        }
        if is_wide(head) && !looks_like_text(head) {
            return Err(binary().into());
        }
        let (encoding, mark) = Encoding::of(head, self.charset.as_deref())?;
        if let Encoding::Utf16(unit) = encoding {
            let units = head[mark..].chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
            let text: String = char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).collect();
            if let Some(error) = not_xml(&text) {
                return Err(error.into());
            }
        }
        self.encoding = Some(encoding);
        Ok(mark)
    }

    /// Moves the whole characters of `raw` to `decoded`.
    fn decode(&mut self, encoding: Encoding) -> Result<(), TableError> {
        let n_left = match encoding {
            Encoding::Utf8 => {
                let whole = match std::str::from_utf8(&self.raw) {
                    Ok(_) => self.raw.len(),
                    Err(error) if error.error_len().is_none() && !self.is_at_end => error.valid_up_to(),
                    Err(error) => {
                        let before = self.n_bytes - self.raw.len() as u64;
                        return Err(not_utf8(before + error.valid_up_to() as u64).into());
                    }
                };
                self.decoded.extend_from_slice(&self.raw[..whole]);
                self.raw.len() - whole
            }
            Encoding::Utf16(unit) => self.decode_utf16(unit)?,
            Encoding::Ascii if self.raw.is_ascii() => {
                self.decoded.extend_from_slice(&self.raw);
                0
            }
            Encoding::Ascii => return Err(not_ascii().into()),
            Encoding::Latin1 => self.push_all(char::from),
            Encoding::Windows1252 => self.push_all(windows_1252),
        };
        self.raw.drain(..self.raw.len() - n_left);
        refuse_forbidden(&self.decoded)?;
        self.join_line_ends();
        Ok(())
    }

    fn push_all(&mut self, character: fn(u8) -> char) -> usize {
        for &byte in &self.raw {
            let mut bytes = [0; 4];
            self.decoded.extend_from_slice(character(byte).encode_utf8(&mut bytes).as_bytes());
        }
        0
    }

    /// How many bytes are left: half a unit, or half a pair of units.
    fn decode_utf16(&mut self, unit: fn([u8; 2]) -> u16) -> Result<usize, TableError> {
        let (pairs, rest) = self.raw.as_chunks();
        let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
        let ends_in_pair = units.last().is_some_and(|last| (0xd800..0xdc00).contains(last));
        let n_whole = if self.is_at_end { units.len() } else { units.len() - usize::from(ends_in_pair) };
        if self.is_at_end && !rest.is_empty() {
            return Err(not_utf16().into());
        }
        for character in char::decode_utf16(units[..n_whole].iter().copied()) {
            let character = character.map_err(|_| not_utf16())?;
            let mut bytes = [0; 4];
            self.decoded.extend_from_slice(character.encode_utf8(&mut bytes).as_bytes());
        }
        Ok(self.raw.len() - 2 * n_whole)
    }

    /// One line feed for each end of a line, as XML has it.
    fn join_line_ends(&mut self) {
        if !self.after_return && !self.decoded.contains(&b'\r') {
            return;
        }
        let mut after_return = self.after_return;
        self.decoded.retain_mut(|byte| {
            let is_second = std::mem::replace(&mut after_return, *byte == b'\r') && *byte == b'\n';
            if *byte == b'\r' {
                *byte = b'\n';
            }
            !is_second
        });
        self.after_return = after_return;
    }
}

/// Refuses what is no character of XML.
fn refuse_forbidden(text: &[u8]) -> Result<(), ParseError> {
    let is_control = |byte: &u8| *byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r');
    if !text.iter().any(|byte| is_control(byte) || *byte == 0xef) {
        return Ok(());
    }
    // U+FFFE and U+FFFF begin with that byte, too.
    let forbidden = text.iter().copied().find(|byte| is_control(byte)).map(u32::from);
    let forbidden = forbidden.or_else(|| {
        let mut threes = text.windows(3);
        threes.find_map(|three| match three {
            [0xef, 0xbf, last @ (0xbe | 0xbf)] => Some(0xff40 + u32::from(*last)),
            _ => None,
        })
    });
    match forbidden {
        None => Ok(()),
        Some(code) => {
            let text = format!("not well-formed: the character U+{code:04X} is not allowed");
            Err(ParseError::new(ParseErrorKind::BadXml, text))
        }
    }
}

impl<R: Read> Read for Characters<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let n_read = available.len().min(into.len());
        into[..n_read].copy_from_slice(&available[..n_read]);
        self.consume(n_read);
        Ok(n_read)
    }
}

impl<R: Read> BufRead for Characters<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let result = if self.failure.is_some() {
            return Err(io::Error::other("failed before"));
        } else if self.taken < self.decoded.len() {
            Ok(())
        } else {
            self.fill()
        };
        let result = match result {
            Ok(()) if self.allowance == 0 && self.taken < self.decoded.len() => {
                Err(TableError::TooLarge("a piece of markup or text is longer than a cell may be".to_owned()))
            }
            other => other,
        };
        if let Err(failure) = result {
            self.failure = Some(failure);
            return Err(io::Error::other("see the failure"));
        }
        let end = self.decoded.len().min(self.taken.saturating_add(self.allowance));
        Ok(&self.decoded[self.taken..end])
    }

    fn consume(&mut self, n_bytes: usize) {
        self.taken += n_bytes;
        self.allowance -= n_bytes;
    }
}
