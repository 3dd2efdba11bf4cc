//! A reader that begins again where a signal cut a read short: a file on a file system
//! that answers over a network may say so at any read.

use std::io::{self, ErrorKind, Read};

/// Reads from `R`, whatever signals come meanwhile.
#[derive(Debug)]
pub struct Uninterrupted<R>(pub R);

impl<R: Read> Read for Uninterrupted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.0.read(buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }
}

/// Every other read is cut short by a signal.
#[cfg(test)]
#[derive(Debug)]
pub struct Disturbed<'a> {
    /// What is to be read.
    pub bytes: &'a [u8],
    /// Whether the next read gives some of it.
    pub is_next: bool,
}

#[cfg(test)]
impl Read for Disturbed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.is_next = !self.is_next;
        if self.is_next { Err(ErrorKind::Interrupted.into()) } else { self.bytes.read(buffer) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_signal_cut_short_is_read_all_the_same() {
        let mut reader = Uninterrupted(Disturbed { bytes: b"abc", is_next: false });
        let mut buffer = [0; 2];
        assert_eq!(reader.read(&mut buffer).unwrap(), 2);
        assert_eq!(reader.read(&mut buffer).unwrap(), 1);
        assert_eq!(reader.read(&mut buffer).unwrap(), 0);
    }
}
