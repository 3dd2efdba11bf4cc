//! Which pieces of a template are repeated together.
//!
//! Knows pieces only, as they were read.

use super::piece::{Group, Piece, Position};

/// Pieces by what is repeated together: a replacement alone, or with the word
/// around it.
pub(super) fn groups(pieces: Vec<Piece>, repeats_words: bool) -> Vec<Group> {
    let mut groups = Vec::new();
    let mut word = Group::default();
    for piece in pieces {
        match piece {
            Piece::Text(text) if repeats_words && !text.is_empty() => {
                // A tab belongs to the word after it, a space to none.
                for part in text.chunk_by(|before, after| *before != b' ' && !b" \t".contains(after)) {
                    if part == b" " || part[0] == b'\t' {
                        groups.push(std::mem::take(&mut word));
                    }
                    word.pieces.push(Piece::Text(part.to_vec()));
                    if part == b" " {
                        groups.push(std::mem::take(&mut word));
                    }
                }
            }
            Piece::Break => {
                groups.extend([std::mem::take(&mut word), Group { pieces: vec![piece], repeated: false }]);
            }
            Piece::Replacement(ref replacement) => {
                let repeated = replacement.position == Position::Each;
                if !repeats_words {
                    groups.push(std::mem::take(&mut word));
                }
                word.repeated |= repeated;
                word.pieces.push(piece);
                if !repeats_words {
                    groups.push(std::mem::take(&mut word));
                }
            }
            Piece::Text(_) => word.pieces.push(piece),
        }
    }
    groups.push(word);
    groups.retain(|group| !group.pieces.is_empty());
    groups
}
