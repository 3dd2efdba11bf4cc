//! Every value with every value, the last source fastest; linked sources count
//! as one.
//!
//! The first source is read once and never held. The others are held, and read
//! only as far as they are needed: while the last one is read for the first
//! time, each of its records makes a row at once.

use super::Next;
use super::error::InputError;
use super::feed::{Cx, Feed};
use crate::byte_list::{ByteList, ByteRows};

/// Sources that go along with each other until the shortest ends.
struct Group {
    feeds: Vec<Feed>,
    row: ByteList,
    /// The feed that is to give its part of `row` next.
    at: usize,
    started: bool,
    ended: bool,
    n_empty: usize,
}

impl Group {
    fn new(feeds: Vec<Feed>) -> Self {
        Self { feeds, row: ByteList::new(), at: 0, started: false, ended: false, n_empty: 0 }
    }

    /// Makes `row` the next one. The first is never missing: an empty source
    /// counts as one empty value.
    fn next(&mut self, cx: &mut Cx<'_>) -> Result<Next, InputError> {
        if self.ended {
            return Ok(Next::End);
        }
        if self.at == 0 {
            self.row.clear();
        }
        while let Some(feed) = self.feeds.get_mut(self.at) {
            match feed.next(&mut self.row, cx)? {
                Next::Ready => {}
                Next::Woken => return Ok(Next::Woken),
                Next::End if self.started => {
                    self.ended = true;
                    return Ok(Next::End);
                }
                Next::End => {
                    self.row.push(b"");
                    self.n_empty += 1;
                }
            }
            self.at += 1;
        }
        (self.at, self.started) = (0, true);
        Ok(Next::Ready)
    }
}

/// All rows of all groups.
pub(super) struct Product {
    groups: Vec<Group>,
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

impl Product {
    /// `groups` is not empty, nor is any of them.
    pub(super) fn new(groups: Vec<Vec<Feed>>) -> Self {
        let n = groups.len();
        Self {
            groups: groups.into_iter().map(Group::new).collect(),
            held: vec![ByteRows::default(); n],
            at: vec![0; n],
            first: ByteList::new(),
            started: 0,
            moving: n - 1,
            ended: false,
        }
    }

    pub(super) fn feeds(&self) -> impl Iterator<Item = &Feed> {
        self.groups.iter().flat_map(|group| &group.feeds)
    }

    /// Makes `row` the next row.
    pub(super) fn next(&mut self, row: &mut ByteList, cx: &mut Cx<'_>) -> Result<Next, InputError> {
        if self.ended {
            return Ok(Next::End);
        }
        let next = if self.started < self.groups.len() { self.start(cx)? } else { self.advance(cx)? };
        match next {
            Next::Ready => self.emit(row),
            Next::End => self.ended = true,
            Next::Woken => {}
        }
        Ok(next)
    }

    fn start(&mut self, cx: &mut Cx<'_>) -> Result<Next, InputError> {
        while self.started < self.groups.len() {
            if self.groups[self.started].next(cx)? == Next::Woken {
                return Ok(Next::Woken);
            }
            self.keep(self.started);
            self.started += 1;
        }
        let all_empty = self.groups.iter().all(|group| group.n_empty == group.feeds.len());
        Ok(if all_empty { Next::End } else { Next::Ready })
    }

    /// Moves on as an odometer does: the last group, or when it is through, the
    /// one before it.
    fn advance(&mut self, cx: &mut Cx<'_>) -> Result<Next, InputError> {
        loop {
            let group = self.moving;
            if group > 0 && self.at[group] + 1 < self.held[group].len() {
                self.at[group] += 1;
                break;
            }
            match self.groups[group].next(cx)? {
                Next::Ready => {
                    self.keep(group);
                    break;
                }
                Next::Woken => return Ok(Next::Woken),
                Next::End if group == 0 => return Ok(Next::End),
                Next::End => {
                    self.at[group] = 0;
                    self.moving = group - 1;
                }
            }
        }
        self.moving = self.groups.len() - 1;
        Ok(Next::Ready)
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
