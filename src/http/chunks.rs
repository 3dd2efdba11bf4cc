//! The framing of an answer in chunks (RFC 9112, 7.1), followed byte by byte: a size
//! is hexadecimal digits and nothing else, or two readers of the same bytes could
//! see two bodies. What may stand behind a size is taken away before the bytes are
//! read on, for it says nothing.

use super::HttpError;

/// A line of a head is looked at up to so many bytes.
const LONGEST_LINE: usize = 1024;

/// An extension of a chunk is no longer than this.
const LONGEST_EXTENSION: usize = 4096;

/// Where an answer is, as far as its framing goes.
#[derive(Debug, Default)]
pub(super) struct Framing {
    at: FramingState,
    /// The beginning of the line of a head that is being read.
    line: Vec<u8>,
    /// The status that the head began with.
    status: Option<u16>,
    /// Whether the head promises chunks.
    is_chunked: bool,
}

#[derive(Clone, Copy, Debug, Default)]
enum FramingState {
    #[default]
    Head,
    /// So many digits, and what they come to.
    Size {
        n_digits: usize,
        size: u64,
    },
    /// Behind the digits, so many bytes of the extension; what was the size.
    Extension {
        n_bytes: usize,
        size: u64,
    },
    /// Blanks behind the digits.
    Blank {
        size: u64,
    },
    /// A line feed has to come.
    SizeEnd {
        size: u64,
    },
    /// So many bytes of a chunk are to come.
    Chunk(u64),
    ChunkEnd,
    ChunkLineFeed,
    /// Nothing to be looked at: a body in one piece, or what follows the last chunk.
    Rest,
}

