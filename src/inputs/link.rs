//! All sources side by side until the longest ends, shorter ones from their
//! beginning again.
//!
//! Holds what it reads, for nobody knows which source is the longest.

use super::Next;
use super::error::InputError;
use super::feed::{Cx, Feed};
use crate::byte_list::{ByteList, ByteRows};

/// One source and what it has given so far.
struct Lane {
    feed: Feed,
    held: ByteRows,
    ended: bool,
}

/// All rows of linked sources.
pub(super) struct Link {
    lanes: Vec<Lane>,
    row: ByteList,
    /// The lane that is to give its part of `row` next.
    at: usize,
    n_rows: usize,
    /// Whether a lane gave something new to this row.
    fresh: bool,
}

impl Link {
    pub(super) fn new(feeds: Vec<Feed>) -> Self {
        let lane = |feed| Lane { feed, held: ByteRows::default(), ended: false };
        let lanes = feeds.into_iter().map(lane).collect();
        Self { lanes, row: ByteList::new(), at: 0, n_rows: 0, fresh: false }
    }

    pub(super) fn feeds(&self) -> impl Iterator<Item = &Feed> {
        self.lanes.iter().map(|lane| &lane.feed)
    }

    /// Makes `row` the next row.
    pub(super) fn next(&mut self, row: &mut ByteList, cx: &mut Cx<'_>) -> Result<Next, InputError> {
        let mut part = ByteList::new();
        while let Some(lane) = self.lanes.get_mut(self.at) {
            part.clear();
            let next = if lane.ended { Next::End } else { lane.feed.next(&mut part, cx)? };
            match next {
                Next::Woken => return Ok(Next::Woken),
                Next::Ready => {
                    lane.held.push(&part);
                    self.fresh = true;
                }
                Next::End => {
                    lane.ended = true;
                    if lane.held.is_empty() {
                        part.push(b"");
                        lane.held.push(&part);
                    }
                }
            }
            let turn = self.n_rows % lane.held.len();
            lane.held.copy(turn, turn + 1, &mut self.row);
            self.at += 1;
        }
        if !self.fresh {
            return Ok(Next::End);
        }
        (self.at, self.fresh) = (0, false);
        self.n_rows += 1;
        std::mem::swap(row, &mut self.row);
        self.row.clear();
        Ok(Next::Ready)
    }
}
