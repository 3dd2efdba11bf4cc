//! Whether two ways of running the same tasks produced the same.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::task::{Column, Digest, LeftFile};

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
    /// How many more differed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more_differences: u64,
    /// How many of these failed in every run, and in the same way.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub failed_alike: u64,
    /// The files that tasks left beside, where these were compared too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<FilesAgreement>,
    /// Whether what was compared can change by itself: a difference is then told,
    /// and is no fault.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub outside: bool,
    /// A further check of the content, in words: `x000000.csv read back as ...`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checked: Option<String>,
}

/// How far the files agree that the runs left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilesAgreement {
    /// How many there are, in all runs together.
    pub files: u64,
    /// How many were the same in every run.
    pub identical: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// An item that differed, or was missing, in some run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Which item, from 0.
    pub item: u64,
    /// The item in a person's words.
    pub label: String,
    /// The name of the column in which it first differed from the reference.
    pub way: Cow<'static, str>,
    /// How many tasks at a time it was run with.
    pub width: usize,
    /// The first difference, in words, where it is known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}

impl Agreement {
    /// Whether every item was the same in every run.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.identical == self.items && self.files.is_none_or(|files| files.identical == files.files)
    }
}

/// What one run produced.
#[derive(Debug)]
pub(crate) struct Produced {
    /// How the batch was run.
    pub(crate) column: Column,
    /// With how many tasks at a time.
    pub(crate) width: usize,
    /// What the items are.
    pub(crate) unit: &'static str,
    /// Each item in a person's words, and its digest; `None` where it failed.
    pub(crate) items: Vec<(String, Option<Digest>)>,
    /// Why items that are there for all the run knows could not be read.
    pub(crate) unread: BTreeMap<u64, String>,
    /// What is known of those that differ.
    pub(crate) known: BTreeMap<u64, Known>,
    /// How tasks failed, where that is a result like any other.
    pub(crate) failed: BTreeMap<u64, String>,
    /// The files beside, if any were looked for.
    pub(crate) files: Option<Vec<LeftFile>>,
}

impl Produced {
    /// The items alone.
    pub(crate) fn new(
        column: Column,
        width: usize,
        unit: &'static str,
        items: Vec<(String, Option<Digest>)>,
    ) -> Self {
        let (unread, known, failed) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { column, width, unit, items, unread, known, failed, files: None }
    }
}

/// What is known of an item that differs from the reference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Known {
    /// The item in a person's words.
    pub(crate) label: String,
    /// The first difference, in words.
    pub(crate) why: String,
}

/// Compares run after run with the first.
#[derive(Debug, Default)]
pub(crate) struct Comparer {
    unit: &'static str,
    reference: Option<Vec<Option<Digest>>>,
    first: Option<Column>,
    /// How tasks of the reference failed.
    failed: BTreeMap<u64, String>,
    differing: BTreeMap<u64, Difference>,
    /// Items that some run did not produce: told as failures, not as differences, but
    /// for those that could not be read.
    missing: BTreeSet<u64>,
    /// The tasks that failed in all runs so far, and each time alike.
    failed_alike: BTreeSet<u64>,
    files: BTreeMap<String, ComparedFile>,
    /// In how many runs files were looked for.
    n_file_runs: usize,
    compared: bool,
}

/// A file and what became of it in the runs.
#[derive(Debug, Default)]
struct ComparedFile {
    /// In how many runs it was there.
    runs: usize,
    difference: Option<Difference>,
}

impl Comparer {
    /// Takes what one run produced.
    pub(crate) fn take(&mut self, produced: Produced) {
        let Produced { column, width, unit, items, unread, mut known, failed, files } = produced;
        self.take_files(&column.name, width, files);
        let difference = |item, label, why| Difference { item, label, way: column.name.clone(), width, why };
        for (item, why) in unread {
            let label = usize::try_from(item).ok().and_then(|item| items.get(item));
            let label = label.map(|(label, _)| label.clone()).unwrap_or_default();
            self.differing.entry(item).or_insert_with(|| difference(item, label, why));
        }
        self.missing
            .extend((0..).zip(&items).filter(|(_, (_, digest))| digest.is_none()).map(|(item, _)| item));
        let Some(reference) = &self.reference else {
            self.unit = unit;
            self.reference = Some(items.into_iter().map(|(_, digest)| digest).collect());
            self.first = Some(column);
            self.failed_alike = failed.keys().copied().collect();
            self.failed = failed;
            return;
        };
        self.compared = true;
        self.missing.extend(items.len() as u64..reference.len() as u64);
        for (item, (first, (label, this))) in (0..).zip(reference.iter().zip(items)) {
            if first.is_some() && this.is_some() && *first != this {
                let Known { label, why } = known.remove(&item).unwrap_or(Known { label, why: String::new() });
                self.differing.entry(item).or_insert_with(|| difference(item, label, why));
            }
        }
        self.failed_alike.retain(|item| failed.get(item) == self.failed.get(item));
    }

    fn take_files(&mut self, way: &str, width: usize, files: Option<Vec<LeftFile>>) {
        let Some(files) = files else { return };
        let earlier = self.n_file_runs;
        self.n_file_runs += 1;
        let difference = |name: &str, why: String| {
            let (label, way) = (format!("file {name}"), way.to_owned().into());
            Difference { item: 0, label, way, width, why }
        };
        for LeftFile { name, why, .. } in files {
            let file = self.files.entry(name.clone()).or_default();
            file.runs += 1;
            if let Some(why) = why {
                file.difference.get_or_insert_with(|| difference(&name, why));
            } else if file.runs == 1 && earlier > 0 {
                let why = format!("only this {way} run left it");
                file.difference.get_or_insert_with(|| difference(&name, why));
            }
        }
        for (name, file) in self.files.iter_mut().filter(|(_, file)| file.runs < earlier + 1) {
            let why = format!("this {way} run did not leave it");
            file.difference.get_or_insert_with(|| difference(name, why));
        }
    }

