//! What both benches need: a folder, one serial run, and the right answers.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, ensure};
use parsim::experiment::Experiment;
use parsim::study::RunResult;
use parsim::testing::engine::Engine;
use parsim::workload::Workload;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

/// What `np.savetxt` makes of the notebook's matrix: of every file of the
/// shared matrix, and of the first one where each file has its own.
pub(crate) const NOTEBOOK_SHA256: &str = "a68d1dd0601b9c3e6b3f8cd09569430f59361f3eb9d086a40fea9adf34ff1576";

/// A new folder on the disk that holds the build, not on what may be a RAM disk.
pub(crate) fn folder() -> anyhow::Result<TempDir> {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).context("make a folder for the files")
}

/// Runs `workload` one way, once.
pub(crate) fn one_run(workload: &mut dyn Workload, executor: impl Engine) -> anyhow::Result<RunResult> {
    let experiment = Experiment::new(workload)?.engines(vec![Box::new(executor)]).without_records();
    let mut study = experiment.run()?;
    let failed = study.failures.values().next();
    ensure!(failed.is_none(), "a task failed: {failed:?}");
    study.columns[0].runs.pop().context("a run that was not interrupted")
}

/// Fails unless the file at `path` holds the bytes with that checksum.
pub(crate) fn check_sha256(path: &Path, expected: &str) -> anyhow::Result<()> {
    let bytes = fs::read(path).with_context(|| format!("read {}", path.display()))?;
    let found: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    ensure!(found == expected, "{} has sha256 {found} instead of {expected}", path.display());
    Ok(())
}
