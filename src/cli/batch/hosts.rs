//! The hosts of `-S` and `--sshloginfile`: which there are, and the engine that runs jobs
//! there.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::Read as _;
use std::num::{NonZeroU32, NonZeroUsize};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::cli::exit::{Fault, refuse};
use crate::cli::flags::{Flag, HostSource, JobCount, Typed};
use crate::cli::shell::exported_function;
use crate::cli::terminal::say;
use crate::cli::width::AS_MANY;
use crate::cli::worker;
use crate::engine::{
    Engine, HostPlace, OwnProgram, SlotRule, SshHost, SshHosts, SshLogin, SshLogins, WorkerChoice,
};
use crate::task::NodeName;
use crate::template::TemplateOptions;
use crate::text::reason;
use crate::workload::command::{FileRules, JobPlaces, PortableTemplate, TemplateKind};

/// Where GNU parallel's users keep their hosts.
const USUAL_FILE: &str = ".parallel/sshloginfile";

/// Puts what files name in their place, once: standard input cannot be read again, and a
/// file may change meanwhile.
pub(super) fn read_files(typed: &mut Typed) -> Result<(), Fault> {
    let mut hosts = Vec::new();
    for source in std::mem::take(&mut typed.run.hosts) {
        match source {
            HostSource::Text(text) if text == ".." => hosts.extend(in_file(Path::new(".."))?),
            HostSource::Text(_) => hosts.push(source),
            HostSource::File(path) => hosts.extend(in_file(&path)?),
        }
    }
    typed.run.hosts = hosts;
    Ok(())
}

/// The hosts that were named, each once; none where jobs run on this machine alone.
pub(super) fn named(typed: &Typed) -> Result<Vec<SshLogin>, Fault> {
    if typed.run.hosts.is_empty() {
        return Ok(Vec::new());
    }
    let mut logins = SshLogins::default();
    for source in &typed.run.hosts {
        // What is still a file is read where jobs are run.
        let HostSource::Text(text) = source else { continue };
        logins.read(text).map_err(|error| Fault::usage(error.context("-S")))?;
    }
    logins.wanted().map_err(Fault::usage)
}

/// Whether all that is meant is this machine.
pub(super) fn is_here_alone(typed: &Typed, hosts: &[SshLogin]) -> bool {
    matches!(hosts, [host] if host.is_here()) && !typed.has_any(&[Flag::NonAll, Flag::OnAll])
}

/// Whether jobs run on other machines, too.
pub(super) fn are_far(typed: &Typed) -> Result<bool, Fault> {
    let hosts = named(typed)?;
    Ok(!hosts.is_empty() && !is_here_alone(typed, &hosts))
}

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

/// The lines of a file that name hosts: those that are not empty and do not begin with `#`.
fn in_file(path: &Path) -> Result<Vec<HostSource>, Fault> {
    let path = match path.to_str() {
        Some("..") => env::home_dir().unwrap_or_default().join(USUAL_FILE),
        _ => path.to_owned(),
    };
    let refused = |why: &str| Fault::Usage(format!("--sshloginfile {}: {why}", path.display()));
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin().read_to_string(&mut text)
    } else {
        std::fs::File::open(&path).and_then(|mut file| file.read_to_string(&mut text))
    };
    read.map_err(|error| refused(&reason(&error)))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let hosts: Vec<HostSource> = lines.map(|line| HostSource::Text(line.to_owned())).collect();
    if hosts.is_empty() {
        return Err(refused("names no host: expected one a line, for example 4/h1"));
    }
    Ok(hosts)
}

/// The engine that runs jobs on `hosts`.
pub(super) fn engine(typed: &Typed, hosts: Vec<SshLogin>) -> Result<SshHosts, Fault> {
    engine_with(typed, hosts, &own_program()?)
}

fn engine_with(typed: &Typed, hosts: Vec<SshLogin>, own: &OwnProgram) -> Result<SshHosts, Fault> {
    let places = places_of(typed, hosts, own)?;
    let hosts = SshHosts::new(places, slots(typed)?, typed.run.ssh_delay.unwrap_or_default());
    Ok(if typed.has(Flag::FilterHosts) { hosts.needing_one() } else { hosts })
}

