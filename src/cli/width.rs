//! How many tasks at a time: what `-j` says, on this machine, and what there is room for.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::num::NonZeroUsize;
use std::sync::Arc;

use super::exit::{Fault, refuse};
use super::flags::{Flag, JobCount, JobsOption, Typed, each_once};
use super::terminal::say;
use crate::engine::{ResizablePool, Width};
use crate::event::Journal;
use crate::host::{Limits, SlotRoom};
use crate::process::of_descriptors;
use crate::progress::{NO_DESCRIPTORS, ProgressDisplay, fewer_slots};
use crate::task::{Mode, Record};
use crate::whole_file::read_at_most;

/// `-j 0` is as many as this: more processes at a time help nobody.
pub(super) const AS_MANY: usize = 250;

/// The descriptors of one job while it starts: two pipes, its end, its bell; and
/// a file for output that has to wait.
const EACH: usize = 7;

/// Those of a batch: inputs, logs.
const OF_BATCH: usize = 8;

/// What a run of a workload opens beside its tasks.
const OF_WORKLOAD: usize = 6;

/// Those without which no job can be started.
const LEAST: usize = 12;

/// The number of slots that `-j` asks for in a batch.
///
/// Where jobs have several threads each, cores count as that many fewer; a plain
/// `-j N` is what it says.
pub(super) fn of_batch(mode: Mode, typed: &Typed) -> Result<NonZeroUsize, Fault> {
    let wanted = match &typed.run.jobs {
        None if typed.has(Flag::Tty) || mode == Mode::Serial => NonZeroUsize::MIN,
        None => usable(typed),
        Some(jobs) => match jobs.one() {
            Some(count) => count.on(usable(typed).get(), AS_MANY),
            None => from_file(jobs.text(), usable(typed))?,
        },
    };
    if mode == Mode::Serial {
        check_serial(wanted.get())?;
    }
    Ok(wanted)
}

/// Refuses more than one task at a time where that is what serial means.
pub(super) fn check_serial(width: usize) -> Result<(), Fault> {
    if width == 1 {
        return Ok(());
    }
    refuse("serial means one task at a time: leave -j out, or run it in parallel")
}

/// The widths that `-j` asks for where several can be swept over, each once, as far as
/// there is room for them; and the widest that was asked for.
pub(super) fn of_comparison(
    typed: &Typed,
    display: &ProgressDisplay,
) -> Result<(Vec<NonZeroUsize>, NonZeroUsize), Fault> {
    let asked = typed.run.jobs.as_ref().map(|jobs| jobs.widths(usable(typed).get(), AS_MANY));
    let widths = match asked {
        Some(widths) if !widths.is_empty() => widths,
        _ => vec![of_batch(Mode::Parallel, typed)?],
    };
    let widest = widths.iter().max().copied().unwrap_or(NonZeroUsize::MIN);
    let most = affordable_in_batch(widest, None, display)?;
    Ok((each_once(widths.into_iter().map(|width| width.min(most))), widest))
}

/// `-j FILE`: the file is read again whenever a job is over, so that the number
/// in it can be changed while the batch runs.
pub(super) struct Reread {
    name: OsString,
    usable: NonZeroUsize,
    width: Arc<Width>,
}

impl Reread {
    /// For a parallel run of `typed` that begins with `width` slots, and the
    /// engine that follows the number; None where it does not stand in a file.
    pub(super) fn of(
        typed: &Typed,
        width: NonZeroUsize,
        display: &ProgressDisplay,
    ) -> Option<(Self, ResizablePool)> {
        let name = typed.run.jobs.as_ref().filter(|jobs| jobs.one().is_none())?.text();
        let most = NonZeroUsize::new(AS_MANY).map_or(width, |most| most.max(width));
        let most = affordable_in_batch(most, Some(&JobsOption::parse(OsStr::new("0"))), display).ok()?;
        let width = Arc::new(Width::new(width));
        let engine = ResizablePool::new(Arc::clone(&width), most);
        Some((Self { name: name.to_owned(), usable: usable(typed), width }, engine))
    }
}

