//! The paths that a pattern of `--outputs` stands for, whatever bytes their names
//! are made of.
//!
//! Hidden names are meant only where the pattern has their dot; `**` goes through no
//! symbolic link. What is not there is no error, and every other failure to look is.

use std::fs;
use std::io::ErrorKind::{NotADirectory, NotFound};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use glob::{MatchOptions, Pattern};

/// The paths that match `pattern`, in order.
pub(super) fn matching(pattern: &str) -> anyhow::Result<Vec<PathBuf>> {
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
        return match path.symlink_metadata() {
            Ok(_) => expand(&path, rest, found),
            Err(error) if matches!(error.kind(), NotFound | NotADirectory) => Ok(()),
            Err(error) => Err(error).with_context(|| format!("cannot look at {}", path.display())),
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
fn names(folder: &Path, only_folders: bool) -> anyhow::Result<Vec<std::ffi::OsString>> {
    let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let unread = || format!("cannot read the folder {}", here.display());
    let entries = match fs::read_dir(here) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), NotFound | NotADirectory) => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(unread),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.with_context(unread)?;
        if !only_folders || entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            names.push(entry.file_name());
        }
    }
    Ok(names)
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
