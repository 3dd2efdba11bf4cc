//! Which limit decides on made-up machines.

use super::super::made_up::Machine;
use super::*;
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;

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
    assert_eq!(limits.usable_by, LimitRule::AllCores);
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
    assert_eq!((limits.mask, limits.usable_by), (None, LimitRule::AllCores));
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
    assert_eq!((limits.mask, limits.usable_by), (None, LimitRule::AllCores));
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

#[test]
fn ranges_and_single_cpus_are_read() {
    let expected = CpuSet::from([0, 1, 2, 3, 8, 10, 11]);
    assert_eq!(parse_cpulist("0-3,8,10-11\n"), Some(expected));
    assert_eq!(parse_cpulist("5"), Some(CpuSet::from([5])));
    assert_eq!(parse_cpulist("\n"), Some(CpuSet::new()));
}

#[test]
fn what_is_no_cpulist_is_refused() {
    for list in
        ["x", "1,", ",1", "3-1", "-1", "1-", "1-2-3", "1 2", "+1", "0-65536", "0-99999999999999999999"]
    {
        assert_eq!(parse_cpulist(list), None, "{list:?}");
    }
}

#[test]
fn neighbours_are_joined_when_written() {
    let cpus = CpuSet::from([0, 1, 2, 3, 8, 10, 11]);
    assert_eq!(format_cpulist(&cpus), "0-3,8,10-11");
    assert_eq!(format_cpulist(&CpuSet::new()), "");
}

proptest! {
    #[test]
    fn what_is_written_reads_back_the_same(cpus in btree_set(0_usize..300, 0..80)) {
        prop_assert_eq!(parse_cpulist(&format_cpulist(&cpus)), Some(cpus));
    }

    #[test]
    fn ranges_in_any_order_and_overlap_are_their_union(
        ranges in vec((0_usize..200, 0_usize..20), 1..20)
    ) {
        let parts: Vec<_> = ranges
            .iter()
            .map(|(first, more)| format!("{first}-{}", first + more))
            .collect();
        let union: CpuSet = ranges
            .iter()
            .flat_map(|(first, more)| *first..=first + more)
            .collect();
        prop_assert_eq!(parse_cpulist(&parts.join(",")), Some(union));
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "([0-9]{0,2}[-, x]?){0,6}") {
        let _ = parse_cpulist(&text);
    }
}
