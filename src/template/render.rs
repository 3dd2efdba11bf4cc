//! A template as a whole, and a job's line made of it: the order in which the pieces
//! come out, quoted in one of three ways.
//!
//! Knows no job but the one it is given.

use serde::{Deserialize, Serialize};

use super::numbers::{Number, Numbers};
use super::parse::{ParsedTemplate, Unsupported, parse};
use super::piece::{Piece, PieceGroup, Replacement, What, groups};
use super::quote::{Dialect, quote};
use super::replacements::{Skip, TemplateOptions};

/// How a line is quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Quoting {
    /// Values are quoted, unless a replacement string makes the command itself.
    Shell,
    /// Each word of the command is quoted with the values in it: -q.
    Words,
    /// Nothing is quoted: --tagstring, --results, --wd, and `{}` with --cat and
    /// --fifo.
    None,
}

/// A command, or an option's text, with replacement strings in it.
#[derive(Clone, Debug)]
pub struct Template {
    pub(super) groups: Vec<PieceGroup>,
    dialect: Dialect,
    uses_any: bool,
    makes_command: bool,
    skips: Vec<Skip>,
}

impl Template {
    /// A command as it was typed. Without any replacement string all values are
    /// appended; without any word they are the command.
    pub fn command<W: AsRef<[u8]>>(words: &[W], options: &TemplateOptions) -> Result<Self, Unsupported> {
        let mut parsed = parse(words, options)?;
        let uses_any = parsed.uses_any();
        if !uses_any {
            parsed.append_all_values(options);
        }
        Ok(Self { uses_any, ..Self::of(parsed, options) })
    }

    /// A command to which nothing is appended: --pipe.
    pub fn exact<W: AsRef<[u8]>>(words: &[W], options: &TemplateOptions) -> Result<Self, Unsupported> {
        Ok(Self::of(parse(words, options)?, options))
    }

    /// An option's text: --tagstring, --results, --wd.
    pub fn text(text: &[u8], options: &TemplateOptions) -> Result<Self, Unsupported> {
        Self::exact(&[text], options)
    }

    fn of(parsed: ParsedTemplate, options: &TemplateOptions) -> Self {
        Self {
            dialect: options.dialect,
            uses_any: parsed.uses_any(),
            makes_command: makes_command(&parsed.pieces),
            groups: groups(parsed.pieces, options.repeats_words),
            skips: parsed.skips,
        }
    }

    /// Whether some replacement string was written, `{#}` and `{%}` included.
    pub fn uses_any(&self) -> bool {
        self.uses_any
    }

    /// Whether lines depend on the slot that a job gets.
    pub fn uses_slot(&self) -> bool {
        self.replacements()
            .any(|what| matches!(what, What::Number(Number::Slot | Number::PaddedSlot) | What::Shell(_)))
    }

    /// Whether lines depend on the number of jobs, so that all inputs have to be
    /// read first.
    pub fn needs_total(&self) -> bool {
        self.replacements().any(|what| matches!(what, What::Number(Number::Total | Number::PaddedSeq)))
    }

    /// Whether a job with these values is left out: `{uniq}`, `{choose_k}`. Its
    /// number is used up, and --dry-run shows it all the same.
    pub fn skips<V: AsRef<[u8]>>(&self, values: &[V]) -> bool {
        let mut sorted: Vec<&[u8]> = values.iter().map(AsRef::as_ref).collect();
        self.skips.iter().any(|skip| match skip {
            Skip::Unordered => !values.is_sorted_by(|a, b| a.as_ref() < b.as_ref()),
            Skip::Repeated => {
                sorted.sort_unstable();
                sorted.first().is_some_and(|first| first.is_empty())
                    || sorted.windows(2).any(|pair| pair[0] == pair[1])
            }
        })
    }

