//! parsim run in a fresh directory, and everything there is to know printed
//! when an expectation fails.
//!
//! Does not know what any test is about.

mod hosts;
mod ran;
mod scripted;
mod started;
#[cfg(feature = "net")]
mod stub;

use std::ffi::OsStr;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

pub(crate) use hosts::Hosts;
pub(crate) use ran::Ran;
pub(crate) use scripted::Scripted;
pub(crate) use started::Started;
#[cfg(feature = "net")]
pub(crate) use stub::{Asked, Reply, Stub};

/// The program under test.
const PARSIM: &str = env!("CARGO_BIN_EXE_parsim");

/// What a user's environment could change.
const CLEARED: [&str; 16] = [
    "NO_COLOR",
    "CLICOLOR_FORCE",
    "TERM",
    "COLUMNS",
    "LINES",
    "LANG",
    "LC_CTYPE",
    "SLURM_CPUS_PER_TASK",
    "PBS_NCPUS",
    "NSLOTS",
    "RUST_BACKTRACE",
    "PARSIM",
    "PARSIM_WAY",
    "PARSIM_SHELL",
    "PARALLEL_SHELL",
    "PARALLEL_ENV",
];

/// The same of how services are reached.
const PROXIES: [&str; 8] = [
    "http_proxy",
    "HTTP_PROXY",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
];

/// A fresh directory, gone when the test is over.
pub(crate) struct Fresh {
    folder: TempDir,
}

impl Fresh {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// Where `name` is or will be.
    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    /// parsim with the words of `line`, which hold no spaces themselves.
    pub(crate) fn parsim(&self, line: &str) -> Line {
        self.program(PARSIM).args(line.split_whitespace())
    }

    /// A shell command in which `parsim` is the program under test.
    pub(crate) fn shell(&self, script: &str) -> Line {
        let folder = Path::new(PARSIM).parent().unwrap();
        let path = std::env::join_paths(
            std::iter::once(folder.to_owned())
                .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())),
        );
        self.program("/bin/sh").args(["-c", script]).env("PATH", path.unwrap())
    }

    fn program(&self, program: &str) -> Line {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path()).env("LC_ALL", "C.UTF-8").process_group(0);
        signals_as_a_terminal_has_them(&mut command);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for name in CLEARED.iter().chain(&PROXIES) {
            command.env_remove(name);
        }
        Line { command }
    }

    /// The names in a folder, hidden ones too, in order; none when it is not there.
    pub(crate) fn names(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(folder)).into_iter().flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// What the tests were started with is not for what they start: a shell's background
/// job has SIGINT ignored, and what `nohup` runs SIGHUP.
#[expect(unsafe_code, reason = "std cannot set a signal back to its default in a child")]
fn signals_as_a_terminal_has_them(command: &mut Command) {
    const SIGNALS: [i32; 13] = [
        libc::SIGINT,
        libc::SIGTERM,
        libc::SIGHUP,
        libc::SIGQUIT,
        libc::SIGUSR1,
        libc::SIGUSR2,
        libc::SIGTSTP,
        libc::SIGCONT,
        libc::SIGABRT,
        libc::SIGALRM,
        libc::SIGXCPU,
        libc::SIGVTALRM,
        libc::SIGPROF,
    ];
    let reset = || {
        for signal in SIGNALS {
            // SAFETY: signal(2) is async-signal-safe, and the default is a valid action.
            unsafe { libc::signal(signal, libc::SIG_DFL) };
        }
        Ok(())
    };
    // SAFETY: `reset` does nothing but what may be done between fork and exec.
    unsafe { command.pre_exec(reset) };
}

/// A command line that is being put together.
pub(crate) struct Line {
    command: Command,
}

impl Line {
    pub(crate) fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(args);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn stdin(mut self, stdin: impl Into<Stdio>) -> Self {
        self.command.stdin(stdin);
        self
    }

    pub(crate) fn stdout(mut self, stdout: impl Into<Stdio>) -> Self {
        self.command.stdout(stdout);
        self
    }

    pub(crate) fn stderr(mut self, stderr: impl Into<Stdio>) -> Self {
        self.command.stderr(stderr);
        self
    }

    /// For what only the command itself can be told.
    pub(crate) fn command(&mut self) -> &mut Command {
        &mut self.command
    }

    /// Runs it with `first` on standard input, and `second` only once `ready`:
    /// what is read must have had its effect by then.
    pub(crate) fn run_fed(self, first: &str, ready: impl Fn() -> bool, second: &str) {
        let mut line = self.stdin(Stdio::piped());
        let mut child = line.command().spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(first.as_bytes()).unwrap();
        while !ready() {
            std::thread::yield_now();
        }
        stdin.write_all(second.as_bytes()).unwrap();
        drop(stdin);
        assert!(child.wait().unwrap().success());
    }

    /// Starts it; the caller says when it is to end.
    pub(crate) fn start(self) -> Started {
        Started::start(self.command)
    }

    /// Runs it to its end.
    pub(crate) fn run(self) -> Ran {
        self.start().end()
    }
}
