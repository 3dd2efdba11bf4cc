//! How long a line is that values are still added to.
//!
//! Knows lengths only, and keeps no value: adding one to a line costs the same
//! however many are in it. Where the limit is, and when to spread the values over
//! the slots instead, the packer's user decides.

use super::form::ValueForm;
use super::numbers::Numbers;
use super::piece::{Piece, PieceGroup, Position, Replacement, What};
use super::quote::{escapes, quoted_len};
use super::render::{Quoted, Quoting, Template};

/// The length of one line after the other, as values are added.
///
/// It is the rendered length, except that it may be more for words that -q
/// quotes and for positions counted from the end: then it is a bound.
#[derive(Clone, Debug)]
pub struct GrowingLine<'t> {
    quoted: Quoted,
    /// The text that comes once.
    once: usize,
    /// The text that comes with each value.
    per_value: usize,
    /// How many spaces stand between two values.
    repeated_groups: usize,
    /// The words that come once.
    words_once: usize,
    /// The words that come with each value.
    words_per_value: usize,
    each: Vec<&'t ValueForm>,
    nths: Vec<Nth<'t>>,
    count: usize,
    values: usize,
}

impl<'t> GrowingLine<'t> {
    /// An empty line for the job with these numbers. The slot may be the largest.
    pub fn new(template: &'t Template, quoting: Quoting, numbers: &Numbers) -> Self {
        let quoted = template.quoted(quoting);
        let mut line = Self {
            quoted,
            once: quoted.word_end_len() - 1,
            per_value: 0,
            repeated_groups: 0,
            words_once: 1,
            words_per_value: 0,
            each: Vec::new(),
            nths: Vec::new(),
            count: 0,
            values: 0,
        };
        for group in &template.groups {
            line.add(group);
        }
        line.restart(numbers);
        line
    }

    /// Starts an empty line for the next job.
    pub fn restart(&mut self, numbers: &Numbers) {
        (self.count, self.values) = (0, 0);
        for nth in &mut self.nths {
            nth.length = match nth.what {
                What::Number(number) => number.text(numbers).len(),
                What::Shell(text) => self.quoted.text_len(text),
                What::Value(_) | What::Nothing => 0,
            };
        }
    }

    /// How many values the line has.
    #[cfg(test)]
    pub fn count(&self) -> usize {
        self.count
    }

    /// The line's length in bytes.
    pub fn length(&self) -> usize {
        match self.count {
            0 => self.length_with(&[b""]),
            _ => self.length_with::<&[u8]>(&[]),
        }
    }

    /// How many words the line has, as far as the template tells: a program gets the
    /// address of each.
    pub fn words(&self) -> usize {
        self.words_once + self.words_per_value * self.count
    }

    /// The line's length if `values`, the columns of one more argument, were
    /// added.
    pub fn length_with<V: AsRef<[u8]>>(&self, values: &[V]) -> usize {
        let count = self.count + values.len();
        let nths = |nth: &Nth<'_>| nth.length_with(self.quoted, self.count, values) * nth.times(count);
        self.once
            + self.per_value * count
            + self.repeated_groups * self.quoted.word_end_len() * count.saturating_sub(1)
            + self.values
            + self.each_length(values)
            + self.nths.iter().map(nths).sum::<usize>()
    }

    /// Adds `values`, the columns of one more argument.
    pub fn push<V: AsRef<[u8]>>(&mut self, values: &[V]) {
        self.values += self.each_length(values);
        for nth in &mut self.nths {
            nth.push(self.quoted, self.count, values);
        }
        self.count += values.len();
    }

    fn each_length<V: AsRef<[u8]>>(&self, values: &[V]) -> usize {
        let length = |value: &V| {
            let forms = self.each.iter();
            forms.map(|form| self.quoted.value_len(&form.apply(value.as_ref()))).sum::<usize>()
        };
        values.iter().map(length).sum()
    }

    fn add(&mut self, group: &'t PieceGroup) {
        let (text, words) = if group.repeated {
            self.repeated_groups += 1;
            self.words_per_value += 1;
            (&mut self.per_value, &mut self.words_per_value)
        } else {
            (&mut self.once, &mut self.words_once)
        };
        for piece in &group.pieces {
            match piece {
                Piece::Text(part) => *text += self.quoted.text_len(part),
                Piece::Break => {
                    *text += self.quoted.word_end_len();
                    *words += 1;
                }
                Piece::Replacement(Replacement { position: Position::Each, what }) => {
                    if let What::Value(form) = what {
                        self.each.push(form);
                    }
                }
                Piece::Replacement(Replacement { position: Position::Nth(position), what }) => {
                    let repeated = group.repeated;
                    self.nths.push(Nth { position: *position, what, repeated, length: 0 });
                }
            }
        }
    }
}

/// A replacement string with a position.
#[derive(Clone, Debug)]
struct Nth<'t> {
    position: i64,
    what: &'t What,
    repeated: bool,
    /// A number's length; the value's once it is there; from the end, the
    /// longest so far.
    length: usize,
}

impl Nth<'_> {
    fn times(&self, count: usize) -> usize {
        if self.repeated { count } else { 1 }
    }

    /// Its length with `values` after the `before` that are there.
    fn length_with<V: AsRef<[u8]>>(&self, quoted: Quoted, before: usize, values: &[V]) -> usize {
        let Some(index) = Position::Nth(self.position).among(before + values.len(), 0) else {
            return 0;
        };
        let What::Value(form) = self.what else {
            return self.length;
        };
        let length = |value: &V| quoted.value_len(&form.apply(value.as_ref()));
        if self.position <= 0 {
            return values.iter().map(length).fold(self.length, usize::max);
        }
        index.checked_sub(before).map_or(self.length, |at| length(&values[at]))
    }

    fn push<V: AsRef<[u8]>>(&mut self, quoted: Quoted, before: usize, values: &[V]) {
        if self.position <= 0 && matches!(self.what, What::Value(_)) {
            // In reach or not yet: a longer line may reach it.
            let all = Self { position: -1, ..self.clone() };
            self.length = all.length_with(quoted, before, values);
        } else {
            self.length = self.length_with(quoted, before, values).max(self.length);
        }
    }
}

/// What counts as a byte of the line.
impl Quoted {
    fn text_len(self, text: &[u8]) -> usize {
        match self {
            Self::Nothing | Self::Values(_) => text.len(),
            // Words are in quotes, with all that is escaped in them.
            Self::Words(dialect) => text.len() + escapes(text, dialect),
        }
    }

    fn value_len(self, value: &[u8]) -> usize {
        match self {
            Self::Values(dialect) => quoted_len(value, dialect),
            Self::Nothing | Self::Words(_) => self.text_len(value),
        }
    }

    /// A space, and the next word's quotes.
    fn word_end_len(self) -> usize {
        match self {
            Self::Nothing | Self::Values(_) => 1,
            Self::Words(_) => 3,
        }
    }
}
