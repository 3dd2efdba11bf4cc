//! How messages are cut out of a stream of bytes, and how they get into one.
//!
//! ```text
//! length of the payload: 4 bytes, little-endian | kind: 1 byte | payload
//! ```
//!
//! All numbers in frames are little-endian. Nothing is believed of a length before the
//! bytes are there. Knows nothing of what the messages mean, nor of what carries the bytes.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;

use crate::text;

/// A message as it travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) payload: Vec<u8>,
}

/// The most that a worker is sent in one frame: a block of input, or what tasks share.
pub(super) const LONGEST: u32 = 1 << 30;

/// The most that a worker says in one frame. Far less, so that what is no frame is known for
/// that by its first bytes.
pub(super) const LONGEST_ANSWER: u32 = 64 << 20;

const HEAD: usize = 5;

const MIB: usize = 1 << 20;

/// So much is read at a time, and room is made for no more than that beforehand.
const PIECE: usize = 64 << 10;

/// So much of what is no frame is shown.
const SHOWN: usize = 80;

/// Appends a frame to `target`, whose payload is `parts`, one after the other.
///
/// # Errors
/// When that is longer than `longest`: then nothing is appended.
pub(super) fn put_frame(target: &mut Vec<u8>, kind: u8, parts: &[&[u8]], longest: u32) -> io::Result<()> {
    target.extend(head(kind, length_of(parts), longest)?);
    for part in parts {
        target.extend_from_slice(part);
    }
    Ok(())
}

fn length_of(parts: &[&[u8]]) -> usize {
    parts.iter().map(|part| part.len()).sum()
}

fn head(kind: u8, length: usize, longest: u32) -> io::Result<[u8; HEAD]> {
    let fitting = u32::try_from(length).ok().filter(|length| *length <= longest);
    let too_long = || {
        let (length, longest) = (length.div_ceil(MIB), longest as usize / MIB);
        let why = format!("{length} MiB are more than the {longest} MiB that one message can hold");
        io::Error::new(ErrorKind::InvalidInput, why)
    };
    let [a, b, c, d] = fitting.ok_or_else(too_long)?.to_le_bytes();
    Ok([a, b, c, d, kind])
}

/// Frames on their way out, to where writing may not wait.
#[derive(Debug, Default)]
pub(super) struct FrameQueue {
    pieces: VecDeque<Piece>,
    /// So much of the first piece is written.
    written: usize,
    /// How many bytes were put there, and how many of them are written.
    n_put: u64,
    n_written: u64,
}

#[derive(Debug)]
enum Piece {
    Own(Vec<u8>),
    /// What many are sent.
    Shared(Arc<[u8]>),
}

impl Piece {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Own(bytes) => bytes,
            Self::Shared(bytes) => bytes,
        }
    }
}

impl FrameQueue {
    /// As [`put_frame`], for a worker.
    pub(super) fn put(&mut self, kind: u8, parts: &[&[u8]]) -> io::Result<()> {
        // Asked first: what is refused is not to leave an empty piece behind, after which
        // nothing could be written any more.
        head(kind, length_of(parts), LONGEST)?;
        self.n_put += (HEAD + length_of(parts)) as u64;
        put_frame(self.last(), kind, parts, LONGEST)
    }

    /// Where the last frame ends in all that was ever put there.
    pub(super) fn end(&self) -> u64 {
        self.n_put
    }

    /// Whether all that was put there before `end` is written.
    pub(super) fn is_written_to(&self, end: u64) -> bool {
        self.n_written >= end
    }

    /// The same with a payload of which no copy is made.
    pub(super) fn put_shared(&mut self, kind: u8, payload: &Arc<[u8]>) -> io::Result<()> {
        let head = head(kind, payload.len(), LONGEST)?;
        self.last().extend(head);
        self.n_put += (HEAD + payload.len()) as u64;
        if !payload.is_empty() {
            self.pieces.push_back(Piece::Shared(Arc::clone(payload)));
        }
        Ok(())
    }

