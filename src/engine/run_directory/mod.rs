//! Tasks on other machines by way of a directory that all of them see: workers claim tasks
//! there and record what became of them; whoever began the run reads that.
//!
//! No socket, no server: what is written is all there is. Records are the truth, and the
//! client is the only judge: tasks run at least once, results come out once. A batch
//! system only starts workers ([`submitter`]): Slurm's is one, processes of this machine
//! are another, and a third would be three functions more.
//!
//! | file | what it does |
//! |---|---|
//! | `layout` | what is where in the directory |
//! | `run_spec`, `task_file` | what the run is, and its tasks |
//! | `claims`, `heartbeat` | who does which tasks, and who lives |
//! | `segment`, `segment_writer`, `scribe` | what workers record, and when |
//! | `work_list`, `earlier`, `time_limit`, `worker`, `worker_watch`, `claiming` | a worker |
//! | `directory_run`, `client`, `client_end`, `element_news`, `collector`, `accepted` | whoever began the run or goes on with it |
//! | `submitter`, `slurm`, `local_elements`, `elements` | how workers are started, and whether they are |
//! | `manage` | what can be asked of a run directory |
//!
//! One directory is enough for about a hundred nodes and 40,000 tasks a second. Beyond
//! that relays would claim for others, which this layout leaves room for: a claim names
//! whoever has it, and says nothing of who does the work.

mod accepted;
mod claiming;
mod claims;
mod client;
mod client_end;
mod collector;
mod directory_run;
mod earlier;
mod element_news;
mod elements;
mod heartbeat;
mod layout;
mod local_elements;
mod manage;
mod run_spec;
mod scribe;
mod segment;
mod segment_writer;
mod slurm;
mod submitter;
mod task_file;
mod time_limit;
mod work_list;
mod worker;
mod worker_watch;

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

pub use self::directory_run::{Detached, DirectoryRun};
pub use self::manage::{RunStatus, StoredRun};
#[cfg(feature = "cli")]
pub(crate) use self::slurm::{cpus_of_a_node, refused_argument};
pub use self::submitter::ClusterOptions;
pub use self::worker::{RunElement, work_in};

use self::local_elements::LocalElements;
use self::slurm::Slurm;
use self::submitter::Submitter;
use super::EngineRow;

/// Workers that Slurm starts.
pub(super) const SLURM: EngineRow = EngineRow {
    name: "slurm",
    about: "Workers on the nodes of a cluster, started by Slurm",
    shares_memory: false,
    descriptors: 0,
    is_elsewhere: true,
    new: |_, means| Ok(Box::new(means.directory("slurm")?)),
};

/// Workers on the same directory that are processes of this machine.
pub(super) const LOCAL: EngineRow = EngineRow {
    name: "local-dir",
    about: "The same without Slurm: processes of this machine on a run directory",
    shares_memory: false,
    descriptors: 0,
    is_elsewhere: true,
    new: |_, means| Ok(Box::new(means.directory("local-dir")?)),
};

/// The batch system of an engine.
fn submitter_of(engine: &str) -> Box<dyn Submitter> {
    if engine == SLURM.name { Box::new(Slurm) } else { Box::new(LocalElements::default()) }
}

/// What a run by way of a directory is told.
#[derive(Clone, Debug)]
pub struct DirectoryOptions {
    /// What is asked of the batch system.
    pub cluster: ClusterOptions,
    /// The run directory, where the user named one.
    pub run_dir: Option<PathBuf>,
    /// Whether to leave as soon as everything is submitted.
    pub detaches: bool,
    /// The command line behind `parsim parallel`, for whoever goes on.
    pub words: Option<Vec<OsString>>,
    /// The program that works.
    pub program: PathBuf,
    /// Where parsim was started.
    pub directory: PathBuf,
    /// A worker is gone that was silent for so long; `None`: as the file system asks for.
    pub lease: Option<Duration>,
}

impl DirectoryOptions {
    /// How many tasks are done at a time.
    pub fn width(&self) -> NonZeroUsize {
        let width = u64::from(self.cluster.elements) * u64::from(self.cluster.slots_each);
        NonZeroUsize::new(usize::try_from(width).unwrap_or(usize::MAX)).unwrap_or(NonZeroUsize::MIN)
    }
}
