//! Which tasks are done with for good: their results were handed on. A set of numbers in
//! memory, a bit each, and a file that outlives the client.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::time::{Duration, Instant};

use super::layout::{RunLayout, private};
use crate::sync::Mutex;

/// So long a machine that crashes may forget.
const SYNC: Duration = Duration::from_secs(1);

/// A set of numbers from 0.
#[derive(Clone, Debug, Default)]
pub(super) struct NumberSet {
    words: Vec<u64>,
    count: u64,
}

impl NumberSet {
    pub(super) fn has(&self, number: u64) -> bool {
        self.words.get(word(number)).is_some_and(|word| word & bit(number) != 0)
    }

    /// Says whether it is new.
    pub(super) fn insert(&mut self, number: u64) -> bool {
        if self.has(number) {
            return false;
        }
        let word = word(number);
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= bit(number);
        self.count += 1;
        true
    }

    /// How many there are.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// One more than the largest.
    pub(super) fn end(&self) -> u64 {
        let last = self.words.iter().rposition(|word| *word != 0);
        last.map_or(0, |at| at as u64 * 64 + u64::from(64 - self.words[at].leading_zeros()))
    }
}

/// A set that does not change any more, and how many of its numbers are below another.
#[derive(Clone, Debug, Default)]
pub(super) struct RankedSet {
    set: NumberSet,
    /// By word: how many there are before it.
    before: Vec<u64>,
}

impl RankedSet {
    pub(super) fn new(set: NumberSet) -> Self {
        let counts = set.words.iter().map(|word| u64::from(word.count_ones()));
        let before = counts.scan(0, |sum, count| Some(std::mem::replace(sum, *sum + count))).collect();
        Self { set, before }
    }

    /// How many are below `number`.
    pub(super) fn below(&self, number: u64) -> u64 {
        let at = word(number);
        match (self.before.get(at), self.set.words.get(at)) {
            (Some(before), Some(word)) => before + u64::from((word & (bit(number) - 1)).count_ones()),
            _ => self.set.count,
        }
    }
}

fn word(number: u64) -> usize {
    usize::try_from(number / 64).unwrap_or(usize::MAX)
}

fn bit(number: u64) -> u64 {
    1 << (number % 64)
}

/// The file of those whose results were handed on.
pub(super) struct AcceptedFile {
    written: Mutex<WrittenFile>,
}

struct WrittenFile {
    file: File,
    synced: Instant,
    trouble: Option<io::Error>,
}

impl AcceptedFile {
    /// Opens that of a run, and says what stands there.
    pub(super) fn open(layout: &RunLayout) -> io::Result<(Self, NumberSet)> {
        let path = layout.path("accepted");
        let mut set = NumberSet::default();
        let mut bytes = Vec::new();
        if path.exists() {
            File::open(&path)?.read_to_end(&mut bytes)?;
        }
        let (numbers, rest) = bytes.as_chunks();
        for number in numbers {
            set.insert(u64::from_le_bytes(*number));
        }
        let file = private().append(true).create(true).open(&path)?;
        if !rest.is_empty() {
            // It was cut off.
            file.set_len((bytes.len() - rest.len()) as u64)?;
        }
        let written = WrittenFile { file, synced: Instant::now(), trouble: None };
        Ok((Self { written: Mutex::new(written) }, set))
    }

    /// Puts down that the result of task `place` was handed on.
    pub(super) fn put(&self, place: u64) {
        let mut written = self.written.lock();
        let put = written.file.write_all(&place.to_le_bytes()).and_then(|()| {
            if written.synced.elapsed() < SYNC {
                return Ok(());
            }
            written.synced = Instant::now();
            written.file.sync_data()
        });
        if let Err(error) = put {
            written.trouble.get_or_insert(error);
        }
    }

    /// What went wrong with it.
    pub(super) fn trouble(&self) -> Option<io::Error> {
        self.written.lock().trouble.take()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_set_has_what_was_put_in(numbers in prop::collection::vec(0_u64..500, 0..40)) {
            let (mut set, mut known) = (NumberSet::default(), BTreeSet::new());
            for number in numbers {
                prop_assert_eq!(set.insert(number), known.insert(number));
            }
            prop_assert_eq!(set.count(), known.len() as u64);
            prop_assert_eq!(set.end(), known.last().map_or(0, |last| last + 1));
            let ranked = RankedSet::new(set.clone());
            prop_assert!((0..600).all(|number| ranked.below(number) == known.range(..number).count() as u64));
            prop_assert!((0..600).all(|number| set.has(number) == known.contains(&number)));
        }
    }

    #[test]
    fn what_was_put_down_is_found_again_and_a_cut_end_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let layout = RunLayout::create(&folder.path().join("run")).unwrap();
        let (file, set) = AcceptedFile::open(&layout).unwrap();
        assert_eq!(set.count(), 0);
        for place in [7, 1, 7] {
            file.put(place);
        }
        assert!(file.trouble().is_none());
        private().append(true).open(layout.path("accepted")).unwrap().write_all(b"cut").unwrap();
        let (file, set) = AcceptedFile::open(&layout).unwrap();
        assert!(set.has(7) && set.has(1) && set.count() == 2);
        file.put(3);
        assert!(AcceptedFile::open(&layout).unwrap().1.has(3));
    }
}
