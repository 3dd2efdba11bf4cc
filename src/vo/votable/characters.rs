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
pub struct Characters<'a> {
    input: Box<dyn Read + 'a>,
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
    /// What is wrong behind the decoded characters.
    awaits: Option<TableError>,
    failure: Option<TableError>,
}

impl<'a> Characters<'a> {
    pub fn new(input: Box<dyn Read + 'a>, charset: Option<&str>, most_bytes: u64) -> Self {
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
            awaits: None,
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
            if let Some(failure) = self.awaits.take() {
                return Err(failure);
            }
            self.fetch()?;
            if self.encoding.is_none() && (self.raw.len() >= HEAD || self.is_at_end || self.awaits.is_some())
            {
                let mark = self.begin()?;
                self.raw.drain(..mark);
            }
            if let Some(encoding) = self.encoding {
                self.decode(encoding);
            }
        }
        Ok(())
    }

    /// Takes in what has come.
    fn fetch(&mut self) -> Result<(), TableError> {
        let before = self.raw.len();
        // One more than there may be tells that there is more.
        let room = (self.most_bytes - self.n_bytes).saturating_add(1);
        let n_wanted = usize::try_from(room).unwrap_or(CHUNK).min(CHUNK);
        self.raw.resize(before + n_wanted, 0);
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
            self.raw.pop();
            let text = format!("longer than {} bytes", self.most_bytes);
            self.awaits = Some(TableError::TooLarge(text));
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

    /// Moves the whole characters of `raw` to `decoded`, up to the first that is wrong.
    fn decode(&mut self, encoding: Encoding) {
        let decoded = match encoding {
            Encoding::Utf8 => self.decode_utf8(),
            Encoding::Utf16(unit) => self.decode_utf16(unit),
            Encoding::Ascii if self.raw.is_ascii() => self.decode_utf8(),
            Encoding::Ascii => Err(not_ascii()),
            Encoding::Latin1 => {
                self.decode_bytes(char::from);
                Ok(())
            }
            Encoding::Windows1252 => {
                self.decode_bytes(windows_1252);
                Ok(())
            }
        };
        let allowed = refuse_forbidden(&self.decoded);
        if let Err((end, _)) = allowed {
            self.decoded.truncate(end);
        }
        if let Err(error) = allowed.map_err(|(_, error)| error).and(decoded) {
            self.awaits = Some(error.into());
            // What follows is not looked at; it is not the end that is met.
            self.is_at_end = false;
        }
        self.join_line_ends();
    }

    fn decode_utf8(&mut self) -> Result<(), ParseError> {
        let (whole, decoded) = match std::str::from_utf8(&self.raw) {
            Ok(_) => (self.raw.len(), Ok(())),
            Err(error) if error.error_len().is_none() && !self.is_at_end => (error.valid_up_to(), Ok(())),
            Err(error) => {
                let before = self.n_bytes - self.raw.len() as u64;
                (error.valid_up_to(), Err(not_utf8(before + error.valid_up_to() as u64)))
            }
        };
        self.decoded.extend_from_slice(&self.raw[..whole]);
        self.raw.drain(..whole);
        decoded
    }

    fn decode_bytes(&mut self, character: fn(u8) -> char) {
        for byte in self.raw.drain(..) {
            push(character(byte), &mut self.decoded);
        }
    }

    fn decode_utf16(&mut self, unit: fn([u8; 2]) -> u16) -> Result<(), ParseError> {
        let (pairs, rest) = self.raw.as_chunks();
        let has_half = !rest.is_empty();
        let mut units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
        if !self.is_at_end && units.last().is_some_and(|last| (0xd800..0xdc00).contains(last)) {
            units.pop();
        }
        self.raw.drain(..2 * units.len());
        for character in char::decode_utf16(units) {
            push(character.map_err(|_| not_utf16())?, &mut self.decoded);
        }
        if self.is_at_end && has_half { Err(not_utf16()) } else { Ok(()) }
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

fn push(character: char, to: &mut Vec<u8>) {
    let mut bytes = [0; 4];
    to.extend_from_slice(character.encode_utf8(&mut bytes).as_bytes());
}

/// Refuses what is no character of XML, and tells where it is.
fn refuse_forbidden(text: &[u8]) -> Result<(), (usize, ParseError)> {
    let is_control = |byte: u8| byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r');
    // Of U+FFFE and U+FFFF the first byte; seldom of others.
    let is_suspect = |byte: u8| is_control(byte) || byte == 0xef;
    if !text.iter().any(|byte| is_suspect(*byte)) {
        return Ok(());
    }
    let mut suspects = text.iter().enumerate().filter(|(_, byte)| is_suspect(**byte));
    let forbidden = suspects.find_map(|(at, byte)| match text[at..] {
        _ if is_control(*byte) => Some((at, u32::from(*byte))),
        [_, 0xbf, last @ (0xbe | 0xbf), ..] => Some((at, 0xff40 + u32::from(last))),
        _ => None,
    });
    let Some((at, code)) = forbidden else { return Ok(()) };
    let text = format!("not well-formed: the character U+{code:04X} is not allowed");
    Err((at, ParseError::new(ParseErrorKind::BadXml, text)))
}

impl Read for Characters<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let n_read = available.len().min(into.len());
        into[..n_read].copy_from_slice(&available[..n_read]);
        self.consume(n_read);
        Ok(n_read)
    }
}

impl BufRead for Characters<'_> {
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
