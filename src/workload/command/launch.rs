//! Whether a command line needs a shell, decided once for a batch, and the
//! argument vector of each job.

use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};

use super::{Directory, Settings};
use crate::process::child::{Command, Words, resolve};
use crate::template::{Direct, Numbers, Template};

/// What runs command lines.
#[derive(Clone, Debug)]
pub struct Shell {
    /// The shell's program.
    pub program: PathBuf,
    /// Whether a line of plain words may be run without it: nothing in the
    /// environment makes the shell read a file first, or defines functions.
    pub can_be_left_out: bool,
    /// Functions that the environment hands to the shell.
    pub functions: Vec<OsString>,
    /// Where programs are looked for.
    pub path: OsString,
    /// Whether lines that need a shell are refused: `--no-shell`.
    pub refused: bool,
}

/// How jobs are started.
pub(super) struct Launch {
    direct: Option<(Direct, Command)>,
    shell: Command,
    sh: Command,
}

impl Launch {
    pub(super) fn new(
        settings: &Settings,
        template: &Template,
        environment: &Arc<Words>,
    ) -> anyhow::Result<Self> {
        let prepared = |program: &Path| -> anyhow::Result<Command> {
            let program =
                CString::new(program.as_os_str().as_bytes()).context("a program's name with a NUL in it")?;
            let mut command = Command::new(program, Arc::clone(environment));
            if let Directory::Fixed(directory) = &settings.directory {
                command.directory = Some(directory.clone());
            }
            command.nice = settings.nice;
            Ok(command)
        };
        let shell = &settings.shell;
        let direct = match Direct::of(template, settings.quoting) {
            // Elsewhere a name such as ./run is another program.
            Some(direct)
                if is_plain(shell, direct.program())
                    && (matches!(settings.directory, Directory::Here) || !is_relative(direct.program())) =>
            {
                // Not found, the shell says so in its own words.
                match resolve(OsStr::from_bytes(direct.program()), &shell.path) {
                    Ok(program) => Some((direct, prepared(&program)?)),
                    Err(_) => None,
                }
            }
            _ => None,
        };
        if shell.refused && direct.is_none() {
            bail!("--no-shell: the command needs a shell, or is no program in PATH");
        }
        let program = resolve(shell.program.as_os_str(), &shell.path)
            .with_context(|| format!("the shell {} (--shell PATH names another)", shell.program.display()))?;
        Ok(Self { direct, shell: prepared(&program)?, sh: prepared(Path::new("/bin/sh"))? })
    }

    /// The program of every job.
    pub(super) fn command(&self) -> &Command {
        self.direct.as_ref().map_or(&self.shell, |(_, command)| command)
    }

    /// The program of a script that names none.
    pub(super) fn sh(&self) -> &Command {
        &self.sh
    }

    /// The arguments of one job.
    pub(super) fn argv(&self, line: &[u8], values: &[Vec<u8>], numbers: &Numbers) -> io::Result<Words> {
        if let Some((direct, _)) = &self.direct {
            let words = direct.render_argv(values, numbers);
            return Words::from_words(words.iter().map(|word| OsStr::from_bytes(word)));
        }
        let shell = OsStr::from_bytes(self.shell.program.as_bytes());
        Words::from_words([shell, OsStr::new("-c"), OsStr::from_bytes(line)])
    }
}

impl Launch {
    /// The arguments with which sh runs `script`, for a line that knows `name`.
    pub(super) fn argv_through(&self, script: &str, name: &Path, line: &[u8]) -> io::Result<Words> {
        let shell = OsStr::from_bytes(self.shell.program.as_bytes());
        let line = OsStr::from_bytes(line);
        Words::from_words(["/bin/sh", "-c", script, "sh"].map(OsStr::new).into_iter().chain([
            name.as_os_str(),
            shell,
            line,
        ]))
    }
}

/// Whether where `program` is depends on the working directory.
fn is_relative(program: &[u8]) -> bool {
    program.contains(&b'/') && !program.starts_with(b"/")
}

/// Whether `program` means the same to the shell as to the kernel.
fn is_plain(shell: &Shell, program: &[u8]) -> bool {
    shell.can_be_left_out && !shell.functions.iter().any(|function| function.as_bytes() == program)
}
