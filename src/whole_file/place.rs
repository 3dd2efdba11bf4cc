//! What a path stands for that output is to go to: stdout, a stream (a pipe, a device), or
//! a file, which is then whole or absent. And when two paths are one place: a file by
//! several names, a file that is yet to be.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::WholeFile;
use crate::process::{self, BlockingIo, open_to_write};

/// Where output goes.
pub enum OutputPlace {
    /// Standard output.
    Stdout,
    /// A pipe or a device, which takes what is written once.
    Stream(Box<dyn Write + Send>),
    /// A file at this path, or rather a temporary beside it. Through a link the file behind
    /// it is replaced, not the link.
    Whole(PathBuf, WholeFile),
}

impl OutputPlace {
    /// Opens what `path` stands for. A pipe is waited for until somebody reads it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::open_waiting(path, &for_ever)
    }

    /// The same, where `wait` waits for who reads a pipe, and says whether to go on waiting.
    ///
    /// # Errors
    /// When it cannot be written, or nobody waits any more.
    pub fn open_waiting(path: &Path, wait: &dyn Fn(Duration) -> bool) -> io::Result<Self> {
        Self::open_with(path, wait, WholeFile::create)
    }

    fn open_with(
        path: &Path,
        wait: &dyn Fn(Duration) -> bool,
        create: impl FnOnce(&Path) -> io::Result<WholeFile>,
    ) -> io::Result<Self> {
        if is_stdout(path) {
            return Ok(Self::Stdout);
        }
        if is_same(path, "/dev/stderr") {
            return Ok(Self::Stream(Box::new(process::stderr())));
        }
        let path = behind_links(path);
        let is_stream = fs::metadata(&path).is_ok_and(|target| !target.is_file() && !target.is_dir());
        if is_stream {
            let stream = open_to_write(&path, OpenOptions::new().write(true), wait)?;
            return Ok(Self::Stream(Box::new(BlockingIo(stream))));
        }
        let file = create(&path)?;
        Ok(Self::Whole(path, file))
    }
}

/// Waits for who reads a pipe as long as that takes: signals end the process meanwhile.
fn for_ever(time: Duration) -> bool {
    thread::sleep(time);
    true
}

/// Takes output wherever it goes. Dropped without [`OutputFile::commit`], a file vanishes; what
/// went elsewhere is gone.
pub enum OutputFile {
    /// Stdout, a pipe or a device.
    Stream(Box<dyn Write + Send>),
    /// A file.
    Whole(WholeFile),
}

impl OutputFile {
    /// Opens what `path` stands for, as [`OutputPlace::open`] does.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn open(path: &Path) -> io::Result<Self> {
        OutputPlace::open(path).map(Self::of)
    }

    /// The same, with the folders that lead there where there are none yet.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn open_with_folders(path: &Path) -> io::Result<Self> {
        OutputPlace::open_with(path, &for_ever, WholeFile::create_with_folders).map(Self::of)
    }

    fn of(place: OutputPlace) -> Self {
        match place {
            OutputPlace::Stdout => Self::Stream(Box::new(process::stdout())),
            OutputPlace::Stream(stream) => Self::Stream(stream),
            OutputPlace::Whole(_, file) => Self::Whole(file),
        }
    }

    /// What was written so far, to be read, and another file for the same place.
    ///
    /// # Errors
    /// When there can be none, or it went to a stream.
    pub fn again(&self) -> io::Result<(File, Self)> {
        match self {
            Self::Stream(_) => Err(io::Error::from(io::ErrorKind::NotSeekable)),
            Self::Whole(file) => file.again().map(|(written, new)| (written, Self::Whole(new))),
        }
    }

    /// Gives a file its name; what was written elsewhere is there already.
    ///
    /// # Errors
    /// When the file cannot be given its name.
    pub fn commit(self) -> io::Result<()> {
        match self {
            Self::Stream(mut stream) => stream.flush(),
            Self::Whole(file) => file.commit(),
        }
    }
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stream(stream) => stream.write(bytes),
            Self::Whole(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stream(stream) => stream.flush(),
            Self::Whole(file) => file.flush(),
        }
    }
}

