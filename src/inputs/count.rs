//! How many jobs there are going to be: found out beside the jobs, for whoever shows how
//! far they are.

use std::fs::File;
use std::io::{self, Seek as _};
use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::jobs::Inputs;
use super::source::{InputSource, Origin, Reading};
use super::{InputError, Patience, unless_woken};

/// What is known of the number of jobs while inputs are still read. Clones are the same
/// one.
#[derive(Clone, Debug, Default)]
pub struct InputCount(Arc<Counted>);

#[derive(Debug, Default)]
struct Counted {
    found: AtomicU64,
    /// Whether there are no more.
    are_all: AtomicBool,
    /// How many of them nobody is going to do.
    left_out: AtomicU64,
}

/// How many jobs there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobsFound {
    /// As many.
    Exactly(u64),
    /// As many and perhaps more.
    AtLeast(u64),
}

impl InputCount {
    /// There are `jobs` more.
    pub fn add(&self, jobs: u64) {
        self.0.found.fetch_add(jobs, Ordering::Relaxed);
    }

    /// There are no more than those that were added.
    pub fn end(&self) {
        self.0.are_all.store(true, Ordering::Release);
    }

    /// One of them was done earlier.
    pub fn leave_out(&self) {
        self.0.left_out.fetch_add(1, Ordering::Relaxed);
    }

    /// How many there are for all that is known.
    pub fn jobs(&self) -> JobsFound {
        let are_all = self.0.are_all.load(Ordering::Acquire);
        let left_out = self.0.left_out.load(Ordering::Relaxed);
        let found = self.0.found.load(Ordering::Relaxed).saturating_sub(left_out);
        if are_all { JobsFound::Exactly(found) } else { JobsFound::AtLeast(found) }
    }
}

/// Counts rows by reading the same inputs a second time, which takes no room for them.
pub struct RowCounter(Inputs);

impl RowCounter {
    /// A counter of the rows of `sources`; none where one of them can be read only once.
    pub fn of(sources: &[InputSource], reading: &Reading) -> Option<Self> {
        let stdin = [InputSource::new(Origin::Stdin)];
        let sources = if sources.is_empty() { &stdin } else { sources };
        if sources.iter().filter(|source| source.origin == Origin::Stdin).count() > 1 {
            return None;
        }
        let again = |source: &InputSource| {
            let origin = match &source.origin {
                Origin::Stdin => Origin::File(stdin_again()?),
                Origin::File(path) if !path.is_file() => return None,
                other => other.clone(),
            };
            Some(InputSource { origin, ..source.clone() })
        };
        let sources = sources.iter().map(again).collect::<Option<_>>()?;
        // What cannot be opened is told of by whoever needs it.
        Inputs::open(sources, reading, File::open("/dev/null").ok()?).ok().map(Self)
    }

    /// How many rows there are; `None` when `patience` was woken before the end.
    ///
    /// # Errors
    /// A file that cannot be read on, or that is no CSV.
    pub fn count(mut self, patience: &mut dyn Patience) -> Result<Option<u64>, InputError> {
        unless_woken(self.0.count(patience))
    }
}

/// The file that standard input is, opened once more, where it is one and nobody has read of
/// it yet.
#[cfg(target_os = "linux")]
fn stdin_again() -> Option<PathBuf> {
    let mut stdin = File::from(io::stdin().as_fd().try_clone_to_owned().ok()?);
    let is_whole = stdin.metadata().ok()?.is_file() && stdin.stream_position().ok()? == 0;
    is_whole.then(|| PathBuf::from("/proc/self/fd/0"))
}

/// Elsewhere what is opened so shares the place where it is read.
#[cfg(not(target_os = "linux"))]
fn stdin_again() -> Option<PathBuf> {
    None
}
