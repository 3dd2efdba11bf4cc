//! What is kept of the records of one run: the sums always, the rest as far as
//! somebody will look at it.

use std::collections::BTreeMap;

use crate::record::{Digest, Outcome, Record, Way};
use crate::run::Ledger;
use crate::study::{Failure, RunResult};

/// So many failed tasks are told by name where records are not kept.
const NAMED_FAILURES: usize = 20;

/// Folds records into a [`RunResult`].
pub(super) struct RunLedger {
    pub(super) result: RunResult,
    /// The digest of each task by sequence number; `None` where it failed.
    pub(super) digests: Vec<Option<Digest>>,
    /// What failed, by item.
    pub(super) failures: BTreeMap<u64, Failure>,
    /// How many failures were counted only.
    pub(super) unnamed: u64,
    compared: bool,
    keep_records: bool,
}

impl RunLedger {
    pub(super) fn new(compared: bool, keep_records: bool) -> Self {
        Self {
            result: RunResult::default(),
            digests: Vec::new(),
            failures: BTreeMap::new(),
            unnamed: 0,
            compared,
            keep_records,
        }
    }

    /// Whether a failure is one too many to be named. Not where ways are compared
    /// or records are kept, for there all must be known; nor of parts, several of
    /// which make one item.
    fn only_counts(&self, record: &Record) -> bool {
        let all_are_known = self.compared || self.keep_records || record.item.is_some();
        !all_are_known && self.failures.len() == NAMED_FAILURES
    }

    /// The run is over: records in input order.
    pub(super) fn sorted(mut self) -> Self {
        // Stable, which is quick on what is nearly in order.
        self.result.records.sort_by_key(|record| (record.seq, record.attempt));
        self
    }
}

impl Ledger for RunLedger {
    fn enter(&mut self, record: Record) {
        self.result.add(&record);
        if record.outcome.is_failure() && self.only_counts(&record) {
            self.unnamed += 1;
        } else if record.outcome.is_failure() {
            self.failures.entry(record.item.unwrap_or(record.seq)).or_insert_with(|| Failure {
                label: record.label.clone(),
                why: record.outcome.to_string(),
                way: Way::Serial,
            });
        }
        if self.compared {
            let index = usize::try_from(record.seq).expect("a digest for each task fits into memory");
            if self.digests.len() <= index {
                self.digests.resize(index + 1, None);
            }
            self.digests[index] = record.digest.filter(|_| record.outcome == Outcome::Success);
        }
        if self.keep_records {
            self.result.records.push(record);
        }
    }
}
