//! How many jobs at a time.

use std::ffi::OsStr;
use std::num::NonZeroUsize;

use crate::cli::exit::Fault;
use crate::cli::jobs::JobsList;
use crate::gnu_args::{Flag, Jobs, Typed};
use crate::host::Limits;
use crate::process::of_descriptors;
use crate::progress::Meter;
use crate::record::Way;

/// `-j 0` is as many as this: more processes at a time help nobody.
const AS_MANY: usize = 250;

/// The descriptors of one job while it starts: two pipes, its end, its bell; and
/// a file for output that has to wait.
const EACH: usize = 7;

/// Those of the batch: inputs, logs.
const OTHERS: usize = 8;

/// The number of slots that `-j` asks for.
///
/// Where jobs have several threads each, cores count as that many fewer; a plain
/// `-j N` is what it says.
pub(super) fn width(way: Way, typed: &Typed) -> Result<NonZeroUsize, Fault> {
    let usable = (Limits::detect().usable / typed.run.threads_per_job.unwrap_or(1)).max(1);
    let one_is_meant = typed.flags.has(Flag::Tty);
    let wanted = match &typed.run.jobs {
        None if one_is_meant => 1,
        None if way == Way::Serial => 1,
        None => usable,
        Some(Jobs::Exactly(count)) => *count,
        Some(Jobs::AsMany) => AS_MANY,
        Some(Jobs::Plus(more)) => usable.saturating_add(*more),
        Some(Jobs::Minus(fewer)) => usable.saturating_sub(*fewer),
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float cast saturates")]
        Some(Jobs::Percent(percent)) => (usable as f64 * percent / 100.0) as usize,
        Some(Jobs::Named(name)) => from_file(name)?,
    };
    if way == Way::Serial && wanted != 1 {
        return Err(Fault::Usage(
            "serial means one task at a time: leave -j out, or run it in parallel".to_owned(),
        ));
    }
    Ok(NonZeroUsize::new(wanted).unwrap_or(NonZeroUsize::MIN))
}

/// The widths that `-j` asks for where several can be swept over, each once.
pub(super) fn widths(typed: &Typed) -> Result<Vec<NonZeroUsize>, Fault> {
    if let Some(Jobs::Named(name)) = &typed.run.jobs
        && let Some(list) = name.to_str().and_then(|text| JobsList::parse(text).ok())
    {
        return Ok(list.widths(Limits::detect().usable, Some(AS_MANY as u64)));
    }
    Ok(vec![width(Way::Parallel, typed)?])
}

/// As many of `wanted` slots as there are descriptors for, rather than jobs that
/// fail for want of them. Says so, unless only as many as may be were asked for.
pub(super) fn affordable(wanted: NonZeroUsize, jobs: Option<&Jobs>, meter: &Meter) -> NonZeroUsize {
    let free = of_descriptors(wanted.get().saturating_mul(EACH).saturating_add(OTHERS));
    let most = NonZeroUsize::new(free.saturating_sub(OTHERS) / EACH).unwrap_or(NonZeroUsize::MIN);
    if most < wanted && jobs != Some(&Jobs::AsMany) {
        meter.say(&format!(
            "{most} jobs at a time and not {wanted}: there are no descriptors for more (ulimit -n)"
        ));
    }
    wanted.min(most)
}

/// `-j FILE`: the number that stands there.
fn from_file(name: &OsStr) -> Result<usize, Fault> {
    let number = std::fs::read_to_string(name).ok().and_then(|text| text.trim().parse().ok());
    let shown = name.to_string_lossy();
    number.ok_or_else(|| Fault::Usage(format!("-j {shown}: give N, N%, +N, -N, 0, or a file with a number")))
}
