//! A job's line: the order in which a template's pieces come out, and what becomes
//! of them, quoted in one of three ways.

use super::numbers::Numbers;
use super::piece::{Piece, PieceGroup, Position, Replacement, What};
use super::quote::{Dialect, quote};

/// Takes a job's pieces in order.
pub(super) trait PieceSink {
    /// Text of the template; what a position beyond the last value leaves is an
    /// empty text.
    fn text(&mut self, text: &[u8]);
    /// A value, to be quoted.
    fn value(&mut self, value: &[u8]);
    /// The end of a word.
    fn end_word(&mut self);
}

/// Hands the pieces of one job to `sink`. A job without values has one, empty.
pub(super) fn walk<V: AsRef<[u8]>, S: PieceSink>(
    groups: &[PieceGroup],
    values: &[V],
    numbers: &Numbers,
    sink: &mut S,
) {
    let job = JobValues { values, numbers };
    for group in groups {
        let times = if group.repeated { values.len().max(1) } else { 1 };
        for turn in 0..times {
            if turn > 0 {
                sink.end_word();
            }
            for piece in &group.pieces {
                match piece {
                    Piece::Text(text) => sink.text(text),
                    Piece::Break => sink.end_word(),
                    Piece::Replacement(replacement) => job.replace(replacement, turn, sink),
                }
            }
        }
    }
}

struct JobValues<'a, V> {
    values: &'a [V],
    numbers: &'a Numbers,
}

impl<V: AsRef<[u8]>> JobValues<'_, V> {
    fn replace<S: PieceSink>(&self, replacement: &Replacement, turn: usize, sink: &mut S) {
        let count = self.values.len().max(1);
        let Some(index) = replacement.index(turn, count) else {
            sink.text(b"");
            return;
        };
        match &replacement.what {
            What::Value(form) => {
                let value = self.values.get(index).map_or(&b""[..], AsRef::as_ref);
                sink.value(&form.apply(value));
            }
            What::Number(number) => {
                let mut digits = [0; 20];
                let start = number.write(self.numbers, &mut digits);
                sink.value(&digits[start..]);
            }
            What::Shell(text) => sink.text(text),
            What::Nothing => {}
        }
    }
}

impl Replacement {
    /// Which of `count` values this stands for when its group comes for the
    /// `turn`-th.
    pub(super) fn index(&self, turn: usize, count: usize) -> Option<usize> {
        match self.position {
            Position::Each => Some(turn),
            Position::Nth(_) => self.position.among(count),
        }
    }
}

/// A line as it is.
pub(super) struct PlainLine<'a>(pub(super) &'a mut Vec<u8>);

impl PieceSink for PlainLine<'_> {
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
pub(super) struct QuotedLine<'a>(pub(super) &'a mut Vec<u8>, pub(super) Dialect);

impl PieceSink for QuotedLine<'_> {
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
pub(super) struct QuotedWords<'a> {
    out: &'a mut Vec<u8>,
    dialect: Dialect,
    /// Where the word starts that has not ended yet.
    word: usize,
    begun: bool,
    first: bool,
}

impl<'a> QuotedWords<'a> {
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

impl PieceSink for QuotedWords<'_> {
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
