//! Files that a study is saved to: opened before the work starts, written
//! after each run, whole or not at all; and when two paths are one place (stdout, a
//! stream, a file by several names, a file that is yet to be).

use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::exit::{Fault, refuse};
use super::flags::Export;
use super::terminal::{Terminal, say, written};
use crate::process::{self, BlockingIo};
use crate::report::change::StudyPair;
use crate::report::{Format, Look};
use crate::study::{History, Study};
use crate::whole_file::WholeFile;

/// Draws the format of a row.
type DrawFormat<'a> = &'a dyn Fn(&Format, &mut dyn Write) -> anyhow::Result<()>;

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

    /// Puts what `draw` makes where these leave room for it: on stderr if they or what tasks
    /// produce takes stdout.
    pub(super) fn show_beside(
        &self,
        takes_stdout: bool,
        terminal: Terminal,
        draw: impl Fn(Look) -> String,
    ) -> anyhow::Result<()> {
        if !takes_stdout && !self.take_stdout() {
            return Terminal::print(&draw(terminal.out));
        }
        // With stderr closed there is nobody left to tell.
        let _ = process::stderr().write_all(draw(terminal.err).as_bytes());
        Ok(())
    }

    /// Where temporaries of what is asked for may be.
    pub(super) fn folders(exports: &[Export]) -> Vec<PathBuf> {
        let paths = exports.iter().map(|export| &export.path).filter(|path| !is_stdout(path));
        let real = paths.map(|path| fs::canonicalize(path).unwrap_or_else(|_| path.clone()));
        real.map(|path| folder(&path).to_owned()).collect()
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
        self.targets.iter_mut().try_for_each(|target| target.save(draw))?;
        self.targets.iter_mut().try_for_each(|target| target.end(draw))
    }
}

impl Target {
    fn open(Export { row, path }: &Export) -> anyhow::Result<Self> {
        let place = ExportPlace::open(path)
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
            return refuse(format!("--{one} and --{two} both go to {place}: name a file for each"));
        }
        spots.push((row, spot));
    }
    Ok(())
}

/// Where a target is, by whichever name.
#[derive(PartialEq)]
enum FileId {
    Stdout,
    /// By device and inode.
    Stream((u64, u64)),
    File(PathBuf),
}

impl FileId {
    /// `None` for the device that has room for everything.
    fn of(path: &Path) -> Option<Self> {
        if is_stdout(path) {
            return Some(Self::Stdout);
        }
        if let Some(stream) = identity(path).filter(|_| !path.is_file()) {
            return (Some(stream) != identity(Path::new("/dev/null"))).then_some(Self::Stream(stream));
        }
        // A file that is yet to be is told by its folder.
        let new = || Some(fs::canonicalize(folder(path)).ok()?.join(path.file_name()?));
        Some(Self::File(fs::canonicalize(path).ok().or_else(new).unwrap_or_else(|| path.to_owned())))
    }
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Whether stdout is meant.
fn is_stdout(path: &Path) -> bool {
    path == Path::new("-") || is_same(path, "/dev/stdout")
}

/// Whether `path` is another name of `stream`: `/dev/fd/1`, the file it is
/// redirected to.
fn is_same(path: &Path, stream: &str) -> bool {
    let target = identity(path);
    target.is_some() && target == identity(Path::new(stream)) && path != Path::new("/dev/null")
}

/// What a file is to the system, whatever it is called: device and inode; `None` where there is none.
pub(super) fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).map(|target| (target.dev(), target.ino())).ok()
}
