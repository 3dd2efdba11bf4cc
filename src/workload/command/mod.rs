//! A batch of commands: each task is a command line made of a template and the
//! values of one job.
//!
//! Knows neither the options it was asked for with nor the terminal. Values are
//! read as they come; a command that needs no shell is executed directly.

mod feed;
mod frozen;
mod job;
mod lanes;
mod launch;
mod offer;
mod settings;
mod spool;

use std::fs;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;

pub use self::feed::{Feed, Patient, Values};
use self::frozen::{Freezer, Frozen};
pub use self::lanes::{InTurn, Lanes};
use self::launch::Launch;
pub use self::launch::Shell;
pub use self::offer::{NAME, Offer};
pub use self::settings::{Act, Directory, Order, Reads, Settings, Trace};
pub use self::spool::Spool;
use super::{Cx, Size, Tasks, Workload};
use crate::interrupt::Interrupt;
use crate::output::{Destination, Outlet};
use crate::process::child::{Running, Worker};
use crate::record::{Outcome, Spec, Task, Way};
use crate::template::{self, Numbers};

/// Makes the place that outputs go to in the end.
pub type Outputs = Box<dyn Fn() -> Box<dyn Destination> + Sync>;

/// The workload: a task runs its command.
pub struct CommandBatch {
    settings: Settings,
    launch: Launch,
    feed: Mutex<Feed>,
    frozen: Option<Frozen>,
    outputs: Outputs,
    running: &'static Running,
    workers: Mutex<Vec<Worker<'static>>>,
}

impl CommandBatch {
    /// A batch whose values come from `feed`. Make it once the process's signal
    /// handlers are installed.
    ///
    /// # Errors
    /// When the shell cannot be found, or descriptors have run out.
    pub fn new(settings: Settings, feed: Feed, outputs: Outputs) -> anyhow::Result<Self> {
        let environment = Arc::new(job::environment(&settings)?);
        if let Directory::Fixed(directory) = &settings.directory {
            let made = fs::create_dir_all(directory);
            made.with_context(|| format!("make the working directory {}", directory.display()))?;
        }
        let launch = Launch::new(&settings, &environment)?;
        // One for each batch of a program, as long as its workers may live.
        let running = Running::new(settings.term_sequence.clone()).context("prepare to start processes")?;
        running.set_time_limit(settings.timeout);
        let running = Box::leak(Box::new(running));
        Ok(Self {
            settings,
            launch,
            feed: Mutex::new(feed),
            frozen: None,
            outputs,
            running,
            workers: Mutex::default(),
        })
    }

    /// Reads the values of all jobs and puts them aside, so that their number is
    /// known and they can be run again.
    ///
    /// # Errors
    /// When they cannot be read or put aside.
    pub fn freeze(&mut self) -> anyhow::Result<()> {
        let put_aside = "put the inputs aside in TMPDIR";
        let mut freezer = Freezer::new().context(put_aside)?;
        let feed = self.feed.get_mut().unwrap_or_else(PoisonError::into_inner);
        while let Some(job) = feed.next(&self.settings)? {
            freezer.put(&job).context(put_aside)?;
        }
        self.frozen = Some(freezer.freeze().context(put_aside)?);
        Ok(())
    }

    /// What runs now, for orders from elsewhere.
    #[must_use]
    pub fn running(&self) -> &'static Running {
        self.running
    }
}

impl Workload for CommandBatch {
    fn name(&self) -> &'static str {
        "command"
    }

    fn unit(&self) -> &'static str {
        "job"
    }

    fn tasks(&self) -> Tasks<'_> {
        let mut jobs: Box<dyn Iterator<Item = anyhow::Result<Spec>> + Send + '_> = match &self.frozen {
            Some(frozen) => Box::new(frozen.thaw().map(|job| job.context("read the inputs put aside"))),
            None => Box::new(std::iter::from_fn(|| {
                let mut feed = self.feed.lock().unwrap_or_else(PoisonError::into_inner);
                feed.next(&self.settings).transpose()
            })),
        };
        let mut seq = 0;
        Box::new(std::iter::from_fn(move || {
            let spec = match jobs.next()? {
                Ok(spec) => spec,
                Err(error) => return Some(Err(error)),
            };
            let task = Task { seq, label: String::new(), spec };
            seq += 1;
            Some(Ok(task))
        }))
    }

    fn size(&self) -> Size {
        Size { tasks: self.frozen.as_ref().map(Frozen::jobs), bytes: None }
    }

    fn starts_in_order(&self) -> bool {
        true
    }

    fn end_running(&self) {
        self.running.terminate();
    }

    fn run(&self, task: &Task, cx: &mut Cx<'_>) -> Outcome {
        let values = task.spec.values();
        let frozen = self.frozen.as_ref().map(Frozen::jobs);
        let numbers = Numbers {
            seq: task.seq + 1,
            slot: u64::from(cx.slot()) + 1,
            slots: self.settings.slots as u64,
            total: self.settings.total.or(frozen).unwrap_or(0),
        };
        let mut line = Vec::new();
        self.settings.template.render(values, &numbers, self.settings.quoting, &mut line);
        cx.command_line(&line);
        if self.settings.template.skips(values) {
            return Outcome::Success;
        }
        let shown = |line: &[u8]| [line, b"\n"].concat();
        let told = match self.settings.act {
            Act::Run => Ok(()),
            Act::PrintAndRun | Act::Print => cx.write(&shown(&line)),
            Act::PrintQuoted(times) => cx.write(&shown(&quoted(&line, times))),
            Act::TraceAndRun(trace) => {
                trace(&shown(&line));
                Ok(())
            }
        };
        match (told, self.settings.act) {
            (Err(error), _) => Outcome::Failed(format!("hand on its output: {error}")),
            (Ok(()), Act::Print | Act::PrintQuoted(_)) => Outcome::Success,
            (Ok(()), Act::Run | Act::PrintAndRun | Act::TraceAndRun(_)) => {
                self.execute(&line, task, &numbers, cx)
            }
        }
    }

    fn outlet(&self, _way: Way) -> Outlet<'_> {
        let destination = (self.outputs)();
        match self.settings.order {
            Order::Grouped => Outlet::Grouped(destination),
            Order::Kept => Outlet::InOrder(destination),
            Order::Lines | Order::Unbuffered => Outlet::Lines(destination),
        }
    }
}

/// `line` as a shell would have to be given it, so many times.
fn quoted(line: &[u8], times: usize) -> Vec<u8> {
    let mut line = line.to_vec();
    for _ in 0..times {
        let mut out = Vec::new();
        template::quote(&line, &mut out);
        line = out;
    }
    line
}

/// Whether a wait for input is to be given up.
#[must_use]
pub fn patience(interrupt: Interrupt) -> impl crate::inputs::Patience + Send {
    use crate::inputs::Wait;
    move |fd: std::os::fd::BorrowedFd<'_>| {
        Ok(if interrupt.wait_readable(fd)? { Wait::Readable } else { Wait::Woken })
    }
}
