//! Which limit decides on made-up machines.

use super::super::system::made_up::Machine;
use super::*;

/// Eight cores, a mask and a quota of the given size.
fn machine(mask: &str, quota: &str) -> Machine {
    Machine::new(&[
        ("/sys/devices/system/cpu/online", "0-7\n"),
        ("/proc/self/status", &format!("Name:\tx\nCpus_allowed:\tff\nCpus_allowed_list:\t{mask}\n")),
        ("/proc/self/cgroup", "0::/\n"),
        ("/sys/fs/cgroup/cpu.max", &format!("{quota} 100000\n")),
    ])
}

fn decided(machine: &Machine) -> (usize, String) {
    let limits = machine.see(Limits::of);
    (limits.usable, limits.usable_by.to_string())
}

fn by(usable: usize, rule: &str) -> (usize, String) {
    (usable, rule.to_owned())
}

#[test]
fn a_process_that_nothing_limits_may_use_all_logical_cores() {
    assert_eq!(decided(&machine("0-7", "max")), by(8, "all logical cores"));
    assert_eq!(decided(&machine("0-7", "1600000")), by(8, "all logical cores"));
}

#[test]
fn the_least_of_mask_quota_and_batch_variable_decides() {
    let slurm =
        |mask, quota, cores| decided(&machine(mask, quota).with_variable("SLURM_CPUS_PER_TASK", cores));
    assert_eq!(slurm("0-2,5", "500000", "6"), by(4, "affinity mask"));
    assert_eq!(slurm("0-2,5", "250000", "6"), by(3, "cgroup quota"));
    assert_eq!(slurm("0-2,5", "250000", "2"), by(2, "SLURM_CPUS_PER_TASK"));
    assert_eq!(slurm("0-7", "max", "64"), by(8, "all logical cores"));
}

#[test]
fn of_equal_limits_the_more_basic_one_decides() {
    let machine = machine("0-1", "200000").with_variable("NSLOTS", "2");
    assert_eq!(decided(&machine), by(2, "affinity mask"));
}

#[test]
fn a_quota_below_one_core_leaves_one() {
    assert_eq!(decided(&machine("0-7", "5000")), by(1, "cgroup quota"));
}

#[test]
fn only_cores_that_are_online_count() {
    let limits = machine("0-127", "max").see(Limits::of);
    assert_eq!(limits.mask.map(|mask| mask.len()), Some(8));
    assert_eq!((limits.logical, limits.usable), (8, 8));
    assert_eq!(limits.usable_by, Rule::AllCores);
}

#[test]
fn the_first_batch_variable_that_is_set_counts() {
    let machine = machine("0-7", "max").with_variable("NSLOTS", "2").with_variable("PBS_NCPUS", "3");
    assert_eq!(decided(&machine), by(3, "PBS_NCPUS"));
}

#[test]
fn a_batch_variable_of_nonsense_is_ignored_and_named() {
    for nonsense in ["", "0", "-4", "2.5", "many", "99999999999999999999999"] {
        let machine = machine("0-7", "max")
            .with_variable("SLURM_CPUS_PER_TASK", nonsense)
            .with_variable("NSLOTS", " 2 ");
        assert_eq!(decided(&machine), by(2, "NSLOTS"));
        let ignored = machine.see(Limits::of).ignored;
        assert_eq!(ignored, [format!("SLURM_CPUS_PER_TASK={nonsense}")]);
    }
}

#[test]
fn without_any_file_std_is_asked() {
    let limits = Machine::new(&[]).see(Limits::of);
    assert_eq!(limits.logical, std_parallelism());
    assert_eq!((limits.mask, limits.usable_by), (None, Rule::AllCores));
}

#[test]
fn weird_files_count_as_missing() {
    let limits = Machine::new(&[
        ("/sys/devices/system/cpu/online", "all of them\n"),
        ("/proc/self/status", "Cpus_allowed_list:\t3-\n"),
    ])
    .see(Limits::of);
    assert_eq!(limits.logical, std_parallelism());
    assert_eq!(limits.mask, None);
}

#[test]
fn empty_lists_of_cpus_count_as_missing() {
    let limits = Machine::new(&[
        ("/sys/devices/system/cpu/online", "\n"),
        ("/proc/self/status", "Cpus_allowed_list:\t\n"),
    ])
    .see(Limits::of);
    assert_eq!(limits.logical, std_parallelism());
    assert_eq!((limits.mask, limits.usable_by), (None, Rule::AllCores));
}

#[test]
fn a_mask_of_offline_cores_only_counts_as_missing() {
    let limits = machine("64-67", "max").see(Limits::of);
    assert_eq!((limits.mask, limits.usable), (None, 8));
}

#[test]
fn a_mask_without_the_online_list_is_all_that_is_known() {
    let status = ("/proc/self/status", "Cpus_allowed_list:\t2-4\n");
    let limits = Machine::new(&[status]).see(Limits::of);
    assert_eq!((limits.logical, limits.usable), (3, 3));
}

#[test]
#[cfg(target_os = "linux")]
fn the_real_machine_grants_no_more_than_std_says() {
    let limits = Limits::detect();
    assert!(limits.mask.is_some());
    assert!((1..=limits.logical).contains(&limits.usable));
    // Std reads mask and quota too, but rounds the quota down and knows no batch systems.
    assert!(limits.usable <= std_parallelism() + 1);
}
