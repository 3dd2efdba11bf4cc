//! Several sources into one row: every value with every value, or side by side.

use super::ReadNext;
use super::error::InputError;
use super::feed::{ReadContext, SourceReader};
use crate::byte_list::{ByteList, ByteRows};

/// Sources that go along with each other until the shortest ends.
struct LinkedGroup {
    feeds: Vec<SourceReader>,
    row: ByteList,
    /// The feed that is to give its part of `row` next.
    at: usize,
    started: bool,
    ended: bool,
    n_empty: usize,
}

impl LinkedGroup {
    fn new(feeds: Vec<SourceReader>) -> Self {
        Self { feeds, row: ByteList::new(), at: 0, started: false, ended: false, n_empty: 0 }
    }

    /// Makes `row` the next one. The first is never missing: an empty source
    /// counts as one empty value.
    fn next(&mut self, cx: &mut ReadContext<'_>) -> Result<ReadNext, InputError> {
        if self.ended {
            return Ok(ReadNext::End);
        }
        if self.at == 0 {
            self.row.clear();
        }
        while let Some(feed) = self.feeds.get_mut(self.at) {
            match feed.next(&mut self.row, cx)? {
                ReadNext::Ready => {}
                ReadNext::Woken => return Ok(ReadNext::Woken),
                ReadNext::End if self.started => {
                    self.ended = true;
                    return Ok(ReadNext::End);
                }
                ReadNext::End => {
                    self.row.push(b"");
                    self.n_empty += 1;
                }
            }
            self.at += 1;
        }
        (self.at, self.started) = (0, true);
        Ok(ReadNext::Ready)
    }
}

/// Every value with every value, the last source fastest; linked sources count as one.
///
/// The first source is read once and never held. The others are held, and read only as
/// far as they are needed: while the last one is read for the first time, each of its
/// records makes a row at once.
pub(super) struct SourceProduct {
    groups: Vec<LinkedGroup>,
    /// The rows of each group but the first, as far as they were read.
    held: Vec<ByteRows>,
    /// Which of its held rows each group is at.
    at: Vec<usize>,
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
    pub(super) fn new(groups: Vec<Vec<SourceReader>>) -> Self {
        let n = groups.len();
        Self {
            groups: groups.into_iter().map(LinkedGroup::new).collect(),
            held: vec![ByteRows::default(); n],
            at: vec![0; n],
            first: ByteList::new(),
            started: 0,
            moving: n - 1,
            ended: false,
        }
    }

    pub(super) fn feeds(&self) -> impl Iterator<Item = &SourceReader> {
        self.groups.iter().flat_map(|group| &group.feeds)
    }

    /// Makes `row` the next row.
    pub(super) fn next(
        &mut self,
        row: &mut ByteList,
        cx: &mut ReadContext<'_>,
    ) -> Result<ReadNext, InputError> {
        if self.ended {
            return Ok(ReadNext::End);
        }
        let next = if self.started < self.groups.len() { self.start(cx)? } else { self.advance(cx)? };
        match next {
            ReadNext::Ready => self.emit(row),
            ReadNext::End => self.ended = true,
            ReadNext::Woken => {}
        }
        Ok(next)
    }

    fn start(&mut self, cx: &mut ReadContext<'_>) -> Result<ReadNext, InputError> {
        while self.started < self.groups.len() {
            if self.groups[self.started].next(cx)? == ReadNext::Woken {
                return Ok(ReadNext::Woken);
            }
            self.keep(self.started);
            self.started += 1;
        }
        let all_empty = self.groups.iter().all(|group| group.n_empty == group.feeds.len());
        Ok(if all_empty { ReadNext::End } else { ReadNext::Ready })
    }

    /// Moves on as an odometer does: the last group, or when it is through, the
    /// one before it.
    fn advance(&mut self, cx: &mut ReadContext<'_>) -> Result<ReadNext, InputError> {
        loop {
            let group = self.moving;
            if group > 0 && self.at[group] + 1 < self.held[group].len() {
                self.at[group] += 1;
                break;
            }
            match self.groups[group].next(cx)? {
                ReadNext::Ready => {
                    self.keep(group);
                    break;
                }
                ReadNext::Woken => return Ok(ReadNext::Woken),
                ReadNext::End if group == 0 => return Ok(ReadNext::End),
                ReadNext::End => {
                    self.at[group] = 0;
                    self.moving = group - 1;
                }
            }
        }
        self.moving = self.groups.len() - 1;
        Ok(ReadNext::Ready)
    }

    /// Takes over the row that `group` has read.
    fn keep(&mut self, group: usize) {
        if group == 0 {
            std::mem::swap(&mut self.first, &mut self.groups[0].row);
        } else {
            self.held[group].push(&self.groups[group].row);
            self.at[group] = self.held[group].len() - 1;
        }
    }

    fn emit(&mut self, row: &mut ByteList) {
        if self.groups.len() == 1 {
            std::mem::swap(row, &mut self.first);
            return;
        }
        row.clear();
        row.extend(&self.first);
        for (held, at) in self.held.iter().zip(&self.at).skip(1) {
            held.copy(*at, at + 1, row);
        }
    }
}

/// One source and what it has given so far.
struct LinkedSource {
    feed: SourceReader,
    held: ByteRows,
    ended: bool,
}

/// All sources side by side until the longest ends, shorter ones from their beginning
/// again. Holds what it reads, for nobody knows which source is the longest.
pub(super) struct LinkedInputs {
    sources: Vec<LinkedSource>,
    row: ByteList,
    /// The source that is to give its part of `row` next.
    at: usize,
    n_rows: usize,
    /// Whether a source gave something new to this row.
    fresh: bool,
}

impl LinkedInputs {
    pub(super) fn new(feeds: Vec<SourceReader>) -> Self {
        let source = |feed| LinkedSource { feed, held: ByteRows::default(), ended: false };
        let sources = feeds.into_iter().map(source).collect();
        Self { sources, row: ByteList::new(), at: 0, n_rows: 0, fresh: false }
    }

    pub(super) fn feeds(&self) -> impl Iterator<Item = &SourceReader> {
        self.sources.iter().map(|source| &source.feed)
    }

    /// Makes `row` the next row.
    pub(super) fn next(
        &mut self,
        row: &mut ByteList,
        cx: &mut ReadContext<'_>,
    ) -> Result<ReadNext, InputError> {
        let mut part = ByteList::new();
        while let Some(source) = self.sources.get_mut(self.at) {
            part.clear();
            let next = if source.ended { ReadNext::End } else { source.feed.next(&mut part, cx)? };
            match next {
                ReadNext::Woken => return Ok(ReadNext::Woken),
                ReadNext::Ready => {
                    source.held.push(&part);
                    self.fresh = true;
                }
                ReadNext::End => {
                    source.ended = true;
                    if source.held.is_empty() {
                        part.push(b"");
                        source.held.push(&part);
                    }
                }
            }
            let turn = self.n_rows % source.held.len();
            source.held.copy(turn, turn + 1, &mut self.row);
            self.at += 1;
        }
        if !self.fresh {
            return Ok(ReadNext::End);
        }
        (self.at, self.fresh) = (0, false);
        self.n_rows += 1;
        std::mem::swap(row, &mut self.row);
        self.row.clear();
        Ok(ReadNext::Ready)
    }
}
