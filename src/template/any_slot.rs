//! A job's line before it is known in which slot it runs, for one who knows nothing of
//! templates: a format of printf, in which `%(slot)d` stands for the slot.
//!
//! Knows no quoting: a line is made with a number in the slot's place that is found again in
//! whatever became of it.

use super::numbers::{Numbers, width};
use super::render::{Quoting, Template};

impl Template {
    /// What [`render`](Self::render) makes for whatever slot: with the slot, which counts from
    /// 1, in its place.
    pub fn in_any_slot<V: AsRef<[u8]>>(&self, values: &[V], numbers: &Numbers, quoting: Quoting) -> Vec<u8> {
        let line = |slot, slots| {
            let mut line = Vec::new();
            self.render(values, &Numbers { slot, slots, ..*numbers }, quoting, &mut line);
            line
        };
        let mut format = Vec::new();
        let plain = line(1, 1);
        if !self.uses_slot() {
            put_text(&plain, &mut format);
            return format;
        }
        let slot = stand_in(&plain);
        let text = slot.to_string();
        // Where the slot is padded, one more digit stands before it where there are as many
        // slots as can be.
        let (bare, padded) = (line(slot, 1), line(slot, u64::MAX));
        let pieces = split(&bare, text.as_bytes());
        let last = pieces.len() - 1;
        for (place, (piece, other)) in pieces.iter().zip(split(&padded, text.as_bytes())).enumerate() {
            put_text(piece, &mut format);
            if place == last {
                break;
            }
            let width = if other.len() > piece.len() { width(numbers.slots) } else { 1 };
            let padding = if width > 1 { format!("0{width}") } else { String::new() };
            format.extend_from_slice(format!("%(slot){padding}d").as_bytes());
        }
        format
    }
}

/// A number of nineteen digits that is not in `line`. One 1 at its beginning, and no other: no
/// number begins in the midst of another.
fn stand_in(line: &[u8]) -> u64 {
    let is_there = |number: u64| {
        let text = number.to_string();
        line.windows(text.len()).any(|window| window == text.as_bytes())
    };
    let numbers = (1_000_000_000_000_000_002..).filter(|number| number.to_string().matches('1').count() == 1);
    numbers.into_iter().find(|number| !is_there(*number)).expect("a line holds few of all numbers")
}

/// What of `line` stands before, between and behind each `mark`.
fn split<'l>(mut line: &'l [u8], mark: &[u8]) -> Vec<&'l [u8]> {
    let mut pieces = Vec::new();
    while let Some(at) = line.windows(mark.len()).position(|window| window == mark) {
        pieces.push(&line[..at]);
        line = &line[at + mark.len()..];
    }
    pieces.push(line);
    pieces
}

fn put_text(text: &[u8], format: &mut Vec<u8>) {
    for &byte in text {
        format.extend(std::iter::repeat_n(byte, if byte == b'%' { 2 } else { 1 }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::{Dialect, TemplateOptions};

    /// What printf makes of it.
    fn printed(format: &[u8], slot: u64) -> String {
        let mut text = String::from_utf8(format.to_vec()).unwrap();
        for width in 1..5 {
            text = text.replace(&format!("%(slot)0{width}d"), &format!("{slot:0width$}"));
        }
        text.replace("%(slot)d", &slot.to_string()).replace("%%", "%")
    }

    #[test]
    fn with_the_slot_put_in_it_is_the_line_of_that_slot() {
        let values = ["a b", "100%", "%(slot)d", "1000000000000000002", "it's", "9"];
        let words = ["echo", "x{%}y", "0{%}", "{0%}", "'{%}{%}'", "{}", "%d", "{#}"];
        for dialect in [Dialect::Posix, Dialect::Fish, Dialect::Csh, Dialect::Rc] {
            let options = TemplateOptions { plus: true, dialect, ..TemplateOptions::default() };
            for quoting in [Quoting::Shell, Quoting::Words, Quoting::None] {
                for words in [&words[..], &["echo", "{}"], &["{%}"]] {
                    let template = Template::command(words, &options).unwrap();
                    for value in values {
                        for (slot, slots) in [(1, 1), (7, 12), (12, 12), (3, 1200), (1200, 1200)] {
                            let numbers = Numbers { seq: 4, slot, slots, total: 10 };
                            let mut line = Vec::new();
                            template.render(&[value], &numbers, quoting, &mut line);
                            let format =
                                template.in_any_slot(&[value], &Numbers { slot: 1, ..numbers }, quoting);
                            // What looks like a slot in a value is none: each of its signs is doubled.
                            let said = printed(
                                &String::from_utf8(format).unwrap().replace("%%(", "\0").into_bytes(),
                                slot,
                            );
                            assert_eq!(said.replace('\0', "%("), String::from_utf8(line).unwrap());
                        }
                    }
                }
            }
        }
    }
}
