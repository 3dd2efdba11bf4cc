//! What was typed, made into what it means on this machine: the columns of the
//! experiment and how often each is run.

use std::io::Write as _;
use std::num::NonZeroUsize;
use std::time::Duration;

use super::exit::Fault;
use super::flags::{Typed, Ways};
use super::worker;
use crate::engine::{Engine, Serial};
use crate::experiment::Repeats;
use crate::host::SlotRoom;
use crate::process::{self, of_descriptors};
use crate::progress::{NO_DESCRIPTORS, fewer_slots};
use crate::workload::{DefaultModes, Workload};

/// A workload that waits gets at least a thread a task, up to this many.
const MOST_WAITING: u64 = 64;

/// Short work is repeated until this much is measured ...
const ENOUGH: Duration = Duration::from_secs(1);

/// ... but not more often than this.
const MOST_REPEATS: usize = 10;

/// What a run opens beside its tasks.
const OTHERS: usize = 6;

/// Which ways are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RunModes {
    Serial,
    Parallel,
    Both,
}

/// What is to be done.
pub(super) struct Plan {
    pub(super) engines: Vec<Box<dyn Engine>>,
    pub(super) repeats: Repeats,
    pub(super) warmup: usize,
}

impl RunModes {
    /// Both flags mean both ways; neither, what the workload is usually asked for.
    pub(super) fn of(ways: &Ways, usual: DefaultModes) -> Self {
        match (ways.serial, ways.parallel) {
            _ if ways.compare => Self::Both,
            (true, false) => Self::Serial,
            (false, true) => Self::Parallel,
            (true, true) => Self::Both,
            (false, false) => match usual {
                DefaultModes::Both => Self::Both,
                DefaultModes::ParallelFor(_) => Self::Parallel,
            },
        }
    }

    /// Why one way alone is run, though nobody asked for just that.
    pub(super) fn reason(ways: &Ways, usual: DefaultModes) -> Option<&'static str> {
        let asked = ways.serial || ways.parallel || ways.compare;
        match usual {
            DefaultModes::ParallelFor(reason) if !asked => Some(reason),
            DefaultModes::ParallelFor(_) | DefaultModes::Both => None,
        }
    }
}

impl Plan {
    /// The plan for `workload` on `usable` cores.
    pub(super) fn new(
        workload: &dyn Workload,
        usable: usize,
        wanted: RunModes,
        typed: &Typed,
    ) -> Result<Self, Fault> {
        let tasks = workload.profile().size.tasks;
        let as_many = tasks.and_then(|tasks| usize::try_from(tasks).ok()).unwrap_or(usable);
        let widths = match &typed.run.jobs {
            Some(jobs) => jobs.widths(usable, as_many),
            None => vec![default_width(workload, usable).try_into().unwrap_or(NonZeroUsize::MIN)],
        };
        let descriptors = if wanted == RunModes::Serial {
            0
        } else {
            let engines = typed.run.workers.engines().map(|engine| engine.descriptors);
            engines.fold(workload.profile().opens, usize::max)
        };
        let at_once = tasks.and_then(|tasks| usize::try_from(tasks).ok()).unwrap_or(usize::MAX);
        let widths = affordable(widths, descriptors, at_once);
        let too_wide = widths.iter().any(|width| width.get() != 1);
        if wanted == RunModes::Serial && typed.run.jobs.is_some() && too_wide {
            return Err(Fault::Usage(
                "serial means one task at a time: leave -j out, or run it in parallel".to_owned(),
            ));
        }
        if wanted == RunModes::Serial && !typed.run.workers.is_default() {
            return Err(Fault::Usage("serial means no workers: leave --workers out, or --serial".to_owned()));
        }
        let mut engines: Vec<Box<dyn Engine>> = Vec::new();
        if wanted != RunModes::Parallel {
            engines.push(Box::new(Serial));
        }
        if wanted != RunModes::Serial {
            for engine in typed.run.workers.engines() {
                for &width in &widths {
                    engines.push((engine.new)(width, worker::children)?);
                }
            }
        }
        let repeats = match typed.study.runs {
            Some(runs) => Repeats::Times(runs),
            None if engines.len() > 1 && !workload.profile().external => {
                Repeats::Until { measured: ENOUGH, most: MOST_REPEATS }
            }
            None => Repeats::Times(1),
        };
        Ok(Self { engines, repeats, warmup: typed.study.warmup.unwrap_or(0) })
    }
}

/// `widths` as far as the limits on processes, memory and open files leave room for
/// `tasks` that have `descriptors` open each, every width once. Says so for the widest.
fn affordable(mut widths: Vec<NonZeroUsize>, descriptors: usize, tasks: usize) -> Vec<NonZeroUsize> {
    let widest = widths.iter().max().copied().unwrap_or(NonZeroUsize::MIN);
    let room = SlotRoom::short_of(widest.get());
    let free = of_descriptors(widest.get().saturating_mul(descriptors).saturating_add(OTHERS));
    let open = free.saturating_sub(OTHERS).checked_div(descriptors).unwrap_or(usize::MAX);
    let (most, why) = match room {
        Some(room) if room.tasks <= open => (room.tasks, room.why),
        _ if open < widest.get().min(tasks) => (open, NO_DESCRIPTORS.to_owned()),
        _ => return widths,
    };
    let most = NonZeroUsize::new(most).unwrap_or(NonZeroUsize::MIN);
    if most < widest {
        // With stderr closed there is nobody left to tell.
        let _ = writeln!(process::stderr(), "parsim: {}", fewer_slots(most.get(), widest.get(), &why));
    }
    let mut seen = Vec::new();
    widths.retain_mut(|width| {
        *width = most.min(*width);
        let is_new = !seen.contains(width);
        seen.push(*width);
        is_new
    });
    widths
}

fn default_width(workload: &dyn Workload, usable: usize) -> usize {
    if !workload.profile().waits {
        return usable;
    }
    let tasks = workload.profile().size.tasks.unwrap_or(MOST_WAITING).min(MOST_WAITING);
    usable.max(usize::try_from(tasks).unwrap_or(usable))
}
