//! Made-up machines, and their cores.

use super::super::made_up::Machine;
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
    Host::of(&Limits::of(system), system)
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

/// Two physical cores of two threads each, of which the last is not ours.
fn machine() -> Machine {
    Machine::new(&[
        ("/sys/devices/system/cpu/online", "0-3\n"),
        ("/sys/devices/system/cpu/cpu0/topology/thread_siblings_list", "0,2\n"),
        ("/sys/devices/system/cpu/cpu1/topology/thread_siblings_list", "1,3\n"),
        ("/sys/devices/system/cpu/cpu2/topology/thread_siblings_list", "0,2\n"),
        ("/sys/devices/system/cpu/cpu3/topology/thread_siblings_list", "1,3\n"),
        ("/proc/self/status", "Cpus_allowed_list:\t0-2\n"),
        ("/proc/self/cgroup", "0::/\n"),
        ("/sys/fs/cgroup/cpu.max", "150000 100000\n"),
        ("/proc/cpuinfo", "processor\t: 0\nmodel name\t: Made-up 9\n"),
        ("/proc/loadavg", "3.00 0.14 0.05 1/83 3878\n"),
    ])
}

fn table(system: &System<'_>) -> Vec<(&'static str, String)> {
    rows(&Limits::of(system), &seen(system))
}

#[test]
fn threads_of_one_core_count_as_one_physical_core() {
    assert_eq!(machine().see(seen).physical, Some(2));
}

#[test]
fn physical_cores_outside_of_the_mask_do_not_count() {
    let cores = machine().see(|system| physical_cores(system, &CpuSet::from([0, 2])));
    assert_eq!(cores, Some(1));
}

#[test]
fn physical_cores_are_unknown_if_one_core_does_not_tell() {
    let cores = machine().see(|system| physical_cores(system, &CpuSet::from([0, 9])));
    assert_eq!(cores, None);
}

#[test]
fn other_load_is_relative_to_the_usable_cores() {
    let host = machine().see(seen);
    assert_eq!((host.usable, host.other_load()), (2, Some(1.5)));
}

#[test]
fn rows_name_every_limit_and_what_decided() {
    let rows = machine().with_variable("SLURM_CPUS_PER_TASK", "lots").with_variable("NSLOTS", "3").see(table);
    let expected = [
        ("model", "Made-up 9"),
        ("logical cores", "4"),
        ("physical cores", "2"),
        ("affinity mask", "0-2 (3 of 4)"),
        ("cgroup quota", "1.50 cores (/sys/fs/cgroup/cpu.max)"),
        ("batch system", "NSLOTS=3"),
        ("ignored", "SLURM_CPUS_PER_TASK=lots (not a positive number)"),
        ("usable cores", "2 (cgroup quota)"),
        ("load", "3.00 0.14 0.05 in 1, 5, 15 min; 1.50 per usable core"),
    ];
    let rows: Vec<_> = rows.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(rows, expected);
}

#[test]
fn what_the_system_does_not_tell_is_unknown() {
    let nothing = Machine::new(&[]);
    let host = nothing.see(seen);
    assert_eq!((host.physical, host.load), (None, None));
    let rows = nothing.see(table);
    let value = |name| rows.iter().find(|row| row.0 == name).map(|row| row.1.as_str());
    for name in ["model", "physical cores", "affinity mask", "load"] {
        assert_eq!(value(name), Some("unknown"), "{name}");
    }
    assert_eq!(value("cgroup quota"), Some("none"));
    assert_eq!(value("batch system"), Some("none"));
}

#[test]
fn a_weird_load_average_is_unknown() {
    for text in ["", "0.1 0.2", "a b c", "NaN 1 1", "1 -1 1", "1 1 inf"] {
        assert_eq!(parse_load(text), None, "{text:?}");
    }
}