    fn last(&mut self) -> &mut Vec<u8> {
        if !matches!(self.pieces.back(), Some(Piece::Own(_))) {
            self.pieces.push_back(Piece::Own(Vec::new()));
        }
        match self.pieces.back_mut() {
            Some(Piece::Own(bytes)) => bytes,
            _ => unreachable!("one was put there"),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Writes as much as `target` takes without waiting. Says how many bytes.
    pub(super) fn write_to(&mut self, target: &mut (impl Write + ?Sized)) -> io::Result<u64> {
        let mut total = 0;
        while let Some(piece) = self.pieces.front() {
            match target.write(&piece.bytes()[self.written..]) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(n_bytes) => {
                    total += n_bytes as u64;
                    self.n_written += n_bytes as u64;
                    self.written += n_bytes;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            if self.written == piece.bytes().len() {
                self.written = 0;
                self.pieces.pop_front();
            }
        }
        Ok(total)
    }
}

/// Frames as they come in, however their bytes are cut.
#[derive(Debug)]
pub(super) struct FrameReader {
    /// Those from `start` to `end` were read and not taken.
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    longest: u32,
}

impl FrameReader {
    /// Frames of at most so many bytes: what says to be longer is no frame but somebody
    /// else's bytes.
    pub(super) fn new(longest: u32) -> Self {
        Self { bytes: Vec::new(), start: 0, end: 0, longest }
    }

    /// Reads once what `source` has. Says how many bytes; none at the end of the stream.
    ///
    /// # Errors
    /// When it cannot be read, or ends within a frame.
    pub(super) fn fill(&mut self, source: &mut (impl Read + ?Sized)) -> io::Result<usize> {
        if self.start > 0 {
            self.bytes.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.bytes.len() < self.end + PIECE {
            self.bytes.resize(self.end + PIECE, 0);
        }
        loop {
            match source.read(&mut self.bytes[self.end..]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Ok(0) if self.end > 0 => {
                    return Err(self.stranger().unwrap_or_else(|| ErrorKind::UnexpectedEof.into()));
                }
                Ok(n_bytes) => {
                    self.end += n_bytes;
                    return Ok(n_bytes);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The next frame of those that were read, once it is whole.
    ///
    /// # Errors
    /// When what was read is no frame.
    pub(super) fn next(&mut self) -> io::Result<Option<Frame>> {
        let Some(&[a, b, c, d, kind]) = self.read().first_chunk::<HEAD>() else { return Ok(None) };
        let length = u32::from_le_bytes([a, b, c, d]);
        if length > self.longest {
            return Err(self.stranger().expect("it is too long"));
        }
        let whole = HEAD + length as usize;
        let Some(payload) = self.read().get(HEAD..whole).map(<[u8]>::to_vec) else { return Ok(None) };
        self.start += whole;
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            // One that was long is not kept room for.
            self.bytes.truncate(4 * PIECE);
            self.bytes.shrink_to(4 * PIECE);
        }
        Ok(Some(Frame { kind, payload }))
    }

    /// Waits for the next frame; `None` at the end of the stream.
    pub(super) fn receive(&mut self, source: &mut (impl Read + ?Sized)) -> io::Result<Option<Frame>> {
        loop {
            if let Some(frame) = self.next()? {
                return Ok(Some(frame));
            }
            if self.fill(source)? == 0 {
                return Ok(None);
            }
        }
    }

    fn read(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// What to say of bytes that are no frame, where they are none: whose they are shows
    /// in their first line.
    fn stranger(&self) -> Option<io::Error> {
        let read = self.read();
        let length = read.first_chunk().map(|length| u32::from_le_bytes(*length));
        if length.is_some_and(|length| length <= self.longest) {
            return None;
        }
        let line = read.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let line = text::printable(&String::from_utf8_lossy(&line[..line.len().min(SHOWN)]));
        let why = format!("this is no parsim worker's answer: \"{line}\"");
        Some(io::Error::new(ErrorKind::InvalidData, why))
    }
}

/// Numbers and byte strings in a payload, read one after the other. Each is `None` where
/// the payload has not as much.
pub(in crate::engine) struct PayloadCursor<'a>(pub(in crate::engine) &'a [u8]);

impl<'a> PayloadCursor<'a> {
    pub(in crate::engine) fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }

    pub(in crate::engine) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_le_bytes)
    }

    pub(in crate::engine) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(in crate::engine) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// A byte string behind its length.
    pub(in crate::engine) fn string(&mut self) -> Option<&'a [u8]> {
        let length = self.u64()?;
        self.bytes(usize::try_from(length).ok()?)
    }
}

/// Appends `bytes` behind their length.
pub(in crate::engine) fn put_string(target: &mut Vec<u8>, bytes: &[u8]) {
    target.extend((bytes.len() as u64).to_le_bytes());
    target.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reader(longest: u32) -> FrameReader {
        FrameReader::new(longest)
    }

    /// Takes and gives so many bytes at a time.
    struct Trickle<'a>(&'a mut Vec<u8>, usize);

    impl Read for Trickle<'_> {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            let n_bytes = self.1.min(room.len()).min(self.0.len());
            room[..n_bytes].copy_from_slice(&self.0[..n_bytes]);
            self.0.drain(..n_bytes);
            Ok(n_bytes)
        }
    }