impl Journal for Reread {
    /// A file that is gone, or is being written, leaves things as they are.
    fn ended(&self, _record: &Record) {
        if let Ok(width) = from_file(&self.name, self.usable) {
            self.width.set(width);
        }
    }
}

/// As many of `wanted` slots as there are descriptors for, rather than jobs that
/// fail for want of them. Says so, unless only as many as may be were asked for.
pub(super) fn affordable_in_batch(
    wanted: NonZeroUsize,
    jobs: Option<&JobsOption>,
    display: &ProgressDisplay,
) -> Result<NonZeroUsize, Fault> {
    let free = of_descriptors(wanted.get().saturating_mul(EACH).saturating_add(OF_BATCH));
    if free < LEAST {
        return refuse(format!(
            "only {free} more files can be opened, too few for one job: raise the limit (ulimit -n 64)"
        ));
    }
    let (most, why) = room(wanted, free.saturating_sub(OF_BATCH) / EACH);
    if let Some(why) = why.filter(|_| jobs.and_then(JobsOption::one) != Some(JobCount::AsMany)) {
        display.say(&fewer_slots(most.get(), wanted.get(), &why));
    }
    Ok(most)
}

/// `widths` as far as there is room for `tasks` of a workload that have `descriptors` open
/// each, every width once. Says so for the widest.
pub(super) fn affordable(widths: Vec<NonZeroUsize>, descriptors: usize, tasks: usize) -> Vec<NonZeroUsize> {
    let widest = widths.iter().max().copied().unwrap_or(NonZeroUsize::MIN);
    let free = of_descriptors(widest.get().saturating_mul(descriptors).saturating_add(OF_WORKLOAD));
    let open = free.saturating_sub(OF_WORKLOAD).checked_div(descriptors).unwrap_or(usize::MAX);
    // Slots without a task open nothing.
    let (most, why) = room(widest, if open < tasks { open } else { usize::MAX });
    if let Some(why) = why {
        say(&fewer_slots(most.get(), widest.get(), &why));
    }
    each_once(widths.into_iter().map(|width| width.min(most)))
}

/// As many of `wanted` slots as the limits on processes and memory leave room for, if
/// files can be opened for `open`; and why, if these are fewer.
fn room(wanted: NonZeroUsize, open: usize) -> (NonZeroUsize, Option<String>) {
    let open = NonZeroUsize::new(open).unwrap_or(NonZeroUsize::MIN).min(wanted);
    match SlotRoom::short_of(open.get()) {
        Some(room) => (NonZeroUsize::new(room.tasks).unwrap_or(NonZeroUsize::MIN), Some(room.why)),
        None => (open, (open < wanted).then(|| NO_DESCRIPTORS.to_owned())),
    }
}

/// Cores, each of which is a slot unless jobs have several threads each.
fn usable(typed: &Typed) -> NonZeroUsize {
    let usable = Limits::detect().usable / typed.run.threads_per_job.unwrap_or(1);
    NonZeroUsize::new(usable).unwrap_or(NonZeroUsize::MIN)
}

/// More than a number needs, with all blanks and newlines around it.
const LONGEST_FILE: u64 = 4 << 10;

/// `-j FILE`: what stands there, in any form that `-j` takes.
fn from_file(name: &OsStr, usable: NonZeroUsize) -> Result<NonZeroUsize, Fault> {
    // A device is not read until the memory is full.
    let text = File::open(name).and_then(|file| read_at_most(LONGEST_FILE, file));
    match text.ok().flatten().and_then(|text| JobCount::parse(text.trim())) {
        Some(count) => Ok(count.on(usable.get(), AS_MANY)),
        None => refuse(format!("-j {}: give N, N%, +N, -N, 0, or a file with one of these", name.display())),
    }
}
