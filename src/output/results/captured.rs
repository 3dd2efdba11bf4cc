//! A job's output until its row can be written: in memory as far as it is short,
//! then in a spill file of its own.

use std::io;

use crate::output::Channel;
use crate::output::spill::{Piece, Spill};

/// So much of a job's output is held in memory.
const IN_MEMORY: usize = 256 << 10;

/// What a job wrote.
#[derive(Default)]
pub(super) struct Captured {
    /// By channel.
    streams: [Vec<Bytes>; 2],
    in_memory: usize,
    spill: Spill,
}

enum Bytes {
    Memory(Vec<u8>),
    Spilled(Piece),
}

impl Captured {
    pub(super) fn add(&mut self, channel: Channel, bytes: &[u8]) -> io::Result<()> {
        let stream = &mut self.streams[channel as usize];
        if self.in_memory + bytes.len() <= IN_MEMORY {
            self.in_memory += bytes.len();
            match stream.last_mut() {
                Some(Bytes::Memory(last)) => last.extend_from_slice(bytes),
                _ => stream.push(Bytes::Memory(bytes.to_vec())),
            }
        } else {
            stream.push(Bytes::Spilled(self.spill.put(bytes).map_err(|error| {
                let why = format!("cannot put it aside in TMPDIR: {error}");
                io::Error::new(error.kind(), why)
            })?));
        }
        Ok(())
    }

    /// Whether some of the bytes are ones that `is_meant`; what is in a file is
    /// taken to have some.
    pub(super) fn has(&self, channel: Channel, is_meant: impl Fn(u8) -> bool) -> bool {
        self.streams[channel as usize].iter().any(|bytes| match bytes {
            Bytes::Memory(bytes) => bytes.iter().any(|&byte| is_meant(byte)),
            Bytes::Spilled(_) => true,
        })
    }

    /// Hands all bytes to `take`, block by block.
    pub(super) fn read(
        &self,
        channel: Channel,
        mut take: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        self.streams[channel as usize].iter().try_for_each(|bytes| match bytes {
            Bytes::Memory(bytes) => take(bytes),
            Bytes::Spilled(piece) => self.spill.read(*piece, &mut take),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_that_finds_no_room_in_tmpdir_is_not_blamed_on_the_table() {
        let mut captured = Captured { spill: Spill::full(), ..Captured::default() };
        captured.add(Channel::Out, b"short").unwrap();
        let error = captured.add(Channel::Out, &vec![b'x'; IN_MEMORY]).unwrap_err();
        assert!(error.to_string().starts_with("cannot put it aside in TMPDIR: "), "{error}");
    }
}
