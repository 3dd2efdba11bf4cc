//! The last of what failed jobs had to say where it was not shown, for the list
//! of failed jobs at the end.

use crate::sync::Mutex;
use std::collections::HashMap;

/// So much is kept of a job.
const LONGEST: usize = 4096;

/// Of so many jobs something is kept.
const MOST: usize = 20;

/// Tails by job.
#[derive(Debug, Default)]
pub struct FailureTails {
    tails: Mutex<HashMap<u64, Vec<u8>>>,
}

impl FailureTails {
    /// The tail of job `seq`, from 0.
    #[must_use]
    pub fn of(&self, seq: u64) -> Option<Vec<u8>> {
        self.tails.lock().get(&seq).cloned()
    }

    pub(super) fn keep(&self, seq: u64, tail: Tail) {
        let mut tails = self.tails.lock();
        if tails.len() < MOST && !tail.bytes.is_empty() {
            tails.insert(seq, tail.cut());
        }
    }
}

/// The tail of one job, as it comes.
#[derive(Debug, Default)]
pub(super) struct Tail {
    bytes: Vec<u8>,
}

impl Tail {
    pub(super) fn add(&mut self, bytes: &[u8]) {
        let bytes = &bytes[bytes.len().saturating_sub(LONGEST)..];
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() > 4 * LONGEST {
            self.bytes.drain(..self.bytes.len() - LONGEST);
        }
    }

    fn cut(mut self) -> Vec<u8> {
        self.bytes.drain(..self.bytes.len().saturating_sub(LONGEST));
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_4_kib_of_at_most_20_jobs_are_kept() {
        let tails = FailureTails::default();
        for seq in 0..30 {
            let mut tail = Tail::default();
            for at in 0..10_000_u32 {
                tail.add(format!("{at}\n").as_bytes());
            }
            tails.keep(seq, tail);
        }
        let tail = tails.of(19).unwrap();
        assert!(tail.len() == 4096 && tail.ends_with(b"9998\n9999\n"));
        assert_eq!(tails.of(20), None);
    }
}
