//! Bytes that have to wait longer than memory should hold them: one unlinked
//! file in TMPDIR, written at its end and read back piece by piece.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use crate::output::unnamed_file::unnamed_file;

/// A piece of the spill file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    offset: u64,
    length: usize,
}

impl Piece {
    /// Takes `next` in, where it stands right behind this piece.
    pub(super) fn joins(&mut self, next: Self) -> bool {
        let behind = self.offset + self.length as u64 == next.offset;
        if behind {
            self.length += next.length;
        }
        behind
    }
}

/// The file, opened when the first piece comes. It has no name, so that
/// nothing is left of it whatever becomes of the process.
#[derive(Debug, Default)]
pub(super) struct Spill {
    file: Option<File>,
    end: u64,
}

impl Spill {
    /// A file that takes nothing.
    #[cfg(test)]
    pub(super) fn full() -> Self {
        let file = File::open("/dev/null").expect("every system has it");
        Self { file: Some(file), end: 0 }
    }

    /// Puts `bytes` aside.
    pub(super) fn put(&mut self, bytes: &[u8]) -> io::Result<Piece> {
        let file = match &self.file {
            Some(file) => file,
            None => self.file.insert(unnamed_file()?),
        };
        file.write_all_at(bytes, self.end)?;
        let piece = Piece { offset: self.end, length: bytes.len() };
        self.end += bytes.len() as u64;
        Ok(piece)
    }

    /// Hands `piece` to `take`, in blocks of at most 64 KiB.
    pub(super) fn read(&self, piece: Piece, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let mut block = vec![0; piece.length.min(64 * 1024)];
        let mut done = 0;
        while done < piece.length {
            let length = block.len().min(piece.length - done);
            file.read_exact_at(&mut block[..length], piece.offset + done as u64)?;
            take(&block[..length])?;
            done += length;
        }
        Ok(())
    }

    /// Everything was read: the space is given back.
    pub(super) fn reset(&mut self) -> io::Result<()> {
        if let Some(file) = self.file.as_ref().filter(|_| self.end > 0) {
            file.set_len(0)?;
        }
        self.end = 0;
        Ok(())
    }
}
