//! What several options mean together: how inputs are read, packed and cut.

use std::num::NonZeroUsize;

use super::typed::{Flag, Typed};
use crate::cli::exit::{Fault, refuse};
use crate::inputs::{BlockSpec, Combine, Header, Reading, RowsPerJob, Separator, Split, Trim, unescape};

impl Typed {
    /// Whether jobs are given blocks of standard input, or of files.
    pub fn pipes(&self) -> bool {
        self.has_any(&[Flag::Pipe, Flag::PipePart, Flag::Cat, Flag::Fifo])
    }

    /// How the sources are read.
    ///
    /// # Errors
    /// A separator that CSV cannot have.
    pub fn reading(&self) -> Result<Reading, Fault> {
        let input = &self.input;
        // With blocks to read, the head is theirs.
        let head = input.header.as_ref().filter(|_| !self.pipes());
        let split = if self.has(Flag::Csv) {
            Split::Csv(self.csv_separator()?)
        } else {
            match (&input.colsep, head) {
                (Some(pattern), _) => Split::At(pattern.clone()),
                // Names stand apart by tabs, and so do the values below them.
                (None, Some(header)) if header != b"0" => Split::At(b"\t".to_vec()),
                (None, _) => Split::Whole,
            }
        };
        let null = if self.has(Flag::Null) { b"\0" } else { b"\n" };
        let default_trim = if input.colsep.is_some() { Trim::Both } else { Trim::None };
        Ok(Reading {
            delimiter: input.delimiter.clone().unwrap_or_else(|| null.to_vec()),
            split,
            header: head.map(|typed| header(typed)),
            trim: input.trim.unwrap_or(default_trim),
            end_mark: input.end_mark.clone().filter(|mark| !mark.is_empty()),
            skip_blank: self.has(Flag::SkipBlank),
            skip_first: self.has(Flag::SkipFirstLine),
            continued: !self.pipes() && self.lines().is_some(),
            combine: if self.has(Flag::Link) { Combine::Link } else { Combine::AsJoined },
        })
    }

    /// How rows become jobs on `slots` slots, on lines of at most `limit` bytes.
    pub fn packing(&self, slots: NonZeroUsize, limit: usize) -> RowsPerJob {
        let input = &self.input;
        let spreads = (self.has(Flag::WithContext) || self.has(Flag::Multiple)) && !self.has(Flag::Xargs);
        let fills = spreads || self.has(Flag::Xargs);
        // `-l 0` is `-l 1`; 0 elsewhere inserts none, and is no limit to `-X`.
        let lines = input.lines.map(|n| n.max(1));
        // With blocks to read, lines are those of the blocks.
        let lines = input.max_lines.or(lines).filter(|_| !self.pipes());
        let typed = input.max_replace_args.or(input.max_args).or(lines);
        let at_most = match (typed, fills) {
            (Some(0) | None, false) => NonZeroUsize::new(1),
            (n, _) => n.and_then(NonZeroUsize::new),
        };
        RowsPerJob {
            at_most,
            slots: spreads.then_some(slots),
            insert_nothing: typed == Some(0),
            // GNU parallel wants lines to be shorter than `-s` says.
            limit: input.max_chars.map_or(limit, |most| most.saturating_sub(1).min(limit)),
            room: usize::MAX,
        }
    }

    /// Whether a word around `{}` is repeated for each value of a job, as `-X`,
    /// `-N` and `-L` have it; else the values stand side by side within it.
    pub fn repeats_words(&self) -> bool {
        let input = &self.input;
        let side_by_side = self.has_any(&[Flag::Multiple, Flag::Xargs]);
        let by_lines = input.max_lines.is_some() && !self.pipes() && !side_by_side;
        input.max_replace_args.is_some()
            || self.has(Flag::WithContext)
            || by_lines && input.max_args.is_none()
    }

    /// How `--pipe` cuts standard input.
    ///
    /// # Errors
    /// A block of no bytes; a separator that CSV cannot have.
    pub fn block_spec(&self) -> Result<BlockSpec, Fault> {
        let (input, pipe) = (&self.input, &self.pipe);
        let records = input.max_replace_args.or(input.max_args).map(|n| n.max(1));
        let size = match pipe.block.map(|bytes| usize::try_from(bytes).ok().and_then(NonZeroUsize::new)) {
            None => BlockSpec::default().size,
            Some(Some(size)) => size,
            Some(None) => return refuse("--block 0: a block has at least one byte"),
        };
        Ok(BlockSpec {
            size,
            records: records.and_then(NonZeroUsize::new),
            lines: self.lines(),
            separator: self.separator()?,
            remove_marks: self.has(Flag::RemoveRecSep),
            skip_first: self.has(Flag::SkipFirstLine),
            skip_blank: self.has(Flag::SkipBlank),
            header: input.header.as_deref().map(header),
        })
    }

    /// `-L`, or `-l`, where nothing is one; `-L 0` is none.
    fn lines(&self) -> Option<NonZeroUsize> {
        let lines = self.input.lines.map(|n| n.max(1));
        self.input.max_lines.or(lines).and_then(NonZeroUsize::new)
    }

    fn separator(&self) -> Result<Separator, Fault> {
        let pipe = &self.pipe;
        if self.has(Flag::Csv) {
            return Ok(Separator::Csv(self.csv_separator()?));
        }
        // `-L` alone counts lines, whatever else ends records.
        let by_records = self.input.max_replace_args.or(self.input.max_args).is_some();
        if self.lines().is_some() && !by_records {
            return Ok(Separator::default());
        }
        // A newline ends a record unless something else is said to.
        let default_end = if pipe.recstart.is_none() { "\n" } else { "" };
        let end = pipe.recend.clone().unwrap_or_else(|| default_end.into());
        let start = pipe.recstart.clone().unwrap_or_default();
        Ok(if self.has(Flag::Regexp) {
            Separator::Regexp { end, start }
        } else {
            Separator::Bytes { end: unescape(&end), start: unescape(&start) }
        })
    }

    fn csv_separator(&self) -> Result<u8, Fault> {
        match self.input.colsep.as_deref().map(unescape).as_deref() {
            None => Ok(b','),
            Some([byte]) => Ok(*byte),
            Some(_) => refuse("--csv with --colsep: the separator must be one byte"),
        }
    }
}

fn header(typed: &[u8]) -> Header {
    match typed {
        b"0" => Header::FileNames,
        b":" => Header::First,
        _ => {
            let lines = std::str::from_utf8(typed).ok().and_then(|text| text.parse().ok());
            lines.map_or_else(|| Header::Matching(typed.to_vec()), Header::Lines)
        }
    }
}
