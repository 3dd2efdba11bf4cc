//! Tests of the whole module: rows in order, laziness, packing, blocks.

use std::fs::File;
use std::io::{self, Write as _};
use std::num::NonZeroUsize;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use proptest::prelude::*;

use super::*;
use crate::byte_list::ByteList;

/// Never woken: each read blocks for as long as it takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Blocking;

impl Patience for Blocking {
    fn wait(&mut self, _: BorrowedFd<'_>) -> io::Result<Wait> {
        Ok(Wait::Readable)
    }
}

fn values(words: &[&str]) -> Origin {
    Origin::Values(words.iter().map(|word| word.as_bytes().to_vec()).collect())
}

/// A file that holds `text`.
fn file(text: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(text).unwrap();
    io::Seek::rewind(&mut file).unwrap();
    file
}

fn open(sources: Vec<InputSource>, reading: &Reading, stdin: &[u8]) -> Inputs {
    Inputs::open(sources, reading, file(stdin)).unwrap()
}

fn strings(row: &ByteList) -> Vec<String> {
    row.iter().map(|value| String::from_utf8_lossy(value).into_owned()).collect()
}

/// All rows, the values of each joined with a bar.
fn all(inputs: &mut Inputs) -> Vec<String> {
    let mut rows = Vec::new();
    let mut row = ByteList::new();
    while ReadNext::of(inputs.next(&mut row, &mut Blocking)).unwrap() == ReadNext::Ready {
        rows.push(strings(&row).join("|"));
    }
    rows
}

/// The same, which are as many as are counted.
fn rows(sources: &[InputSource], reading: &Reading, stdin: &str) -> Vec<String> {
    let opened = || open(sources.to_vec(), reading, stdin.as_bytes());
    let rows = all(&mut opened());
    // Two that share standard input share it out.
    if sources.iter().filter(|source| source.origin == Origin::Stdin).count() < 2 {
        let counted = unless_woken(opened().count(&mut Blocking)).unwrap();
        assert_eq!(counted, Some(rows.len() as u64), "counted without being made");
    }
    rows
}

fn plain(sources: &[InputSource]) -> Vec<String> {
    rows(sources, &Reading::default(), "")
}

fn stdin(reading: &Reading, text: &str) -> Vec<String> {
    rows(&[], reading, text)
}

#[test]
fn the_last_source_varies_fastest() {
    let sources = [["a", "b"], ["1", "2"], ["x", "y"]].map(|words| InputSource::new(values(&words)));
    let expected = ["a|1|x", "a|1|y", "a|2|x", "a|2|y", "b|1|x", "b|1|y", "b|2|x", "b|2|y"];
    assert_eq!(plain(&sources), expected);
}

#[test]
fn linked_sources_count_as_one_and_the_shortest_ends_them() {
    let sources = vec![
        InputSource::new(values(&["a", "b", "c"])),
        InputSource::linked(values(&["1", "2"])),
        InputSource::new(values(&["X", "Y"])),
        InputSource::linked(values(&["11", "22"])),
    ];
    assert_eq!(plain(&sources), ["a|1|X|11", "a|1|Y|22", "b|2|X|11", "b|2|Y|22"]);
}

#[test]
fn link_recycles_the_shorter_sources() {
    let sources = vec![
        InputSource::new(values(&["a", "b"])),
        InputSource::linked(values(&["1", "2", "3", "4", "5"])),
        InputSource::new(values(&["x", "y", "z"])),
    ];
    let reading = Reading { combine: Combine::Link, ..Reading::default() };
    assert_eq!(rows(&sources, &reading, ""), ["a|1|x", "b|2|y", "a|3|z", "b|4|x", "a|5|y"]);
}

#[test]
fn an_empty_source_counts_as_one_empty_value_unless_all_are_empty() {
    let empty = || InputSource::new(values(&[]));
    assert_eq!(plain(&[empty(), InputSource::new(values(&["a", "b"]))]), ["|a", "|b"]);
    assert_eq!(plain(&[InputSource::new(values(&["a", "b"])), InputSource::linked(values(&[]))]), ["a|"]);
    assert_eq!(plain(&[empty(), InputSource::linked(values(&["a", "b"]))]), ["|a"]);
    assert_eq!(plain(&[empty()]), [""; 0]);
    assert_eq!(plain(&[empty(), empty()]), [""; 0]);
}

#[test]
fn standard_input_named_twice_is_shared() {
    let sources = vec![InputSource::new(Origin::Stdin), InputSource::new(Origin::Stdin)];
    assert_eq!(rows(&sources, &Reading::default(), "l1\nl2\nl3\n"), ["l1|l2", "l1|l3"]);
}

