//! The cores of this machine as `cpus` shows them: limits, physical cores, model and load.
//!
//! Does not know how a table is drawn.

use std::collections::BTreeSet;

use super::limits::Limits;
use super::limits::{CpuSet, format_cpulist, parse_cpulist};
use super::system::System;

/// What is known of the cores, with every limit found.
#[derive(Clone, Debug, PartialEq)]
pub struct Cores {
    /// Limits and what decided.
    pub limits: Limits,
    /// Physical cores behind the logical ones this process may run on; None if unknown.
    pub physical: Option<usize>,
    /// The processor's name; None if the system does not say.
    pub model: Option<String>,
    /// Load averages of the whole machine over 1, 5 and 15 minutes: tasks that run or want to.
    pub load: Option<[f64; 3]>,
}

impl Cores {
    /// The cores of this machine, now. Reads a file for each core: not for every start.
    #[must_use]
    pub fn detect() -> Self {
        Self::within(Limits::detect(), &System::real())
    }

    /// The cores behind those limits.
    pub(super) fn within(limits: Limits, system: &System<'_>) -> Self {
        let physical = limits.mask.as_ref().and_then(|mask| physical_cores(system, mask));
        Self {
            limits,
            physical,
            model: system.field("/proc/cpuinfo", MODEL_KEYS),
            load: system.read("/proc/loadavg").and_then(|text| parse_load(&text)),
        }
    }

    /// Names and values for a table, in the order to show them.
    #[must_use]
    pub fn rows(&self) -> Vec<(&'static str, String)> {
        let limits = &self.limits;
        let unknown = || "unknown".to_owned();
        let none = || "none".to_owned();
        let mut rows = vec![
            ("model", self.model.clone().unwrap_or_else(unknown)),
            ("logical cores", limits.logical.to_string()),
            ("physical cores", self.physical.map_or_else(unknown, |cores| cores.to_string())),
            (
                "affinity mask",
                limits.mask.as_ref().map_or_else(unknown, |mask| {
                    format!("{} ({} of {})", format_cpulist(mask), mask.len(), limits.logical)
                }),
            ),
            (
                "cgroup quota",
                limits
                    .quota
                    .as_ref()
                    .map_or_else(none, |quota| format!("{:.2} cores ({})", quota.cores, quota.file)),
            ),
            (
                "batch system",
                limits.batch.map_or_else(none, |batch| format!("{}={}", batch.name, batch.cores)),
            ),
        ];
        for variable in &limits.ignored {
            rows.push(("ignored", format!("{variable} (not a positive number)")));
        }
        rows.push(("usable cores", format!("{} ({})", limits.usable, limits.usable_by)));
        rows.push((
            "load",
            self.load.map_or_else(unknown, |load| {
                let [one, five, fifteen] = load;
                let per_core = load_per_core(load, limits.usable);
                format!("{one:.2} {five:.2} {fifteen:.2} in 1, 5, 15 min; {per_core:.2} per usable core")
            }),
        ));
        rows
    }
}

/// The load average of the last minute divided by the usable cores.
pub(super) fn load_per_core(load: [f64; 3], usable: usize) -> f64 {
    load[0] / usable.max(1) as f64
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
#[must_use]
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
