//! What became of tasks by those workers who had them before: read from what they recorded.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;

use super::claims::Claimed;
use super::layout::RunLayout;
use super::segment::{BegunEntry, SegmentReader};

/// What became of a task by those who had it before.
#[derive(Default)]
pub(super) struct EarlierTask {
    pub(super) is_done: bool,
    /// How many began it and did not come to their end by themselves.
    pub(super) ended_workers: usize,
}

/// What became of the tasks of a claim by those who had it before.
pub(super) fn earlier(layout: &RunLayout, claimed: &Claimed) -> anyhow::Result<BTreeMap<u64, EarlierTask>> {
    let mut earlier = BTreeMap::<u64, EarlierTask>::new();
    for worker in &claimed.former {
        let mut reader = SegmentReader::new(worker);
        let (mut begun, mut ended_by_itself) = (BTreeSet::new(), false);
        loop {
            let entries = reader.read(layout).context("cannot read what others recorded")?;
            if entries.is_empty() {
                break;
            }
            for raw in entries {
                if let Some(place) = raw.done_place().filter(|place| claimed.tasks.contains(place)) {
                    earlier.entry(place).or_default().is_done = true;
                } else if let Some(BegunEntry { place, .. }) = raw.begun() {
                    begun.insert(place);
                } else {
                    ended_by_itself |= raw.is_bye();
                }
            }
        }
        if !ended_by_itself {
            for place in begun.into_iter().filter(|place| claimed.tasks.contains(place)) {
                earlier.entry(place).or_default().ended_workers += 1;
            }
        }
    }
    Ok(earlier)
}
