//! A program's place in PATH, looked up once for a whole batch.
//!
//! Does not know whether the kernel will like what it finds.

use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::start_error::StartError;

/// Finds `program` as `execvp` would: a name with a slash is taken as it is,
/// anything else is looked for in the directories of `path`, of which an empty
/// one means here. Files that may not be executed are passed over.
///
/// The answer is absolute, so that a job's working directory does not matter.
///
/// # Errors
/// [`StartError::NotFound`]; [`StartError::Denied`] when a file was found that
/// may not be executed, and no other.
pub fn resolve(program: &OsStr, path: &OsStr) -> Result<PathBuf, StartError> {
    if program.is_empty() {
        return Err(StartError::NotFound);
    }
    if program.as_bytes().contains(&b'/') {
        return executable(Path::new(program));
    }
    let mut denied = false;
    for directory in path.as_bytes().split(|&byte| byte == b':') {
        let directory = if directory.is_empty() { b"." } else { directory };
        match executable(&Path::new(OsStr::from_bytes(directory)).join(program)) {
            Ok(found) => return Ok(found),
            Err(error) => denied |= matches!(error, StartError::Denied),
        }
    }
    Err(if denied { StartError::Denied } else { StartError::NotFound })
}

fn executable(file: &Path) -> Result<PathBuf, StartError> {
    let kind = std::fs::metadata(file).map_err(StartError::from_exec)?;
    if kind.is_dir() || !may_execute(file) {
        return Err(StartError::Denied);
    }
    // Not canonical: the name of a link can be what the program goes by.
    std::path::absolute(file).map_err(StartError::Refused)
}

/// Asks the kernel, by the effective user as `execve` does.
#[expect(unsafe_code, reason = "no access(2) in std")]
fn may_execute(file: &Path) -> bool {
    let Ok(file) = CString::new(file.as_os_str().as_bytes()) else { return false };
    // SAFETY: `file` is a C string that lives through the call, which only reads it.
    unsafe { libc::faccessat(libc::AT_FDCWD, file.as_ptr(), libc::X_OK, libc::AT_EACCESS) == 0 }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn file(directory: &Path, name: &str, mode: u32) -> PathBuf {
        let file = directory.join(name);
        fs::write(&file, "").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        file
    }

    #[test]
    fn a_file_that_may_not_be_executed_is_passed_over_and_remembered() {
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let path = std::env::join_paths([first.path(), second.path()]).unwrap();
        file(first.path(), "tool", 0o644);
        fs::create_dir(first.path().join("folder")).unwrap();
        let look = |name: &str| resolve(OsStr::new(name), &path);
        assert!(matches!(look("tool"), Err(StartError::Denied)));
        assert!(matches!(look("folder"), Err(StartError::Denied)));
        assert!(matches!(look("other"), Err(StartError::NotFound)));
        assert!(matches!(look(""), Err(StartError::NotFound)));
        let executable = file(second.path(), "tool", 0o755);
        assert_eq!(look("tool").unwrap(), executable);
        let text = executable.to_str().unwrap();
        assert_eq!(look(text).unwrap(), executable);
        assert!(matches!(look(&format!("{text}x")), Err(StartError::NotFound)));
        assert!(matches!(look(&format!("{text}/x")), Err(StartError::NotFound)));
    }

    #[test]
    fn an_empty_directory_in_path_means_here() {
        let found = resolve(OsStr::new("Cargo.toml"), OsStr::new("/dev/null::/bin"));
        assert!(matches!(found, Err(StartError::Denied)), "{found:?}");
        assert!(resolve(OsStr::new("sh"), OsStr::new(":/bin")).unwrap().is_absolute());
    }
}
