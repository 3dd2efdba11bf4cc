//! What was typed, made into what it means on this machine: the columns of the
//! experiment and how often each is run.

use std::time::Duration;

use super::args::{Shared, Ways};
use super::exit::Fault;
use crate::executor::{Executor, Pool, Serial};
use crate::experiment::Repeats;
use crate::workload::Workload;

/// A workload that waits gets at least a thread a task, up to this many.
const MOST_WAITING: u64 = 64;

/// Short work is repeated until this much is measured ...
const ENOUGH: Duration = Duration::from_secs(1);

/// ... but not more often than this.
const MOST_REPEATS: usize = 10;

/// Which ways are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Serial,
    Parallel,
    Both,
}

/// What is to be done.
pub(super) struct Plan {
    pub(super) executors: Vec<Box<dyn Executor>>,
    pub(super) repeats: Repeats,
    pub(super) warmup: usize,
}

impl Wanted {
    /// Neither flag and both flags mean the same: both ways.
    pub(super) fn of(ways: &Ways) -> Self {
        match (ways.serial, ways.parallel) {
            (true, false) => Self::Serial,
            (false, true) => Self::Parallel,
            (true, true) | (false, false) => Self::Both,
        }
    }
}

impl Plan {
    /// The plan for `workload` on `usable` cores.
    pub(super) fn new(
        workload: &dyn Workload,
        usable: usize,
        wanted: Wanted,
        ways: &Ways,
        shared: &Shared,
    ) -> Result<Self, Fault> {
        let tasks = workload.size().tasks;
        let widths = match &shared.jobs {
            Some(jobs) => jobs.widths(usable, tasks),
            None => vec![default_width(workload, usable).try_into().unwrap_or(std::num::NonZeroUsize::MIN)],
        };
        let too_wide = widths.iter().any(|width| width.get() != 1);
        if wanted == Wanted::Serial && shared.jobs.is_some() && too_wide {
            return Err(Fault::Usage(
                "serial means one task at a time: leave -j out, or run it in parallel".to_owned(),
            ));
        }
        let mut executors: Vec<Box<dyn Executor>> = Vec::new();
        if wanted != Wanted::Parallel {
            executors.push(Box::new(Serial));
        }
        if wanted != Wanted::Serial {
            executors.extend(widths.into_iter().map(|width| Box::new(Pool::new(width)) as Box<dyn Executor>));
        }
        let repeats = match ways.runs {
            Some(runs) => Repeats::Times(runs as usize),
            None if executors.len() > 1 => Repeats::Until { measured: ENOUGH, most: MOST_REPEATS },
            None => Repeats::Times(1),
        };
        Ok(Self { executors, repeats, warmup: ways.warmup as usize })
    }
}

fn default_width(workload: &dyn Workload, usable: usize) -> usize {
    if !workload.waits() {
        return usable;
    }
    let tasks = workload.size().tasks.unwrap_or(MOST_WAITING).min(MOST_WAITING);
    usable.max(usize::try_from(tasks).unwrap_or(usable))
}
