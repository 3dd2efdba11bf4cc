//! Several sources into one row: every value with every value, or side by side.

use super::Step;
use super::feed::{ReadContext, SourceReader};
use crate::byte_list::{ByteList, ByteRows};

/// Sources that go along with each other until the shortest ends, or, shorter ones from
/// their beginning again, until the longest does (`--link`).
#[derive(Default)]
struct LinkedGroup {
    sources: Vec<LinkedSource>,
    starts_again: bool,
    row: ByteList,
    /// The source that is to give its part of `row` next.
    at: usize,
    n_rows: usize,
    /// Whether a source gave something new to this row.
    fresh: bool,
    ended: bool,
    /// The rows, as far as they were read, and which of them the product is at.
    held: ByteRows,
    held_at: usize,
}

struct LinkedSource {
    reader: SourceReader,
    ended: bool,
    /// What it has given, if it may have to start again: nobody knows which source is
    /// the longest.
    given: ByteRows,
}

impl LinkedGroup {
    fn new(readers: Vec<SourceReader>, starts_again: bool) -> Self {
        let source = |reader| LinkedSource { reader, ended: false, given: ByteRows::default() };
        Self {
            // One alone is the longest.
            starts_again: starts_again && readers.len() > 1,
            sources: readers.into_iter().map(source).collect(),
            ..Self::default()
        }
    }

    /// Makes `row` the next one. The first is never missing: an empty source
    /// counts as one empty value.
    fn next(&mut self, cx: &mut ReadContext<'_>) -> Step<bool> {
        if self.ended {
            return Ok(false);
        }
        if self.at == 0 {
            self.row.clear();
            self.fresh = false;
        }
        while let Some(source) = self.sources.get_mut(self.at) {
            let mut part = ByteList::new();
            let into = if self.starts_again { &mut part } else { &mut self.row };
            source.ended = source.ended || !source.reader.next(into, cx)?;
            self.fresh |= !source.ended;
            if source.ended && self.n_rows == 0 {
                into.push(b"");
            }
            if self.starts_again {
                if !part.is_empty() {
                    source.given.push(&part);
                }
                let turn = self.n_rows % source.given.len();
                source.given.copy(turn, turn + 1, &mut self.row);
            }
            self.at += 1;
            self.ended = source.ended && !self.starts_again && self.n_rows > 0;
            if self.ended {
                return Ok(false);
            }
        }
        self.ended = !self.fresh && self.n_rows > 0;
        (self.at, self.n_rows) = (0, self.n_rows + 1);
        Ok(!self.ended)
    }
}

/// Every value with every value, the last source fastest; linked sources count as one.
///
/// The first source is read once and never held. The others are held, and read only as
/// far as they are needed: while the last one is read for the first time, each of its
/// records makes a row at once.
#[derive(Default)]
pub(super) struct SourceProduct {
    groups: Vec<LinkedGroup>,
    /// The row the first group is at.
    first: ByteList,
    /// How many groups have their first row.
    started: usize,
    /// The group that moves on next; the last one but while it is carried.
    moving: usize,
    ended: bool,
}

impl SourceProduct {
    /// `groups` is not empty, nor is any of them.
    pub(super) fn new(groups: Vec<Vec<SourceReader>>, start_again: bool) -> Self {
        Self {
            moving: groups.len() - 1,
            groups: groups.into_iter().map(|group| LinkedGroup::new(group, start_again)).collect(),
            ..Self::default()
        }
    }

    pub(super) fn readers(&self) -> impl Iterator<Item = &SourceReader> {
        self.groups.iter().flat_map(|group| &group.sources).map(|source| &source.reader)
    }

    /// How many rows there are, without making them: all sources are read to their end.
    pub(super) fn count(&mut self, cx: &mut ReadContext<'_>) -> Step<u64> {
        let (mut rows, mut is_empty) = (1_u64, true);
        for group in &mut self.groups {
            let counts = group.sources.iter_mut().map(|source| source.reader.count(cx));
            let counts = counts.collect::<Step<Vec<u64>>>()?;
            let [shortest, longest] = [counts.iter().min(), counts.iter().max()].map(|n| *n.unwrap_or(&0));
            is_empty &= longest == 0;
            // An empty source counts as one empty value.
            rows = rows.saturating_mul(if group.starts_again { longest } else { shortest }.max(1));
        }
        Ok(if is_empty { 0 } else { rows })
    }

    /// Makes `row` the next row.
    pub(super) fn next(&mut self, row: &mut ByteList, cx: &mut ReadContext<'_>) -> Step<bool> {
        let starts = self.started < self.groups.len();
        let found = !self.ended && if starts { self.start(cx)? } else { self.advance(cx)? };
        self.ended = !found;
        if found && self.groups.len() == 1 {
            std::mem::swap(row, &mut self.first);
        } else if found {
            row.clear();
            row.extend(&self.first);
            for group in &self.groups[1..] {
                group.held.copy(group.held_at, group.held_at + 1, row);
            }
        }
        Ok(found)
    }

    fn start(&mut self, cx: &mut ReadContext<'_>) -> Step<bool> {
        while self.started < self.groups.len() {
            self.groups[self.started].next(cx)?;
            self.keep(self.started);
            self.started += 1;
        }
        Ok(self.groups.iter().any(|group| group.fresh))
    }

    /// Moves on as an odometer does: the last group, or when it is through, the
    /// one before it.
    fn advance(&mut self, cx: &mut ReadContext<'_>) -> Step<bool> {
        loop {
            let group = &mut self.groups[self.moving];
            if self.moving > 0 && group.held_at + 1 < group.held.len() {
                group.held_at += 1;
                break;
            }
            if group.next(cx)? {
                self.keep(self.moving);
                break;
            }
            if self.moving == 0 {
                return Ok(false);
            }
            group.held_at = 0;
            self.moving -= 1;
        }
        self.moving = self.groups.len() - 1;
        Ok(true)
    }

    /// Takes over the row that the group has read.
    fn keep(&mut self, group: usize) {
        let LinkedGroup { row, held, held_at, .. } = &mut self.groups[group];
        if group == 0 {
            std::mem::swap(&mut self.first, row);
        } else {
            *held_at = held.len();
            held.push(row);
        }
    }
}