impl std::fmt::Debug for OutputFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Stream(_) => f.write_str("Stream"),
            Self::Whole(file) => file.fmt(f),
        }
    }
}

/// Where a path leads, by whichever name.
#[derive(Debug, PartialEq, Eq)]
pub enum FileId {
    /// Standard output.
    Stdout,
    /// By device and inode.
    Stream((u64, u64)),
    /// By its path, through all links.
    File(PathBuf),
}

impl FileId {
    /// `None` for the device that has room for everything.
    pub fn of(path: &Path) -> Option<Self> {
        if is_stdout(path) {
            return Some(Self::Stdout);
        }
        if let Some(stream) = identity(path).filter(|_| !path.is_file()) {
            return (Some(stream) != identity(Path::new("/dev/null"))).then_some(Self::Stream(stream));
        }
        // A file that is yet to be is told by its folder.
        let path = behind_links(path);
        let new = || Some(fs::canonicalize(folder(&path)).ok()?.join(path.file_name()?));
        Some(Self::File(fs::canonicalize(&path).ok().or_else(new).unwrap_or(path)))
    }
}

/// Where what is written to `path` ends up: through a link the file behind it is written and
/// replaced, not the link, though there be no file yet.
pub fn behind_links(path: &Path) -> PathBuf {
    /// As many as Linux follows.
    const MOST_LINKS: usize = 40;
    let mut behind = path.to_owned();
    for _ in 0..MOST_LINKS {
        if let Ok(real) = fs::canonicalize(&behind) {
            return real;
        }
        match fs::read_link(&behind) {
            Ok(target) => behind = folder(&behind).join(target),
            Err(_) => return behind,
        }
    }
    path.to_owned()
}

/// The folder that `path` is in.
pub fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Whether stdout is meant.
pub fn is_stdout(path: &Path) -> bool {
    path == Path::new("-") || is_same(path, "/dev/stdout")
}

/// Whether `path` is another name of `stream`: `/dev/fd/1`, the file it is
/// redirected to.
fn is_same(path: &Path, stream: &str) -> bool {
    let target = identity(path);
    target.is_some() && target == identity(Path::new(stream)) && path != Path::new("/dev/null")
}

/// What a file is to the system, whatever it is called: device and inode; `None` where there is none.
pub fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).map(|target| (target.dev(), target.ino())).ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn through_a_link_its_file_is_replaced_and_a_device_is_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("x.csv"), folder.path().join("link"));
        fs::write(&file, "old").unwrap();
        symlink("x.csv", &link).unwrap();
        let mut out = OutputFile::open(&link).unwrap();
        out.write_all(b"new").unwrap();
        out.commit().unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());

        let null = folder.path().join("null");
        symlink("/dev/null", &null).unwrap();
        let mut out = OutputFile::open(&null).unwrap();
        out.write_all(b"new").unwrap();
        out.commit().unwrap();
        assert!(fs::symlink_metadata(&null).unwrap().is_symlink());
        assert!(matches!(OutputPlace::open(Path::new("-")), Ok(OutputPlace::Stdout)));
    }

    #[test]
    fn two_names_of_one_place_are_one() {
        let folder = tempfile::tempdir().unwrap();
        let (new, link) = (folder.path().join("new"), folder.path().join("link"));
        assert_eq!(FileId::of(&new), FileId::of(&folder.path().join("./new")));
        fs::write(&new, "").unwrap();
        symlink("new", &link).unwrap();
        assert_eq!(FileId::of(&new), FileId::of(&link));
        assert_eq!(FileId::of(Path::new("/dev/null")), None);
        assert_eq!(FileId::of(Path::new("-")), Some(FileId::Stdout));
    }
}
