//! A command that is prepared once for a whole batch: its program's place in PATH,
//! arguments and environments made of other ones, and why it could not be started.
//!
//! Does not know how it is started.

use std::ffi::{CStr, CString, OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::byte_list::ByteList;

/// What many jobs have in common.
#[derive(Clone, Debug)]
pub struct Command {
    /// The program's absolute path: see [`resolve`].
    pub program: CString,
    /// The environment that all jobs share: see [`inherited_environment`].
    pub environment: Arc<ByteList>,
    /// Where jobs run; None is this process's own directory.
    pub directory: Option<PathBuf>,
    /// The niceness of jobs, absolute, not an increment; None is this process's own.
    pub nice: Option<i32>,
}

impl Command {
    /// A command that runs here, with no other niceness.
    pub fn new(program: CString, environment: Arc<ByteList>) -> Self {
        Self { program, environment, directory: None, nice: None }
    }
}

/// This process's environment, except the variables that each job gets its own
/// value of: the block that all jobs share.
pub fn inherited_environment<N: AsRef<OsStr>>(without: &[N]) -> ByteList {
    let mut list = ByteList::new();
    for (name, value) in std::env::vars_os() {
        if !without.iter().any(|other| name == other.as_ref()) {
            // The system knows none with a NUL.
            let _ = list.push_variable(name, value);
        }
    }
    list
}

/// The arguments with which a shell runs `program`, a text without an interpreter
/// line, with the arguments `argv`: what to do after
/// [`StartError::NoInterpreter`]. `shell` is its
/// name and what comes before a text's; without any it is /bin/sh.
pub fn through_shell(argv: &ByteList, shell: &[OsString], program: &CStr) -> ByteList {
    let shell = match shell {
        [] => [b"/bin/sh".as_slice()].into_iter().collect(),
        words => words.iter().map(|word| word.as_bytes()).collect::<Vec<_>>(),
    };
    shell.into_iter().chain([program.to_bytes()]).chain(argv.iter().skip(1)).collect()
}

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

/// Why there is no report of a job, told apart as far as a caller has different answers. (Exit
/// statuses are the caller's.)
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No such program, or its interpreter is missing. Shells end with 127.
    #[error("no such program (or its interpreter is missing)")]
    NotFound,
    /// It may not be executed. Shells end with 126.
    #[error("permission denied")]
    Denied,
    /// Executable, but neither a binary for this machine nor a text with an
    /// interpreter line. Shells then run it themselves or with /bin/sh:
    /// [`through_shell`].
    #[error("neither a program for this machine nor a script with #!")]
    NoInterpreter,
    /// The arguments and the environment are longer than the kernel allows.
    #[error("arguments and environment are longer than the system allows")]
    TooLong,
    /// Any other refusal of the program itself.
    #[error("cannot be executed: {0}")]
    Refused(io::Error),
    /// The job's working directory cannot be entered.
    #[error("cannot enter the working directory: {0}")]
    Directory(io::Error),
    /// No process, descriptor or memory was to be had; jobs that run may free some.
    #[error("cannot start a process: {0} (see ulimit -u, -n and -v)")]
    Resources(io::Error),
    /// Nothing is started any more: the run was terminated.
    #[error("not started: the run was ending")]
    Ending,
    /// It was started, but could not be attended to: it was killed.
    #[error("killed: parsim could not watch it: {0}")]
    Lost(io::Error),
}

impl StartError {
    /// The reason for which `execve` failed.
    pub(super) fn from_exec(error: io::Error) -> Self {
        match error.raw_os_error() {
            Some(libc::ENOENT | libc::ENOTDIR) => Self::NotFound,
            Some(libc::EACCES | libc::EPERM) => Self::Denied,
            Some(libc::ENOEXEC) => Self::NoInterpreter,
            Some(libc::E2BIG) => Self::TooLong,
            Some(libc::EAGAIN | libc::ENOMEM | libc::EMFILE | libc::ENFILE) => Self::Resources(error),
            _ => Self::Refused(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn why_nothing_could_be_started_is_said_once() {
        let refused = || io::Error::from_raw_os_error(libc::EAGAIN);
        for error in
            [StartError::Resources(refused()), StartError::Refused(refused()), StartError::Lost(refused())]
        {
            let text = format!("{:#}", anyhow::Error::new(error));
            assert_eq!(text.matches(&refused().to_string()).count(), 1, "{text}");
        }
    }

    #[test]
    fn a_text_runs_through_a_shell_with_its_own_arguments() {
        let words = ByteList::from_words(["tool", "x", "y"]).unwrap();
        let through = |shell: &[OsString]| through_shell(&words, shell, c"/opt/tool");
        assert_eq!(through(&[]), ByteList::from_words(["/bin/sh", "/opt/tool", "x", "y"]).unwrap());
        let busybox = ["/bin/busybox", "sh"].map(OsString::from);
        let expected = ByteList::from_words(["/bin/busybox", "sh", "/opt/tool", "x", "y"]);
        assert_eq!(through(&busybox), expected.unwrap());
    }

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
