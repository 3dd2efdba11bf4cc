//! Quotas of made-up control groups.

use super::super::made_up::Machine;
use super::*;

const V2_MOUNT: &str = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n";

fn quota(files: &[(&str, &str)]) -> Option<(f64, String)> {
    let quota = Machine::new(files).see(tightest_quota)?;
    Some((quota.cores, quota.file))
}

fn found(cores: f64, file: &str) -> (f64, String) {
    (cores, file.to_owned())
}

#[test]
fn without_cgroups_there_is_no_quota() {
    assert_eq!(quota(&[]), None);
    assert_eq!(quota(&[("/proc/self/cgroup", "0::/\n")]), None);
}

#[test]
fn a_v2_group_that_says_max_has_no_quota() {
    let files = [("/proc/self/cgroup", "0::/job\n"), ("/sys/fs/cgroup/job/cpu.max", "max 100000\n")];
    assert_eq!(quota(&files), None);
}

#[test]
fn the_tightest_of_nested_v2_groups_binds() {
    let mut files = vec![
        ("/proc/self/cgroup", "0::/slurm/job_7/step_0\n"),
        ("/proc/self/mountinfo", V2_MOUNT),
        ("/sys/fs/cgroup/slurm/cpu.max", "800000 100000\n"),
        ("/sys/fs/cgroup/slurm/job_7/cpu.max", "150000 100000\n"),
        ("/sys/fs/cgroup/slurm/job_7/step_0/cpu.max", "max 100000\n"),
    ];
    let job = "/sys/fs/cgroup/slurm/job_7/cpu.max";
    assert_eq!(quota(&files), Some(found(1.5, job)));
    files.push(("/sys/fs/cgroup/slurm/job_7/step_0/cpu.max", "50000 100000\n"));
    let step = "/sys/fs/cgroup/slurm/job_7/step_0/cpu.max";
    assert_eq!(quota(&files), Some(found(0.5, step)));
    files.push(("/sys/fs/cgroup/cpu.max", "10000 100000\n"));
    assert_eq!(quota(&files), Some(found(0.1, "/sys/fs/cgroup/cpu.max")));
}

#[test]
fn the_group_with_the_least_room_says_how_much_memory_can_be_had_and_files_give_way() {
    let mut files = vec![
        ("/proc/self/cgroup", "0::/slurm/job_7\n"),
        ("/proc/self/mountinfo", V2_MOUNT),
        ("/sys/fs/cgroup/slurm/memory.max", "max\n"),
        ("/sys/fs/cgroup/slurm/memory.current", "9000\n"),
    ];
    let room = |files: &[(&str, &str)]| Machine::new(files).see(memory_room);
    assert_eq!(room(&files), None);
    files.push(("/sys/fs/cgroup/slurm/job_7/memory.max", "8000\n"));
    files.push(("/sys/fs/cgroup/slurm/job_7/memory.current", "6000\n"));
    assert_eq!(room(&files), Some(2000));
    files.push(("/sys/fs/cgroup/slurm/job_7/memory.stat", "anon 100\ninactive_file 500\n"));
    assert_eq!(room(&files), Some(2500));
    let v1 = [
        ("/proc/self/cgroup", "4:memory:/job\n"),
        ("/sys/fs/cgroup/memory/job/memory.limit_in_bytes", "700\n"),
        ("/sys/fs/cgroup/memory/job/memory.usage_in_bytes", "900\n"),
    ];
    assert_eq!(room(&v1), Some(0));
}

#[test]
fn a_v2_hierarchy_is_found_where_it_is_mounted() {
    let mounts = "1 2 0:1 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n\
                  3 2 0:2 / /sys/fs/cgroup/unified rw shared:9 - cgroup2 cgroup2 rw\n";
    let files = [
        ("/proc/self/cgroup", "1:cpu:/\n0::/job\n"),
        ("/proc/self/mountinfo", mounts),
        ("/sys/fs/cgroup/unified/job/cpu.max", "300000 100000\n"),
    ];
    let file = "/sys/fs/cgroup/unified/job/cpu.max";
    assert_eq!(quota(&files), Some(found(3.0, file)));
}

#[test]
fn a_v1_quota_is_read_where_the_cpu_controller_is_mounted() {
    let mounts = "4 2 0:3 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n\
                  5 2 0:4 / /cg/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n";
    let files = [
        ("/proc/self/cgroup", "5:cpuset:/set\n4:cpu,cpuacct:/a/b\n2:memory:/m\n"),
        ("/proc/self/mountinfo", mounts),
        ("/cg/cpu,cpuacct/a/cpu.cfs_quota_us", "250000\n"),
        ("/cg/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n"),
        ("/cg/cpu,cpuacct/a/b/cpu.cfs_quota_us", "-1\n"),
        ("/cg/cpu,cpuacct/a/b/cpu.cfs_period_us", "100000\n"),
    ];
    let file = "/cg/cpu,cpuacct/a/cpu.cfs_quota_us";
    assert_eq!(quota(&files), Some(found(2.5, file)));
}

#[test]
fn without_mountinfo_v1_is_looked_for_in_its_usual_place() {
    let files = [
        ("/proc/self/cgroup", "4:cpu,cpuacct:/\n"),
        ("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "100000\n"),
        ("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "50000\n"),
    ];
    let file = "/sys/fs/cgroup/cpu/cpu.cfs_quota_us";
    assert_eq!(quota(&files), Some(found(2.0, file)));
}

#[test]
fn a_container_that_is_told_its_path_on_the_host_finds_its_own_group() {
    let mounts = "5 2 0:4 /docker/ab /sys/fs/cgroup/cpu ro master:1 - cgroup cgroup rw,cpu\n";
    let files = [
        ("/proc/self/cgroup", "4:cpu:/docker/ab/inner\n"),
        ("/proc/self/mountinfo", mounts),
        ("/sys/fs/cgroup/cpu/inner/cpu.cfs_quota_us", "400000\n"),
        ("/sys/fs/cgroup/cpu/inner/cpu.cfs_period_us", "100000\n"),
    ];
    let file = "/sys/fs/cgroup/cpu/inner/cpu.cfs_quota_us";
    assert_eq!(quota(&files), Some(found(4.0, file)));
}

#[test]
fn a_path_outside_of_the_namespace_does_not_leave_the_mount() {
    let files = [
        ("/proc/self/cgroup", "0::/../../other\n"),
        ("/sys/fs/cgroup/cpu.max", "200000 100000\n"),
        ("/sys/other/cpu.max", "100000 100000\n"),
        ("/other/cpu.max", "100000 100000\n"),
    ];
    assert_eq!(quota(&files), Some(found(2.0, "/sys/fs/cgroup/cpu.max")));
}

#[test]
fn nonsense_is_no_quota() {
    for text in ["", "max", "-1 100000", "0 100000", "100000 0", "100000", "a b", "1.5 1"] {
        let files = [("/proc/self/cgroup", "0::/\nnonsense\n::\n"), ("/sys/fs/cgroup/cpu.max", text)];
        assert_eq!(quota(&files), None, "{text:?}");
    }
}

#[test]
fn part_of_a_core_counts_as_a_whole_thread() {
    let whole = |cores| Quota { cores, file: String::new() }.whole_cores();
    assert_eq!([whole(0.01), whole(1.0), whole(1.01), whole(4.0)], [1, 1, 2, 4]);
}