impl Framing {
    /// Follows `bytes`, the next ones of the answer, and keeps those at their
    /// beginning that are to be read: so many.
    pub(super) fn follow(&mut self, bytes: &mut [u8]) -> Result<usize, HttpError> {
        let mut n_kept = 0;
        let mut next = 0;
        while next < bytes.len() {
            let n_taken = match self.at {
                FramingState::Rest => bytes.len() - next,
                FramingState::Chunk(left) => {
                    usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len() - next)
                }
                _ => 1,
            };
            if self.step(bytes[next], n_taken)? {
                bytes.copy_within(next..next + n_taken, n_kept);
                n_kept += n_taken;
            }
            next += n_taken;
        }
        Ok(n_kept)
    }

    /// Takes `n_taken` bytes of which `byte` is the first; whether they are kept.
    fn step(&mut self, byte: u8, n_taken: usize) -> Result<bool, HttpError> {
        use FramingState::{Blank, Chunk, ChunkEnd, ChunkLineFeed, Extension, Head, Rest, Size, SizeEnd};
        let bad = |text: &str| Err(HttpError::protocol(text));
        let not_hexadecimal = || {
            let shown = char::from(byte);
            Err(HttpError::protocol(format!("a chunk's size has {shown:?}, not a hexadecimal digit")))
        };
        let (at, is_kept) = match (self.at, byte) {
            (Rest, _) | (SizeEnd { size: 0 }, b'\n') => (Rest, true),
            (Head, b'\n') => (self.line_of_head(), true),
            (Head, _) => {
                if self.line.len() < LONGEST_LINE {
                    self.line.push(byte);
                }
                (Head, true)
            }
            (Size { n_digits: 0, .. }, b'\r' | b'\n' | b';') => {
                return bad("a chunk without a size");
            }
            (Size { size, .. } | Extension { size, .. } | Blank { size }, b'\r') => (SizeEnd { size }, true),
            (Size { size, .. } | Blank { size }, b';') => (Extension { n_bytes: 0, size }, false),
            (Size { n_digits: 1.., size } | Blank { size }, b' ' | b'\t') => (Blank { size }, false),
            (Size { n_digits, size }, _) => {
                let Some(digit) = char::from(byte).to_digit(16) else { return not_hexadecimal() };
                let size = size.checked_mul(16).map(|size| size + u64::from(digit));
                let Some(size) = size else { return bad("a chunk with a size of more than 64 bits") };
                (Size { n_digits: n_digits + 1, size }, true)
            }
            (Blank { .. }, _) => return not_hexadecimal(),
            (Extension { .. }, b'\n') => {
                return bad("a line of a chunk's size ends without a return");
            }
            (Extension { n_bytes, .. }, _) if n_bytes >= LONGEST_EXTENSION => {
                return bad("an extension of a chunk without end");
            }
            (Extension { n_bytes, size }, _) => (Extension { n_bytes: n_bytes + 1, size }, false),
            (SizeEnd { size }, b'\n') => (Chunk(size), true),
            (Chunk(left), _) => match left - n_taken as u64 {
                0 => (ChunkEnd, true),
                left => (Chunk(left), true),
            },
            (ChunkEnd, b'\r') => (ChunkLineFeed, true),
            (ChunkLineFeed, b'\n') => (Size { n_digits: 0, size: 0 }, true),
            (SizeEnd { .. }, _) => {
                return bad("a line of a chunk's size ends in a return alone");
            }
            (ChunkEnd | ChunkLineFeed, _) => {
                return bad("a chunk longer than its size");
            }
        };
        self.at = at;
        Ok(is_kept)
    }

    /// A line of the head is over.
    fn line_of_head(&mut self) -> FramingState {
        let line = String::from_utf8_lossy(&self.line).trim_end_matches('\r').to_owned();
        self.line.clear();
        let Some(status) = self.status else {
            // Blank lines before a head are passed over.
            if line.is_empty() {
                return FramingState::Head;
            }
            // Before 1.1 there were no chunks.
            let status = line.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
            self.status = status;
            return if status.is_some() { FramingState::Head } else { FramingState::Rest };
        };
        if !line.is_empty() {
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("transfer-encoding")
            {
                self.is_chunked |=
                    value.split(',').any(|coding| coding.trim().eq_ignore_ascii_case("chunked"));
            }
            return FramingState::Head;
        }
        match status {
            // The answer is yet to come.
            100 | 102..200 => {
                (self.status, self.is_chunked) = (None, false);
                FramingState::Head
            }
            101 | 204 | 304 => FramingState::Rest,
            _ if self.is_chunked => FramingState::Size { n_digits: 0, size: 0 },
            _ => FramingState::Rest,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEAD: &str = "HTTP/1.1 200 OK\r\nX: y\r\ntransfer-ENCODING: Chunked\r\n\r\n";

    /// What is left of an answer that comes in `pieces` of so many bytes.
    fn followed(text: &str, piece: usize) -> Result<String, String> {
        let mut framing = Framing::default();
        let mut kept = Vec::new();
        for piece in text.as_bytes().chunks(piece) {
            let mut piece = piece.to_vec();
            let n_kept = framing.follow(&mut piece).map_err(|error| error.text)?;
            kept.extend_from_slice(&piece[..n_kept]);
        }
        Ok(String::from_utf8(kept).unwrap())
    }

    #[test]
    fn sizes_are_hexadecimal_digits_and_what_follows_them_is_taken_away() {
        let long = "e".repeat(4000);
        for (text, plain) in [
            ("5\r\nhello\r\n0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n"),
            (
                "0A;a=\"b;c\"\r\n0123\r\n\r\n89\r\n0;x\r\nT: +\r\n\r\n",
                "0A\r\n0123\r\n\r\n89\r\n0\r\nT: +\r\n\r\n",
            ),
            ("5 \t\r\nhello\r\n", "5\r\nhello\r\n"),
            ("5 ; x\r\nhello\r\n0\r\n\r\n+5", "5\r\nhello\r\n0\r\n\r\n+5"),
            (&format!("1;{long}\r\nx\r\n"), "1\r\nx\r\n"),
        ] {
            for piece in [1, 2, 7, 10_000] {
                assert_eq!(followed(&format!("{HEAD}{text}"), piece), Ok(format!("{HEAD}{plain}")), "{text}");
            }
        }
        for (text, why) in [
            ("+5\r\nhello\r\n", "'+', not a hexadecimal digit"),
            ("-5\r\nhello\r\n", "'-', not a hex"),
            ("0x5\r\nhello\r\n", "'x', not a hex"),
            (" 5\r\nhello\r\n", "' ', not a hex"),
            ("\t5\r\nhello\r\n", "'\\t', not a hex"),
            ("5_0\r\nhello\r\n", "'_', not a hex"),
            ("5 5\r\nhello\r\n", "'5', not a hex"),
            ("5h\r\nhello\r\n", "'h', not a hex"),
            ("\u{665}\r\nhello\r\n", "not a hexadecimal digit"),
            ("\r\nhello\r\n", "without a size"),
            (";x\r\nhello\r\n", "without a size"),
            ("5\nhello\r\n", "'\\n', not a hex"),
            ("5;x\nhello\r\n", "without a return"),
            ("5\rhello\r\n", "a return alone"),
            ("5\r\nhello!\r\n", "longer than its size"),
            ("5\r\nhello\r\n+0\r\n", "'+', not a hex"),
            ("10000000000000000\r\n", "more than 64 bits"),
            (&format!("1;{}", "e".repeat(9999)), "without end"),
        ] {
            for piece in [1, 10_000] {
                let told = followed(&format!("{HEAD}{text}"), piece).unwrap_err();
                assert!(told.contains(why), "{text:?}: {told}");
            }
        }
    }

    #[test]
    fn only_an_answer_in_chunks_is_read_as_that() {
        let chunked = "Transfer-Encoding: x, chunked\r\n";
        for text in [
            "HTTP/1.1 200 OK\r\n\r\n+5\r\n".to_owned(),
            format!("HTTP/1.0 200 OK\r\n{chunked}\r\n+5\r\n"),
            format!("HTTP/1.1 204 No Content\r\n{chunked}\r\n+5"),
            format!("SSH-2.0\r\n{chunked}\r\n+5"),
            "HTTP/1.1 200 OK\r\nX-Transfer-Encoding: chunked\r\n\r\n+5".to_owned(),
        ] {
            assert_eq!(followed(&text, 3), Ok(text.clone()));
        }
        for before in ["\r\n", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"]
        {
            let text = format!("{before}HTTP/1.1 200 OK\r\n{chunked}\r\n+5");
            followed(&text, 5).unwrap_err();
        }
    }

    proptest! {
        #[test]
        fn what_is_well_framed_stays_as_it_is(bodies in prop::collection::vec("[a-z\r\n]{1,40}", 0..5), piece in 1_usize..60) {
            let chunks: String = bodies.iter().map(|body| format!("{:x}\r\n{body}\r\n", body.len())).collect();
            let text = format!("{HEAD}{chunks}0\r\n\r\n");
            prop_assert_eq!(followed(&text, piece), Ok(text.clone()));
        }

        #[test]
        fn no_bytes_make_it_panic(text in "[0-9a-f+;\r\n x]{0,60}", piece in 1_usize..9) {
            let _ = followed(&format!("{HEAD}{text}"), piece);
        }
    }
}
