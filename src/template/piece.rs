//! What a template is made of once it is read, and what of it is repeated together.
//!
//! Knows no spelling of replacement strings and no quoting.

use super::form::ValueForm;
use super::numbers::Number;

/// Pieces that stand together: the whole of them is repeated for each value, or
/// none is.
#[derive(Clone, Debug, Default)]
pub(super) struct PieceGroup {
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
    Value(ValueForm),
    /// A number of the job.
    Number(Number),
    /// Text for the shell, never quoted as a value: `{slot}`.
    Shell(Vec<u8>),
    /// Nothing at all, not even an empty value: -n0.
    Nothing,
}

impl Position {
    /// The index among `count` values, if there is one, when the group comes for the
    /// `turn`-th time. As in Perl, an index below zero counts from the end once more.
    pub(super) fn among(self, count: usize, turn: usize) -> Option<usize> {
        let Self::Nth(nth) = self else {
            return Some(turn);
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

impl PieceGroup {
    fn push(&mut self, piece: Piece) {
        self.repeated |= matches!(&piece, Piece::Replacement(it) if it.position == Position::Each);
        self.pieces.push(piece);
    }
}

/// Pieces by what is repeated together: a replacement alone, or with the word
/// around it.
pub(super) fn groups(pieces: Vec<Piece>, repeats_words: bool) -> Vec<PieceGroup> {
    let mut groups = vec![PieceGroup::default()];
    let mut push = |piece: Piece, begins: bool, ends: bool| {
        if begins {
            groups.push(PieceGroup::default());
        }
        groups.last_mut().expect("there is a group from the beginning").push(piece);
        if ends {
            groups.push(PieceGroup::default());
        }
    };
    for piece in pieces {
        match piece {
            Piece::Text(text) if repeats_words && !text.is_empty() => {
                // A tab belongs to the word after it, a space to none.
                for part in text.chunk_by(|before, after| *before != b' ' && !b" \t".contains(after)) {
                    push(Piece::Text(part.to_vec()), b" \t".contains(&part[0]), part == b" ");
                }
            }
            Piece::Break => push(piece, true, true),
            Piece::Text(_) | Piece::Replacement(_) => push(piece, !repeats_words, false),
        }
    }
    groups.retain(|group| !group.pieces.is_empty());
    groups
}
