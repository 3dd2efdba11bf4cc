//! The files that jobs leave, where ways are compared by them: found by patterns,
//! digested, compared with those of the first run, and put out of the way of the
//! next.
//!
//! The first run's files are kept until the end under hidden names beside their
//! own, unless each way has names of its own. Does not know what jobs do.

use crate::sync::Mutex;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use xxhash_rust::xxh3::Xxh3;

use super::glob_walk::matching;
use crate::mismatch::Mismatch;
use crate::process::Interrupt;
use crate::task::{Column, Digest, LeftFile, TaskInput};
use crate::template::{Numbers, Quoting, Template};
use crate::workload::Tasks;

/// What is done about files that are there before a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PresentFiles {
    /// They are in the way: no run has left them.
    Refused,
    /// A command makes everything ready before each run: they are left to it.
    Prepared,
}

/// The patterns of the files, and what is known of those found so far.
pub struct OutputFiles {
    patterns: Vec<OutputPattern>,
    directory: Option<PathBuf>,
    present: PresentFiles,
    state: Mutex<FilesSeen>,
}

/// A pattern in every way that is run.
struct OutputPattern {
    by_column: Vec<(Column, Template)>,
    /// How often it names the way.
    n_ways: usize,
    /// Whether each job has one of its own.
    is_per_job: bool,
}

#[derive(Default)]
struct FilesSeen {
    /// Whether it was made sure that nothing is in the way.
    checked: bool,
    /// What is known of the first run's files, by name.
    first: Option<(Column, BTreeMap<String, FirstFile>)>,
}

/// A file of the first run.
struct FirstFile {
    digest: Digest,
    /// Where it is now.
    path: PathBuf,
    /// Whether it was put aside.
    aside: bool,
    /// Whether another run's differed.
    differs: bool,
}

impl OutputFiles {
    /// No patterns yet; relative ones are meant from `directory`, or from here.
    #[must_use]
    pub fn new(directory: Option<PathBuf>, present: PresentFiles) -> Self {
        Self { patterns: Vec::new(), directory, present, state: Mutex::default() }
    }

    /// One more pattern, as it is in each way that is run; it names the way `n_ways` times.
    #[must_use]
    pub fn pattern(mut self, by_column: Vec<(Column, Template)>, n_ways: usize) -> Self {
        let is_per_job = by_column.iter().any(|(_, template)| template.uses_any());
        self.patterns.push(OutputPattern { by_column, n_ways, is_per_job });
        self
    }

    /// Puts what earlier runs left out of the way of a run of `next`.
    pub(super) fn check_clear<'t>(&self, next: &Column, tasks: &dyn Fn() -> Tasks<'t>) -> anyhow::Result<()> {
        let mut state = self.state.lock();
        if !state.checked {
            state.checked = true;
            return if self.present == PresentFiles::Refused { self.refuse_any(tasks) } else { Ok(()) };
        }
        // What is there now is there because of a run, or of the preparation.
        for path in self.found(next, tasks)?.into_values() {
            let shown = path.display();
            let first = state.first.as_mut();
            let kept = first.and_then(|(_, kept)| kept.values_mut().find(|kept| kept.path == path));
            if let Some(kept) = kept {
                kept.path = aside(&path);
                kept.aside = true;
                match self.present {
                    PresentFiles::Refused => fs::rename(&path, &kept.path),
                    // The preparation may need it where it is.
                    PresentFiles::Prepared => fs::copy(&path, &kept.path).map(drop),
                }
                .with_context(|| format!("put {shown} aside"))?;
            } else if self.present == PresentFiles::Refused {
                fs::remove_file(&path).with_context(|| format!("remove {shown}, which a run left"))?;
            }
        }
        Ok(())
    }

    /// Makes sure that nothing is in the way before the first run.
    fn refuse_any<'t>(&self, tasks: &dyn Fn() -> Tasks<'t>) -> anyhow::Result<()> {
        let columns = self.patterns.first().map(|pattern| pattern.by_column.iter());
        for (column, _) in columns.into_iter().flatten() {
            if let Some((_, path)) = self.found(column, tasks)?.first_key_value() {
                bail!(
                    "{} is there already, so no run can be said to make it: remove it, or have --prepare do so before each run",
                    path.display()
                );
            }
        }
        Ok(())
    }

    /// The files that a run of `way` left.
    pub(super) fn left<'t>(
        &self,
        column: &Column,
        tasks: &dyn Fn() -> Tasks<'t>,
        interrupt: &Interrupt,
    ) -> anyhow::Result<Vec<LeftFile>> {
        let mut state = self.state.lock();
        let mut files = Vec::new();
        let mut now = BTreeMap::new();
        for (name, path) in self.found(column, tasks)? {
            if interrupt.is_set() {
                return Ok(files);
            }
            let digest = digest_of(&path).with_context(|| format!("read {}", path.display()))?;
            let why = match &mut state.first {
                Some((first, kept)) => kept
                    .get_mut(&name)
                    .filter(|kept| kept.digest != digest)
                    .map(|kept| why(kept, (first, column), &path)),
                None => None,
            };
            now.insert(name.clone(), FirstFile { digest, path, aside: false, differs: false });
            files.push(LeftFile { name, digest, why });
        }
        state.first.get_or_insert_with(|| (column.clone(), now));
        Ok(files)
    }

    /// The files there are now, by names that do not hold the way.
    fn found<'t>(
        &self,
        column: &Column,
        tasks: &dyn Fn() -> Tasks<'t>,
    ) -> anyhow::Result<BTreeMap<String, PathBuf>> {
        let mut found = BTreeMap::new();
        for pattern in &self.patterns {
            if !pattern.is_per_job {
                self.find(pattern, column, &[], 0, &mut found)?;
                continue;
            }
            for task in tasks() {
                let task = task?;
                if let TaskInput::Values(values) = task.spec {
                    self.find(pattern, column, &values, task.seq, &mut found)?;
                }
            }
        }
        Ok(found)
    }

    fn find(
        &self,
        pattern: &OutputPattern,
        column: &Column,
        values: &[Vec<u8>],
        seq: u64,
        found: &mut BTreeMap<String, PathBuf>,
    ) -> anyhow::Result<()> {
        let own = pattern.by_column.iter().find(|(of, _)| of == column);
        let Some((_, template)) = own else { return Ok(()) };
        // A value's own signs are no pattern's.
        let escaped = |value: &Vec<u8>| match std::str::from_utf8(value) {
            Ok(text) => glob::Pattern::escape(text).into_bytes(),
            Err(_) => value.clone(),
        };
        let values: Vec<Vec<u8>> = values.iter().map(escaped).collect();
        let mut text = Vec::new();
        template.render(&values, &Numbers { seq: seq + 1, ..Numbers::default() }, Quoting::None, &mut text);
        let text = String::from_utf8(text).context("--outputs: a file's name that is not UTF-8")?;
        let directory = self.directory.as_ref().map(|directory| directory.to_string_lossy().into_owned());
        let text = match directory {
            Some(directory) if !text.starts_with('/') => {
                format!("{}/{text}", glob::Pattern::escape(&directory))
            }
            _ => text,
        };
        for path in matching(&text)? {
            // Of a folder all that is in it is meant.
            let paths = match (kind(&path)?, path.to_str()) {
                (FileKind::Folder, Some(folder)) => {
                    matching(&format!("{}/**", glob::Pattern::escape(folder)))?
                }
                (FileKind::Folder, None) => {
                    bail!("--outputs: {}: a folder's name that is not UTF-8", path.display())
                }
                _ => vec![path],
            };
            for path in paths {
                if kind(&path)? != FileKind::File {
                    continue;
                }
                // Two names that are not UTF-8 stay two.
                let escaped = || path.as_os_str().as_encoded_bytes().escape_ascii().to_string();
                let name = path.to_str().map_or_else(escaped, str::to_owned);
                found.insert(name.replacen(&*column.name, "{way}", pattern.n_ways), path);
            }
        }
        Ok(())
    }
}

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FileKind {
    File,
    Folder,
    /// A pipe, a device.
    Other,
    Nothing,
}

