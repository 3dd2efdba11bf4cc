//! When the study is handed on to be saved: often enough that nothing is lost,
//! and not so often that short runs are slowed.

use std::time::Duration;

use crate::measure::Clock;
use crate::study::Study;

/// Is handed the study while the experiment goes on and at its end, so that
/// nothing measured is lost.
pub type Save<'a> = Box<dyn FnMut(&Study) -> anyhow::Result<()> + 'a>;

/// So often at most is the study saved before the end.
const INTERVAL: Duration = Duration::from_secs(1);

/// Who saves, and what was saved.
#[derive(Default)]
pub(super) struct Saving<'a> {
    save: Option<Save<'a>>,
    /// When the study was last saved.
    last: Option<Duration>,
    /// Whether there is more in it by now.
    is_behind: bool,
}

impl<'a> Saving<'a> {
    /// `save` saves.
    pub(super) fn by(save: Save<'a>) -> Self {
        Self { save: Some(save), ..Self::default() }
    }

    /// Something was measured: saves it unless that was done just now.
    pub(super) fn measured(&mut self, study: &Study, clock: &dyn Clock) -> anyhow::Result<()> {
        self.is_behind = true;
        let since = self.last.map(|last| clock.now().saturating_sub(last));
        if since.is_some_and(|since| since < INTERVAL) {
            return Ok(());
        }
        self.last_words(study)?;
        self.last = Some(clock.now());
        Ok(())
    }

    /// Saves what has not been.
    pub(super) fn last_words(&mut self, study: &Study) -> anyhow::Result<()> {
        match &mut self.save {
            Some(save) if std::mem::take(&mut self.is_behind) => save(study),
            _ => Ok(()),
        }
    }
}
