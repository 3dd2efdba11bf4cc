//! Tests of cutting streams into blocks.

use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::num::NonZeroUsize;

use proptest::prelude::*;

use super::*;
use crate::inputs::parts::{FilePart, FileParts, Seekable};
use crate::inputs::tests::Blocking;

fn spec(records: usize) -> BlockSpec {
    BlockSpec { records: NonZeroUsize::new(records), ..BlockSpec::default() }
}

fn sized(size: usize) -> BlockSpec {
    BlockSpec { size: NonZeroUsize::new(size).unwrap(), ..BlockSpec::default() }
}

fn bytes(end: &str, start: &str) -> Separator {
    Separator::Bytes { end: end.into(), start: start.into() }
}

fn regexp(end: &str, start: &str) -> Separator {
    Separator::Regexp { end: end.into(), start: start.into() }
}

fn file(text: &str) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.rewind().unwrap();
    file
}

fn cut(spec: &BlockSpec, text: &str) -> Vec<String> {
    let mut blocks = Blocks::new(spec, file(text)).unwrap();
    let (mut block, mut all) = (Vec::new(), Vec::new());
    while blocks.next(&mut block, &mut Blocking).unwrap() == ReadNext::Ready {
        all.push(String::from_utf8_lossy(&block).into_owned());
    }
    all
}

/// What jobs would read of a file with this text.
fn parts(spec: &BlockSpec, text: &str) -> Vec<String> {
    let mut named = tempfile::NamedTempFile::new().unwrap();
    named.write_all(text.as_bytes()).unwrap();
    let files = [Seekable::open(named.path()).unwrap()];
    let mut parts = FileParts::new(spec, files.into()).unwrap();
    let read = |part: FilePart| {
        let body =
            &text[usize::try_from(part.bytes.start).unwrap()..usize::try_from(part.bytes.end).unwrap()];
        String::from_utf8(part.head).unwrap() + body
    };
    std::iter::from_fn(|| parts.next(&mut Blocking).unwrap().map(read)).collect()
}

fn seq(n: usize) -> String {
    (1..=n).map(|i| format!("{i}\n")).collect()
}

#[test]
fn a_block_has_so_many_records() {
    assert_eq!(cut(&spec(2), &seq(5)), ["1\n2\n", "3\n4\n", "5\n"]);
    assert_eq!(cut(&spec(1), "a\nb"), ["a\n", "b"]);
    assert_eq!(cut(&spec(1), "a\n\nb\n"), ["a\n", "\n", "b\n"]);
    assert_eq!(cut(&spec(9), "a\nb"), ["a\nb"]);
    assert_eq!(cut(&spec(1), ""), [""; 0]);
    let lines = BlockSpec { lines: NonZeroUsize::new(2), ..spec(3) };
    assert_eq!(cut(&lines, &seq(9)), ["1\n2\n3\n4\n5\n6\n", "7\n8\n9\n"]);
}

#[test]
fn a_block_ends_with_the_last_record_that_fits() {
    let lengths = |size: usize| cut(&sized(size), &seq(3000)).iter().map(String::len).collect::<Vec<_>>();
    assert_eq!(lengths(1000)[..5], [1000, 1000, 1000, 998, 1000]);
    assert_eq!(lengths(3333), [3332, 3331, 3330, 3330, 570]);
    assert_eq!(cut(&sized(1), "aaa\nbbb\n"), ["aaa\n", "bbb\n"]);
    assert_eq!(cut(&sized(1000), "a\nb"), ["a\nb"]);
    let lines = BlockSpec { lines: NonZeroUsize::new(4), ..sized(1000) };
    assert_eq!(cut(&lines, &seq(9)), ["1\n2\n3\n4\n5\n6\n7\n8\n", "9\n"]);
}

