//! Byte strings in one piece of memory: a job's values, its arguments, an
//! environment, and tables of them.
//!
//! A million short values must not be a million allocations, and one list is filled
//! again for every job. Each string is followed by a NUL, so that it is one for C as
//! well where it holds none itself.

use std::ffi::{CStr, OsStr};
use std::fmt;
use std::io;
use std::ops::Index;
use std::os::unix::ffi::OsStrExt as _;

/// Byte strings in order. File names are bytes, so values are.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ByteList {
    /// Every string with a NUL behind it.
    bytes: Vec<u8>,
    /// Where each string ends, which is where its NUL is.
    ends: Vec<usize>,
}

impl ByteList {
    /// No strings.
    pub const fn new() -> Self {
        Self { bytes: Vec::new(), ends: Vec::new() }
    }

    /// The given words, for a program to be run with.
    ///
    /// # Errors
    /// When a word holds a NUL byte, which no argument can.
    pub fn from_words<I>(words: I) -> io::Result<Self>
    where
        I: IntoIterator,
        I::Item: AsRef<OsStr>,
    {
        let mut list = Self::new();
        words.into_iter().for_each(|word| list.push(word.as_ref().as_bytes()));
        list.without_nuls()
    }

    /// How many strings there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The string at `index`, counted from 0.
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        let end = *self.ends.get(index)?;
        Some(&self.bytes[self.start(index)..end])
    }

    fn start(&self, index: usize) -> usize {
        if index == 0 { 0 } else { self.ends[index - 1] + 1 }
    }

    /// The strings in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> + DoubleEndedIterator + '_ {
        (0..self.len()).map(|index| &self[index])
    }

    /// The strings as C has them, up to the first NUL.
    pub fn c_strings(&self) -> impl Iterator<Item = &CStr> {
        let starts = (0..self.len()).map(|index| self.start(index));
        // Every string has its NUL.
        starts.map(|start| CStr::from_bytes_until_nul(&self.bytes[start..]).unwrap_or_default())
    }

    /// Adds a string at the end.
    pub fn push(&mut self, value: &[u8]) {
        self.put(value);
        self.end();
    }

    /// Adds `part` to the string that [`Self::end`] is going to end.
    pub fn put(&mut self, part: &[u8]) {
        self.bytes.extend_from_slice(part);
    }

    /// Ends the string that was [`put`](Self::put) piece by piece.
    pub fn end(&mut self) {
        self.ends.push(self.bytes.len());
        self.bytes.push(0);
    }

    /// Adds the word `name=value`, for an environment.
    ///
    /// # Errors
    /// When the name or the value holds a NUL byte.
    pub fn push_variable(&mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> io::Result<()> {
        let (name, value) = (name.as_ref().as_bytes(), value.as_ref().as_bytes());
        without_nul(name)?;
        without_nul(value)?;
        for part in [name, b"=", value] {
            self.put(part);
        }
        self.end();
        Ok(())
    }

    /// Adds all strings of `other` at the end.
    pub fn extend(&mut self, other: &Self) {
        let before = self.bytes.len();
        self.bytes.extend_from_slice(&other.bytes);
        self.ends.extend(other.ends.iter().map(|end| before + end));
    }

    /// Forgets all strings and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    /// Makes every string empty, as `-n0` wants it.
    pub fn blank(&mut self) {
        self.bytes.clear();
        self.bytes.resize(self.ends.len(), 0);
        self.ends.iter_mut().enumerate().for_each(|(index, end)| *end = index);
    }

    /// Bytes of all strings together, without their NULs.
    #[cfg(test)]
    pub fn n_bytes(&self) -> usize {
        self.bytes.len() - self.ends.len()
    }

    /// The list, if a program can be run with it.
    ///
    /// # Errors
    /// When a string holds a NUL byte, which no argument can.
    pub fn without_nuls(self) -> io::Result<Self> {
        self.iter().try_for_each(without_nul)?;
        Ok(self)
    }
}

