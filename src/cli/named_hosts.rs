//! The hosts of `-S` and `--sshloginfile`: which there are, and the engines that have tasks
//! done there, one way of it for batches, comparisons and workloads.

use std::env;
use std::io::Read as _;
use std::num::NonZeroU32;
use std::path::Path;

use anyhow::Context as _;

use super::exit::{Fault, refuse};
use super::flags::{Flag, HostSource, JobCount, JobsOption, Typed};
use super::terminal::say;
use super::width::AS_MANY;
use super::worker;
use crate::engine::{
    Engine, HostPlace, OwnProgram, SlotRule, SshHost, SshHosts, SshLogin, SshLogins, WorkerChoice,
};
use crate::numbers;
use crate::task::NodeName;
use crate::text::reason;

/// Where GNU parallel's users keep their hosts.
const USUAL_FILE: &str = ".parallel/sshloginfile";

/// The hosts on which tasks are done; none where that is this machine alone.
pub(super) struct NamedHosts {
    logins: Vec<SshLogin>,
    /// This program, for those that have none; read once, and told of once.
    own: Option<OwnProgram>,
    /// Where neither `-j` nor the host's own number says how many tasks at a time, a host does
    /// so many, however few cores it has.
    least_each: usize,
    /// No host does more at a time.
    most_each: usize,
}

impl NamedHosts {
    /// Those that were typed. Files that name some are read, once; where all that is meant is
    /// this machine, the number before it is that of `-j`.
    pub(super) fn of(typed: &mut Typed) -> Result<Self, Fault> {
        read_files(typed)?;
        let mut logins = named(typed)?;
        let here = if is_here_alone(typed, &logins) { logins.pop() } else { None };
        if let Some(cores) = here.and_then(|host| host.cores) {
            typed.run.jobs.get_or_insert_with(|| JobsOption::parse(cores.to_string().as_ref()));
        }
        let own = if logins.is_empty() { None } else { Some(own_program()?) };
        Ok(Self { logins, own, least_each: 1, most_each: usize::MAX })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.logins.is_empty()
    }

    /// The first that is not this machine, as it was typed.
    pub(super) fn first_other(&self) -> Option<&str> {
        self.logins.iter().find(|host| !host.is_here()).map(|host| &*host.text)
    }

    /// The same for tasks of which `at_once` want to run at a time, for they wait rather than
    /// compute, and no more than `most` may.
    pub(super) fn shared_out(mut self, at_once: usize, most: Option<usize>) -> Self {
        let (n_hosts, most) = (self.logins.len(), most.unwrap_or(usize::MAX).max(1));
        if n_hosts > most {
            self.logins.truncate(most);
            let hosts = if most == 1 { "the first of them is" } else { "the first of them are" };
            say(&format!(
                "{} for at most {most} at a time: {hosts} used",
                numbers::plural(n_hosts as u64, "host")
            ));
        }
        let n_hosts = self.logins.len().max(1);
        Self { least_each: at_once.div_ceil(n_hosts), most_each: most / n_hosts, ..self }
    }

    /// One slot of the first host: what all of them are compared with.
    pub(super) fn serial(&self, typed: &Typed) -> Result<Box<dyn Engine>, Fault> {
        let (first, own) = self.logins.first().zip(self.own.as_ref()).context("there is no host")?;
        say(&format!("serial is one job at a time on {}", first.text));
        Ok(Box::new(SshHosts::serial(place(typed, first.clone(), own)?)))
    }

    /// All of them.
    pub(super) fn parallel(&self, typed: &Typed) -> Result<Box<dyn Engine>, Fault> {
        let own = self.own.as_ref().context("there is no host")?;
        let places = places(typed, self.logins.clone(), own)?;
        let hosts = SshHosts::new(places, self.slots(typed)?, typed.run.ssh_delay.unwrap_or_default());
        Ok(Box::new(if typed.has(Flag::FilterHosts) { hosts.needing_one() } else { hosts }))
    }

    /// How many tasks at a time `-j` means on a host.
    fn slots(&self, typed: &Typed) -> Result<SlotRule, Fault> {
        let count = match typed.run.jobs.as_ref().map(JobsOption::one) {
            None => None,
            Some(Some(count)) => Some(count),
            Some(None) => return refuse("-j: with -S it is one number: N, N%, +N, -N or 0, for each host"),
        };
        if typed.has_any(&[Flag::OnAll, Flag::NonAll]) {
            return Ok(Box::new(|_, _| NonZeroU32::MIN));
        }
        let threads = typed.run.threads_per_job.unwrap_or(1);
        let (least, most) = (self.least_each, self.most_each);
        Ok(Box::new(move |told: Option<NonZeroU32>, found: usize| {
            let cores = told.map_or(found, |told| told.get() as usize);
            let cores = (cores / threads).max(1);
            let usual = if told.is_some() { cores } else { cores.max(least) };
            let slots = count.map_or(usual, |count: JobCount| count.on(cores, AS_MANY).get()).min(most);
            u32::try_from(slots).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN)
        }))
    }
}

/// Puts what files name in their place, once: standard input cannot be read again, and a
/// file may change meanwhile.
fn read_files(typed: &mut Typed) -> Result<(), Fault> {
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

/// The hosts that were named, each once, this machine too.
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
fn is_here_alone(typed: &Typed, hosts: &[SshLogin]) -> bool {
    matches!(hosts, [host] if host.is_here()) && !typed.has_any(&[Flag::NonAll, Flag::OnAll])
}

/// Whether jobs run on other machines, too.
pub(super) fn are_far(typed: &Typed) -> Result<bool, Fault> {
    let hosts = named(typed)?;
    Ok(!hosts.is_empty() && !is_here_alone(typed, &hosts))
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

/// Every host that was named, this machine too, and the way to it.
pub(super) fn all(typed: &mut Typed) -> Result<Vec<(String, HostPlace)>, Fault> {
    read_files(typed)?;
    let hosts = named(typed)?;
    let names: Vec<String> = hosts.iter().map(|host| host.text.clone()).collect();
    Ok(names.into_iter().zip(places(typed, hosts, &own_program()?)?).collect())
}

fn places(typed: &Typed, hosts: Vec<SshLogin>, own: &OwnProgram) -> Result<Vec<HostPlace>, Fault> {
    hosts.into_iter().map(|login| place(typed, login, own)).collect()
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

/// The host of `login` and the way to it.
fn place(typed: &Typed, mut login: SshLogin, own: &OwnProgram) -> Result<HostPlace, Fault> {
    let (cores, groups) = (login.cores, login.groups.clone());
    if login.is_here() {
        let node = NodeName { login: login.text.clone(), host: login.text };
        return Ok(HostPlace { transport: Box::new(worker::children()?.at(node)), cores, groups });
    }
    if login.command.is_empty() {
        let connects = typed.run.ssh.clone().or_else(|| env::var("PARALLEL_SSH").ok());
        let words = connects.as_deref().unwrap_or_default().split_whitespace();
        login.command = words.map(str::to_owned).collect();
    }
    let choice = typed.run.ssh_worker.clone().unwrap_or(WorkerChoice::Auto);
    Ok(HostPlace { transport: Box::new(SshHost::new(login, choice, own.clone())), cores, groups })
}