/// What is compared with each other: one slot of the first host, and all of all.
pub(super) fn compared(typed: &Typed, hosts: Vec<SshLogin>) -> Result<Vec<Box<dyn Engine>>, Fault> {
    let first = hosts.first().cloned().into_iter().collect();
    let name = hosts.first().map(|host| host.text.clone()).unwrap_or_default();
    let own = own_program()?;
    let all = engine_with(typed, hosts, &own)?;
    let one = places_of(typed, first, &own)?.pop().map(SshHosts::serial);
    say(&format!("serial is one job at a time on {name}"));
    let one = one.into_iter().map(|one| Box::new(one) as Box<dyn Engine>);
    Ok(one.chain([Box::new(all) as Box<dyn Engine>]).collect())
}

/// Every host that was named, and the way to it.
pub(in crate::cli) fn all(typed: &mut Typed) -> Result<Vec<(String, HostPlace)>, Fault> {
    read_files(typed)?;
    let hosts = named(typed)?;
    let names: Vec<String> = hosts.iter().map(|host| host.text.clone()).collect();
    Ok(names.into_iter().zip(places_of(typed, hosts, &own_program()?)?).collect())
}

/// This program, for hosts that have none.
fn own_program() -> Result<OwnProgram, Fault> {
    // As uname has it.
    let system = match env::consts::OS {
        "linux" => "Linux",
        "macos" => "Darwin",
        other => other,
    };
    let own = env::current_exe().context("cannot find the program itself, to copy it to hosts")?;
    Ok(OwnProgram::new(own, format!("{system} {}", env::consts::ARCH)))
}

fn places_of(typed: &Typed, hosts: Vec<SshLogin>, own: &OwnProgram) -> Result<Vec<HostPlace>, Fault> {
    let choice = typed.run.ssh_worker.clone().unwrap_or(WorkerChoice::Auto);
    let connects = typed.run.ssh.clone().or_else(|| env::var("PARALLEL_SSH").ok());
    let connects: Vec<String> =
        connects.map(|text| text.split_whitespace().map(str::to_owned).collect()).unwrap_or_default();
    let place = |mut login: SshLogin| -> Result<HostPlace, Fault> {
        if login.command.is_empty() {
            login.command.clone_from(&connects);
        }
        let (cores, groups) = (login.cores, login.groups.clone());
        Ok(if login.is_here() {
            let node = NodeName { login: login.text.clone(), host: login.text };
            HostPlace { transport: Box::new(worker::children()?.at(node)), cores, groups }
        } else {
            let host = SshHost::new(login, choice.clone(), own.clone());
            HostPlace { transport: Box::new(host), cores, groups }
        })
    };
    hosts.into_iter().map(place).collect()
}

/// How many jobs at a time `-j` means on a host.
fn slots(typed: &Typed) -> Result<SlotRule, Fault> {
    let count = match &typed.run.jobs {
        None => None,
        Some(jobs) => match jobs.one() {
            Some(count) => Some(count),
            None => return refuse("-j: with -S it is one number: N, N%, +N, -N or 0, for each host"),
        },
    };
    if typed.has_any(&[Flag::OnAll, Flag::NonAll]) {
        return Ok(Box::new(|_, _| NonZeroU32::MIN));
    }
    let threads = typed.run.threads_per_job.unwrap_or(1);
    Ok(Box::new(move |told: Option<NonZeroU32>, found: usize| {
        let cores = told.map_or(found, |told| told.get() as usize);
        let cores = (cores / threads).max(1);
        let slots = count.map_or(NonZeroUsize::new(cores), |count: JobCount| Some(count.on(cores, AS_MANY)));
        slots
            .and_then(|slots| u32::try_from(slots.get()).ok())
            .and_then(NonZeroU32::new)
            .unwrap_or(NonZeroU32::MIN)
    }))
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