    /// How the first run was made.
    pub(crate) fn first(&self) -> Option<&Column> {
        self.first.as_ref()
    }

    /// How a task failed in the first run, if it did.
    pub(crate) fn how_it_failed(&self, task: u64) -> Option<&String> {
        self.failed.get(&task)
    }

    /// What the first run produced.
    pub(crate) fn reference(&self) -> Option<&[Option<Digest>]> {
        self.reference.as_deref()
    }

    /// The outcome so far; `None` while there was nothing to compare with.
    pub(crate) fn agreement(&self) -> Option<Agreement> {
        let reference = self.reference.as_ref().filter(|_| self.compared)?;
        let unlike: BTreeSet<_> = self.differing.keys().chain(&self.missing).collect();
        let unlike_files = || self.files.values().filter_map(|file| file.difference.as_ref());
        let files = FilesAgreement {
            files: self.files.len() as u64,
            identical: (self.files.len() - unlike_files().count()) as u64,
        };
        let differences: Vec<Difference> =
            self.differing.values().chain(unlike_files()).take(NAMED).cloned().collect();
        let differing = self.differing.len() + unlike_files().count();
        Some(Agreement {
            unit: self.unit.to_owned(),
            items: reference.len() as u64,
            identical: (reference.len() as u64).saturating_sub(unlike.len() as u64),
            failed_alike: self.failed_alike.len() as u64,
            files: (self.n_file_runs > 0).then_some(files),
            more_differences: (differing - differences.len()) as u64,
            differences,
            outside: false,
            checked: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn produced(column: Column, values: &[u128]) -> Produced {
        let digest = |&value: &u128| (value != 0).then_some(Digest(value));
        let items = (0..).zip(values.iter().map(digest));
        let items = items.map(|(item, digest): (u64, _)| (item.to_string(), digest)).collect();
        Produced::new(column, 1, "task", items)
    }

    fn compare(first: &[u128], second: &[u128]) -> Agreement {
        let mut comparer = Comparer::default();
        comparer.take(produced(Column::SERIAL, first));
        comparer.take(produced(Column::PARALLEL, second));
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
        assert_eq!(agreement.differences[0].way, "parallel");
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
    fn a_failure_of_the_same_kind_in_each_run_is_agreement() {
        let mut comparer = Comparer::default();
        let failed = BTreeMap::from([(0, "exit status 1".to_owned())]);
        for column in [Column::SERIAL, Column::PARALLEL] {
            comparer.take(Produced { failed: failed.clone(), ..produced(column, &[1, 2]) });
        }
        let agreement = comparer.agreement().unwrap();
        assert!(agreement.holds());
        assert_eq!(agreement.failed_alike, 1);
    }

    #[test]
    fn what_cannot_be_read_back_is_named_with_the_reason() {
        let mut comparer = Comparer::default();
        comparer.take(produced(Column::SERIAL, &[5, 6, 7]));
        let unread = [(1, "it is gone".to_owned())].into();
        comparer.take(Produced { unread, ..produced(Column::PARALLEL, &[5, 0, 7]) });
        let agreement = comparer.agreement().unwrap();
        assert_eq!((agreement.identical, agreement.differences.len()), (2, 1));
        let named = &agreement.differences[0];
        assert_eq!((named.item, &*named.way, named.why.as_str()), (1, "parallel", "it is gone"));
    }

    #[test]
    fn those_that_differ_and_are_not_named_are_counted() {
        let mut comparer = Comparer::default();
        comparer.take(produced(Column::SERIAL, &[1; 13]));
        comparer.take(produced(Column::PARALLEL, &[2; 13]));
        let agreement = comparer.agreement().unwrap();
        assert_eq!((agreement.differences.len(), agreement.more_differences), (10, 3));
    }

    #[test]
    fn a_file_that_differs_or_is_missing_in_a_run_is_named() {
        let file = |name: &str, why: Option<&str>| LeftFile {
            name: name.to_owned(),
            digest: Digest(1),
            why: why.map(str::to_owned),
        };
        let mut comparer = Comparer::default();
        let first = vec![file("a", None), file("b", None), file("c", None)];
        comparer.take(Produced { files: Some(first), ..produced(Column::SERIAL, &[1]) });
        let second = vec![file("a", None), file("b", Some("line 1")), file("d", None)];
        comparer.take(Produced { files: Some(second), ..produced(Column::PARALLEL, &[1]) });
        let agreement = comparer.agreement().unwrap();
        assert!(!agreement.holds());
        assert_eq!(agreement.files, Some(FilesAgreement { files: 4, identical: 1 }));
        let told: Vec<_> =
            agreement.differences.iter().map(|it| (it.label.as_str(), it.why.as_str())).collect();
        let missing = "this parallel run did not leave it";
        let only = "only this parallel run left it";
        assert_eq!(told, [("file b", "line 1"), ("file c", missing), ("file d", only)]);
    }

    #[test]
    fn one_run_alone_is_not_compared() {
        let mut comparer = Comparer::default();
        comparer.take(produced(Column::SERIAL, &[1]));
        assert_eq!(comparer.agreement(), None);
    }
}