#[test]
fn records_end_at_the_delimiter_and_the_last_may_lack_it() {
    let by = |delimiter: &[u8]| Reading { delimiter: delimiter.to_vec(), ..Reading::default() };
    assert_eq!(stdin(&by(b"\n"), "a\n\nb"), ["a", "", "b"]);
    assert_eq!(stdin(&by(b"\n"), "a\r\n"), ["a\r"]);
    assert_eq!(stdin(&by(b","), "a,b\n"), ["a", "b\n"]);
    assert_eq!(stdin(&by(b"\0"), "a b\0c\nd\0"), ["a b", "c\nd"]);
    assert_eq!(stdin(&by(b"###"), "a####b##c"), ["a", "#b##c"]);
    assert_eq!(stdin(&by(b"abc"), "abababc"), ["abab"]);
}

#[test]
fn blank_records_and_what_follows_the_end_mark_are_passed_over() {
    let skip = Reading { skip_blank: true, ..Reading::default() };
    assert_eq!(stdin(&skip, "\n  \na\n"), ["a"]);
    let mark = Reading { end_mark: Some(b"END".to_vec()), ..Reading::default() };
    assert_eq!(stdin(&mark, "a\nEND\nb\n"), ["a"]);
    let sources = vec![InputSource::new(values(&["a", "END", "b"])), InputSource::new(values(&["c"]))];
    assert_eq!(rows(&sources, &mark, ""), ["a|c"]);
}

#[test]
fn the_head_names_columns_as_it_is() {
    let reading = Reading {
        split: Split::At(b",".to_vec()),
        header: Some(Header::First),
        trim: Trim::Both,
        end_mark: Some(b"n , v".to_vec()),
        ..Reading::default()
    };
    let mut inputs = open(vec![], &reading, b"n , v\n1 , 2\n");
    assert_eq!(all(&mut inputs), ["1|2"]);
    assert_eq!(inputs.names(), [b"n ".to_vec(), b" v".to_vec()]);
}

#[test]
fn file_names_can_be_the_names() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("f1");
    std::fs::write(&path, "1\n").unwrap();
    let reading = Reading { header: Some(Header::FileNames), ..Reading::default() };
    let sources = vec![InputSource::new(Origin::File(path.clone())), InputSource::new(values(&["x"]))];
    let mut inputs = open(sources, &reading, b"");
    assert_eq!(all(&mut inputs), ["1|x"]);
    assert_eq!(inputs.names(), [path.into_os_string().into_encoded_bytes(), Vec::new()]);
}

#[test]
fn a_trailing_blank_continues_a_record() {
    let reading = Reading { continued: true, ..Reading::default() };
    assert_eq!(stdin(&reading, "a \nb \nc\nd\n\ne\n"), ["a b c", "d", "", "e"]);
    assert_eq!(stdin(&reading, "a \n"), ["a "]);
}

#[test]
fn csv_records_may_hold_newlines() {
    let reading = Reading { split: Split::Csv(b','), ..Reading::default() };
    assert_eq!(stdin(&reading, "\"d\ne\",f\n5\" pipe,x\n"), ["d\ne|f", "5\" pipe|x"]);
    let mut inputs = open(vec![], &reading, b"a,\"b\n");
    let error = ReadNext::of(inputs.next(&mut ByteList::new(), &mut Blocking)).unwrap_err();
    assert_eq!(error.to_string(), "cannot read CSV record a,\\\"b: a quoted field has no end");
}

#[test]
fn a_nul_in_a_value_is_replaced_and_told() {
    let mut inputs = open(vec![], &Reading::default(), b"a\0b\n");
    let told = Arc::new(AtomicBool::new(false));
    let tell = Arc::clone(&told);
    inputs.on_nul(Box::new(move || tell.store(true, Ordering::Relaxed)));
    assert_eq!(all(&mut inputs), ["a\\0b"]);
    assert!(told.load(Ordering::Relaxed));
}

#[test]
fn a_missing_file_and_a_directory_are_told_when_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing");
    let missing = vec![InputSource::new(Origin::File(path.clone()))];
    let error = Inputs::open(missing, &Reading::default(), file(b"")).err().unwrap();
    assert!(error.to_string().starts_with(&format!("cannot open {}: No such file", path.display())));
    let directory = vec![InputSource::new(Origin::File("/".into()))];
    assert!(Inputs::open(directory, &Reading::default(), file(b"")).is_err());
}

#[test]
fn shuffling_keeps_every_row() {
    let mut inputs = open(vec![InputSource::new(values(&["a", "b", "c"]))], &Reading::default(), b"");
    inputs.shuffle(Box::new(|_| 0));
    assert_eq!(all(&mut inputs), ["b", "c", "a"]);
}

/// Lets one read through for each permit, then wakes.
struct Permits(usize);

