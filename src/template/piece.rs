//! What a template is made of once it is read, and a job's numbers.
//!
//! Knows no spelling of replacement strings and no quoting.

use super::form::Form;

/// A job's numbers, for `{#}`, `{%}` and their relatives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// `{#}`: the job's number, from 1 in input order.
    pub seq: u64,
    /// `{%}`: the job's slot, from 1.
    pub slot: u64,
    /// The number of slots, for `{0%}`.
    pub slots: u64,
    /// `{##}`: the number of jobs. May be 0 unless
    /// [`needs_total`](super::Template::needs_total).
    pub total: u64,
}

/// Pieces that stand together: the whole of them is repeated for each value, or
/// none is.
#[derive(Clone, Debug, Default)]
pub(super) struct Group {
    pub(super) pieces: Vec<Piece>,
    /// Some replacement in it stands for every value, so that the group comes
    /// once per value, with a word's end between.
    pub(super) repeated: bool,
}

/// A part of a template.
#[derive(Clone, Debug)]
pub(super) enum Piece {
    /// Text that stays as it is. An empty text makes an empty word under -q.
    Text(Vec<u8>),
    /// The end of a word of the command: a space that is never quoted.
    Break,
    /// A replacement string.
    Replacement(Replacement),
}

/// A replacement string: which values it stands for and what it makes of them.
#[derive(Clone, Debug)]
pub(super) struct Replacement {
    pub(super) position: Position,
    pub(super) what: What,
}

/// Which of a job's values a replacement string stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Position {
    /// Every one, in turn.
    Each,
    /// The n-th from 1, or from the end if negative.
    Nth(i64),
}

/// What a replacement string is replaced by.
#[derive(Clone, Debug)]
pub(super) enum What {
    /// The value in this form.
    Value(Form),
    /// A number of the job.
    Number(Number),
    /// Text for the shell, never quoted as a value: `{slot}`.
    Shell(&'static [u8]),
    /// Nothing at all, not even an empty value: -n0.
    Nothing,
}

/// Which number of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    Seq,
    Slot,
    Total,
    /// As wide as the total.
    PaddedSeq,
    /// As wide as the number of slots.
    PaddedSlot,
}

impl Position {
    /// The index among `count` values, if there is one. As in Perl, an index
    /// below zero counts from the end once more.
    pub(super) fn among(self, count: usize) -> Option<usize> {
        let Self::Nth(nth) = self else {
            return None;
        };
        let count = i64::try_from(count).ok()?;
        let index = match nth {
            1.. => nth - 1,
            _ if count + nth >= 0 => count + nth,
            _ => count + nth + count,
        };
        usize::try_from(index).ok().filter(|_| index < count)
    }
}

impl Number {
    /// The number in decimal, written at the end of `buffer`.
    pub(super) fn write(self, numbers: &Numbers, buffer: &mut [u8; 20]) -> usize {
        let (mut rest, width) = match self {
            Self::Seq => (numbers.seq, 1),
            Self::Slot => (numbers.slot, 1),
            Self::Total => (numbers.total, 1),
            Self::PaddedSeq => (numbers.seq, width(numbers.total)),
            Self::PaddedSlot => (numbers.slot, width(numbers.slots)),
        };
        let mut start = buffer.len();
        while rest > 0 || buffer.len() - start < width {
            start -= 1;
            buffer[start] = b"0123456789"[usize::from((rest % 10) as u8)];
            rest /= 10;
        }
        start
    }
}

/// The digits that GNU parallel pads to: 1 + int(log(n)/log(10)), which is one
/// digit short where the division rounds down (1000, 10^6).
fn width(number: u64) -> usize {
    let ratio = (number.max(1) as f64).ln() / 10f64.ln();
    let (mut width, mut digits) = (1, 1.0);
    while ratio >= digits {
        width += 1;
        digits += 1.0;
    }
    width
}