#[test]
fn records_begin_and_end_where_they_are_said_to() {
    let by = |separator| BlockSpec { separator, ..spec(1) };
    assert_eq!(cut(&by(bytes("", ">")), "x\n>a\n1\n>b>c\n"), ["x\n", ">a\n1\n", ">b", ">c\n"]);
    assert_eq!(cut(&by(bytes("\n", ">")), ">a\n1\n>b\n2>3\n"), [">a\n1\n", ">b\n2>3\n"]);
    assert_eq!(cut(&by(bytes(";", "")), "a;b;c"), ["a;", "b;", "c"]);
    assert_eq!(cut(&by(bytes("", "")), "abc"), ["a", "b", "c"]);
    assert_eq!(cut(&by(regexp("[0-9]+", "")), "a1b22c333d"), ["a1", "b22", "c333", "d"]);
    assert_eq!(cut(&by(regexp("", "[0-9]+")), "a1b22c333d"), ["a", "1b", "22c", "333d"]);
    assert_eq!(cut(&by(regexp("\n", "[a-z]")), "ab1\n2\nb3\n4\n"), ["ab1\n2\n", "b3\n4\n"]);
    assert_eq!(cut(&by(Separator::Csv(b',')), "1,\"a\nb\"\n2,c\n"), ["1,\"a\nb\"\n", "2,c\n"]);
}

#[test]
fn marks_can_be_left_out() {
    let without = |separator, n| BlockSpec { separator, remove_marks: true, ..spec(n) };
    assert_eq!(cut(&without(bytes(";", ""), 2), "a;b;c;d"), ["ab", "cd"]);
    assert_eq!(cut(&without(bytes("", ">"), 1), ">a>b>c"), ["a", "b", "c"]);
    assert_eq!(cut(&without(regexp("[0-9]+", ""), 1), "a1b22c"), ["a", "b", "c"]);
}

#[test]
fn the_header_stands_before_each_block() {
    let with = |header| BlockSpec { header: Some(header), ..spec(1) };
    assert_eq!(cut(&with(Header::First), "h\n1\n2\n"), ["h\n1\n", "h\n2\n"]);
    assert_eq!(cut(&with(Header::Lines(2)), "h\ni\n1\n2\n"), ["h\ni\n1\n", "h\ni\n2\n"]);
    assert_eq!(cut(&with(Header::Matching(b"(#.*\n)*".to_vec())), "#a\n#b\n1\n"), ["#a\n#b\n1\n"]);
    assert_eq!(cut(&with(Header::First), "h\n"), [""; 0]);
    assert_eq!(cut(&with(Header::Lines(2)), "h\n"), ["h\n"]);
}

#[test]
fn a_part_ends_with_the_first_record_to_end_after_its_size() {
    let lines = |size, text: &str| parts(&sized(size), text);
    assert_eq!(lines(1, "a\nb"), ["a\n", "b"]);
    assert_eq!(lines(1, "\n\n\n"), ["\n\n", "\n"]);
    assert_eq!(lines(2, "a\nb\nc\n"), ["a\nb\n", "c\n"]);
    assert_eq!(lines(5, "a\nb\nc"), ["a\nb\nc"]);
    assert_eq!(lines(1, ""), [""; 0]);
    let by = |separator, size| BlockSpec { separator, ..sized(size) };
    assert_eq!(parts(&by(bytes("", ">"), 2), ">a>b>c"), [">a", ">b", ">c"]);
    assert_eq!(parts(&by(bytes("", ">"), 3), ">a>b>c"), [">a>b", ">c"]);
    assert_eq!(parts(&by(bytes("", ""), 2), "abcde"), ["ab", "cd", "e"]);
    assert_eq!(parts(&by(regexp("", "^>"), 2), ">a\nb>\n>c\n"), [">a\nb>\n", ">c\n"]);
    assert_eq!(parts(&by(regexp("[0-9]+", ""), 1), "a1b22c333d"), ["a1", "b22", "c333", "d"]);
    // A line that stands in quotes ends nothing.
    let csv = by(Separator::Csv(b','), 2);
    assert_eq!(parts(&csv, "1,\"a\nb\"\n2,c\n"), ["1,\"a\nb\"\n", "2,c\n"]);
}

