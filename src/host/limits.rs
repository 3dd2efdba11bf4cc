//! How many cores this process may use, and which rule decided.
//!
//! Knows affinity mask, cgroup quota and batch systems; reads a handful of small files, so that
//! every start can afford it. What the cores are like is the business of [`Host`](super::Host).

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};
use std::iter;
use std::sync::OnceLock;
use std::thread;

use super::System;
use super::cgroup::{Quota, tightest_quota};

/// The variables in which batch systems say how many cores a job was given (Slurm, PBS, Grid
/// Engine); the first one with a sound value counts.
const BATCH_VARIABLES: [&str; 3] = ["SLURM_CPUS_PER_TASK", "PBS_NCPUS", "NSLOTS"];

/// Every limit on the cores this process may use, and what follows from them.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Logical cores that are online, whoever may use them; at least 1.
    pub logical: usize,
    /// The logical cores on which this process may run; None if the system does not say.
    pub mask: Option<CpuSet>,
    /// The tightest cgroup quota, if there is one.
    pub quota: Option<Quota>,
    /// What the batch system granted, if one did.
    pub batch: Option<BatchVariable>,
    /// Batch variables, as `NAME=value`, that were ignored because the value is no positive number.
    pub ignored: Vec<String>,
    /// Logical cores this process may use: the least of the limits, at least 1.
    pub usable: usize,
    /// The rule that decided `usable`.
    pub usable_by: LimitRule,
}

impl Limits {
    /// The limits of this process, looked up when they are first asked for: they
    /// are not expected to change while it runs.
    pub fn detect() -> Self {
        static KNOWN: OnceLock<Limits> = OnceLock::new();
        KNOWN.get_or_init(|| Self::of(&System::real())).clone()
    }

    pub(super) fn of(system: &System<'_>) -> Self {
        let online = cpulist(system.read("/sys/devices/system/cpu/online"));
        // The mask of a process that nobody restricted names every CPU the kernel could ever
        // get, so only those that are online count.
        let mask = cpulist(system.field("/proc/self/status", &["Cpus_allowed_list"]))
            .map(|mask| match &online {
                Some(online) => &mask & online,
                None => mask,
            })
            .filter(|mask| !mask.is_empty());
        let logical = online.or_else(|| mask.clone()).map_or_else(std_parallelism, |cpus| cpus.len());
        let quota = tightest_quota(system);
        let (batch, ignored) = batch_variables(system);

        let limits = [
            mask.as_ref().map(|mask| (mask.len(), LimitRule::Mask)),
            quota.as_ref().map(|quota| (quota.whole_cores(), LimitRule::Quota)),
            batch.map(|batch| (batch.cores, LimitRule::Batch(batch.name))),
        ];
        let all = (logical, LimitRule::AllCores);
        let every = iter::once(all).chain(limits.into_iter().flatten());
        let (usable, usable_by) = every.min_by_key(|(cores, _)| *cores).unwrap_or(all);
        Self { logical, mask, quota, batch, ignored, usable, usable_by }
    }
}

/// A batch system's variable and the cores it grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchVariable {
    /// One of [`BATCH_VARIABLES`].
    pub name: &'static str,
    /// Logical cores granted; at least 1.
    pub cores: usize,
}

/// What decided how many cores are usable. Of equal limits it is the first in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitRule {
    /// Nothing limits the process: it may use all logical cores.
    AllCores,
    /// The affinity mask, as set by taskset, a cpuset or a batch system.
    Mask,
    /// The quota of a cgroup, as set for a container or a service.
    Quota,
    /// The named variable of a batch system.
    Batch(&'static str),
}

impl fmt::Display for LimitRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AllCores => "all logical cores",
            Self::Mask => "affinity mask",
            Self::Quota => "cgroup quota",
            Self::Batch(name) => name,
        })
    }
}

fn cpulist(list: Option<String>) -> Option<CpuSet> {
    parse_cpulist(&list?).filter(|cpus| !cpus.is_empty())
}

/// What std knows, for systems without Linux's files.
fn std_parallelism() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// The first sound variable, and all that are set to something else than a positive number.
fn batch_variables(system: &System<'_>) -> (Option<BatchVariable>, Vec<String>) {
    let mut batch = None;
    let mut ignored = Vec::new();
    for name in BATCH_VARIABLES {
        let Some(value) = system.variable(name) else {
            continue;
        };
        match value.trim().parse() {
            Ok(cores) if cores > 0 => batch = batch.or(Some(BatchVariable { name, cores })),
            _ => ignored.push(format!("{name}={value}")),
        }
    }
    (batch, ignored)
}

/// A set of logical CPUs by the kernel's numbers.
pub type CpuSet = BTreeSet<usize>;

/// Reads a list such as "0-3,8,10-11"; an empty one is the empty set.
///
/// None if it is not such a list, or names a CPU no kernel is built for (65,536 and above).
pub fn parse_cpulist(text: &str) -> Option<CpuSet> {
    let text = text.trim();
    if text.is_empty() {
        return Some(CpuSet::new());
    }
    let mut cpus = CpuSet::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (parse_cpu(first)?, parse_cpu(last)?);
        if first > last {
            return None;
        }
        cpus.extend(first..=last);
    }
    Some(cpus)
}

/// Writes a set as the kernel would: ascending, neighbours joined.
pub fn format_cpulist(cpus: &CpuSet) -> String {
    let mut text = String::new();
    let mut rest = cpus.iter().copied().peekable();
    while let Some(first) = rest.next() {
        let mut last = first;
        while let Some(next) = rest.next_if(|next| *next == last + 1) {
            last = next;
        }
        let comma = if text.is_empty() { "" } else { "," };
        // Writing to a String cannot fail.
        let _ = match last - first {
            0 => write!(text, "{comma}{first}"),
            _ => write!(text, "{comma}{first}-{last}"),
        };
    }
    text
}

/// Linux is built for 8,192 CPUs at most; the bound keeps a nonsense range from filling memory.
const CPU_BOUND: usize = 65_536;

fn parse_cpu(text: &str) -> Option<usize> {
    // `parse` alone would take "+1".
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|cpu| *cpu < CPU_BOUND)
}

#[cfg(test)]
mod tests;
