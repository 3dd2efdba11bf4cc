//! The lengths of growing lines.

use proptest::prelude::*;

use super::super::GrowingLine;
use super::*;

/// The lengths as values are added one by one, each asked for beforehand too.
fn lengths(template: &Template, quoting: Quoting, values: &[Vec<u8>]) -> Vec<usize> {
    let mut packer = GrowingLine::new(template, quoting, &NUMBERS);
    let mut lengths = vec![packer.length()];
    for value in values {
        let asked = packer.length_with(&[value]);
        packer.push(&[value]);
        assert_eq!(packer.length(), asked);
        lengths.push(asked);
    }
    assert_eq!(packer.count(), values.len());
    lengths
}

fn rendered(template: &Template, quoting: Quoting, values: &[Vec<u8>]) -> Vec<usize> {
    let length = |count| {
        let mut out = Vec::new();
        template.render(&values[..count], &NUMBERS, quoting, &mut out);
        out.len()
    };
    (0..=values.len()).map(length).collect()
}

#[test]
fn a_line_of_twenty_bytes_ends_where_gnu_parallel_ends_it() {
    // seq 10 | parallel -j1 -s 20 -X echo
    let template = Template::command(&["echo"], &repeating()).unwrap();
    let mut packer = GrowingLine::new(&template, Quoting::Shell, &NUMBERS);
    let mut lines = Vec::new();
    for value in (1..=10).map(|value| value.to_string()) {
        if packer.length_with(&[&value]) >= 20 {
            lines.push(packer.count());
            packer.restart(&NUMBERS);
        }
        packer.push(&[value]);
    }
    lines.push(packer.count());
    assert_eq!(lines, [7, 3]);
}

#[test]
fn quoted_words_cost_their_quotes() {
    let template = Template::command(&["a b", "x {}"], &TemplateOptions::default()).unwrap();
    let values = [b"c d".to_vec(), b"e'f g".to_vec()];
    assert_eq!(
        lengths(&template, Quoting::Words, &values)[1..],
        rendered(&template, Quoting::Words, &values)[1..]
    );
}

#[test]
fn a_position_from_the_end_costs_the_longest_value() {
    let template = Template::command(&["echo {-3}"], &TemplateOptions::default()).unwrap();
    let values = ["a long one", "b", "c", "d"].map(|value| value.as_bytes().to_vec());
    let long = "echo 'a long one'".len();
    assert_eq!(lengths(&template, Quoting::Shell, &values), [5, 5, long, long, long]);
}

#[test]
fn columns_are_added_together() {
    let template = Template::command(&["echo {1}:{3} x{}"], &repeating()).unwrap();
    let mut packer = GrowingLine::new(&template, Quoting::Shell, &NUMBERS);
    assert_eq!(packer.length_with(&["a b", "c"]), "echo 'a b': x'a b' xc".len());
    packer.push(&["a b", "c"]);
    assert_eq!(packer.length_with(&["d", "e"]), "echo 'a b':d x'a b' xc xd xe".len());
}

fn templates() -> impl Strategy<Value = String> {
    let pieces = [
        "{}", "{}", "{.}", "{/}", "{//}", "{1}", "{2.}", "{3}", "{#}", "{1#}", "{%}", "x", "'", "\t", " ",
        " ",
    ];
    let piece = prop::sample::select(pieces.to_vec());
    proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

fn values() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let byte = prop::sample::select(b"ab./' \xff\n".to_vec());
    proptest::collection::vec(proptest::collection::vec(byte, 0..6), 0..14)
}

proptest! {
    #[test]
    fn the_length_is_the_rendered_length(text in templates(), values in values(), repeats_words: bool) {
        let options = TemplateOptions { repeats_words, ..TemplateOptions::default() };
        for template in [format!("echo {text}"), text] {
            let template = Template::command(&[template], &options).unwrap();
            for quoting in [Quoting::Shell, Quoting::None] {
                prop_assert_eq!(lengths(&template, quoting, &values), rendered(&template, quoting, &values));
            }
        }
    }

    #[test]
    fn the_length_is_never_too_small(text in templates(), values in values(), repeats_words: bool) {
        let options = TemplateOptions { repeats_words, ..TemplateOptions::default() };
        let words = ["echo", &text, "{-1}{-2/} {-9}"];
        let template = Template::command(&words, &options).unwrap();
        for quoting in [Quoting::Shell, Quoting::Words, Quoting::None] {
            let pairs = lengths(&template, quoting, &values).into_iter();
            for (length, rendered) in pairs.zip(rendered(&template, quoting, &values)) {
                prop_assert!(length >= rendered, "{length} < {rendered}");
            }
        }
    }
}