    impl Write for Trickle<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let n_bytes = self.1.min(bytes.len());
            self.0.extend_from_slice(&bytes[..n_bytes]);
            Ok(n_bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn frames() -> impl Strategy<Value = Vec<(u8, Vec<u8>)>> {
        prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..40)), 0..6)
    }

    proptest! {
        #[test]
        fn frames_arrive_as_they_were_sent_however_their_bytes_are_cut(
            sent in frames(), out in 1_usize..50, back in 1_usize..50
        ) {
            let mut queue = FrameQueue::default();
            for (number, (kind, payload)) in sent.iter().enumerate() {
                if number % 2 == 0 {
                    let (one, other) = payload.split_at(payload.len() / 2);
                    queue.put(*kind, &[one, other]).unwrap();
                } else {
                    queue.put_shared(*kind, &Arc::from(&payload[..])).unwrap();
                }
            }
            let mut wire = Vec::new();
            let n_bytes = queue.write_to(&mut Trickle(&mut wire, out)).unwrap();
            prop_assert!(queue.is_empty());
            prop_assert_eq!(n_bytes, wire.len() as u64);
            let (mut reader, mut source) = (reader(LONGEST), Trickle(&mut wire, back));
            for (kind, payload) in sent {
                prop_assert_eq!(reader.receive(&mut source).unwrap(), Some(Frame { kind, payload }));
            }
            prop_assert_eq!(reader.receive(&mut source).unwrap(), None);
        }

        #[test]
        fn a_stream_that_is_cut_within_a_frame_is_an_error(payload: Vec<u8>, cut in 1_usize..5) {
            let mut wire = Vec::new();
            put_frame(&mut wire, b'T', &[&payload], LONGEST).unwrap();
            let cut = cut.min(wire.len() - 1);
            prop_assert!(reader(LONGEST).receive(&mut &wire[..wire.len() - cut]).is_err());
        }

        #[test]
        fn any_bytes_are_frames_or_an_error_and_take_no_more_room_than_they_are(
            bytes in prop::collection::vec(any::<u8>(), 0..200), step in 1_usize..20
        ) {
            let (mut reader, mut wire) = (reader(100), bytes.clone());
            let mut source = Trickle(&mut wire, step);
            let mut taken = 0;
            while let Ok(Some(frame)) = reader.receive(&mut source) {
                prop_assert!(frame.payload.len() <= 100);
                taken += HEAD + frame.payload.len();
            }
            prop_assert!(taken <= bytes.len());
            prop_assert!(reader.bytes.capacity() <= 4 * PIECE);
        }
    }

    #[test]
    fn a_long_frame_arrives_and_leaves_no_room_behind() {
        let payload = vec![7; 10 * PIECE];
        let mut wire = Vec::new();
        put_frame(&mut wire, b'S', &[&payload], LONGEST).unwrap();
        let mut reader = reader(LONGEST);
        assert!(reader.receive(&mut &wire[..]).unwrap().unwrap().payload == payload);
        assert!(reader.bytes.capacity() <= 4 * PIECE);
    }

    #[test]
    fn what_is_no_frame_is_refused_without_being_waited_for_and_its_first_line_is_shown() {
        let error = reader(LONGEST).receive(&mut &b"Welcome to \x1b[1mh1\nmore"[..]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert!(error.to_string().contains("Welcome to"), "{error}");
        assert!(!error.to_string().contains('\x1b'));
        // It may be shorter than what a frame begins with.
        let error = reader(LONGEST_ANSWER).receive(&mut &b"hi!\n"[..]).unwrap_err();
        assert!(error.to_string().contains("hi!"), "{error}");
    }

    #[test]
    fn more_than_a_frame_may_hold_is_not_sent() {
        let (long, mut target) = (vec![0; LONGEST as usize / 2 + 1], Vec::new());
        let error = put_frame(&mut target, b'T', &[&long, &long], LONGEST).unwrap_err();
        assert!(target.is_empty());
        assert!(error.to_string().contains("1025 MiB are more than the 1024 MiB"), "{error}");
        // What follows is sent all the same.
        let (mut queue, mut wire) = (FrameQueue::default(), Vec::new());
        assert!(queue.put(b'T', &[&long, &long]).is_err() && queue.is_empty());
        assert_eq!(queue.write_to(&mut wire).unwrap(), 0);
        queue.put(b'T', &[b"next"]).unwrap();
        let end = queue.end();
        assert!(!queue.is_written_to(end));
        assert_eq!(queue.write_to(&mut wire).unwrap(), (HEAD + 4) as u64);
        assert!(queue.is_written_to(end));
    }
}
