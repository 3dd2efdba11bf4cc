//! Files that a study is saved to: opened before the work starts, written
//! after each run, whole or not at all.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;

use super::exit::{Fault, all_of, refuse};
use super::flags::Export;
use super::terminal::{Terminal, say, written};
use crate::process;
use crate::report::change::StudyPair;
use crate::report::{Format, Look};
use crate::study::{History, Study};
use crate::whole_file::{OutputPlace, WholeFile, behind_links, folder, is_stdout};

/// Draws the format of a row.
type DrawFormat<'a> = &'a dyn Fn(&Format, &mut dyn Write) -> anyhow::Result<()>;

/// Where what tasks produce goes, beside which the report is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ResultsGo {
    /// To stdout.
    ToStdout,
    /// To files, or nowhere.
    Elsewhere,
}

/// Everything that is to be exported.
#[derive(Default)]
pub(super) struct Exports {
    targets: Vec<Target>,
}

struct Target {
    row: &'static Format,
    place: ExportPlace,
}

enum ExportPlace {
    /// Written once, at the end.
    Stdout,
    /// A pipe or a device: written once, at the end.
    Stream(PathBuf, Box<dyn Write + Send>),
    /// A file: a temporary beside it, renamed over it after each run.
    Whole(PathBuf, Option<WholeFile>),
}

impl Exports {
    /// Opens every target, so that a bad path fails before any work is done. Where one is a
    /// pipe that nobody reads yet, `wait` waits, and says whether to go on waiting.
    pub(super) fn open(exports: &[Export], wait: &dyn Fn(Duration) -> bool) -> Result<Self, Fault> {
        let targets = exports.iter().map(|export| Target::open(export, wait));
        Ok(Self { targets: targets.collect::<anyhow::Result<_>>()? })
    }

    /// Whether stdout is taken by an export.
    pub(super) fn take_stdout(&self) -> bool {
        self.targets.iter().any(|target| matches!(target.place, ExportPlace::Stdout))
    }

    /// Puts what `draw` makes where these leave room for it: on stderr if they or what tasks
    /// produce takes stdout.
    pub(super) fn show_beside(
        &self,
        results: ResultsGo,
        terminal: Terminal,
        draw: impl Fn(Look) -> String,
    ) -> anyhow::Result<()> {
        if results == ResultsGo::Elsewhere && !self.take_stdout() {
            return Terminal::print(&draw(terminal.out));
        }
        // With stderr closed there is nobody left to tell.
        let _ = process::stderr().write_all(draw(terminal.err).as_bytes());
        Ok(())
    }

    /// Where temporaries of what is asked for may be.
    pub(super) fn folders(exports: &[Export]) -> Vec<PathBuf> {
        let paths = exports.iter().map(|export| &export.path).filter(|path| !is_stdout(path));
        paths.map(|path| folder(&behind_links(path)).to_owned()).collect()
    }

    /// Whether anybody will want the records of single tasks.
    pub(super) fn any(&self) -> bool {
        !self.targets.is_empty()
    }

    /// Saves what there is after a run.
    pub(super) fn save(&mut self, study: &Study) -> anyhow::Result<()> {
        self.targets.iter_mut().try_for_each(|target| target.save(&|row, out| (row.render)(study, out)))
    }

    /// Writes everything for the last time.
    pub(super) fn finish(mut self, study: &Study) -> anyhow::Result<()> {
        if !study.has_whole_run() {
            // A study of nothing takes nobody's place.
            let tells = |row: &Format| study.found_something() && row.tells_half_a_run;
            self.targets.retain(|target| match &target.place {
                ExportPlace::Whole(path, _) if !tells(target.row) && path.exists() => {
                    say(&format!("{} is left as it was, for no run was finished", path.display()));
                    false
                }
                _ => true,
            });
        }
        self.finish_with(&|row, out| (row.render)(study, out))
    }

    /// Writes what changed between two studies.
    pub(super) fn finish_pair(self, pair: &StudyPair<'_>) -> anyhow::Result<()> {
        self.finish_with(&|row, out| row.between.map_or(Ok(()), |draw| draw(pair, out)))
    }

    /// Refuses formats that cannot tell what changed between two studies.
    pub(super) fn check_pair(exports: &[Export]) -> Result<(), Fault> {
        match exports.iter().find(|export| export.row.between.is_none()) {
            Some(Export { row, .. }) => {
                refuse(format!("--{} is of one study, not of what changed between two", row.option))
            }
            None => Ok(()),
        }
    }

    /// Writes a history of services, which is kept in the file `name`.
    pub(super) fn finish_history(self, history: &History, name: &str) -> anyhow::Result<()> {
        self.finish_with(&|row, out| row.history.map_or(Ok(()), |draw| draw(history, name, out)))
    }

    /// Refuses formats that cannot tell how services fared over days.
    pub(super) fn check_history(exports: &[Export]) -> Result<(), Fault> {
        match exports.iter().find(|export| export.row.history.is_none()) {
            Some(Export { row, .. }) => {
                refuse(format!("--{} is of a study, not of a history of services", row.option))
            }
            None => Ok(()),
        }
    }

    fn finish_with(mut self, draw: DrawFormat<'_>) -> anyhow::Result<()> {
        all_of(self.targets.iter_mut().flat_map(|target| [target.save(draw), target.end(draw)]))
    }
}

impl Target {
    fn open(Export { row, path }: &Export, wait: &dyn Fn(Duration) -> bool) -> anyhow::Result<Self> {
        let place = ExportPlace::open(path, wait)
            .with_context(|| format!("cannot open {} for --{}", path.display(), row.option))?;
        Ok(Self { row, place })
    }

    /// Writes it where that can be done again later.
    fn save(&mut self, draw: DrawFormat<'_>) -> anyhow::Result<()> {
        let ExportPlace::Whole(path, temporary) = &mut self.place else { return Ok(()) };
        let mut save = || {
            let mut file = temporary.take().map_or_else(|| WholeFile::create(path), Ok)?;
            written(&mut file, |out| draw(self.row, out))?;
            anyhow::Ok(file.commit()?)
        };
        save().with_context(|| format!("cannot write {}", path.display()))
    }

    /// Writes it where that can be done once only.
    fn end(&mut self, draw: DrawFormat<'_>) -> anyhow::Result<()> {
        match &mut self.place {
            ExportPlace::Whole(..) => Ok(()),
            ExportPlace::Stdout => Terminal::draw(|out| draw(self.row, out)),
            ExportPlace::Stream(path, file) => written(file, |out| draw(self.row, out))
                .with_context(|| format!("cannot write {}", path.display())),
        }
    }
}

impl ExportPlace {
    fn open(path: &Path, wait: &dyn Fn(Duration) -> bool) -> anyhow::Result<Self> {
        Ok(match OutputPlace::open_waiting(path, wait)? {
            OutputPlace::Stdout => Self::Stdout,
            OutputPlace::Stream(stream) => Self::Stream(path.to_owned(), stream),
            OutputPlace::Whole(path, file) => Self::Whole(path, Some(file)),
        })
    }
}
