//! The records of a run, in order. Those of services and of places in the sky are large,
//! and as many as there are of these: beyond a few hundred they stand in a file, and are read
//! back one by one when somebody looks at them.
//!
//! Knows nothing of who looks.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::sorting;
use crate::task::{ErrorClass, Finding, Outcome, Record, SharedText};
use crate::temporary::unnamed_file;
use crate::text::reason;

/// With more records than these, those that found something out about a service go to a file.
const MOST_IN_MEMORY: usize = 500;

/// Records in order, which look the same to who reads them wherever they are kept.
#[derive(Clone)]
pub struct RecordList(KeptRecords);

#[derive(Clone)]
enum KeptRecords {
    /// `stays`: there could be no file.
    Memory {
        records: Vec<Record>,
        stays: bool,
    },
    File {
        file: Arc<RecordFile>,
        places: Vec<RecordPlace>,
    },
}

/// A file without a name, which is gone with the process.
struct RecordFile {
    file: File,
    end: AtomicU64,
}

/// A record in the file, and what lists are put in order by.
#[derive(Clone, Copy)]
struct RecordPlace {
    seq: u64,
    attempt: u32,
    length: u32,
    from: u64,
    /// Which service it is about; [`RecordPlace::NO_SERVICE`] where it is about none.
    service: u64,
}

impl RecordPlace {
    const NO_SERVICE: u64 = u64::MAX;

    fn service(&self) -> Option<u64> {
        (self.service != Self::NO_SERVICE).then_some(self.service)
    }
}

impl RecordFile {
    fn put(&self, record: &Record) -> io::Result<RecordPlace> {
        // The line is no part of a saved record.
        let bytes = serde_json::to_vec(&(record, &record.line))?;
        let length = u32::try_from(bytes.len()).map_err(|_| io::ErrorKind::FileTooLarge)?;
        let from = self.end.fetch_add(u64::from(length), Ordering::Relaxed);
        self.file.write_all_at(&bytes, from)?;
        let service = service(record).unwrap_or(RecordPlace::NO_SERVICE);
        Ok(RecordPlace { seq: record.seq, attempt: record.attempt, length, from, service })
    }

    fn get(&self, place: &RecordPlace) -> io::Result<Record> {
        let mut bytes = vec![0; place.length as usize];
        self.file.read_exact_at(&mut bytes, place.from)?;
        let (record, line): (Record, Option<Box<[u8]>>) = serde_json::from_slice(&bytes)?;
        Ok(Record { line, ..record })
    }
}

/// Which service `record` is about: the item, of which several records may be.
fn service(record: &Record) -> Option<u64> {
    record.finding.as_ref().map(|_| record.item.unwrap_or(record.seq))
}

/// What stands for a record that cannot be read back: what was measured is lost, and it is
/// seen which one it was.
fn lost(place: &RecordPlace, why: &io::Error) -> Record {
    let why = SharedText::from(format!("its record cannot be read back from TMPDIR: {}", reason(why)));
    let class = Some(ErrorClass::Lost);
    let finding = Finding { url: format!("task {}", place.seq + 1).into(), ..Finding::default() };
    Record {
        attempt: place.attempt,
        item: place.service(),
        label: finding.url.clone(),
        finding: place.service().map(|_| Box::new(Finding { reason: why.clone(), class, ..finding })),
        ..Record::without_measures(place.seq, Outcome::Failed(why))
    }
}

impl RecordList {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.0 {
            KeptRecords::Memory { records, .. } => records.len(),
            KeptRecords::File { places, .. } => places.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The one at this place, from 0.
    #[must_use]
    pub fn get(&self, at: usize) -> Option<Cow<'_, Record>> {
        Some(match &self.0 {
            KeptRecords::Memory { records, .. } => Cow::Borrowed(records.get(at)?),
            KeptRecords::File { file, places } => {
                let place = places.get(at)?;
                Cow::Owned(file.get(place).unwrap_or_else(|why| lost(place, &why)))
            }
        })
    }

