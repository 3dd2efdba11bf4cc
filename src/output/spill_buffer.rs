//! Bytes that have to wait: in memory as far as there is room, then in one
//! unlinked file in TMPDIR, written at its end and read back piece by piece.
//!
//! Who fills a buffer decides what there is room for: some share a budget between
//! tasks, others have one of their own.

use std::fs::File;
use std::io;
use std::mem::size_of;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::traits::Channel;
use crate::temporary::unnamed_file;
use crate::text::reason;

/// Output that has to wait for its turn takes at most this much memory; more goes to a
/// file.
pub const WAITING_OUTPUT: usize = 8 << 20;

/// What a piece in memory takes beside its bytes, about.
pub(super) const PIECE_OVERHEAD: usize = 64;

const _: () = assert!(size_of::<SpillPiece>() <= PIECE_OVERHEAD);

/// What was written and not handed on yet, in the order in which it was written.
#[derive(Debug, Default)]
pub(super) struct SpillBuffer {
    pieces: Vec<SpillPiece>,
    in_memory: usize,
}

/// Bytes of one channel, all in one place.
#[derive(Debug)]
pub(super) struct SpillPiece {
    channel: Channel,
    bytes: Bytes,
}

#[derive(Debug)]
enum Bytes {
    Memory(Vec<u8>),
    Spilled(Spilled),
}

impl SpillBuffer {
    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// What it takes in memory.
    pub(super) fn in_memory(&self) -> usize {
        self.in_memory
    }

    /// Puts `bytes` into memory; what that takes more than before.
    pub(super) fn keep(&mut self, channel: Channel, bytes: &[u8]) -> usize {
        let taken = match self.pieces.last_mut() {
            Some(SpillPiece { channel: last, bytes: Bytes::Memory(kept) }) if *last == channel => {
                kept.extend_from_slice(bytes);
                bytes.len()
            }
            _ => {
                self.pieces.push(SpillPiece { channel, bytes: Bytes::Memory(bytes.to_vec()) });
                bytes.len() + PIECE_OVERHEAD
            }
        };
        self.in_memory += taken;
        taken
    }

    /// Puts `bytes` into `file`. After an error nothing was put anywhere.
    pub(super) fn spill(&mut self, channel: Channel, bytes: &[u8], file: &mut SpillFile) -> io::Result<()> {
        let spilled = file.put(bytes)?;
        if let Some(SpillPiece { channel: last, bytes: Bytes::Spilled(kept) }) = self.pieces.last_mut()
            && *last == channel
            && kept.joins(spilled)
        {
            return Ok(());
        }
        self.pieces.push(SpillPiece { channel, bytes: Bytes::Spilled(spilled) });
        Ok(())
    }

    /// Puts `bytes` into memory as long as the buffer is within `limit` there, into
    /// `file` beyond it. After an error nothing was put anywhere.
    pub(super) fn put(
        &mut self,
        channel: Channel,
        bytes: &[u8],
        limit: usize,
        file: &mut SpillFile,
    ) -> io::Result<()> {
        if self.in_memory + bytes.len() + PIECE_OVERHEAD <= limit {
            self.keep(channel, bytes);
            return Ok(());
        }
        self.spill(channel, bytes, file)
    }

    /// Its pieces, which it does not have any more.
    pub(super) fn take(&mut self) -> Vec<SpillPiece> {
        std::mem::take(self).pieces
    }

    /// Hands all bytes to `take`, block by block; they stay.
    pub(super) fn read(
        &self,
        file: &SpillFile,
        mut take: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        self.pieces.iter().try_for_each(|piece| piece.read(file, |_, block| take(block)))
    }

    /// Whether some of the bytes are ones that `is_meant`; what is in a file is
    /// taken to have some.
    pub(super) fn has(&self, is_meant: impl Fn(u8) -> bool) -> bool {
        self.pieces.iter().any(|piece| match &piece.bytes {
            Bytes::Memory(bytes) => bytes.iter().any(|&byte| is_meant(byte)),
            Bytes::Spilled(_) => true,
        })
    }

    /// Nothing is put any more: memory that was kept for more is given back.
    pub(super) fn shrink(&mut self) {
        self.pieces.shrink_to_fit();
    }
}

impl SpillPiece {
    /// What it takes in memory.
    pub(super) fn in_memory(&self) -> usize {
        match &self.bytes {
            Bytes::Memory(bytes) => bytes.len() + PIECE_OVERHEAD,
            Bytes::Spilled(_) => 0,
        }
    }

    /// Hands its bytes to `take`, block by block where they are in `file`.
    pub(super) fn read(
        &self,
        file: &SpillFile,
        mut take: impl FnMut(Channel, &[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        match &self.bytes {
            Bytes::Memory(bytes) => take(self.channel, bytes),
            Bytes::Spilled(spilled) => file.read(*spilled, |block| take(self.channel, block)),
        }
    }
}

/// Where something is in a [`SpillFile`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spilled {
    offset: u64,
    length: usize,
}

impl Spilled {
    /// Takes `next` in, where it stands right behind.
    fn joins(&mut self, next: Self) -> bool {
        let behind = self.offset + self.length as u64 == next.offset;
        if behind {
            self.length += next.length;
        }
        behind
    }
}

/// The file, made when the first bytes come. It has no name, so that nothing is
/// left of it whatever becomes of the process. Clones read what this one has now.
#[derive(Clone, Debug, Default)]
pub struct SpillFile {
    file: Option<Arc<File>>,
    end: u64,
}

impl SpillFile {
    /// A file that takes nothing.
    #[cfg(test)]
    pub(crate) fn full() -> Self {
        let file = File::open("/dev/null").expect("every system has it");
        Self { file: Some(Arc::new(file)), end: 0 }
    }

    /// Puts `bytes` at the end.
    pub fn put(&mut self, bytes: &[u8]) -> io::Result<Spilled> {
        let file = match &self.file {
            Some(file) => file,
            None => self.file.insert(Arc::new(unnamed_file()?)),
        };
        file.write_all_at(bytes, self.end)?;
        let spilled = Spilled { offset: self.end, length: bytes.len() };
        self.end += bytes.len() as u64;
        Ok(spilled)
    }

    /// Hands what was put to `take`, in blocks of at most 64 KiB.
    pub fn read(&self, spilled: Spilled, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let mut block = vec![0; spilled.length.min(64 * 1024)];
        let mut done = 0;
        while done < spilled.length {
            let length = block.len().min(spilled.length - done);
            file.read_exact_at(&mut block[..length], spilled.offset + done as u64)?;
            take(&block[..length])?;
            done += length;
        }
        Ok(())
    }

    /// Everything was read: the space is given back.
    pub fn reset(&mut self) -> io::Result<()> {
        if let Some(file) = self.file.as_ref().filter(|_| self.end > 0) {
            file.set_len(0)?;
        }
        self.end = 0;
        Ok(())
    }
}

/// Why what a task writes finds no room any more, in words.
pub(super) fn no_room(error: &io::Error) -> String {
    format!("cannot put output aside in TMPDIR: {}", reason(error))
}
