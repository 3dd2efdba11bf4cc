//! Which templates need no shell, and a job's argument vector made of those.
//!
//! Knows text only: whether the shell at hand reads start-up files, whether a
//! function has the program's name and where PATH finds it is decided elsewhere.

use super::line::{PieceSink, walk};
use super::numbers::Numbers;
use super::piece::{Piece, PieceGroup, What};
use super::render::{Quoting, Template};
use super::shell_builtins::is_builtin;
use crate::byte_list::ByteList;

/// A template whose lines every shell would only split into words.
#[derive(Clone, Debug)]
pub struct DirectCommand {
    groups: Vec<PieceGroup>,
    program: Vec<u8>,
    keeps_empty_words: bool,
}

impl DirectCommand {
    /// The template without its shell, if it needs none: its words are plain, and
    /// the first of them is a program's name. The answer holds for every job.
    #[must_use]
    pub fn of(template: &Template, quoting: Quoting) -> Option<Self> {
        let groups = match quoting {
            Quoting::Shell => plain_words(&template.groups)?,
            Quoting::Words => template.groups.clone(),
            Quoting::None => return None,
        };
        let pieces = || groups.iter().flat_map(|group| &group.pieces);
        let mut program = Vec::new();
        for piece in pieces() {
            match piece {
                Piece::Text(text) => program.extend_from_slice(text),
                Piece::Replacement(_) => return None,
                // QuotedWords that are not quoted may have blanks before them.
                Piece::Break if program.is_empty() && quoting == Quoting::Shell => {}
                Piece::Break => break,
            }
        }
        let quoted = quoting == Quoting::Words;
        let is_name = quoted || !program.iter().any(|byte| b"=%".contains(byte));
        if program.is_empty() || !is_name || is_builtin(&program) {
            return None;
        }
        let shells = |piece: &Piece| matches!(piece, Piece::Replacement(replacement) if matches!(replacement.what, What::Shell(_)));
        if pieces().any(shells) {
            return None;
        }
        Some(Self { groups, program, keeps_empty_words: quoted })
    }

    /// The program's name, the first word of every job.
    #[must_use]
    pub fn program(&self) -> &[u8] {
        &self.program
    }

    /// The words that a shell would make of the job's line.
    #[must_use]
    pub fn render_argv<V: AsRef<[u8]>>(&self, values: &[V], numbers: &Numbers) -> ByteList {
        let mut argv = ByteList::new();
        let mut sink =
            ArgvWriter { argv: &mut argv, begun: false, keeps_empty_words: self.keeps_empty_words };
        walk(&self.groups, values, numbers, &mut sink);
        sink.end_word();
        argv
    }
}

/// The groups with blanks as ends of words, if every text in them is plain.
fn plain_words(groups: &[PieceGroup]) -> Option<Vec<PieceGroup>> {
    let mut words = groups.to_vec();
    for group in &mut words {
        let mut pieces = Vec::with_capacity(group.pieces.len());
        for piece in group.pieces.drain(..) {
            let Piece::Text(text) = piece else {
                pieces.push(piece);
                continue;
            };
            for (at, word) in text.split(|byte| b" \t".contains(byte)).enumerate() {
                // zsh puts a program's path in place of `=name`.
                if !word.iter().copied().all(is_plain) || word.starts_with(b"=") {
                    return None;
                }
                if at > 0 {
                    pieces.push(Piece::Break);
                }
                if !word.is_empty() {
                    pieces.push(Piece::Text(word.to_vec()));
                }
            }
        }
        group.pieces = pieces;
    }
    Some(words)
}

/// Whether a byte stands for itself in every shell, wherever in a word it is.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_./+,:@%=".contains(&byte)
}

/// Fills an argument vector.
struct ArgvWriter<'a> {
    argv: &'a mut ByteList,
    begun: bool,
    keeps_empty_words: bool,
}

impl PieceSink for ArgvWriter<'_> {
    fn text(&mut self, text: &[u8]) {
        self.begun |= self.keeps_empty_words || !text.is_empty();
        self.argv.put(text);
    }

    fn value(&mut self, value: &[u8]) {
        self.begun = true;
        self.argv.put(value);
    }

    fn end_word(&mut self) {
        if self.begun {
            self.argv.end();
            self.begun = false;
        }
    }
}
