//! What jobs on other machines need: which of them run where, the files and variables that
//! go along, and the directories there.

use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::cli::exit::Fault;
use crate::cli::flags::{Flag, Typed};
use crate::cli::named_hosts::named;
use crate::cli::shell::exported_function;
use crate::template::TemplateOptions;
use crate::workload::command::{FileRules, JobPlaces, PortableTemplate, TemplateKind};

/// On which of the hosts jobs run.
pub(super) fn places(typed: &Typed) -> Result<JobPlaces, Fault> {
    let every = || Ok::<_, Fault>(named(typed)?.into_iter().map(|host| host.text).collect());
    Ok(match [Flag::NonAll, Flag::OnAll, Flag::HostGroups].map(|flag| typed.has(flag)) {
        [true, _, _] => JobPlaces::OnEach(every()?),
        [_, true, _] => JobPlaces::AllOnEach(every()?),
        [_, _, true] => JobPlaces::ByGroup,
        _ => JobPlaces::Any,
    })
}

/// What files go to other machines and come back.
pub(super) fn files(typed: &Typed, options: &TemplateOptions) -> Result<FileRules, Fault> {
    let read = |name: &OsString| {
        PortableTemplate::read(TemplateKind::Exact, &[name.as_bytes()], options).map_err(Fault::usage)
    };
    let all = |names: &[OsString]| names.iter().map(read).collect::<Result<Vec<_>, _>>();
    Ok(FileRules {
        sent: all(&typed.run.sent_files)?,
        fetched: all(&typed.run.fetched_files)?,
        base: typed.run.base_files.iter().map(|path| path.as_bytes().to_vec()).collect(),
        removed: typed.has(Flag::CleanUp),
    })
}

/// What the environment has of the variables that `--env` names: these go to other
/// machines, functions of bash as bash hands them on. `_` names all.
pub(super) fn passed_variables(typed: &Typed) -> Vec<(OsString, OsString)> {
    /// What is about where one is, or who, and not about the work.
    const OF_THE_SESSION: [&str; 14] = [
        "DISPLAY", "HOME", "HOSTNAME", "LOGNAME", "MAIL", "OLDPWD", "PATH", "PWD", "SHELL", "SHLVL", "TERM",
        "TMPDIR", "USER", "_",
    ];
    let names = typed.run.env.iter().flat_map(|names| names.as_bytes().split(|byte| *byte == b','));
    let names: Vec<&OsStr> = names.map(OsStr::from_bytes).filter(|name| !name.is_empty()).collect();
    let is_named = |variable: &OsStr| {
        let function = exported_function(variable);
        let is_own = OF_THE_SESSION.iter().any(|own| variable == *own)
            || [&b"SSH_"[..], b"PARALLEL_SSH", b"PARSIM_WAY"]
                .iter()
                .any(|own| variable.as_bytes().starts_with(own));
        names.iter().any(|name| *name == variable || Some(*name) == function || *name == "_" && !is_own)
    };
    env::vars_os().filter(|(name, _)| is_named(name)).collect()
}

/// Where jobs on other machines run if `.` was typed: as far below the home there as this
/// is below the home here, or else where this is.
pub(super) fn same_directory() -> PathBuf {
    let here = env::current_dir().unwrap_or_default();
    let below = env::home_dir().and_then(|home| here.strip_prefix(home).map(Path::to_owned).ok());
    match below {
        Some(below) if below.as_os_str().is_empty() => PathBuf::from("."),
        Some(below) => below,
        None => here,
    }
}

/// Where those of `...` are made, below the home there.
pub(super) const OWN_FOLDERS: &str = ".parallel/tmp";
