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

#[cfg(test)]
mod tests {
    use super::*;

    /// Every other read is cut short by a signal.
    struct Disturbed<'a>(&'a [u8], bool);

    impl Read for Disturbed<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.1 = !self.1;
            if self.1 { Err(ErrorKind::Interrupted.into()) } else { self.0.read(buffer) }
        }
    }

    #[test]
    fn what_a_signal_cut_short_is_read_all_the_same() {
        let mut reader = Uninterrupted(Disturbed(b"abc", false));
        let mut buffer = [0; 2];
        assert_eq!(reader.read(&mut buffer).unwrap(), 2);
        assert_eq!(reader.read(&mut buffer).unwrap(), 1);
        assert_eq!(reader.read(&mut buffer).unwrap(), 0);
    }
}