impl Patience for Permits {
    fn wait(&mut self, _: BorrowedFd<'_>) -> io::Result<Wait> {
        match self.0.checked_sub(1) {
            Some(left) => {
                self.0 = left;
                Ok(Wait::Readable)
            }
            None => Ok(Wait::Woken),
        }
    }
}

fn pipe() -> (File, File) {
    let (reader, writer) = io::pipe().unwrap();
    (File::from(OwnedFd::from(reader)), File::from(OwnedFd::from(writer)))
}

#[test]
fn a_line_is_handed_out_before_the_next_one_comes() {
    let (reader, mut writer) = pipe();
    let sources = vec![InputSource::new(Origin::Stdin), InputSource::new(values(&["x", "y"]))];
    let mut inputs = Inputs::open(sources, &Reading::default(), reader).unwrap();
    let mut row = ByteList::new();
    let mut none = Permits(0);
    assert_eq!(ReadNext::of(inputs.next(&mut row, &mut none)).unwrap(), ReadNext::Woken);
    writer.write_all(b"1\n2").unwrap();
    assert_eq!(ReadNext::of(inputs.next(&mut row, &mut Permits(1))).unwrap(), ReadNext::Ready);
    assert_eq!(strings(&row), ["1", "x"]);
    assert_eq!(ReadNext::of(inputs.next(&mut row, &mut none)).unwrap(), ReadNext::Ready);
    assert_eq!(strings(&row), ["1", "y"]);
    assert_eq!(ReadNext::of(inputs.next(&mut row, &mut none)).unwrap(), ReadNext::Woken);
    drop(writer);
    assert_eq!(ReadNext::of(inputs.next(&mut row, &mut Permits(1))).unwrap(), ReadNext::Ready);
    assert_eq!(strings(&row), ["2", "x"]);
}

#[test]
fn the_last_source_is_streamed_while_it_is_read_for_the_first_time() {
    let (reader, mut writer) = pipe();
    let sources = vec![InputSource::new(values(&["a", "b"])), InputSource::new(Origin::Stdin)];
    let mut inputs = Inputs::open(sources, &Reading::default(), reader).unwrap();
    let mut row = ByteList::new();
    for line in ["1", "2"] {
        writeln!(writer, "{line}").unwrap();
        assert_eq!(ReadNext::of(inputs.next(&mut row, &mut Permits(1))).unwrap(), ReadNext::Ready);
        assert_eq!(strings(&row), ["a", line]);
    }
    drop(writer);
    assert_eq!(all(&mut inputs), ["b|1", "b|2"]);
}

/// Lines as long as the values and a blank before each, and their words.
struct Blanks(usize, usize);

impl LineLength for Blanks {
    fn start(&mut self) {
        (self.0, self.1) = (4, 1);
    }

    fn add(&mut self, row: &ByteList) -> usize {
        self.0 += row.n_bytes() + row.len();
        self.1 += row.len();
        self.0
    }

    fn words(&self) -> usize {
        self.1
    }
}

fn packed(packing: RowsPerJob, n: usize) -> Vec<String> {
    let text: String = (1..=n).map(|i| format!("{i}\n")).collect();
    let mut inputs = open(vec![], &Reading::default(), text.as_bytes());
    let (mut packer, mut job, mut jobs) = (JobPacker::new(packing), ByteList::new(), Vec::new());
    while packer.next(&mut inputs, &mut Blanks(0, 0), &mut job, &mut Blocking).unwrap() == ReadNext::Ready {
        jobs.push(strings(&job).join(" "));
    }
    jobs
}

/// 0 stands for no number of rows, and for no spreading.
fn packing(at_most: usize, slots: usize, limit: usize) -> RowsPerJob {
    let (at_most, slots) = (NonZeroUsize::new(at_most), NonZeroUsize::new(slots));
    RowsPerJob { at_most, slots, ..RowsPerJob::one(limit) }
}

#[test]
fn a_job_takes_as_many_rows_as_it_may() {
    assert_eq!(packed(packing(3, 0, 100), 7), ["1 2 3", "4 5 6", "7"]);
    assert_eq!(packed(packing(1, 0, 100), 2), ["1", "2"]);
    let nothing = RowsPerJob { insert_nothing: true, ..packing(1, 0, 100) };
    assert_eq!(packed(nothing, 3), ["", "", ""]);
    assert_eq!(packed(packing(3, 0, 9), 5), ["1 2", "3 4", "5"]);
}

#[test]
fn the_addresses_of_words_take_room_too() {
    let word = size_of::<usize>();
    let room = |room| RowsPerJob { room, ..packing(0, 0, 1000) };
    assert_eq!(packed(room(10 + 4 * word), 7), ["1 2 3", "4 5 6", "7"]);
    assert_eq!(packed(room(10 + 4 * word - 1), 5), ["1 2", "3 4", "5"]);
}