fn kind(path: &Path) -> anyhow::Result<FileKind> {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    match fs::metadata(path) {
        Ok(data) if data.is_file() => Ok(FileKind::File),
        Ok(data) if data.is_dir() => Ok(FileKind::Folder),
        Ok(_) => Ok(FileKind::Other),
        Err(error) if matches!(error.kind(), NotFound | NotADirectory) => Ok(FileKind::Nothing),
        Err(error) => Err(error).with_context(|| format!("--outputs: cannot look at {}", path.display())),
    }
}

/// The first difference in words.
fn why(kept: &mut FirstFile, (first, this): (&Column, &Column), path: &Path) -> String {
    kept.differs = true;
    let mismatch =
        || -> std::io::Result<_> { Mismatch::of_files(&File::open(&kept.path)?, &File::open(path)?) };
    let told = match mismatch() {
        Ok(Some(mismatch)) if first == this => {
            mismatch.told(&format!("the first {first}"), &format!("this {this}"))
        }
        Ok(Some(mismatch)) => mismatch.told(&first.name, &this.name),
        Ok(None) | Err(_) => "its content".to_owned(),
    };
    if kept.aside { format!("{told} (the first is kept as {})", kept.path.display()) } else { told }
}

/// A hidden name beside `path`.
fn aside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // 200 bytes of the name keep the whole below the usual limit of 255.
    let kept: String = name.chars().take(50).collect();
    let folder = path.with_file_name("");
    let number = std::process::id();
    let mut aside = folder.join(format!(".{kept}.first-{number}"));
    let mut n = 0;
    while aside.symlink_metadata().is_ok() {
        n += 1;
        aside.set_file_name(format!(".{kept}.first-{number}-{n}"));
    }
    aside
}

fn digest_of(path: &Path) -> std::io::Result<Digest> {
    let mut file = File::open(path)?;
    let mut digester = Xxh3::new();
    let mut block = vec![0; 64 << 10];
    loop {
        match file.read(&mut block)? {
            0 => return Ok(Digest(digester.digest128())),
            length => digester.update(&block[..length]),
        }
    }
}

impl Drop for OutputFiles {
    /// What was put aside goes, unless a person will want to look at it.
    fn drop(&mut self) {
        let state = self.state.get_mut();
        let kept = state.first.iter().flat_map(|(_, kept)| kept.values());
        for file in kept.filter(|kept| kept.aside && !kept.differs) {
            // It is hidden and named after this process: left, it harms nobody.
            let _ = fs::remove_file(&file.path);
        }
    }
}
