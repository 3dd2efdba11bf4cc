//! How long a line is that values are still added to.
//!
//! Knows lengths only, and keeps no value: adding one to a line costs the same
//! however many are in it. Where the limit is, and when to spread the values over
//! the slots instead, the packer's user decides.

use super::form::ValueForm;
use super::numbers::Numbers;
use super::piece::{Piece, PieceGroup, Position, Replacement, What};
use super::quote::{Dialect, escapes, quoted_len};
use super::render::{Quoting, Template};

/// The length of one line after the other, as values are added.
///
/// It is the rendered length, except that it may be more for words that -q
/// quotes and for positions counted from the end: then it is a bound.
#[derive(Clone, Debug)]
pub struct GrowingLine<'t> {
    template: &'t Template,
    measure: Measure,
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
    #[must_use]
    pub fn new(template: &'t Template, quoting: Quoting, numbers: &Numbers) -> Self {
        let measure = match quoting {
            Quoting::Words => Measure::Words(template.dialect),
            Quoting::Shell if !template.makes_command() => Measure::Quoted(template.dialect),
            Quoting::Shell | Quoting::None => Measure::Plain,
        };
        let mut packer = Self {
            template,
            measure,
            once: 0,
            per_value: 0,
            repeated_groups: 0,
            words_once: 0,
            words_per_value: 0,
            each: Vec::new(),
            nths: Vec::new(),
            count: 0,
            values: 0,
        };
        packer.restart(numbers);
        packer
    }

    /// Starts an empty line for the next job.
    pub fn restart(&mut self, numbers: &Numbers) {
        let template = self.template;
        self.once = self.measure.end_word() - 1;
        self.per_value = 0;
        self.repeated_groups = 0;
        (self.words_once, self.words_per_value) = (1, 0);
        self.each.clear();
        self.nths.clear();
        self.count = 0;
        self.values = 0;
        for group in &template.groups {
            self.add(group, numbers);
        }
    }

    /// How many values the line has.
    #[cfg(test)]
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// The line's length in bytes.
    #[must_use]
    pub fn length(&self) -> usize {
        match self.count {
            0 => self.length_with(&[b""]),
            _ => self.length_with::<&[u8]>(&[]),
        }
    }

    /// How many words the line has, as far as the template tells: a program gets the
    /// address of each.
    #[must_use]
    pub fn words(&self) -> usize {
        self.words_once + self.words_per_value * self.count
    }

    /// The line's length if `values`, the columns of one more argument, were
    /// added.
    #[must_use]
    pub fn length_with<V: AsRef<[u8]>>(&self, values: &[V]) -> usize {
        let count = self.count + values.len();
        let nths = |nth: &Nth<'_>| nth.length_with(self.measure, self.count, values) * nth.times(count);
        self.once
            + self.per_value * count
            + self.repeated_groups * self.measure.end_word() * count.saturating_sub(1)
            + self.values
            + self.each_length(values)
            + self.nths.iter().map(nths).sum::<usize>()
    }

    /// Adds `values`, the columns of one more argument.
    pub fn push<V: AsRef<[u8]>>(&mut self, values: &[V]) {
        self.values += self.each_length(values);
        for nth in &mut self.nths {
            nth.push(self.measure, self.count, values);
        }
        self.count += values.len();
    }

    fn each_length<V: AsRef<[u8]>>(&self, values: &[V]) -> usize {
        let length = |value: &V| {
            let forms = self.each.iter();
            forms.map(|form| self.measure.value(&form.apply(value.as_ref()))).sum::<usize>()
        };
        values.iter().map(length).sum()
    }

    fn add(&mut self, group: &'t PieceGroup, numbers: &Numbers) {
        let mut text_length = 0;
        let breaks = group.pieces.iter().filter(|piece| matches!(piece, Piece::Break)).count();
        for piece in &group.pieces {
            match piece {
                Piece::Text(text) => text_length += self.measure.text(text),
                Piece::Break => text_length += self.measure.end_word(),
                Piece::Replacement(Replacement { position: Position::Each, what }) => {
                    if let What::Value(form) = what {
                        self.each.push(form);
                    }
                }
                Piece::Replacement(Replacement { position: Position::Nth(position), what }) => {
                    let length = match what {
                        What::Number(number) => {
                            let mut digits = [0; 20];
                            digits.len() - number.write(numbers, &mut digits)
                        }
                        What::Shell(text) => self.measure.text(text),
                        What::Value(_) | What::Nothing => 0,
                    };
                    let repeated = group.repeated;
                    self.nths.push(Nth { position: *position, what, repeated, length });
                }
            }
        }
        if group.repeated {
            self.per_value += text_length;
            self.words_per_value += breaks + 1;
            self.repeated_groups += 1;
        } else {
            self.once += text_length;
            self.words_once += breaks;
        }
    }
}

/// A replacement string with a position.
#[derive(Clone, Debug)]
pub(super) struct Nth<'t> {
    pub(super) position: i64,
    pub(super) what: &'t What,
    pub(super) repeated: bool,
    /// A number's length; the value's once it is there; from the end, the
    /// longest so far.
    pub(super) length: usize,
}

impl Nth<'_> {
    pub(super) fn times(&self, count: usize) -> usize {
        if self.repeated { count } else { 1 }
    }

    /// Its length with `values` after the `before` that are there.
    pub(super) fn length_with<V: AsRef<[u8]>>(&self, measure: Measure, before: usize, values: &[V]) -> usize {
        let Some(index) = Position::Nth(self.position).among(before + values.len()) else {
            return 0;
        };
        let What::Value(form) = self.what else {
            return self.length;
        };
        let length = |value: &V| measure.value(&form.apply(value.as_ref()));
        if self.position <= 0 {
            return values.iter().map(length).fold(self.length, usize::max);
        }
        index.checked_sub(before).map_or(self.length, |at| length(&values[at]))
    }

    pub(super) fn push<V: AsRef<[u8]>>(&mut self, measure: Measure, before: usize, values: &[V]) {
        if self.position <= 0 && matches!(self.what, What::Value(_)) {
            // In reach or not yet: a longer line may reach it.
            let all = Self { position: -1, ..self.clone() };
            self.length = all.length_with(measure, before, values);
        } else {
            self.length = self.length_with(measure, before, values).max(self.length);
        }
    }
}

/// What counts as a byte of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure {
    Plain,
    Quoted(Dialect),
    /// Words in quotes, with all that is escaped in them.
    Words(Dialect),
}

impl Measure {
    pub(super) fn text(self, text: &[u8]) -> usize {
        match self {
            Self::Plain | Self::Quoted(_) => text.len(),
            Self::Words(dialect) => text.len() + escapes(text, dialect),
        }
    }

    pub(super) fn value(self, value: &[u8]) -> usize {
        match self {
            Self::Plain => value.len(),
            Self::Quoted(dialect) => quoted_len(value, dialect),
            Self::Words(_) => self.text(value),
        }
    }

    /// A space, and the next word's quotes.
    pub(super) fn end_word(self) -> usize {
        match self {
            Self::Plain | Self::Quoted(_) => 1,
            Self::Words(_) => 3,
        }
    }
}
