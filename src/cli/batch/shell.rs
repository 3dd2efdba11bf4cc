//! The shell of the jobs, and what in the environment makes it read more than
//! the command line.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use crate::gnu_args::{Flag, Typed};
use crate::process::child::resolve;
use crate::workload::command::Shell;

/// Shells whose reading of plain words is known.
const KNOWN: [&str; 5] = ["sh", "dash", "bash", "ksh", "zsh"];

/// The shell of the jobs: the option's, `$PARSIM_SHELL` or `$PARALLEL_SHELL`; bash
/// where it hands functions on, for others drop them; else `$SHELL`, the shell that
/// started this process, /bin/sh.
pub(super) fn shell(typed: &Typed) -> Shell {
    let named = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let functions: Vec<OsString> = env::vars_os().filter_map(|(name, _)| exported_function(&name)).collect();
    let asked = typed.run.shell.clone().or_else(|| named("PARSIM_SHELL")).or_else(|| named("PARALLEL_SHELL"));
    let path = env::var_os("PATH").unwrap_or_else(|| OsString::from("/usr/bin:/bin"));
    let is_bash = |shell: &PathBuf| shell.file_name().is_some_and(|name| name == "bash");
    let usual = || match named("SHELL") {
        Some(shell) if functions.is_empty() || is_bash(&shell) => Some(shell),
        Some(_) | None if !functions.is_empty() => resolve(OsStr::new("bash"), &path).ok(),
        shell => shell.or_else(parent),
    };
    let asked = asked.or_else(usual);
    let program = asked.unwrap_or_else(|| PathBuf::from("/bin/sh"));
    let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let reads_a_file = ["BASH_ENV", "ENV"].iter().any(|name| env::var_os(name).is_some())
        || (name == "zsh" && env::home_dir().is_some_and(|home| home.join(".zshenv").exists()));
    let is_known = KNOWN.contains(&name.as_str());
    Shell {
        can_be_left_out: is_known && !reads_a_file && !Path::new("/etc/zshenv").exists(),
        functions,
        path,
        refused: typed.flags.has(Flag::NoShell),
        program,
    }
}

/// The program of the process that started this one, if it is a shell.
fn parent() -> Option<PathBuf> {
    let program = fs::read_link(format!("/proc/{}/exe", std::os::unix::process::parent_id())).ok()?;
    let name = program.file_name()?.to_str()?;
    KNOWN.contains(&name).then_some(program)
}

/// `f` of `BASH_FUNC_f%%`, which is how bash exports a function.
fn exported_function(name: &OsStr) -> Option<OsString> {
    let name = name.as_bytes().strip_prefix(b"BASH_FUNC_")?;
    let name = name.strip_suffix(b"%%").or_else(|| name.strip_suffix(b"()"))?;
    Some(OsString::from_vec(name.to_vec()))
}
