//! How many jobs at a time.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::num::NonZeroUsize;
use std::sync::Arc;

use crate::cli::exit::Fault;
use crate::cli::flags::{Flag, JobCount, JobsOption, Typed};
use crate::engine::{ResizablePool, Width};
use crate::event::Journal;
use crate::host::{Limits, SlotRoom};
use crate::process::of_descriptors;
use crate::progress::{NO_DESCRIPTORS, ProgressDisplay, fewer_slots};
use crate::task::{Mode, Record};
use crate::whole_file::read_at_most;

/// `-j 0` is as many as this: more processes at a time help nobody.
const AS_MANY: usize = 250;

/// The descriptors of one job while it starts: two pipes, its end, its bell; and
/// a file for output that has to wait.
const EACH: usize = 7;

/// Those of the batch: inputs, logs.
const OTHERS: usize = 8;

/// Those without which no job can be started.
const LEAST: usize = 12;

/// The number of slots that `-j` asks for.
///
/// Where jobs have several threads each, cores count as that many fewer; a plain
/// `-j N` is what it says.
pub(super) fn width(mode: Mode, typed: &Typed) -> Result<NonZeroUsize, Fault> {
    let usable = usable(typed);
    let one_is_meant = typed.flags.has(Flag::Tty);
    let wanted = match &typed.run.jobs {
        None if one_is_meant => 1,
        None if mode == Mode::Serial => 1,
        None => usable,
        Some(jobs) => match jobs.one() {
            Some(count) => count.on(usable, AS_MANY).get(),
            None => from_file(jobs.text(), usable)?.get(),
        },
    };
    if mode == Mode::Serial && wanted != 1 {
        return Err(Fault::Usage(
            "serial means one task at a time: leave -j out, or run it in parallel".to_owned(),
        ));
    }
    Ok(NonZeroUsize::new(wanted).unwrap_or(NonZeroUsize::MIN))
}

/// `-j FILE`: the file is read again whenever a job is over, so that the number
/// in it can be changed while the batch runs.
pub(super) struct Reread {
    name: OsString,
    usable: usize,
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
        let most = affordable(most, Some(&JobsOption::parse(OsStr::new("0"))), display).ok()?;
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

/// The widths that `-j` asks for where several can be swept over, each once.
pub(super) fn widths(typed: &Typed) -> Result<Vec<NonZeroUsize>, Fault> {
    match typed.run.jobs.as_ref().map(|jobs| jobs.widths(usable(typed), AS_MANY)) {
        Some(widths) if !widths.is_empty() => Ok(widths),
        _ => Ok(vec![width(Mode::Parallel, typed)?]),
    }
}

/// As many of `wanted` slots as there are descriptors for, rather than jobs that
/// fail for want of them. Says so, unless only as many as may be were asked for.
pub(super) fn affordable(
    wanted: NonZeroUsize,
    jobs: Option<&JobsOption>,
    display: &ProgressDisplay,
) -> Result<NonZeroUsize, Fault> {
    let free = of_descriptors(wanted.get().saturating_mul(EACH).saturating_add(OTHERS));
    if free < LEAST {
        return Err(Fault::Usage(format!(
            "only {free} more files can be opened, too few for one job: raise the limit (ulimit -n 64)"
        )));
    }
    let most = NonZeroUsize::new(free.saturating_sub(OTHERS) / EACH).unwrap_or(NonZeroUsize::MIN);
    let tell = |most, why: &str| {
        if jobs.and_then(JobsOption::one) != Some(JobCount::AsMany) {
            display.say(&fewer_slots(most, wanted.get(), why));
        }
    };
    if let Some(room) = SlotRoom::short_of(wanted.min(most).get()) {
        tell(room.tasks, &room.why);
        return Ok(NonZeroUsize::new(room.tasks).unwrap_or(NonZeroUsize::MIN).min(most));
    }
    if most < wanted {
        tell(most.get(), NO_DESCRIPTORS);
    }
    Ok(wanted.min(most))
}

/// The same for widths that are swept over, each once; told for the widest.
pub(super) fn all_affordable(
    widths: &[NonZeroUsize],
    display: &ProgressDisplay,
) -> Result<Vec<NonZeroUsize>, Fault> {
    let Some(&widest) = widths.iter().max() else { return Ok(Vec::new()) };
    let most = affordable(widest, None, display)?;
    let mut affordable = Vec::with_capacity(widths.len());
    for width in widths.iter().map(|width| *width.min(&most)) {
        if !affordable.contains(&width) {
            affordable.push(width);
        }
    }
    Ok(affordable)
}

/// Cores, each of which is a slot unless jobs have several threads each.
fn usable(typed: &Typed) -> usize {
    (Limits::detect().usable / typed.run.threads_per_job.unwrap_or(1)).max(1)
}

/// More than a number needs, with all blanks and newlines around it.
const LONGEST_FILE: u64 = 4 << 10;

/// `-j FILE`: what stands there, in any form that `-j` takes.
fn from_file(name: &OsStr, usable: usize) -> Result<NonZeroUsize, Fault> {
    // A device is not read until the memory is full.
    let text = File::open(name).and_then(|file| read_at_most(LONGEST_FILE, file));
    let count = text.ok().flatten().and_then(|text| JobCount::parse(text.trim()));
    let number = count.map(|count| count.on(usable, AS_MANY));
    let shown = name.to_string_lossy();
    number.ok_or_else(|| {
        Fault::Usage(format!("-j {shown}: give N, N%, +N, -N, 0, or a file with one of these"))
    })
}