fn without_nul(word: &[u8]) -> io::Result<()> {
    if word.contains(&0) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "an argument cannot hold a NUL byte"));
    }
    Ok(())
}

impl Index<usize> for ByteList {
    type Output = [u8];

    fn index(&self, index: usize) -> &[u8] {
        self.get(index).expect("an index below the number of strings")
    }
}

impl<V: AsRef<[u8]>> FromIterator<V> for ByteList {
    fn from_iter<I: IntoIterator<Item = V>>(values: I) -> Self {
        let mut list = Self::new();
        for value in values {
            list.push(value.as_ref());
        }
        list
    }
}

impl fmt::Debug for ByteList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(String::from_utf8_lossy)).finish()
    }
}

/// Rows of byte strings, held because they are needed again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ByteRows {
    values: ByteList,
    /// Where each row ends in `values`.
    ends: Vec<usize>,
}

impl ByteRows {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Adds a row at the end.
    pub fn push(&mut self, row: &ByteList) {
        self.values.extend(row);
        self.ends.push(self.values.len());
    }

    /// Adds the strings of the rows `from..to` to `into`.
    pub fn copy(&self, from: usize, to: usize, into: &mut ByteList) {
        let start = |row: usize| if row == 0 { 0 } else { self.ends[row - 1] };
        for index in start(from)..start(to) {
            into.push(&self.values[index]);
        }
    }

    /// Forgets all rows and keeps the memory.
    pub fn clear(&mut self) {
        self.values.clear();
        self.ends.clear();
    }

    /// All strings, row after row.
    pub fn values(&mut self) -> &mut ByteList {
        &mut self.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_come_back_as_they_were_pushed_to_c_too() {
        let mut list: ByteList = ["a", "", "b c"].into_iter().collect();
        list.push_variable("X", "1=2").unwrap();
        assert_eq!((list.len(), list.n_bytes()), (4, 9));
        assert_eq!(&list[1], b"");
        assert_eq!(list.get(4), None);
        assert_eq!(list.iter().next_back(), Some(&b"X=1=2"[..]));
        assert_eq!(format!("{list:?}"), r#"["a", "", "b c", "X=1=2"]"#);
        let texts: Vec<&[u8]> = list.c_strings().map(CStr::to_bytes).collect();
        assert_eq!(texts, list.iter().collect::<Vec<_>>());
        let mut twice = list.clone();
        twice.extend(&list);
        assert_eq!((twice.len(), &twice[4], &twice[7]), (8, &b"a"[..], &b"X=1=2"[..]));
        list.clear();
        assert!(list.is_empty());
    }

    #[test]
    fn a_word_with_a_nul_is_refused_and_leaves_no_trace() {
        assert!(ByteList::from_words(["a", "b\0c"]).is_err());
        let mut list = ByteList::new();
        assert!(list.push_variable("X", "\0").is_err());
        assert_eq!(list, ByteList::new());
        // A value may hold one.
        list.push(b"b\0c");
        assert_eq!(&list[0], b"b\0c");
    }

    #[test]
    fn rows_of_different_widths_are_kept_apart() {
        let mut rows = ByteRows::default();
        rows.push(&["a", "b"].into_iter().collect());
        rows.push(&ByteList::new());
        rows.push(&["c"].into_iter().collect());
        let mut last = ByteList::new();
        rows.copy(1, 3, &mut last);
        assert_eq!(last, ["c"].into_iter().collect());
        assert_eq!(rows.len(), 3);
    }

    #[test]
    fn blank_strings_are_as_many_and_empty() {
        let mut list: ByteList = ["a", "b"].into_iter().collect();
        list.blank();
        assert_eq!(list, ["", ""].into_iter().collect());
        list.push(b"c");
        assert_eq!((list.len(), &list[2]), (3, &b"c"[..]));
    }
}
