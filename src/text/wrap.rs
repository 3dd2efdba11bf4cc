//! Lines that are broken between words.

use unicode_width::UnicodeWidthChar as _;

use std::ops::Range;

/// The longest unit that a figure is not parted from: `MB/s`.
const LONGEST_UNIT: usize = 4;

/// `text` in lines of at most `width` columns, broken between words; those behind the
/// first begin with `indent` blanks. Colours take no room, and a longer word stands as it
/// is, so that what is copied is whole.
pub fn wrapped(text: &str, width: usize, indent: usize) -> String {
    wrapped_around(text, &[], width, indent)
}

/// The same, where what is in one of the ranges `whole` is not broken, either: a command to
/// copy stands in a line of its own rather than in two.
pub fn wrapped_around(text: &str, whole: &[Range<usize>], width: usize, indent: usize) -> String {
    let mut lines = String::with_capacity(text.len());
    // How much of `text` is in `lines`.
    let mut at = 0;
    let mut length = 0;
    // The last blank at which the line can be broken.
    let mut opening = None;
    let (mut before, mut was_unit) = ("", false);
    for (number, word) in text.split(' ').enumerate() {
        let added = columns(word);
        if number > 0 {
            was_unit = !was_unit
                && before.ends_with(|c: char| c.is_ascii_digit())
                && (1..=LONGEST_UNIT).contains(&added);
            let is_within = whole.iter().any(|range| range.start < at && at < range.end);
            if !was_unit && !before.is_empty() && !is_within {
                opening = Some(lines.len());
            }
            lines.push(' ');
            length += 1;
            at += 1;
        }
        lines.push_str(word);
        length += added;
        at += word.len();
        before = word;
        if length > width
            && let Some(at) = opening.take()
        {
            let rest = lines.split_off(at);
            let rest = rest.trim_start_matches(' ');
            length = indent + columns(rest);
            lines.push('\n');
            lines.extend(std::iter::repeat_n(' ', indent));
            lines.push_str(rest);
        }
    }
    lines
}

/// How many columns `text` takes: the sequences that colour it take none.
fn columns(text: &str) -> usize {
    let mut count = 0;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => {
                characters.by_ref().find(char::is_ascii_alphabetic);
            }
            _ => count += character.width().unwrap_or(0),
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_are_broken_between_words_and_a_figure_keeps_its_unit() {
        assert_eq!(wrapped("the quick brown fox", 10, 0), "the quick\nbrown fox");
        assert_eq!(wrapped("the quick brown fox", 10, 2), "the quick\n  brown\n  fox");
        assert_eq!(wrapped("it took 12.3 ms more", 12, 0), "it took\n12.3 ms more");
        assert_eq!(wrapped("all of 100 % used", 10, 0), "all of\n100 % used");
        assert_eq!(wrapped("a /very/long/path b", 8, 0), "a\n/very/long/path\nb");
        assert_eq!(wrapped("head   about it all", 10, 0), "head\nabout it\nall");
        assert_eq!(wrapped("", 10, 2), "");
    }

    #[test]
    fn what_is_to_stay_whole_is_never_broken() {
        let text = "do it again: run this now; see there";
        let whole = 13..25;
        assert_eq!(&text[whole.clone()], "run this now");
        let around = |width| wrapped_around(text, std::slice::from_ref(&whole), width, 1);
        assert_eq!(around(20), "do it again:\n run this now; see\n there");
        assert_eq!(around(10), "do it\n again:\n run this now;\n see there");
        assert_eq!(around(99), text);
    }

    #[test]
    fn colours_take_no_room() {
        assert_eq!(wrapped("\u{1b}[1mbold\u{1b}[0m one two", 12, 0), "\u{1b}[1mbold\u{1b}[0m one two");
    }

    #[test]
    fn a_word_after_two_blanks_goes_to_the_next_line_without_them() {
        let text = "a 0a0  a0  aaaaa000  aaa00";
        assert!(wrapped(text, 20, 0).lines().all(|line| line.len() <= 20));
    }

    proptest! {
        #[test]
        fn no_word_is_lost_and_no_line_too_long(
            text in "[a-z0-9]{1,8}( {1,2}[a-z0-9]{1,8}){0,30}",
            width in 20..60_usize,
            indent in 0..4_usize,
        ) {
            let lines = wrapped(&text, width, indent);
            prop_assert!(lines.split_whitespace().eq(text.split_whitespace()), "{lines}");
            prop_assert!(lines.lines().all(|line| line.len() <= width), "{lines}");
            prop_assert!(lines.lines().skip(1).all(|line| line.starts_with(&" ".repeat(indent))), "{lines}");
        }
    }
}
