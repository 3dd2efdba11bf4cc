//! A large file, written by many tasks: each draws and formats one block, and
//! their bytes leave in input order through one open file.
//!
//! A file of which one block fails is given up: that block is the failure, the
//! blocks behind it are skipped, and nothing of the file remains.

use std::io::{self, Write as _};

use super::file::{DRAW, TEXT, VALUE_ROOM, WRITE, add, create};
use super::matrix::CHUNK;
use super::source::BLOCK;
use super::text::Text;
use super::{CsvGen, file_name};
use crate::output::{Channel, Destination};
use crate::record::{Outcome, Spec, Task, Way};
use crate::whole_file::WholeFile;
use crate::workload::Cx;

/// The span of waiting until the blocks before are written.
const TURN: &str = "waiting for its turn";

/// Draws, formats and hands on block `part` of file number `file`.
pub(super) fn write_part(csv: &CsvGen, seq: u64, file: u64, part: u64, cx: &mut Cx<'_>) -> Outcome {
    let skipped = || Outcome::Skipped(format!("{} was given up", file_name(file)));
    if csv.abandoned_by(file).is_some() {
        return skipped();
    }
    let start = part * BLOCK;
    let mut left = usize::try_from(BLOCK.min(csv.shape.values() - start)).expect("a block is small");
    let mut text = Text::new(csv.shape.cols, start).with_room(left * VALUE_ROOM);
    let mut draw = csv.source.block(csv.drawn_for(file).unwrap_or(0), part);
    let mut values = csv.source.room(CHUNK.min(left));
    while left > 0 {
        if cx.interrupt().is_set() {
            return Outcome::Interrupted;
        }
        let n_values = left.min(CHUNK);
        cx.timed(DRAW, |_| draw.fill(&mut values, n_values));
        cx.timed(TEXT, |_| add(&mut text, &values, n_values));
        left -= n_values;
    }
    // An empty write waits as any other, and does nothing else.
    let turn = cx.timed(TURN, |cx| cx.write(&[]));
    let written = turn.and_then(|()| cx.timed(WRITE, |cx| cx.write(text.bytes())));
    match written {
        Ok(()) => Outcome::Success,
        Err(_) if csv.abandoned_by(file) != Some(seq) => skipped(),
        Err(error) => Outcome::Failed(format!("write {}: {error}", csv.path(cx.way(), file).display())),
    }
}

/// The file being written, and what to do at its end.
pub(super) struct Pieces<'a> {
    csv: &'a CsvGen,
    way: Way,
    open: Option<(u64, WholeFile)>,
}

impl<'a> Pieces<'a> {
    pub(super) fn new(csv: &'a CsvGen, way: Way) -> Self {
        Self { csv, way, open: None }
    }

    fn try_write(&mut self, file: u64, bytes: &[u8]) -> io::Result<()> {
        let target = match &mut self.open {
            Some((open, target)) if *open == file => target,
            open => &mut open.insert((file, create(&self.csv.path(self.way, file))?)).1,
        };
        target.write_all(bytes)
    }

    fn give_up(&mut self, file: u64, cause: u64) {
        self.csv.abandon(file, cause);
        // Dropped, a file that is not whole vanishes.
        self.open = None;
    }
}

impl Destination for Pieces<'_> {
    fn write(&mut self, task: &Task, _channel: Channel, bytes: &[u8]) -> io::Result<()> {
        let (file, _) = place(task);
        if self.csv.abandoned_by(file).is_some() {
            return Err(io::Error::other("given up"));
        }
        self.try_write(file, bytes).inspect_err(|_| self.give_up(file, task.seq))
    }

    fn close(&mut self, task: &Task, outcome: &Outcome) -> io::Result<()> {
        let (file, part) = place(task);
        if !outcome.is_success() {
            self.give_up(file, task.seq);
        }
        if part + 1 < self.csv.parts() || self.csv.abandoned_by(file).is_some() {
            return Ok(());
        }
        let Some((_, target)) = self.open.take() else { return Ok(()) };
        target.commit().map_err(|error| {
            let path = self.csv.path(self.way, file);
            io::Error::new(error.kind(), format!("{}: {error}", path.display()))
        })
    }
}

fn place(task: &Task) -> (u64, u64) {
    match task.spec {
        Spec::Part { item, part } => (item, part),
        Spec::Sequence | Spec::Values(_) | Spec::Block(_) | Spec::Json(_) => (task.seq, 0),
    }
}
