//! One task at a time, on the calling thread.

use super::{Engine, work};
use crate::engine::Run;
use crate::study::WorkerCosts;
use crate::task::Way;
use crate::workload::Workload;

/// The serial engine. It starts no thread.
#[derive(Clone, Copy, Debug, Default)]
pub struct Serial;

impl Engine for Serial {
    fn way(&self) -> Way {
        Way::Serial
    }

    fn width(&self) -> usize {
        1
    }

    fn drive(&self, run: &Run<'_>, workload: &dyn Workload) -> anyhow::Result<Option<WorkerCosts>> {
        work(run, workload);
        Ok(None)
    }
}
