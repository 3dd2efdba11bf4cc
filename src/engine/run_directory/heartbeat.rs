//! Whether workers live: a counter that each renews, and how others see that it stands
//! still, by their own clocks.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::time::{Duration, Instant};

use super::layout::{RunLayout, private};

/// The bytes of a counter.
const COUNTER: u64 = 8;

/// No last word is longer.
const LONGEST_WORD: usize = 1000;

/// A worker's own counter. Who has made it has the worker's name, which is nobody else's.
#[derive(Debug)]
pub(super) struct Heart {
    file: File,
    count: u64,
}

impl Heart {
    /// The first name of `element` that no worker has, and its heart.
    pub(super) fn begin(layout: &RunLayout, element: u32) -> io::Result<(String, Self)> {
        let mut restart = 0;
        loop {
            let worker = worker_name(element, restart);
            match private().write(true).create_new(true).open(layout.heartbeat(&worker)) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => restart += 1,
                file => {
                    let mut heart = Self { file: file?, count: 0 };
                    heart.beat()?;
                    return Ok((worker, heart));
                }
            }
        }
    }

    /// In place: writing a file anew is slow on some file systems.
    pub(super) fn beat(&mut self) -> io::Result<()> {
        self.count += 1;
        self.file.write_all_at(&self.count.to_le_bytes(), 0)
    }
}

/// What `worker` has to say at its end and cannot record, on a disk that is full: there is
/// room behind its counter, which stands in a block of its own.
pub(super) fn leave_word(layout: &RunLayout, worker: &str, why: &str) -> io::Result<()> {
    let file = private().write(true).open(layout.heartbeat(worker))?;
    file.write_all_at(why.as_bytes().get(..LONGEST_WORD).unwrap_or(why.as_bytes()), COUNTER)
}

/// What a worker left as its last word, if it did.
pub(super) fn last_word(layout: &RunLayout, worker: &str) -> Option<String> {
    let bytes = fs::read(layout.heartbeat(worker)).ok()?;
    let word = bytes.get(usize::try_from(COUNTER).ok()?..)?;
    (!word.is_empty()).then(|| String::from_utf8_lossy(word).into_owned())
}

/// Worker `restart` of `element`, both from 0.
pub(super) fn worker_name(element: u32, restart: u32) -> String {
    format!("{element}r{restart}")
}

/// Which element a worker is of.
pub(super) fn element_of(worker: &str) -> Option<u32> {
    worker.split_once('r')?.0.parse().ok()
}

/// Why a worker takes part no more, though it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CutOff {
    /// Others take it for dead and do what it had: a batch system had forgotten it, or it was
    /// silent for too long. What it is in the middle of may still count.
    Buried,
    /// Another run is in the place of its own.
    OtherRun,
}

/// Sees whose counters stand still.
#[derive(Debug)]
pub(super) struct HeartWatch {
    layout: RunLayout,
    lease: Duration,
    /// What each showed last, and since when.
    seen: HashMap<String, (Vec<u8>, Instant)>,
}

impl HeartWatch {
    /// A worker is gone whose counter stood still for `lease`.
    pub(super) fn new(layout: &RunLayout, lease: Duration) -> Self {
        Self { layout: layout.clone(), lease, seen: HashMap::new() }
    }

    /// Whether `worker` is gone: it said so, somebody knows, or it stood still so long.
    pub(super) fn is_gone(&mut self, worker: &str) -> bool {
        if self.layout.dead(worker).exists() {
            return true;
        }
        let count = fs::read(self.layout.heartbeat(worker)).unwrap_or_default();
        let now = Instant::now();
        match self.seen.get_mut(worker) {
            Some((last, since)) if *last == count => now.saturating_duration_since(*since) > self.lease,
            _ => {
                self.seen.insert(worker.to_owned(), (count, now));
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_workers_and_one_that_stands_still_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let layout = RunLayout::create(&folder.path().join("run")).unwrap();
        let (one, mut heart) = Heart::begin(&layout, 3).unwrap();
        let (other, _) = Heart::begin(&layout, 3).unwrap();
        assert_eq!((&*one, &*other, element_of(&other)), ("3r0", "3r1", Some(3)));
        let mut patient = HeartWatch::new(&layout, Duration::from_secs(600));
        let mut hasty = HeartWatch::new(&layout, Duration::ZERO);
        for watch in [&mut patient, &mut hasty] {
            assert!(!watch.is_gone(&one));
        }
        heart.beat().unwrap();
        assert!(!hasty.is_gone(&one));
        std::thread::sleep(Duration::from_millis(1));
        assert!(hasty.is_gone(&one) && !patient.is_gone(&one));
        layout.bury(&one).unwrap();
        assert!(patient.is_gone(&one));
    }

    #[test]
    fn a_last_word_is_behind_the_counter() {
        let folder = tempfile::tempdir().unwrap();
        let layout = RunLayout::create(&folder.path().join("run")).unwrap();
        let (worker, mut heart) = Heart::begin(&layout, 0).unwrap();
        assert_eq!(last_word(&layout, &worker), None);
        leave_word(&layout, &worker, "no space left").unwrap();
        heart.beat().unwrap();
        assert_eq!(last_word(&layout, &worker).as_deref(), Some("no space left"));
        assert!(leave_word(&layout, "7r0", "x").is_err());
    }
}
