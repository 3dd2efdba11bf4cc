//! Named pipes: opening one waits for who opens its other end, and a wait that no
//! signal ends is none.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::Duration;

use super::descriptor;

/// How long to wait before it is looked again whether somebody reads.
const A_MOMENT: Duration = Duration::from_millis(10);

/// Opens `path` to be read. A pipe that nobody writes to yet is no file that has
/// ended: it becomes readable with the first writer, which is to be waited for.
///
/// # Errors
/// When it cannot be opened.
pub fn open_to_read(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)?;
    descriptor::set_blocking(file.as_fd())?;
    Ok(file)
}

/// Opens `path` as `options` say. While it is a pipe that nobody reads, `wait` waits,
/// and says whether to go on waiting.
///
/// # Errors
/// When it cannot be opened, or was not to be waited for any more.
pub fn open_to_write(
    path: &Path,
    options: &OpenOptions,
    wait: impl Fn(Duration) -> bool,
) -> io::Result<File> {
    if !fs::metadata(path).is_ok_and(|data| data.file_type().is_fifo()) {
        return options.open(path);
    }
    let mut options = options.clone();
    options.custom_flags(libc::O_NONBLOCK);
    loop {
        match options.open(path) {
            Err(error) if error.raw_os_error() == Some(libc::ENXIO) => {
                if !wait(A_MOMENT) {
                    return Err(io::Error::new(io::ErrorKind::Interrupted, "nobody reads from this pipe"));
                }
            }
            opened => {
                let file = opened?;
                descriptor::set_blocking(file.as_fd())?;
                return Ok(file);
            }
        }
    }
}
