//! Finished tasks put down one after another: GNU parallel's job log, and whole
//! records as JSON Lines.
//!
//! Knows records, not what is done with the files later.

use crate::sync::Mutex;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;

use super::row_file::RowFile;
use crate::event::Journal;
use crate::joblog::{HEADER, JobLogRow};
use crate::task::Record;

/// When a run began, since 1970: records count from there.
#[derive(Debug, Default)]
pub(super) struct Beginning(Mutex<Duration>);

impl Beginning {
    pub(super) fn set(&self, started: SystemTime) {
        *self.0.lock() = started.duration_since(UNIX_EPOCH).unwrap_or_default();
    }

    /// What a job log tells of `record`.
    pub(super) fn row<'r>(&self, record: &'r Record) -> JobLogRow<'r> {
        let began = *self.0.lock();
        let (exit, signal) = if record.skipped { (-2, 0) } else { record.status_and_signal() };
        JobLogRow {
            seq: record.seq + 1,
            host: record.node.as_deref().unwrap_or(":"),
            start: began + record.start,
            runtime: record.wall,
            sent: record.input_offered,
            received: record.bytes,
            exit,
            signal,
            command: record.command_line(),
        }
    }
}

/// GNU parallel's job log.
#[derive(Debug)]
pub struct JobLog {
    rows: RowFile,
    /// Whether it gets a header where it is empty.
    is_headed: bool,
    beginning: Beginning,
}

impl JobLog {
    /// A log in `rows`, which has its header already or is to have none.
    pub fn without_header(rows: RowFile) -> Self {
        Self { rows, is_headed: false, beginning: Beginning::default() }
    }

    /// A log in `rows`, which gets its header if it is empty.
    pub fn new(rows: RowFile) -> Self {
        Self { is_headed: true, ..Self::without_header(rows) }
    }
}

impl Journal for JobLog {
    fn begin(&self, started: SystemTime) -> anyhow::Result<()> {
        self.beginning.set(started);
        self.rows.begin()?;
        if self.is_headed { self.rows.put_header(HEADER) } else { Ok(()) }
    }

    fn enter(&self, record: &Record) -> anyhow::Result<()> {
        self.rows.put(&self.beginning.row(record).line())
    }
}

/// Whole records, one JSON object a line.
#[derive(Debug)]
pub struct JsonLines {
    rows: RowFile,
}

impl JsonLines {
    /// Into `rows`.
    pub fn new(rows: RowFile) -> Self {
        Self { rows }
    }
}

impl Journal for JsonLines {
    fn begin(&self, _started: SystemTime) -> anyhow::Result<()> {
        self.rows.begin()
    }

    fn enter(&self, record: &Record) -> anyhow::Result<()> {
        let mut line = serde_json::to_vec(record).context("cannot write a record as JSON")?;
        line.push(b'\n');
        self.rows.put(&line)
    }
}
