//! What a signal would leave of files that are being written, where nothing runs that
//! has to be ended first.

use std::path::PathBuf;

use anyhow::Context as _;

use crate::process::signals::{Attendant, Signals, Stir};
use crate::process::{end_by, ending_signals};
use crate::temporary;

/// Until this is dropped, a signal that ends parsim first has what it is writing in
/// `folders` removed.
///
/// # Errors
/// When the signals cannot be caught.
pub(super) fn removed_by_signals(folders: Vec<PathBuf>) -> anyhow::Result<Attendant> {
    let signals: Vec<i32> = ending_signals().collect();
    let signals = Signals::catch(&signals).context("install the handlers of signals")?;
    let attend = move |stir: Stir| {
        if let Stir::Signal(signal) = stir {
            for folder in &folders {
                temporary::remove_own(folder);
            }
            // It does not come back.
            let _ = end_by(signal);
        }
        None
    };
    Attendant::start(signals, attend).context("start the thread that attends to signals")
}
