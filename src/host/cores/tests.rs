//! The cores of made-up machines.

use super::super::system::made_up::Machine;
use super::*;

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

#[test]
fn threads_of_one_core_count_as_one_physical_core() {
    assert_eq!(machine().see(|system| Cores::within(Limits::of(system), system)).physical, Some(2));
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
    let cores = machine().see(|system| Cores::within(Limits::of(system), system));
    assert_eq!(
        (cores.limits.usable, cores.load.map(|load| load_per_core(load, cores.limits.usable))),
        (2, Some(1.5))
    );
}

#[test]
fn rows_name_every_limit_and_what_decided() {
    let cores = machine()
        .with_variable("SLURM_CPUS_PER_TASK", "lots")
        .with_variable("NSLOTS", "3")
        .see(|system| Cores::within(Limits::of(system), system));
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
    let rows = cores.rows();
    let rows: Vec<_> = rows.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(rows, expected);
}

#[test]
fn what_the_system_does_not_tell_is_unknown() {
    let cores = Machine::new(&[]).see(|system| Cores::within(Limits::of(system), system));
    assert_eq!((cores.physical, cores.load), (None, None));
    let rows = cores.rows();
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
