//! Whether two ways of running the same tasks produced the same.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::record::{Digest, Way};

/// How many differing items are named; the rest are counted.
const NAMED: usize = 10;

/// The outcome of all comparisons of an experiment. The first run is the
/// reference that every later one is compared with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// What the items are: `file`, `task`.
    pub unit: String,
    /// How many items there are.
    pub items: u64,
    /// How many were the same in every run.
    pub identical: u64,
    /// The first of those that differed, in input order.
    pub differences: Vec<Difference>,
    /// A further check of the content, in words: `x000000.csv read back as ...`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checked: Option<String>,
}

/// An item that differed, or was missing, in some run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Which item, from 0.
    pub item: u64,
    /// The item in a person's words.
    pub label: String,
    /// The way in which it first differed from the reference.
    pub way: Way,
    /// How many tasks at a time it was run with.
    pub width: usize,
}

impl Agreement {
    /// Whether every item was the same in every run.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.identical == self.items
    }
}

/// What one run produced.
#[derive(Debug)]
pub(crate) struct Produced {
    /// How the batch was run.
    pub(crate) way: Way,
    /// With how many tasks at a time.
    pub(crate) width: usize,
    /// What the items are.
    pub(crate) unit: &'static str,
    /// Each item in a person's words, and its digest; `None` where it failed.
    pub(crate) items: Vec<(String, Option<Digest>)>,
}

/// Compares run after run with the first.
#[derive(Debug, Default)]
pub(crate) struct Comparer {
    unit: &'static str,
    reference: Option<Vec<Option<Digest>>>,
    differing: BTreeMap<u64, Difference>,
    /// Items that some run did not produce: told as failures, not as differences.
    missing: BTreeSet<u64>,
    compared: bool,
}

impl Comparer {
    /// Takes what one run produced.
    pub(crate) fn take(&mut self, produced: Produced) {
        let Produced { way, width, unit, items } = produced;
        self.missing
            .extend((0..).zip(&items).filter(|(_, (_, digest))| digest.is_none()).map(|(item, _)| item));
        let Some(reference) = &self.reference else {
            self.unit = unit;
            self.reference = Some(items.into_iter().map(|(_, digest)| digest).collect());
            return;
        };
        self.compared = true;
        self.missing.extend(items.len() as u64..reference.len() as u64);
        for (item, (first, (label, this))) in (0..).zip(reference.iter().zip(items)) {
            if first.is_some() && this.is_some() && *first != this {
                self.differing.entry(item).or_insert(Difference { item, label, way, width });
            }
        }
    }

    /// The outcome so far; `None` while there was nothing to compare with.
    pub(crate) fn agreement(&self) -> Option<Agreement> {
        let reference = self.reference.as_ref().filter(|_| self.compared)?;
        let unlike: BTreeSet<_> = self.differing.keys().chain(&self.missing).collect();
        Some(Agreement {
            unit: self.unit.to_owned(),
            items: reference.len() as u64,
            identical: (reference.len() as u64).saturating_sub(unlike.len() as u64),
            differences: self.differing.values().take(NAMED).cloned().collect(),
            checked: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn produced(way: Way, values: &[u128]) -> Produced {
        let digest = |&value: &u128| (value != 0).then_some(Digest(value));
        let items = (0..).zip(values.iter().map(digest));
        let items = items.map(|(item, digest): (u64, _)| (item.to_string(), digest)).collect();
        Produced { way, width: 1, unit: "task", items }
    }

    fn compare(first: &[u128], second: &[u128]) -> Agreement {
        let mut comparer = Comparer::default();
        comparer.take(produced(Way::Serial, first));
        comparer.take(produced(Way::Parallel, second));
        comparer.agreement().unwrap()
    }

    #[test]
    fn equal_products_agree() {
        let agreement = compare(&[1, 2, 3], &[1, 2, 3]);
        assert!(agreement.holds());
        assert_eq!((agreement.items, agreement.identical), (3, 3));
    }

    #[test]
    fn a_different_item_is_named() {
        let agreement = compare(&[1, 2, 3], &[1, 9, 3]);
        assert_eq!(agreement.identical, 2);
        assert_eq!(agreement.differences[0].label, "1");
        assert_eq!(agreement.differences[0].way, Way::Parallel);
    }

    #[test]
    fn an_item_missing_both_times_is_not_identical() {
        assert_eq!(compare(&[1, 0], &[1, 0]).identical, 1);
    }

    #[test]
    fn an_item_beyond_the_end_of_one_run_is_not_identical() {
        assert_eq!(compare(&[1, 2, 3], &[1, 2]).identical, 2);
    }

    #[test]
    fn one_run_alone_is_not_compared() {
        let mut comparer = Comparer::default();
        comparer.take(produced(Way::Serial, &[1]));
        assert_eq!(comparer.agreement(), None);
    }
}