    /// Each in its turn.
    #[must_use]
    pub fn iter(&self) -> RecordIter<'_> {
        RecordIter { list: self, next: 0 }
    }

    /// Of each in its turn: the service that it is about, by its place in the list of these;
    /// `None` where it is about something else. Reads none of them.
    pub(crate) fn services(&self) -> impl Iterator<Item = Option<u64>> {
        let (records, places) = match &self.0 {
            KeptRecords::Memory { records, .. } => (&records[..], &[][..]),
            KeptRecords::File { places, .. } => (&[][..], &places[..]),
        };
        records.iter().map(service).chain(places.iter().map(RecordPlace::service))
    }

    /// Puts `record` behind the others.
    pub fn push(&mut self, record: Record) {
        match &mut self.0 {
            KeptRecords::Memory { records, stays } => {
                let goes_aside = !*stays && records.len() >= MOST_IN_MEMORY && record.finding.is_some();
                records.push(record);
                if goes_aside {
                    self.put_aside(unnamed_file);
                }
            }
            KeptRecords::File { file, places } => match file.put(&record) {
                Ok(place) => places.push(place),
                Err(_) => self.bring_back().push(record),
            },
        }
    }

    /// Has room for so many, which are to come one by one.
    pub(crate) fn reserve(&mut self, more: usize) {
        if let KeptRecords::Memory { records, .. } = &mut self.0 {
            records.reserve_exact(more);
        }
    }

    /// Puts them in the order of tasks and attempts.
    pub(crate) fn sort(&mut self) {
        match &mut self.0 {
            // By keys aside: a record is large, and moved once this way.
            KeptRecords::Memory { records, .. } => {
                records.sort_by_cached_key(|record| (record.seq, record.attempt));
            }
            KeptRecords::File { places, .. } => {
                sorting::sort_by_key(places, |place| (place.seq, place.attempt));
            }
        }
    }

    /// Has each changed.
    pub(crate) fn change(&mut self, mut change: impl FnMut(&mut Record)) {
        match &mut self.0 {
            KeptRecords::Memory { records, .. } => records.iter_mut().for_each(change),
            KeptRecords::File { .. } => {
                let changed = self.iter().map(|record| {
                    let mut record = record.into_owned();
                    change(&mut record);
                    record
                });
                *self = changed.collect();
            }
        }
    }

    /// Moves all into a file; where there cannot be one they stay.
    fn put_aside(&mut self, make: impl FnOnce() -> io::Result<File>) {
        let KeptRecords::Memory { records, stays } = &mut self.0 else { return };
        let aside = || -> io::Result<KeptRecords> {
            let file = RecordFile { file: make()?, end: AtomicU64::new(0) };
            // Where it is known how many are to come, there is room for them.
            let mut places = Vec::with_capacity(records.capacity());
            for record in &*records {
                places.push(file.put(record)?);
            }
            Ok(KeptRecords::File { file: Arc::new(file), places })
        };
        match aside() {
            Ok(aside) => self.0 = aside,
            Err(_) => *stays = true,
        }
    }

    /// Moves all into memory, for the file takes no more.
    fn bring_back(&mut self) -> &mut Vec<Record> {
        if let KeptRecords::File { .. } = self.0 {
            let records = self.iter().map(Cow::into_owned).collect();
            self.0 = KeptRecords::Memory { records, stays: true };
        }
        match &mut self.0 {
            KeptRecords::Memory { records, .. } => records,
            KeptRecords::File { .. } => unreachable!("all are in memory now"),
        }
    }
}

/// The records of a list in their turn.
#[derive(Clone)]
pub struct RecordIter<'a> {
    list: &'a RecordList,
    next: usize,
}

impl<'a> Iterator for RecordIter<'a> {
    type Item = Cow<'a, Record>;

    fn next(&mut self) -> Option<Self::Item> {
        let record = self.list.get(self.next)?;
        self.next += 1;
        Some(record)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.list.len() - self.next;
        (left, Some(left))
    }
}

impl ExactSizeIterator for RecordIter<'_> {}

impl<'a> IntoIterator for &'a RecordList {
    type Item = Cow<'a, Record>;
    type IntoIter = RecordIter<'a>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Default for RecordList {
    fn default() -> Self {
        Self(KeptRecords::Memory { records: Vec::new(), stays: false })
    }
}

impl FromIterator<Record> for RecordList {
    fn from_iter<I: IntoIterator<Item = Record>>(records: I) -> Self {
        let mut list = Self::default();
        records.into_iter().for_each(|record| list.push(record));
        list
    }
}

impl PartialEq for RecordList {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl std::fmt::Debug for RecordList {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self).finish()
    }
}

impl Serialize for RecordList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self)
    }
}

impl<'de> Deserialize<'de> for RecordList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = RecordList;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a list of records")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<RecordList, A::Error> {
                let mut records = RecordList::default();
                while let Some(record) = list.next_element()? {
                    records.push(record);
                }
                Ok(records)
            }
        }
        deserializer.deserialize_seq(List)
    }
}

#[cfg(test)]
mod tests;