#[test]
fn a_part_has_the_header_which_is_no_part_of_its_size() {
    let with = |header, size| BlockSpec { header: Some(header), ..sized(size) };
    assert_eq!(parts(&with(Header::First, 1), "head\n1\n2\n"), ["head\n1\n", "head\n2\n"]);
    assert_eq!(parts(&with(Header::Lines(9), 1), "a\nb\n"), ["a\n", "b\n"]);
    assert_eq!(parts(&with(Header::Matching(b"#.*\n".to_vec()), 1), "#a\n1\n"), ["#a\n1\n"]);
    assert_eq!(parts(&with(Header::First, 1), "head\n"), [""; 0]);
}

#[test]
fn marks_are_found_however_far_they_are() {
    // Longer than what is read at a time, and across what was.
    let far = "x".repeat(65_534);
    let text = format!("{far}a\nb{far}{far}a\nb{far}");
    let by = |separator| BlockSpec { separator, ..sized(1) };
    let cut = [format!("{far}a\n"), format!("b{far}{far}a\n"), format!("b{far}")];
    for separator in [bytes("a\n", "b"), regexp("a\n", "b"), bytes("\n", ""), Separator::Csv(b',')] {
        assert!(parts(&by(separator.clone()), &text) == cut, "{separator:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn blocks_together_are_the_stream(
        text in "[ab1\n;]{0,80}", size in 1..30_usize, n in 0..4_usize, end in "\n|;|1\n|", start in "a||", re in any::<bool>()
    ) {
        let separator = if re { regexp(&end, &start) } else { bytes(&end, &start) };
        let spec = BlockSpec { records: NonZeroUsize::new(n), separator, ..sized(size) };
        let blocks = cut(&spec, &text);
        prop_assert!(blocks.iter().all(|block| !block.is_empty()));
        prop_assert_eq!(blocks.concat(), &text[..]);
        let parts = parts(&spec, &text);
        let (last, others) = parts.split_last().map_or((0, &[][..]), |(last, others)| (last.len(), others));
        prop_assert!(others.iter().all(|part| part.len() >= size) && (last > 0 || text.is_empty()));
        prop_assert_eq!(parts.concat(), text);
    }
}

#[test]
fn a_regular_expression_sees_lines() {
    let lines = BlockSpec { separator: regexp("", "^>"), ..spec(1) };
    assert_eq!(cut(&lines, ">a\n1>\n>b\n"), [">a\n1>\n", ">b\n"]);
}

fn blocks(spec: &BlockSpec, text: &str) -> Result<Vec<usize>, String> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.rewind().unwrap();
    let mut blocks = Blocks::new(spec, file).unwrap().called(Path::new("long"));
    blocks.largest = 1000;
    let (mut block, mut lengths) = (Vec::new(), Vec::new());
    while blocks.next(&mut block, &mut Blocking).map_err(|error| error.to_string())? == ReadNext::Ready {
        lengths.push(block.len());
    }
    Ok(lengths)
}

#[test]
fn a_block_grows_until_it_holds_a_record_but_not_beyond_a_bound() {
    let size = NonZeroUsize::new(10).unwrap();
    let one = NonZeroUsize::new(1);
    let many = "x\n".repeat(2000);
    let record = |length: usize| format!("{}\n{}\n", "x".repeat(length), "y".repeat(length));
    for records in [None, one] {
        let spec = BlockSpec { size, records, ..BlockSpec::default() };
        assert_eq!(blocks(&spec, &record(700)), Ok(vec![701, 701]));
        let error = blocks(&spec, &record(200_000)).unwrap_err();
        assert!(error.contains("long: a record does not end within 1000 bytes"), "{error}");
    }
    // Many short records are no long one.
    let spec = BlockSpec { size, records: NonZeroUsize::new(2000), ..BlockSpec::default() };
    assert_eq!(blocks(&spec, &many), Ok(vec![4000]));
}
