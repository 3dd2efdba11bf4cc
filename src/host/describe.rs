//! The machine in a few plain fields, to be saved with what was measured on it.
//!
//! Does not know what was measured. A saved host is read on other machines, so nothing in it is
//! looked up again.

use std::env::consts;

use serde::{Deserialize, Serialize};

use super::cores::{Cores, load_per_core};
use super::limits::Limits;
use super::system::{System, parse_kib};

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
    #[must_use]
    pub fn detect() -> Self {
        Self::within(Limits::detect(), &System::real())
    }

    /// What every start can afford to know of this machine: the cores that may be
    /// used. The rest is None, though the system may know it.
    #[must_use]
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

    fn within(limits: Limits, system: &System<'_>) -> Self {
        let cores = Cores::within(limits, system);
        Self {
            hostname: system.read("/proc/sys/kernel/hostname").or_else(|| system.variable("HOSTNAME")),
            kernel: system.read("/proc/sys/kernel/osrelease"),
            cpu_model: cores.model,
            physical: cores.physical,
            memory: system.field("/proc/meminfo", &["MemTotal"]).and_then(|total| parse_kib(&total)),
            load: cores.load,
            ..Self::of_limits(&cores.limits)
        }
    }

    /// The load average of the last minute for each usable core; None if unknown.
    ///
    /// It is the whole machine's, so what it warns of is others only if it is read before work
    /// begins, and on a node whose cores are dealt out the others may be on cores of their own.
    #[must_use]
    pub fn other_load(&self) -> Option<f64> {
        Some(load_per_core(self.load?, self.usable))
    }
}

#[cfg(test)]
mod tests {
    use super::super::system::made_up::Machine;
    use super::*;

    fn made_up() -> Host {
        Machine::new(&[
            ("/proc/sys/kernel/hostname", "node7\n"),
            ("/proc/sys/kernel/osrelease", "6.1.0-test\n"),
            ("/proc/meminfo", "MemTotal:       24684092 kB\nMemFree: 1 kB\n"),
            ("/proc/cpuinfo", "processor\t: 0\nmodel name\t: Made-up 9\n"),
            ("/proc/loadavg", "3.00 0.14 0.05 1/83 3878\n"),
            ("/sys/devices/system/cpu/online", "0-3\n"),
            ("/sys/devices/system/cpu/cpu1/topology/thread_siblings_list", "1,3\n"),
            ("/sys/devices/system/cpu/cpu3/topology/thread_siblings_list", "1,3\n"),
            ("/proc/self/status", "Cpus_allowed_list:\t1,3\n"),
        ])
        .see(seen)
    }

    fn seen(system: &System<'_>) -> Host {
        Host::within(Limits::of(system), system)
    }

    #[test]
    fn a_host_is_what_its_files_say() {
        let expected = Host {
            hostname: Some("node7".to_owned()),
            os: consts::OS.to_owned(),
            kernel: Some("6.1.0-test".to_owned()),
            arch: consts::ARCH.to_owned(),
            cpu_model: Some("Made-up 9".to_owned()),
            logical: 4,
            physical: Some(1),
            usable: 2,
            quota: None,
            usable_by: "affinity mask".to_owned(),
            memory: Some(24_684_092 * 1024),
            load: Some([3.0, 0.14, 0.05]),
        };
        assert_eq!(made_up(), expected);
        assert_eq!(made_up().other_load(), Some(1.5));
    }

    #[test]
    fn a_host_in_brief_knows_the_cores_of_the_whole() {
        let (brief, whole) = (Host::in_brief(), Host::detect());
        let cores = |host: Host| (host.logical, host.usable, host.quota, host.usable_by);
        assert_eq!(cores(brief), cores(whole));
    }

    #[test]
    fn a_host_survives_json() {
        for host in [made_up(), Machine::new(&[]).see(seen)] {
            let json = serde_json::to_string(&host).unwrap();
            assert_eq!(serde_json::from_str::<Host>(&json).unwrap(), host);
        }
    }

    #[test]
    fn memory_of_nonsense_is_unknown() {
        for text in ["", "12", "many kB", "-1 kB", "18446744073709551615 kB"] {
            assert_eq!(parse_kib(text), None, "{text:?}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_real_machine_is_described() {
        let host = Host::detect();
        assert!(host.kernel.is_some() && host.hostname.is_some());
        assert!(host.memory.unwrap() > 16 << 20);
        assert!(host.usable >= 1);
    }
}
