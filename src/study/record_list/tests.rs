//! Records in memory and in a file, and what becomes of them where a file fails.

use std::time::Duration;

use super::*;
use crate::task::Span;
use crate::task::tests::{full_finding, record};

/// As many as go to a file, the last first; one of them has a line that is no text.
fn of_services() -> Vec<Record> {
    let of_service = |seq: u64| Record {
        finding: Some(Box::new(full_finding())),
        line: (seq == 7).then(|| b"\xff".as_slice().into()),
        item: (seq == 9).then_some(8),
        outcome: if seq.is_multiple_of(2) { Outcome::Failed("down".into()) } else { Outcome::Success },
        wall: Duration::from_nanos(seq * 1_234_567_891),
        spans: [Span { name: "connect".into(), wall: Duration::from_nanos(seq) }].into_iter().collect(),
        facts: vec![("own".into(), "\u{1b}\"\n".to_owned())],
        ..record(seq)
    };
    (0..=MOST_IN_MEMORY as u64).rev().map(of_service).collect()
}

fn is_in_file(list: &RecordList) -> bool {
    matches!(list.0, KeptRecords::File { .. })
}

#[test]
fn a_list_looks_the_same_wherever_its_records_are() {
    let mut records = of_services();
    let mut list: RecordList = records.iter().cloned().collect();
    assert!(is_in_file(&list));
    assert_eq!(list.len(), records.len());
    assert!(list.iter().map(Cow::into_owned).eq(records.iter().cloned()));
    assert_eq!(serde_json::to_string(&list).unwrap(), serde_json::to_string(&records).unwrap());

    records.reverse();
    list.sort();
    list.change(|record| record.slot += 3);
    for record in &mut records {
        record.slot += 3;
    }
    assert!(is_in_file(&list) && list.get(7).unwrap().line.is_some());
    assert!(list.iter().map(Cow::into_owned).eq(records.iter().cloned()));
    assert!(list.services().eq(records.iter().map(service)));
    assert_eq!(list.services().filter(|it| *it == Some(8)).count(), 2);
    assert_eq!(list.get(records.len()), None);

    let saved = serde_json::to_string(&list).unwrap();
    let read: RecordList = serde_json::from_str(&saved).unwrap();
    let without_line = |record: Cow<'_, Record>| Record { line: None, ..record.into_owned() };
    assert!(is_in_file(&read) && read.iter().eq(list.iter().map(without_line).map(Cow::<Record>::Owned)));
}

#[test]
fn a_copy_goes_on_by_itself() {
    let list: RecordList = of_services().into_iter().collect();
    let (mut one, mut other) = (list.clone(), list.clone());
    one.push(record(1000));
    other.push(record(2000));
    let ends = [&list, &one, &other].map(|list| list.iter().last().unwrap().seq);
    assert_eq!(ends, [0, 1000, 2000]);
}

#[test]
fn what_is_about_no_service_stays_in_memory() {
    let list: RecordList = (0..=MOST_IN_MEMORY as u64 + 1).map(record).collect();
    assert!(!is_in_file(&list));
    assert!(list.services().all(|service| service.is_none()));
}

#[test]
fn where_there_can_be_no_file_nothing_is_lost() {
    let records = of_services();
    let mut list = RecordList::default();
    let (end, others) = records.split_last().unwrap();
    for record in others {
        list.push(record.clone());
    }
    list.put_aside(|| Err(io::ErrorKind::PermissionDenied.into()));
    list.push(end.clone());
    assert!(!is_in_file(&list) && list.iter().map(Cow::into_owned).eq(records));
}

/// The list on a file like its own, with other rights or less in it.
fn on(list: RecordList, other: impl FnOnce(&File) -> File) -> RecordList {
    let KeptRecords::File { file, places } = list.0 else { panic!("it is in memory") };
    let end = AtomicU64::new(file.end.load(Ordering::Relaxed));
    RecordList(KeptRecords::File { file: Arc::new(RecordFile { file: other(&file.file), end }), places })
}

#[test]
#[cfg(target_os = "linux")]
fn what_a_full_file_does_not_take_is_kept_in_memory_with_all_before() {
    use std::os::fd::AsRawFd as _;

    let mut records = of_services();
    let read_only = |file: &File| File::open(format!("/proc/self/fd/{}", file.as_raw_fd())).unwrap();
    let mut list = on(records.iter().cloned().collect(), read_only);
    records.push(record(1000));
    list.push(record(1000));
    assert!(!is_in_file(&list) && list.iter().map(Cow::into_owned).eq(records));
}

#[test]
fn a_record_that_cannot_be_read_back_is_a_failure_and_told_by_its_number() {
    let cut = |file: &File| {
        file.set_len(10).unwrap();
        file.try_clone().unwrap()
    };
    let list = on(of_services().into_iter().collect(), cut);
    let unread = list.get(1).unwrap();
    assert_eq!((unread.seq, &*unread.label), (MOST_IN_MEMORY as u64 - 1, "task 500"));
    assert!(unread.outcome.to_string().starts_with("its record cannot be read back from TMPDIR: "));
    assert!(!unread.finding.as_ref().unwrap().verdict.is_up());
    assert_eq!(list.services().nth(1), Some(Some(MOST_IN_MEMORY as u64 - 1)));
}
