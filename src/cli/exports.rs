//! Files that a study is saved to: opened before the work starts, written
//! after each run, whole or not at all.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::exit::Fault;
use super::files::{FileId, is_same, is_stdout};
use super::flags::Export;
use super::terminal::{Terminal, written};
use crate::process::{self, BlockingIo};
use crate::report::Format;
use crate::report::change::StudyPair;
use crate::study::Study;
use crate::text::printable;
use crate::whole_file::WholeFile;

/// Draws the format of a row.
trait DrawFormat: Fn(&Format, &mut dyn Write) -> anyhow::Result<()> {}

impl<D: Fn(&Format, &mut dyn Write) -> anyhow::Result<()>> DrawFormat for D {}

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
    Stream(PathBuf, Box<dyn Write>),
    /// A file: a temporary beside it, renamed over it after each run.
    Whole(PathBuf, Option<WholeFile>),
}

impl Exports {
    /// Opens every target, so that a bad path fails before any work is done.
    pub(super) fn open(exports: &[Export]) -> Result<Self, Fault> {
        check_apart(exports)?;
        let targets = exports.iter().map(Target::open);
        Ok(Self { targets: targets.collect::<anyhow::Result<_>>()? })
    }

    /// Whether stdout is taken by an export.
    pub(super) fn take_stdout(&self) -> bool {
        self.targets.iter().any(|target| matches!(target.place, ExportPlace::Stdout))
    }

    /// Where temporaries of what is asked for may be.
    pub(super) fn folders(exports: &[Export]) -> Vec<PathBuf> {
        let whole = exports.iter().filter(|export| !is_stdout(&export.path));
        let folder = |export: &Export| {
            let path = fs::canonicalize(&export.path).unwrap_or_else(|_| export.path.clone());
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            folder.unwrap_or(Path::new(".")).to_owned()
        };
        whole.map(folder).collect()
    }

    /// Whether anybody will want the records of single tasks.
    pub(super) fn any(&self) -> bool {
        !self.targets.is_empty()
    }

    /// Saves what there is after a run.
    pub(super) fn save(&mut self, study: &Study) -> anyhow::Result<()> {
        for target in &mut self.targets {
            target.save(|row, out| (row.render)(study, out))?;
        }
        Ok(())
    }

    /// Writes everything for the last time.
    pub(super) fn finish(mut self, study: &Study) -> anyhow::Result<()> {
        if !study.has_whole_run() {
            // A study of nothing takes nobody's place.
            self.targets.retain(|target| match &target.place {
                ExportPlace::Whole(path, _) if !(study.found_something() && target.row.tells_half_a_run) => {
                    !is_left(path)
                }
                _ => true,
            });
        }
        self.finish_with(|row, out| (row.render)(study, out))
    }

    /// Writes what changed between two studies.
    pub(super) fn finish_pair(self, pair: &StudyPair<'_>) -> anyhow::Result<()> {
        self.finish_with(|row, out| (row.between.with_context(|| of_one_study(row))?)(pair, out))
    }

    /// Refuses formats that cannot tell what changed between two studies.
    pub(super) fn check_pair(exports: &[Export]) -> Result<(), Fault> {
        match exports.iter().find(|export| export.row.between.is_none()) {
            Some(export) => Err(Fault::Usage(of_one_study(export.row))),
            None => Ok(()),
        }
    }

    fn finish_with(mut self, draw: impl DrawFormat) -> anyhow::Result<()> {
        for target in &mut self.targets {
            target.save(&draw)?;
        }
        for target in &mut self.targets {
            match &mut target.place {
                ExportPlace::Whole(..) => {}
                ExportPlace::Stdout => Terminal::draw(|out| draw(target.row, out))?,
                ExportPlace::Stream(path, file) => {
                    written(file, |out| draw(target.row, out))
                        .with_context(|| format!("write {}", path.display()))?;
                }
            }
        }
        Ok(())
    }
}

fn of_one_study(row: &Format) -> String {
    format!("--{} is of one study, not of what changed between two", row.option)
}

impl Target {
    fn open(Export { row, path }: &Export) -> anyhow::Result<Self> {
        let place = ExportPlace::open(path)
            .with_context(|| format!("open {} for --{}", path.display(), row.option))?;
        Ok(Self { row, place })
    }

    /// Writes it where that can be done again later.
    fn save(&mut self, draw: impl DrawFormat) -> anyhow::Result<()> {
        if let ExportPlace::Whole(path, temporary) = &mut self.place {
            write_whole(path, temporary.take(), |out| draw(self.row, out))
                .with_context(|| format!("write {}", path.display()))?;
        }
        Ok(())
    }
}

impl ExportPlace {
    fn open(path: &Path) -> anyhow::Result<Self> {
        if is_stdout(path) {
            return Ok(Self::Stdout);
        }
        if is_same(path, "/dev/stderr") {
            return Ok(Self::Stream(path.to_owned(), Box::new(process::stderr())));
        }
        // Through a link the file behind it is replaced, not the link.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let is_stream = fs::metadata(&path).is_ok_and(|target| !target.is_file() && !target.is_dir());
        if is_stream {
            let file = fs::OpenOptions::new().write(true).open(&path)?;
            return Ok(Self::Stream(path, Box::new(BlockingIo(file))));
        }
        let temporary = WholeFile::create(&path)?;
        Ok(Self::Whole(path, Some(temporary)))
    }
}

/// Refuses two exports to one place: the later one would take the other's, or
/// follow it.
fn check_apart(exports: &[Export]) -> Result<(), Fault> {
    let mut spots: Vec<(&Format, FileId)> = Vec::new();
    for Export { row, path } in exports {
        let Some(spot) = FileId::of(path) else { continue };
        if let Some((other, _)) = spots.iter().find(|(_, known)| *known == spot) {
            let place = if spot == FileId::Stdout { "stdout".to_owned() } else { path.display().to_string() };
            let (one, two) = (other.option, row.option);
            return Err(Fault::Usage(format!(
                "--{one} and --{two} both go to {place}: name a file for each"
            )));
        }
        spots.push((row, spot));
    }
    Ok(())
}

/// Whether there is a file at `path`, which is left as it was: that is said.
fn is_left(path: &Path) -> bool {
    let exists = path.exists();
    if exists {
        // With stderr closed there is nobody left to tell.
        let _ = writeln!(
            process::stderr(),
            "parsim: {} is left as it was, for no run was finished",
            printable(&path.display().to_string())
        );
    }
    exists
}

/// Draws into a file that is there when all of it was drawn.
fn write_whole(
    path: &Path,
    opened: Option<WholeFile>,
    draw: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut file = match opened {
        Some(file) => file,
        None => WholeFile::create(path)?,
    };
    written(&mut file, draw)?;
    Ok(file.commit()?)
}
