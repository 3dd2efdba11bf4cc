//! Values of one job, and tables of them, each in one piece of memory.
//!
//! A million short values must not be a million allocations. Knows nothing of
//! where values come from.

use std::fmt;
use std::ops::Index;

/// The values that one job is given, in order. Bytes, for file names are bytes.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Arguments {
    bytes: Vec<u8>,
    /// Where each value ends in `bytes`.
    ends: Vec<usize>,
}

impl Arguments {
    /// No values.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many values there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The value at `index`, counted from 0.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        let end = *self.ends.get(index)?;
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        Some(&self.bytes[start..end])
    }

    /// The values in order.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> + DoubleEndedIterator + '_ {
        (0..self.len()).map(|index| &self[index])
    }

    /// Adds a value at the end.
    pub fn push(&mut self, value: &[u8]) {
        self.bytes.extend_from_slice(value);
        self.ends.push(self.bytes.len());
    }

    /// Adds all values of `other` at the end.
    pub fn extend(&mut self, other: &Self) {
        let before = self.bytes.len();
        self.bytes.extend_from_slice(&other.bytes);
        self.ends.extend(other.ends.iter().map(|end| before + end));
    }

    /// Forgets all values and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    /// Makes every value empty, as `-n0` wants it.
    pub fn blank(&mut self) {
        self.bytes.clear();
        self.ends.fill(0);
    }

    /// Bytes of all values together.
    #[must_use]
    pub fn n_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Adds the values `from..to` of `other`.
    fn extend_range(&mut self, other: &Self, from: usize, to: usize) {
        for index in from..to {
            self.push(&other[index]);
        }
    }
}

impl Index<usize> for Arguments {
    type Output = [u8];

    fn index(&self, index: usize) -> &[u8] {
        self.get(index).expect("an index below the number of values")
    }
}

impl<V: AsRef<[u8]>> FromIterator<V> for Arguments {
    fn from_iter<I: IntoIterator<Item = V>>(values: I) -> Self {
        let mut arguments = Self::new();
        for value in values {
            arguments.push(value.as_ref());
        }
        arguments
    }
}

impl fmt::Debug for Arguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(String::from_utf8_lossy)).finish()
    }
}

/// Rows of values, held because they are needed again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    values: Arguments,
    /// Where each row ends in `values`.
    ends: Vec<usize>,
}

impl Rows {
    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Adds a row at the end.
    pub fn push(&mut self, row: &Arguments) {
        self.values.extend(row);
        self.ends.push(self.values.len());
    }

    /// Adds the values of the rows `from..to` to `into`.
    pub fn copy(&self, from: usize, to: usize, into: &mut Arguments) {
        let start = |row: usize| if row == 0 { 0 } else { self.ends[row - 1] };
        into.extend_range(&self.values, start(from), start(to));
    }

    /// Forgets all rows and keeps the memory.
    pub fn clear(&mut self) {
        self.values.clear();
        self.ends.clear();
    }

    /// All values, row after row.
    pub(super) fn values(&mut self) -> &mut Arguments {
        &mut self.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_as_they_were_pushed() {
        let arguments: Arguments = ["a", "", "b c"].into_iter().collect();
        assert_eq!(arguments.len(), 3);
        assert_eq!(&arguments[1], b"");
        assert_eq!(arguments.get(3), None);
        assert_eq!(arguments.iter().next_back(), Some(&b"b c"[..]));
        assert_eq!(format!("{arguments:?}"), r#"["a", "", "b c"]"#);
    }

    #[test]
    fn rows_of_different_widths_are_kept_apart() {
        let mut rows = Rows::default();
        rows.push(&["a", "b"].into_iter().collect());
        rows.push(&Arguments::new());
        rows.push(&["c"].into_iter().collect());
        let mut last = Arguments::new();
        rows.copy(1, 3, &mut last);
        assert_eq!(last, ["c"].into_iter().collect());
        assert_eq!(rows.len(), 3);
    }

    #[test]
    fn blank_values_are_as_many_and_empty() {
        let mut arguments: Arguments = ["a", "b"].into_iter().collect();
        arguments.blank();
        assert_eq!(arguments, ["", ""].into_iter().collect());
    }
}