    /// Appends one job's line to `out`. The values of a job are one list, in
    /// order: the sources' and columns' of its first input, then of its next.
    pub fn render<V: AsRef<[u8]>>(
        &self,
        values: &[V],
        numbers: &Numbers,
        quoting: Quoting,
        out: &mut Vec<u8>,
    ) {
        let quoted = self.quoted(quoting);
        if let Quoted::Words(dialect) = quoted {
            let mut words = QuotedWords { dialect, word: out.len(), begun: false, first: true, out };
            walk(&self.groups, values, numbers, &mut words);
            words.end_word();
        } else {
            walk(&self.groups, values, numbers, &mut QuotedLine(out, quoted));
        }
    }

    pub(super) fn quoted(&self, quoting: Quoting) -> Quoted {
        match quoting {
            Quoting::Words => Quoted::Words(self.dialect),
            Quoting::Shell if !self.makes_command => Quoted::Values(self.dialect),
            Quoting::Shell | Quoting::None => Quoted::Nothing,
        }
    }

    fn replacements(&self) -> impl Iterator<Item = &What> {
        let pieces = self.groups.iter().flat_map(|group| &group.pieces);
        pieces.filter_map(|piece| match piece {
            Piece::Replacement(replacement) => Some(&replacement.what),
            _ => None,
        })
    }
}

/// Whether a replacement string is (part of) the first word, and no variable's
/// value there.
fn makes_command(pieces: &[Piece]) -> bool {
    for piece in pieces {
        match piece {
            Piece::Replacement(_) => return true,
            Piece::Break => return false,
            Piece::Text(text) if text.iter().any(|byte| b" \t\n=".contains(byte)) => return false,
            Piece::Text(_) => {}
        }
    }
    false
}

/// What of a line is quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quoted {
    Nothing,
    Values(Dialect),
    Words(Dialect),
}

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
    let count = values.len().max(1);
    for group in groups {
        let times = if group.repeated { count } else { 1 };
        for turn in 0..times {
            if turn > 0 {
                sink.end_word();
            }
            for piece in &group.pieces {
                match piece {
                    Piece::Text(text) => sink.text(text),
                    Piece::Break => sink.end_word(),
                    Piece::Replacement(Replacement { position, what }) => {
                        match (position.among(count, turn), what) {
                            (None, _) => sink.text(b""),
                            (Some(at), What::Value(form)) => {
                                sink.value(&form.apply(values.get(at).map_or(b"", AsRef::as_ref)));
                            }
                            (Some(_), What::Number(number)) => sink.value(number.text(numbers).as_bytes()),
                            (Some(_), What::Shell(text)) => sink.text(text),
                            (Some(_), What::Nothing) => {}
                        }
                    }
                }
            }
        }
    }
}

/// A line whose values are quoted, or nothing.
struct QuotedLine<'a>(&'a mut Vec<u8>, Quoted);

impl PieceSink for QuotedLine<'_> {
    fn text(&mut self, text: &[u8]) {
        self.0.extend_from_slice(text);
    }

    fn value(&mut self, value: &[u8]) {
        match self.1 {
            Quoted::Values(dialect) => quote(value, dialect, self.0),
            Quoted::Nothing | Quoted::Words(_) => self.text(value),
        }
    }

    fn end_word(&mut self) {
        self.0.push(b' ');
    }
}

/// A line with quoted words.
struct QuotedWords<'a> {
    out: &'a mut Vec<u8>,
    dialect: Dialect,
    /// Where the word starts that has not ended yet.
    word: usize,
    begun: bool,
    first: bool,
}

impl PieceSink for QuotedWords<'_> {
    fn text(&mut self, text: &[u8]) {
        self.begun = true;
        self.out.extend_from_slice(text);
    }

    fn value(&mut self, value: &[u8]) {
        self.text(value);
    }

    /// A word into which nothing was put leaves no trace.
    fn end_word(&mut self) {
        if !self.begun {
            return;
        }
        let word = self.out.split_off(self.word);
        if !self.first {
            self.out.push(b' ');
        }
        quote(&word, self.dialect, self.out);
        (self.word, self.begun, self.first) = (self.out.len(), false, false);
    }
}
