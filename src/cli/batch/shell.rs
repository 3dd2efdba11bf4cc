//! The shell of the jobs, and what in the environment makes it read more than
//! the command line.

use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use crate::gnu_args::{Flag, Typed};
use crate::workload::command::Shell;

/// The shell of the jobs: the option's, else `$PARSIM_SHELL`, `$SHELL`, /bin/sh.
pub(super) fn shell(typed: &Typed) -> Shell {
    let named = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let asked = typed.run.shell.clone().or_else(|| named("PARSIM_SHELL")).or_else(|| named("SHELL"));
    let program = asked.unwrap_or_else(|| PathBuf::from("/bin/sh"));
    let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let reads_a_file = ["BASH_ENV", "ENV"].iter().any(|name| env::var_os(name).is_some())
        || (name == "zsh" && env::home_dir().is_some_and(|home| home.join(".zshenv").exists()));
    let is_known = ["sh", "dash", "bash", "ksh", "zsh"].contains(&name.as_str());
    Shell {
        can_be_left_out: is_known && !reads_a_file && !Path::new("/etc/zshenv").exists(),
        functions: env::vars_os().filter_map(|(name, _)| exported_function(&name)).collect(),
        path: env::var_os("PATH").unwrap_or_else(|| OsString::from("/usr/bin:/bin")),
        refused: typed.flags.has(Flag::NoShell),
        program,
    }
}

/// `f` of `BASH_FUNC_f%%`, which is how bash exports a function.
fn exported_function(name: &OsStr) -> Option<OsString> {
    let name = name.as_bytes().strip_prefix(b"BASH_FUNC_")?;
    let name = name.strip_suffix(b"%%").or_else(|| name.strip_suffix(b"()"))?;
    Some(OsString::from_vec(name.to_vec()))
}
