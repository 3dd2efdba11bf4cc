//! The files that jobs leave, where ways are compared by them: found by patterns,
//! digested, compared with those of the first run, and put out of the way of the
//! next.
//!
//! The first run's files are kept until the end under hidden names beside their
//! own, unless each way has names of its own. Does not know what jobs do.

use crate::sync::Mutex;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io;
use std::io::ErrorKind::{NotADirectory, NotFound};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use glob::{MatchOptions, Pattern};

use crate::mismatch::Mismatch;
use crate::process::Interrupt;
use crate::task::{Column, Digest, LeftFile, TaskInput};
use crate::template::{Numbers, Quoting, Template};
use crate::workload::{Tasks, file_digest};

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
    pub fn new(directory: Option<PathBuf>, present: PresentFiles) -> Self {
        Self { patterns: Vec::new(), directory, present, state: Mutex::default() }
    }

    /// One more pattern, as it is in each way that is run; it names the way `n_ways` times.
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
                .with_context(|| format!("cannot put {shown} aside"))?;
            } else if self.present == PresentFiles::Refused {
                fs::remove_file(&path).with_context(|| format!("cannot remove {shown}, which a run left"))?;
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
            let digest = file_digest(&path, interrupt);
            let digest = digest.with_context(|| format!("cannot read {}", path.display()))?;
            let Some(digest) = digest else { return Ok(files) };
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
            Ok(text) => Pattern::escape(text).into_bytes(),
            Err(_) => value.clone(),
        };
        let values: Vec<Vec<u8>> = values.iter().map(escaped).collect();
        let mut text = Vec::new();
        template.render(&values, &Numbers { seq: seq + 1, ..Numbers::default() }, Quoting::None, &mut text);
        let text = String::from_utf8(text).context("--outputs: a file's name that is not UTF-8")?;
        let directory = self.directory.as_ref().map(|directory| directory.to_string_lossy().into_owned());
        let text = match directory {
            Some(directory) if !text.starts_with('/') => {
                format!("{}/{text}", Pattern::escape(&directory))
            }
            _ => text,
        };
        for path in matching(&text)? {
            // Of a folder all that is in it is meant.
            let paths = match (is(&path, Metadata::is_dir)?, path.to_str()) {
                (true, Some(folder)) => matching(&format!("{}/**", Pattern::escape(folder)))?,
                (true, None) => bail!("--outputs: {}: a folder's name that is not UTF-8", path.display()),
                (false, _) => vec![path],
            };
            for path in paths {
                if !is(&path, Metadata::is_file)? {
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

/// Whether something is at `path`, and `is_meant`.
fn is(path: &Path, is_meant: fn(&Metadata) -> bool) -> anyhow::Result<bool> {
    let there = there(fs::metadata(path));
    let there = there.with_context(|| format!("--outputs: cannot look at {}", path.display()))?;
    Ok(there.is_some_and(|data| is_meant(&data)))
}

/// What was looked for, if it is there: that it is not is no error.
fn there<T>(looked: io::Result<T>) -> io::Result<Option<T>> {
    match looked {
        Err(error) if matches!(error.kind(), NotFound | NotADirectory) => Ok(None),
        other => other.map(Some),
    }
}

/// The first difference in words.
fn why(kept: &mut FirstFile, (first, this): (&Column, &Column), path: &Path) -> String {
    kept.differs = true;
    let mismatch = || -> io::Result<_> { Mismatch::of_files(&File::open(&kept.path)?, &File::open(path)?) };
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

/// The paths that a pattern of `--outputs` stands for, in order, whatever bytes their
/// names are made of. Hidden names are meant only where the pattern has their dot; `**`
/// goes through no symbolic link.
fn matching(pattern: &str) -> anyhow::Result<Vec<PathBuf>> {
    let start = if pattern.starts_with('/') { "/" } else { "" };
    let parts: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty()).collect();
    let mut found = Vec::new();
    expand(Path::new(start), &parts, &mut found).context("--outputs")?;
    // Several `**` lead to the same place in several ways.
    found.sort();
    found.dedup();
    Ok(found)
}

fn expand(folder: &Path, parts: &[&str], found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let Some((part, rest)) = parts.split_first() else {
        found.push(folder.to_owned());
        return Ok(());
    };
    if *part == "**" {
        // What ends in it means all that is below.
        expand(folder, if rest.is_empty() { &["*"] } else { rest }, found)?;
        for name in names(folder, true)? {
            if !name.to_string_lossy().starts_with('.') {
                expand(&folder.join(name), parts, found)?;
            }
        }
        return Ok(());
    }
    if Pattern::escape(part) == *part {
        let path = folder.join(part);
        let there = there(path.symlink_metadata());
        return match there.with_context(|| format!("cannot look at {}", path.display()))? {
            Some(_) => expand(&path, rest, found),
            None => Ok(()),
        };
    }
    let options = MatchOptions { require_literal_leading_dot: true, ..MatchOptions::default() };
    let pattern = Pattern::new(part)?;
    for name in names(folder, false)? {
        if pattern.matches_with(&name.to_string_lossy(), options) {
            expand(&folder.join(name), rest, found)?;
        }
    }
    Ok(())
}

/// The names in `folder`, if it is one; those of folders only where that is asked.
fn names(folder: &Path, only_folders: bool) -> anyhow::Result<Vec<OsString>> {
    let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let unread = || format!("cannot read the folder {}", here.display());
    let mut names = Vec::new();
    for entry in there(fs::read_dir(here)).with_context(unread)?.into_iter().flatten() {
        let entry = entry.with_context(unread)?;
        if !only_folders || entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            names.push(entry.file_name());
        }
    }
    Ok(names)
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

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    use super::*;

    #[test]
    fn a_pattern_finds_names_of_all_bytes_and_hidden_ones_by_their_dot_only() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &[u8]| folder.path().join(OsStr::from_bytes(name));
        fs::create_dir_all(at(b"a/b/c")).unwrap();
        fs::create_dir_all(at(b".h/i")).unwrap();
        std::os::unix::fs::symlink("..", at(b"a/up")).unwrap();
        for name in [&b"a/x"[..], b"a/.y", b"a/b/x\xff", b"a/b/x\n", b"a/b/c/x", b".h/x", b".h/i/.z"] {
            fs::write(at(name), "").unwrap();
        }
        let base = Pattern::escape(folder.path().to_str().unwrap());
        let found = |pattern: &str| -> Vec<String> {
            let paths = matching(&format!("{base}/{pattern}")).unwrap();
            let inside = |path: &PathBuf| path.strip_prefix(folder.path()).unwrap().to_owned();
            paths.iter().map(|path| inside(path).as_os_str().as_bytes().escape_ascii().to_string()).collect()
        };
        for (pattern, expected) in [
            ("a/x", &["a/x"][..]),
            ("a/x/y", &[]),
            ("none/*", &[]),
            ("a/*", &["a/b", "a/up", "a/x"]),
            ("a/b/x*", &["a/b/x\\n", "a/b/x\\xff"]),
            ("a/.*", &["a/.y"]),
            ("**/x*", &["a/b/c/x", "a/b/x\\n", "a/b/x\\xff", "a/x"]),
            ("**/**/c/**", &["a/b/c/x"]),
            (".*/x", &[".h/x"]),
            (".h/**/.[z]", &[".h/i/.z"]),
            ("a/up/a/[x]", &["a/up/a/x"]),
            ("a/x/**", &[]),
        ] {
            assert_eq!(found(pattern), expected, "{pattern}");
        }
        matching(&format!("{base}/a**")).unwrap_err();
    }
}
