//! A job's line, quoted in one of three ways.
//!
//! Knows pieces as they come, no templates.

use super::quote::{Dialect, quote};
use super::walk::Sink;

/// A line as it is.
pub(super) struct Plain<'a>(pub(super) &'a mut Vec<u8>);

impl Sink for Plain<'_> {
    fn text(&mut self, text: &[u8]) {
        self.0.extend_from_slice(text);
    }

    fn value(&mut self, value: &[u8]) {
        self.0.extend_from_slice(value);
    }

    fn end_word(&mut self) {
        self.0.push(b' ');
    }
}

/// A line with quoted values.
pub(super) struct Quoted<'a>(pub(super) &'a mut Vec<u8>, pub(super) Dialect);

impl Sink for Quoted<'_> {
    fn text(&mut self, text: &[u8]) {
        self.0.extend_from_slice(text);
    }

    fn value(&mut self, value: &[u8]) {
        quote(value, self.1, self.0);
    }

    fn end_word(&mut self) {
        self.0.push(b' ');
    }
}

/// A line with quoted words.
pub(super) struct Words<'a> {
    out: &'a mut Vec<u8>,
    dialect: Dialect,
    /// Where the word starts that has not ended yet.
    word: usize,
    begun: bool,
    first: bool,
}

impl<'a> Words<'a> {
    /// Words behind what is in `out`.
    pub(super) fn new(out: &'a mut Vec<u8>, dialect: Dialect) -> Self {
        Self { dialect, word: out.len(), begun: false, first: true, out }
    }

    /// Ends the last word. One into which nothing was put leaves no trace.
    pub(super) fn end(&mut self) {
        if !self.begun {
            return;
        }
        let word = self.out.split_off(self.word);
        if !self.first {
            self.out.push(b' ');
        }
        quote(&word, self.dialect, self.out);
        self.word = self.out.len();
        self.begun = false;
        self.first = false;
    }
}

impl Sink for Words<'_> {
    fn text(&mut self, text: &[u8]) {
        self.begun = true;
        self.out.extend_from_slice(text);
    }

    fn value(&mut self, value: &[u8]) {
        self.text(value);
    }

    fn end_word(&mut self) {
        self.end();
    }
}
