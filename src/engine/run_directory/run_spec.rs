//! `run.json`: what a run is, for its workers and for whoever comes back to it.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};

use super::layout::{RunLayout, put_whole};
use super::submitter::ClusterOptions;
use crate::measure::seconds;
use crate::policy::Retry;
use crate::sync::Mutex;
use crate::task::Column;

/// The version of the layout and of all that stands in it.
const FORMAT: &str = "parsim-run/2";

/// As much of a [`RunSpec`] as every version understands.
#[derive(Deserialize)]
struct RunFormat {
    format: String,
    version: String,
}

/// What a run is. It holds what command lines hold: secrets, for nobody else to see.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct RunSpec {
    /// [`FORMAT`].
    pub(super) format: String,
    /// The version of the program that began it.
    pub(super) version: String,
    /// What its jobs are called where they wait: nobody else's are called so.
    pub(super) name: String,
    /// How its workers are started, as `--workers` has it.
    pub(super) engine: String,
    /// The workload's name, and what it is built from.
    pub(super) workload: String,
    pub(super) blueprint: serde_json::Value,
    pub(super) column: Column,
    /// Whether what tasks write is digested, for a comparison of ways.
    pub(super) digested: bool,
    /// How often a failing task is tried, all by one worker.
    pub(super) retry: Retry,
    /// Where the client was.
    pub(super) directory: OsString,
    /// The command line behind `parsim parallel`, for whoever goes on; `None`: a run that
    /// nobody can go on with.
    pub(super) words: Option<Vec<OsString>>,
    pub(super) cluster: ClusterOptions,
    /// A worker is gone that was silent for so long.
    #[serde(with = "seconds")]
    pub(super) lease: Duration,
}

impl RunSpec {
    pub(super) fn new(name: String, workload: String, column: Column, cluster: ClusterOptions) -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            name,
            engine: column.engine.clone().into_owned(),
            workload,
            blueprint: serde_json::Value::Null,
            column,
            digested: false,
            retry: Retry::default(),
            directory: OsString::new(),
            words: None,
            cluster,
            lease: Duration::ZERO,
        }
    }

    pub(super) fn write(&self, layout: &RunLayout) -> anyhow::Result<()> {
        let path = layout.path("run.json");
        put_whole(&path, &serde_json::to_vec(self)?)
            .with_context(|| format!("cannot write {}", path.display()))
    }

    pub(super) fn read(layout: &RunLayout) -> anyhow::Result<Self> {
        let path = layout.path("run.json");
        let shown = path.display();
        let bytes = fs::read(&path).with_context(|| format!("cannot read {shown}"))?;
        let RunFormat { format, version } =
            serde_json::from_slice(&bytes).with_context(|| format!("{shown} is not understood"))?;
        ensure!(
            format == FORMAT && version == env!("CARGO_PKG_VERSION"),
            "{shown} is of parsim {version} ({format}), and this is {}: use the parsim in bin/ beside it",
            env!("CARGO_PKG_VERSION")
        );
        serde_json::from_slice(&bytes).with_context(|| format!("{shown} is not understood"))
    }

    /// Where the client was.
    pub(super) fn directory(&self) -> PathBuf {
        PathBuf::from(&self.directory)
    }

    /// How many tasks each element does at a time.
    pub(super) fn slots(&self) -> u32 {
        self.cluster.slots_each.max(1)
    }
}

/// Which run a worker is of, and how it is seen that another one is in its place.
#[derive(Debug)]
pub(super) struct RunIdentity {
    name: String,
    /// What its file was to the file system last.
    file: Mutex<(u64, u64)>,
}

impl RunIdentity {
    /// That of the run called `name`, whose `file` was looked at before its name was.
    pub(super) fn new(name: &str, file: (u64, u64)) -> Self {
        Self { name: name.to_owned(), file: Mutex::new(file) }
    }

    /// Whether another run is there. Some file systems number their files anew now and then, so
    /// that it has to say itself that it is another one.
    pub(super) fn is_replaced(&self, layout: &RunLayout) -> bool {
        let Ok(now) = layout.identity() else { return false };
        if now == *self.file.lock() {
            return false;
        }
        let Ok(bytes) = fs::read(layout.path("run.json")) else { return false };
        let is_same = serde_json::from_slice(&bytes).is_ok_and(|RunName { name }| name == self.name);
        if is_same {
            *self.file.lock() = now;
        }
        !is_same
    }

    /// Whether the run is there still.
    pub(super) fn is_there(&self, layout: &RunLayout) -> bool {
        layout.identity().is_ok() && !self.is_replaced(layout)
    }
}

/// As much of a run as tells it from others.
#[derive(Deserialize)]
struct RunName {
    name: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_known_by_its_name_where_its_file_has_another_number() {
        let folder = tempfile::tempdir().unwrap();
        let layout = RunLayout::create(&folder.path().join("run")).unwrap();
        let write = |name: &str| {
            let spec =
                RunSpec::new(name.to_owned(), String::new(), Column::PARALLEL, ClusterOptions::default());
            spec.write(&layout).unwrap();
        };
        write("one");
        let file = layout.identity().unwrap();
        let identity = RunIdentity::new("one", file);
        // The old one is kept, so that its number is not used again.
        fs::hard_link(layout.path("run.json"), layout.path("old")).unwrap();
        write("one");
        assert_ne!(layout.identity().unwrap(), file);
        assert!(identity.is_there(&layout) && !identity.is_replaced(&layout));
        fs::hard_link(layout.path("run.json"), layout.path("older")).unwrap();
        write("other");
        assert!(identity.is_replaced(&layout) && !identity.is_there(&layout));
        // What cannot be read is not known to be another one.
        fs::remove_file(layout.path("run.json")).unwrap();
        assert!(!identity.is_replaced(&layout) && !identity.is_there(&layout));
        fs::create_dir(layout.path("run.json")).unwrap();
        assert!(!identity.is_replaced(&layout));
    }
}
