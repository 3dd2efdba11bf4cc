//! The order in which a job's pieces come out.
//!
//! Knows groups, values and numbers. What becomes of them, quoted text, argument
//! vector or length, is a [`Sink`]'s business.

use super::piece::{Group, Numbers, Piece, Position, Replacement, What};

/// Takes a job's pieces in order.
pub(super) trait Sink {
    /// Text of the template; what a position beyond the last value leaves is an
    /// empty text.
    fn text(&mut self, text: &[u8]);
    /// A value, to be quoted.
    fn value(&mut self, value: &[u8]);
    /// The end of a word.
    fn end_word(&mut self);
}

/// Hands the pieces of one job to `sink`. A job without values has one, empty.
pub(super) fn walk<V: AsRef<[u8]>, S: Sink>(groups: &[Group], values: &[V], numbers: &Numbers, sink: &mut S) {
    let job = Job { values, numbers };
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

struct Job<'a, V> {
    values: &'a [V],
    numbers: &'a Numbers,
}

impl<V: AsRef<[u8]>> Job<'_, V> {
    fn replace<S: Sink>(&self, replacement: &Replacement, turn: usize, sink: &mut S) {
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
