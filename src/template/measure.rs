//! What a piece of a line weighs, quotes included.
//!
//! Knows lengths; adding them up is `pack`'s.

use super::piece::{Position, What};
use super::quote::{Dialect, escapes, quoted_len};

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
