//! The machine: in a few plain fields, to be saved with what was measured on it, and its cores
//! as `cpus` shows them.
//!
//! Does not know what was measured, nor how a table is drawn. A saved host is read on other
//! machines, so nothing in it is looked up again.

use std::collections::BTreeSet;
use std::env::consts;

use serde::{Deserialize, Serialize};

use super::System;
use super::limits::{CpuSet, Limits, format_cpulist, parse_cpulist};
use crate::measure::parse_kib;

/// What machine this is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Host {
    /// The network name of the machine; None if the system does not say.
    pub hostname: Option<String>,
    /// The operating system as Rust names it: "linux", "macos".
    pub os: String,
    /// The kernel's release; None if the system does not say.
    pub kernel: Option<String>,
    /// The architecture parsim was built for: `x86_64`, `aarch64`.
    pub arch: String,
    /// The processor's name; None if the system does not say.
    pub cpu_model: Option<String>,
    /// Logical cores that are online.
    pub logical: usize,
    /// Physical cores behind the logical ones this process may run on; None if unknown.
    pub physical: Option<usize>,
    /// Logical cores this process may use.
    pub usable: usize,
    /// The tightest quota of CPU time, in cores, of which parts are allowed; None without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<f64>,
    /// The rule that decided `usable`, such as "affinity mask" or "NSLOTS".
    pub usable_by: String,
    /// Memory of the machine in bytes; None if the system does not say.
    pub memory: Option<u64>,
    /// Load averages over 1, 5 and 15 minutes when the host was looked at.
    pub load: Option<[f64; 3]>,
}

impl Host {
    /// This machine, now. Reads a file for each core: not for every start.
    pub fn detect() -> Self {
        Self::of(&Limits::detect(), &System::real())
    }

    /// What every start can afford to know of this machine: the cores that may be
    /// used. The rest is None, though the system may know it.
    pub fn in_brief() -> Self {
        Self::of_limits(&Limits::detect())
    }

    fn of_limits(limits: &Limits) -> Self {
        Self {
            hostname: None,
            os: consts::OS.to_owned(),
            kernel: None,
            arch: consts::ARCH.to_owned(),
            cpu_model: None,
            logical: limits.logical,
            physical: None,
            usable: limits.usable,
            quota: limits.quota.as_ref().map(|quota| quota.cores),
            usable_by: limits.usable_by.to_string(),
            memory: None,
            load: None,
        }
    }

    fn of(limits: &Limits, system: &System<'_>) -> Self {
        Self {
            hostname: name_of(system),
            kernel: system.read("/proc/sys/kernel/osrelease"),
            cpu_model: system.field("/proc/cpuinfo", MODEL_KEYS),
            physical: limits.mask.as_ref().and_then(|mask| physical_cores(system, mask)),
            memory: system.field("/proc/meminfo", &["MemTotal"]).and_then(|total| parse_kib(&total)),
            load: system.read("/proc/loadavg").and_then(|text| parse_load(&text)),
            ..Self::of_limits(limits)
        }
    }

    /// The load average of the last minute for each usable core; None if unknown.
    ///
    /// It is the whole machine's, so what it warns of is others only if it is read before work
    /// begins, and on a node whose cores are dealt out the others may be on cores of their own.
    pub fn other_load(&self) -> Option<f64> {
        Some(self.load?[0] / self.usable.max(1) as f64)
    }
}

/// The network name of the machine, if the system says.
pub fn name() -> Option<String> {
    name_of(&System::real())
}

fn name_of(system: &System<'_>) -> Option<String> {
    system.read("/proc/sys/kernel/hostname").or_else(|| system.variable("HOSTNAME"))
}

/// How many processes run or want to, on average over the last minute, if the system says.
pub fn load() -> Option<f64> {
    let text = System::real().read("/proc/loadavg")?;
    parse_load(&text).map(|load| load[0])
}

/// What tells this start of the machine from any other, if the system says.
pub fn boot_id() -> Option<String> {
    System::real().read("/proc/sys/kernel/random/boot_id")
}

/// What `cpus` tells of this machine's cores: names and values, in the order to show them.
pub fn cores_table() -> Vec<(&'static str, String)> {
    rows(&Limits::detect(), &Host::detect())
}

fn rows(limits: &Limits, host: &Host) -> Vec<(&'static str, String)> {
    let unknown = || "unknown".to_owned();
    let none = || "none".to_owned();
    let of_all = |mask| format!("{} ({} of {})", format_cpulist(mask), mask.len(), limits.logical);
    let quota = limits.quota.as_ref().map(|quota| format!("{:.2} cores ({})", quota.cores, quota.file));
    let batch = limits.batch.map(|batch| format!("{}={}", batch.name, batch.cores));
    let load = host.load.zip(host.other_load()).map(|([one, five, fifteen], per_core)| {
        format!("{one:.2} {five:.2} {fifteen:.2} in 1, 5, 15 min; {per_core:.2} per usable core")
    });
    let mut rows = vec![
        ("model", host.cpu_model.clone().unwrap_or_else(unknown)),
        ("logical cores", limits.logical.to_string()),
        ("physical cores", host.physical.map_or_else(unknown, |cores| cores.to_string())),
        ("affinity mask", limits.mask.as_ref().map_or_else(unknown, of_all)),
        ("cgroup quota", quota.unwrap_or_else(none)),
        ("batch system", batch.unwrap_or_else(none)),
    ];
    let ignored = limits.ignored.iter();
    rows.extend(ignored.map(|variable| ("ignored", format!("{variable} (not a positive number)"))));
    rows.push(("usable cores", format!("{} ({})", limits.usable, limits.usable_by)));
    rows.push(("load", load.unwrap_or_else(unknown)));
    rows
}

/// What different architectures call the processor's name in /proc/cpuinfo.
const MODEL_KEYS: &[&str] = &["model name", "cpu model", "Model Name", "Model", "cpu", "Processor"];

/// Cores that share their execution units name the same siblings, so distinct lists are counted.
fn physical_cores(system: &System<'_>, mask: &CpuSet) -> Option<usize> {
    let siblings: Option<BTreeSet<CpuSet>> = mask
        .iter()
        .map(|cpu| {
            let topology = format!("/sys/devices/system/cpu/cpu{cpu}/topology");
            parse_cpulist(&system.read(&format!("{topology}/thread_siblings_list"))?)
        })
        .collect();
    siblings.map(|siblings| siblings.len())
}

/// How many processor sockets the logical cores are on; 1 where the system does not
/// say.
pub fn sockets() -> usize {
    let system = System::real();
    let limits = Limits::of(&system);
    let package =
        |cpu| system.read(&format!("/sys/devices/system/cpu/cpu{cpu}/topology/physical_package_id"));
    let packages: BTreeSet<String> = (0..limits.logical).filter_map(package).collect();
    packages.len().max(1)
}

fn parse_load(text: &str) -> Option<[f64; 3]> {
    let mut averages = text.split(' ').map_while(|average| {
        let average = average.parse::<f64>().ok()?;
        (average.is_finite() && average >= 0.0).then_some(average)
    });
    Some([averages.next()?, averages.next()?, averages.next()?])
}

#[cfg(test)]
mod tests;