#[test]
fn the_last_line_is_spread_over_the_slots() {
    assert_eq!(packed(packing(0, 2, 100), 7), ["1 2 3 4", "5 6 7"]);
    assert_eq!(packed(packing(0, 4, 100), 5), ["1 2", "3 4", "5"]);
    assert_eq!(packed(packing(0, 7, 100), 5), ["1", "2", "3", "4", "5"]);
    assert_eq!(packed(packing(4, 2, 100), 5), ["1 2 3 4", "5"]);
    assert_eq!(packed(packing(2, 4, 100), 4), ["1 2", "3", "4"]);
    assert_eq!(packed(packing(40, 2, 100), 5), ["1 2 3", "4 5"]);
    let lines = ["1 2 3 4 5 6 7", "8 9 10 11 12", "13 14 15 16 17", "18", "19", "20"];
    assert_eq!(packed(packing(0, 3, 19), 20), lines);
    assert_eq!(packed(packing(0, 0, 100), 5), ["1 2 3 4 5"]);
}

#[test]
fn a_value_too_long_for_any_line_is_told() {
    let mut inputs = open(vec![], &Reading::default(), b"1\n333333333333\n");
    let (mut packer, mut job) = (JobPacker::new(packing(0, 0, 13)), ByteList::new());
    assert_eq!(
        packer.next(&mut inputs, &mut Blanks(0, 0), &mut job, &mut Blocking).unwrap(),
        ReadNext::Ready
    );
    let error = packer.next(&mut inputs, &mut Blanks(0, 0), &mut job, &mut Blocking).unwrap_err();
    let told = "command line too long: 17 bytes, at most 13 are allowed, at input 333333333333";
    assert_eq!(error.to_string(), told);
}

/// The model that orders are compared with: each group is what its sources give
/// side by side, the product the plain nested loop.
fn model(groups: &[Vec<Vec<String>>]) -> Vec<String> {
    if groups.iter().flatten().all(Vec::is_empty) {
        return Vec::new();
    }
    let empty = vec![String::new()];
    let mut rows: Vec<Vec<String>> = vec![vec![]];
    for group in groups {
        let sources: Vec<&Vec<String>> =
            group.iter().map(|s| if s.is_empty() { &empty } else { s }).collect();
        let shortest = sources.iter().map(|s| s.len()).min().unwrap_or(0);
        let line = |i: usize| sources.iter().map(|s| s[i].clone()).collect::<Vec<_>>();
        rows = rows
            .into_iter()
            .flat_map(|row| (0..shortest).map(move |i| [&row[..], &line(i)].concat()))
            .collect();
    }
    rows.into_iter().map(|row| row.join("|")).collect()
}

fn words() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec("[a-c]{0,2}", 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn products_and_links_are_in_the_order_of_nested_loops(
        groups in proptest::collection::vec(proptest::collection::vec(words(), 1..3), 1..4)
    ) {
        let source = |(i, words): (usize, &Vec<String>)| {
            let origin = Origin::Values(words.iter().map(|word| word.clone().into_bytes()).collect());
            if i == 0 { InputSource::new(origin) } else { InputSource::linked(origin) }
        };
        let sources: Vec<InputSource> =
            groups.iter().flat_map(|group| group.iter().enumerate().map(source)).collect();
        prop_assert_eq!(plain(&sources), model(&groups));
    }

    #[test]
    fn records_are_the_same_however_they_arrive(
        text in "[ab,;]{0,40}", pieces in proptest::collection::vec(1..7_usize, 1..40), delimiter in ",|;,|;;;"
    ) {
        let (reader, mut writer) = pipe();
        let reading = Reading { delimiter: delimiter.clone().into_bytes(), ..Reading::default() };
        let mut inputs = Inputs::open(vec![], &reading, reader).unwrap();
        let (mut seen, mut row) = (Vec::new(), ByteList::new());
        let mut rest = text.as_bytes();
        for piece in pieces {
            let (now, later) = rest.split_at(piece.min(rest.len()));
            rest = later;
            writer.write_all(now).unwrap();
            let mut permits = Permits(usize::from(!now.is_empty()));
            while ReadNext::of(inputs.next(&mut row, &mut permits)).unwrap() == ReadNext::Ready {
                seen.push(strings(&row).join("|"));
            }
        }
        writer.write_all(rest).unwrap();
        drop(writer);
        seen.extend(all(&mut inputs));
        let mut expected: Vec<String> = text.split(&delimiter).map(str::to_owned).collect();
        if expected.last().is_some_and(String::is_empty) {
            expected.pop();
        }
        prop_assert_eq!(seen, expected);
    }
}
