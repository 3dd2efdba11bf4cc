//! What is kept of the records of one run: the sums always, the rest as far as
//! somebody will look at it.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use super::ComparedBy;
use super::judge::with_ending;
use crate::engine::RecordSink;
use crate::study::{Failure, RunResult, Streaming};
use crate::task::{Digest, Outcome, Record, SharedText};

/// There is room for no more records than these before they come.
const MOST_ROOM: usize = 10_000;

/// So many failed tasks are told by name where records are not kept.
const NAMED_FAILURES: usize = 20;

/// Of so many differing tasks the labels are kept.
const NAMED_DIFFERENCES: usize = 10;

/// What is known of a run that is over.
pub(super) struct RunNotes {
    pub(super) result: RunResult,
    /// The digest of each task by sequence number; `None` where it failed.
    pub(super) digests: Vec<Option<Digest>>,
    /// What failed, by item.
    pub(super) failures: BTreeMap<u64, Failure>,
    /// How many failures were counted only.
    pub(super) unnamed: u64,
    /// The labels of the first tasks whose results are not the reference's.
    pub(super) differing: BTreeMap<u64, String>,
}

/// What a run is compared with, and how.
#[derive(Clone, Copy)]
pub(super) struct Against<'a> {
    /// What counts as a result.
    pub(super) by: ComparedBy,
    /// Those of the first run; `None` of that run itself.
    pub(super) reference: Option<&'a [Option<Digest>]>,
}

/// Folds records into a [`RunResult`].
pub(super) struct RunLedger<'a> {
    notes: RunNotes,
    compared: Option<Against<'a>>,
    /// When the last task of each slot ended, since the start of the run.
    last_ends: Vec<Duration>,
    keep_records: bool,
    interner: TextInterner,
    /// Whether what failed tasks found is compared, too.
    counts_failed: bool,
}

impl<'a> RunLedger<'a> {
    /// `counts_failed`: what failed tasks found is compared, too, for they ask somebody
    /// outside.
    pub(super) fn new(compared: Option<Against<'a>>, keep_records: bool, counts_failed: bool) -> Self {
        let folded = (!keep_records).then(Streaming::default);
        Self {
            notes: RunNotes {
                result: RunResult { folded, ..RunResult::default() },
                digests: Vec::new(),
                failures: BTreeMap::new(),
                unnamed: 0,
                differing: BTreeMap::new(),
            },
            last_ends: Vec::new(),
            compared,
            keep_records,
            interner: TextInterner::default(),
            counts_failed,
        }
    }

    /// Has room for the records of so many tasks, where they are kept: else there would be
    /// up to three times as much while they come.
    pub(super) fn with_room_for(mut self, tasks: Option<u64>) -> Self {
        if let (true, Some(tasks)) = (self.keep_records, tasks) {
            self.notes.result.records.reserve(usize::try_from(tasks).unwrap_or(0).min(MOST_ROOM));
        }
        self
    }

    /// Whether a failure is one too many to be named. Not where ways are compared, for
    /// there all must be known; nor of parts, several of which make one item.
    fn only_counts(&self, record: &Record) -> bool {
        let all_are_known = self.keep_records || self.compared.is_some() || record.item.is_some();
        !all_are_known && self.notes.failures.len() == NAMED_FAILURES
    }

    /// The run is over after `wall`, which began when other machines had been waited for so
    /// long: records in input order, and how long slots had nothing to do at the end.
    pub(super) fn closed(self, wall: Duration, waited: Duration) -> RunNotes {
        let had_a_task = self.last_ends.iter().filter(|end| !end.is_zero());
        let mut notes = self.notes;
        notes.result.tail = had_a_task.map(|end| (wall + waited).saturating_sub(*end)).sum();
        if !waited.is_zero() {
            notes.result.lead = notes.result.lead.map(|lead| lead.saturating_sub(waited));
            notes.result.records.change(|record| record.start = record.start.saturating_sub(waited));
        }
        notes.result.records.sort();
        notes
    }
}

impl RunLedger<'_> {
    /// Takes note of the result of `record`'s task.
    fn compare(&mut self, record: &Record, against: Against<'_>) {
        let result = match against.by {
            ComparedBy::Products => record.digest.filter(|_| match record.outcome {
                Outcome::Success => true,
                Outcome::Interrupted => false,
                _ => self.counts_failed,
            }),
            ComparedBy::Endings { .. } => {
                record.digest.and_then(|digest| with_ending(digest, &record.outcome))
            }
        };
        let index = usize::try_from(record.seq).expect("a digest for each task fits into memory");
        if self.notes.digests.len() <= index {
            self.notes.digests.resize(index + 1, None);
        }
        self.notes.digests[index] = result;
        let reference = against.reference.and_then(|reference| reference.get(index));
        if reference.is_some_and(|reference| *reference != result) {
            self.notes.differing.insert(record.seq, record.label.to_string());
            if self.notes.differing.len() > NAMED_DIFFERENCES {
                self.notes.differing.pop_last();
            }
        }
    }
}

fn item(record: &Record) -> u64 {
    record.item.unwrap_or(record.seq)
}

/// How the task of `record` failed, in a run that is yet to be named.
fn failure(record: &Record) -> Failure {
    // What it ended with, and who ended it where that is known.
    let why = match record.fact("killed") {
        Some(fact) => format!("{}: {fact}", record.outcome).into(),
        None => record.outcome.in_words(),
    };
    Failure { label: record.label.clone(), why, way: "".into(), run: 0, also: Vec::new() }
}

/// Texts that many records have: why one service cannot be asked is why a thousand cannot.
#[derive(Default)]
struct TextInterner(HashSet<SharedText>);

impl TextInterner {
    /// So many are looked out for: the first ones that come.
    const MOST: usize = 100;

    /// Makes `text` the same piece of memory as the last one that said so.
    fn share(&mut self, text: &mut SharedText) {
        match self.0.get(text) {
            Some(known) => *text = known.clone(),
            None if self.0.len() < Self::MOST => _ = self.0.insert(text.clone()),
            None => {}
        }
    }

    /// Makes `record` as small as it can be, and the failure that is made of it.
    fn slim(&mut self, record: &mut Record) {
        if let Outcome::Failed(why) = &mut record.outcome {
            self.share(why);
        }
        record.spans.shrink();
    }
}

impl RecordSink for RunLedger<'_> {
    fn enter(&mut self, mut record: Record) {
        self.notes.result.add(&record);
        if self.keep_records {
            self.interner.slim(&mut record);
        }
        let slot = record.slot as usize;
        if self.last_ends.len() <= slot {
            self.last_ends.resize(slot + 1, Duration::ZERO);
        }
        self.last_ends[slot] = self.last_ends[slot].max(record.end());
        if record.outcome.is_failure() {
            if self.only_counts(&record) {
                self.notes.unnamed += 1;
            } else {
                self.notes.failures.entry(item(&record)).or_insert_with(|| failure(&record));
            }
        }
        if let Some(against) = self.compared {
            self.compare(&record, against);
        }
        if self.keep_records {
            self.notes.result.records.push(record);
        }
    }
}
