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

#[cfg(test)]
mod tests {
    use super::super::claims::WorkItem;
    use super::super::segment::{ByeEntry, DoneEntry, Entry};
    use super::super::segment_writer::SegmentWriter;
    use super::*;
    use crate::task::{Outcome, Record};

    #[test]
    fn only_workers_that_did_not_leave_by_themselves_were_ended_by_a_task() {
        let folder = tempfile::tempdir().unwrap();
        let layout = RunLayout::create(&folder.path().join("run")).unwrap();
        let begun = |place| BegunEntry { place, slot: 0, at: 0 };
        let record = Record::without_measures(3, Outcome::Success);
        let done = DoneEntry { begun: begun(3), execution: 0, written: Vec::new(), record };
        let killed = vec![Entry::Begun(begun(3)), Entry::Done(Box::new(done)), Entry::Begun(begun(4))];
        let twice = vec![Entry::Begun(begun(4)), Entry::Begun(begun(4)), Entry::Begun(begun(9))];
        let left = vec![Entry::Begun(begun(4)), Entry::Bye(ByeEntry::default())];
        for (worker, entries) in [("0r0", killed), ("1r0", twice), ("2r0", left)] {
            let mut writer = SegmentWriter::create(&layout, worker).unwrap();
            for entry in &entries {
                writer.put(entry).unwrap();
            }
        }
        let former = ["0r0", "1r0", "2r0"].map(str::to_owned).to_vec();
        let item = WorkItem::Claim(0);
        let claimed = Claimed { item, tasks: 3..6, former, elsewhere: Vec::new(), lost: 0 };
        let found = earlier(&layout, &claimed).unwrap();
        assert_eq!(found.keys().copied().collect::<Vec<_>>(), [3, 4]);
        assert!(found[&3].is_done && !found[&4].is_done);
        assert_eq!(found[&4].ended_workers, 2);
    }
}
