//! The tasks of a run as files: appended to while inputs are read, read by number.
//!
//! `tasks` holds them one behind the other, `tasks.index` where each ends and its number
//! in the batch (16 bytes each), `tasks.end` how many there are once that is known.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::FileExt as _;

use anyhow::{Context as _, ensure};

use super::layout::{RunLayout, private, put_whole};
use crate::engine::remote::TaskRequest;
use crate::task::Task;

/// What the index has of a task.
const ENTRY: u64 = 16;

/// Appends tasks.
pub(super) struct TaskWriter<'a> {
    layout: &'a RunLayout,
    tasks: BufWriter<File>,
    index: BufWriter<File>,
    /// How many bytes and tasks were written.
    length: u64,
    count: u64,
}

impl<'a> TaskWriter<'a> {
    pub(super) fn create(layout: &'a RunLayout) -> io::Result<Self> {
        let open = |name: &str| private().append(true).create_new(true).open(layout.path(name));
        let (tasks, index) = (BufWriter::new(open("tasks")?), BufWriter::new(open("tasks.index")?));
        Ok(Self { layout, tasks, index, length: 0, count: 0 })
    }

    /// Appends `task`, which nobody finds before the next [flush](Self::flush).
    pub(super) fn put(&mut self, task: &Task) -> io::Result<()> {
        let bytes = TaskRequest { task: Cow::Borrowed(task), attempt: 1 }.encoded();
        self.tasks.write_all(&bytes)?;
        self.length += bytes.len() as u64;
        self.index.write_all(&self.length.to_le_bytes())?;
        self.index.write_all(&task.seq.to_le_bytes())?;
        self.count += 1;
        Ok(())
    }

    /// Those that were put may be found.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.tasks.flush()?;
        self.index.flush()
    }

    /// There are no more. Says how many there are.
    pub(super) fn finish(mut self) -> io::Result<u64> {
        self.flush()?;
        put_whole(&self.layout.path("tasks.end"), format!("{}\n", self.count).as_bytes())?;
        Ok(self.count)
    }
}

/// Reads tasks by their places.
pub(super) struct TaskReader {
    layout: RunLayout,
    tasks: File,
    index: File,
}

impl TaskReader {
    pub(super) fn open(layout: &RunLayout) -> anyhow::Result<Self> {
        let open = |name: &str| {
            let path = layout.path(name);
            File::open(&path).with_context(|| format!("cannot open {}", path.display()))
        };
        Ok(Self { layout: layout.clone(), tasks: open("tasks")?, index: open("tasks.index")? })
    }

    /// How many there are by now, and whether these are all.
    pub(super) fn count(&self) -> io::Result<(u64, bool)> {
        // In this order: what was there at the end is all.
        let is_all = self.layout.path("tasks.end").exists();
        // By name: an open file may be as long as it was for a while on other machines.
        let known = fs::metadata(self.layout.path("tasks.index"))?.len() / ENTRY;
        if !is_all {
            return Ok((known, false));
        }
        let text = fs::read_to_string(self.layout.path("tasks.end"))?;
        let all = text.trim().parse().map_err(io::Error::other)?;
        Ok((known.min(all), known >= all))
    }

    /// The task at `place`, from 0.
    pub(super) fn read(&self, place: u64) -> anyhow::Result<Task> {
        let [end, seq] = self.entry(place)?;
        let start = if place == 0 { 0 } else { self.entry(place - 1)?[0] };
        let length = end.checked_sub(start).and_then(|length| usize::try_from(length).ok());
        let mut bytes = vec![0; length.with_context(|| format!("task {place} has no length"))?];
        self.tasks.read_exact_at(&mut bytes, start).with_context(|| format!("cannot read task {place}"))?;
        let task =
            TaskRequest::decoded(&bytes).with_context(|| format!("task {place} cannot be understood"))?;
        ensure!(task.task.seq == seq, "task {place} is another");
        Ok(task.task.into_owned())
    }

    /// Where the task at `place` ends, and its number in the batch.
    fn entry(&self, place: u64) -> io::Result<[u64; 2]> {
        let mut entry = [0; 16];
        self.index.read_exact_at(&mut entry, place * ENTRY)?;
        let (end, seq) = entry.split_at(8);
        Ok([end, seq].map(|bytes| u64::from_le_bytes(bytes.try_into().expect("half of sixteen"))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::TaskInput;

    #[test]
    fn tasks_are_read_by_place_while_more_are_written() {
        let folder = tempfile::tempdir().unwrap();
        let layout = RunLayout::create(&folder.path().join("run")).unwrap();
        let task = |seq: u64| Task {
            spec: TaskInput::Values(vec![vec![b'\n'; usize::try_from(seq).unwrap()], b"\xff".to_vec()]),
            turn: seq,
            ..Task::numbered(seq, format!("task {seq}"))
        };
        let mut writer = TaskWriter::create(&layout).unwrap();
        let reader = TaskReader::open(&layout).unwrap();
        assert_eq!(reader.count().unwrap(), (0, false));
        for seq in [0, 3, 200_000] {
            writer.put(&task(seq)).unwrap();
        }
        writer.flush().unwrap();
        assert_eq!(reader.count().unwrap(), (3, false));
        writer.put(&task(5)).unwrap();
        assert_eq!(writer.finish().unwrap(), 4);
        assert_eq!(reader.count().unwrap(), (4, true));
        for (place, seq) in (0..).zip([0, 3, 200_000, 5]) {
            assert_eq!(reader.read(place).unwrap(), task(seq));
        }
        assert!(reader.read(4).is_err());
    }
}
