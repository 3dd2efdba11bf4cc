//! The processes that this one comes from: who started it, who started that one,
//! and so on.
//!
//! Knows what the kernel tells of a process, not which programs are of interest.

use std::ffi::{OsStr, OsString};
use std::fs::{self, Metadata};
use std::io::Read as _;
use std::iter;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

/// More than any chain of processes has: one that seems longer changes while it is
/// read.
const MOST: usize = 1000;

/// What the kernel adds to the name of a program whose file was replaced.
const DELETED: &[u8] = b" (deleted)";

/// So much is read of a file: the first words of a command line, the others whole.
const LONGEST: usize = 4096;

/// A process that this one comes from.
pub struct Ancestor {
    folder: PathBuf,
}

/// The ancestors of this process, the nearest first; none where there is no /proc.
pub fn ancestors() -> impl Iterator<Item = Ancestor> {
    ancestors_in(Path::new("/proc"), std::os::unix::process::parent_id())
}

/// Process `first` and its ancestors, as `proc` has them.
pub(crate) fn ancestors_in(proc: &Path, first: u32) -> impl Iterator<Item = Ancestor> {
    let mut last: Option<Ancestor> = None;
    let next = move || {
        let pid = last.as_ref().map_or(Some(first), Ancestor::parent)?;
        // What started the first process of a container is not seen there.
        let folder = (pid > 0).then(|| proc.join(pid.to_string()))?;
        last = Some(Ancestor { folder: folder.clone() });
        Some(Ancestor { folder })
    };
    iter::from_fn(next).take(MOST)
}

impl Ancestor {
    /// The file of its program; `None` where only its owner may know.
    pub fn program(&self) -> Option<PathBuf> {
        let program = fs::read_link(self.folder.join("exe")).ok()?;
        let name = program.as_os_str().as_bytes();
        match name.strip_suffix(DELETED) {
            Some(name) => Some(PathBuf::from(OsStr::from_bytes(name))),
            None => Some(program),
        }
    }

    /// That file's metadata, even if another stands in its place now.
    pub fn metadata(&self) -> Option<Metadata> {
        fs::metadata(self.folder.join("exe")).ok()
    }

    /// The first two words of its command line, as far as it has them.
    pub fn words(&self) -> [OsString; 2] {
        let line = self.beginning_of("cmdline").unwrap_or_default();
        let mut words = line.split(|&byte| byte == 0).map(<[u8]>::to_vec).map(OsString::from_vec);
        [(); 2].map(|()| words.next().unwrap_or_default())
    }

    /// The name it goes by, cut after 15 bytes.
    pub fn name(&self) -> Option<OsString> {
        let mut name = self.beginning_of("comm")?;
        name.pop_if(|last| *last == b'\n');
        Some(OsString::from_vec(name))
    }

    /// What one call reads of a file: none of these is made in parts.
    fn beginning_of(&self, file: &str) -> Option<Vec<u8>> {
        let mut text = vec![0; LONGEST];
        let length = fs::File::open(self.folder.join(file)).ok()?.read(&mut text).ok()?;
        text.truncate(length);
        Some(text)
    }

    fn parent(&self) -> Option<u32> {
        let stat = self.beginning_of("stat")?;
        // A name may hold anything, `)` too.
        let after = stat.rsplit(|&byte| byte == b')').next()?;
        let mut fields = after.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty());
        std::str::from_utf8(fields.nth(1)?).ok()?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn process(proc: &Path, pid: u32, stat: &str) -> PathBuf {
        let folder = proc.join(pid.to_string());
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("stat"), format!("{pid} {stat} 0 0")).unwrap();
        folder
    }

    #[test]
    fn a_name_with_parentheses_and_blanks_does_not_hide_the_parent() {
        let proc = tempfile::tempdir().unwrap();
        process(proc.path(), 7, "(a) R 9) S 5");
        process(proc.path(), 5, "(sh) S 1");
        process(proc.path(), 1, "(init) S 0");
        let folders: Vec<_> = ancestors_in(proc.path(), 7).map(|ancestor| ancestor.folder).collect();
        assert_eq!(folders, ["7", "5", "1"].map(|pid| proc.path().join(pid)));
    }

    #[test]
    fn a_chain_that_cannot_be_read_on_or_never_ends_has_an_end() {
        let proc = tempfile::tempdir().unwrap();
        assert_eq!(ancestors_in(proc.path(), 0).count(), 0, "nobody outside the container");
        process(proc.path(), 3, "(ring) S 3");
        assert_eq!(ancestors_in(proc.path(), 3).count(), MOST);
        process(proc.path(), 4, "(torn");
        assert_eq!(ancestors_in(proc.path(), 4).count(), 1);
    }

    #[test]
    fn a_process_is_known_by_its_program_its_words_and_its_name() {
        let proc = tempfile::tempdir().unwrap();
        let folder = process(proc.path(), 2, "(x) S 0");
        let ancestor = ancestors_in(proc.path(), 2).next().unwrap();
        assert_eq!((ancestor.program(), ancestor.name()), (None, None));
        assert_eq!(ancestor.words(), [OsString::new(), OsString::new()]);
        symlink("/bin/bash (deleted)", folder.join("exe")).unwrap();
        fs::write(folder.join("cmdline"), "-bash\0run.sh\0b\0").unwrap();
        fs::write(folder.join("comm"), "run.sh\n").unwrap();
        assert_eq!(ancestor.program(), Some(PathBuf::from("/bin/bash")));
        assert_eq!(ancestor.words(), ["-bash", "run.sh"].map(OsString::from));
        assert_eq!(ancestor.name(), Some(OsString::from("run.sh")));
    }
}
