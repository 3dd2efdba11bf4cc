//! The real clock against the real system; bounds are generous and one-sided.

use super::*;
use std::hint::black_box;
use std::process::Command;
use std::thread;

const MIB: u64 = 1 << 20;

/// Keeps the calling thread computing until its own CPU clock has moved by `span`.
fn compute(clock: &MonotonicClock, span: Duration) {
    let start = clock.thread_cpu();
    while clock.thread_cpu().saturating_sub(start) < span {
        black_box((0..1_000).fold(0_u64, |sum, n| sum ^ black_box(n)));
    }
}

/// True in a process that runs nothing but this test; elsewhere runs it in such a process.
///
/// Usage and peaks belong to the whole process, and tests are threads of one.
fn alone(test: &str) -> bool {
    const MARK: &str = "PARSIM_TEST_ALONE";
    if std::env::var_os(MARK).is_some() {
        return true;
    }
    let output = Command::new(std::env::current_exe().unwrap()).arg(test).env(MARK, "1").output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{stdout}");
    assert!(stdout.contains("1 passed"), "{stdout}");
    false
}

#[test]
fn time_never_goes_backwards() {
    let clock = MonotonicClock::start();
    let mut last = clock.now();
    for _ in 0..1_000 {
        let now = clock.now();
        assert!(now >= last);
        last = now;
    }
    assert!(clock.now() > Duration::ZERO);
}

#[test]
fn the_cpu_of_a_thread_is_its_own() {
    let clock = MonotonicClock::start();
    let before = clock.thread_cpu();
    let wall = clock.now();
    thread::scope(|scope| {
        scope.spawn(|| compute(&clock, Duration::from_millis(30)));
    });
    let cpu = clock.thread_cpu().saturating_sub(before);
    let wall = clock.now().saturating_sub(wall);
    assert!(wall >= Duration::from_millis(30), "{wall:?}");
    assert!(cpu < Duration::from_millis(15), "{cpu:?} of another thread's");
}

#[test]
fn the_cpu_of_a_task_far_shorter_than_a_tick_is_seen() {
    let clock = MonotonicClock::start();
    for _ in 0..20 {
        let before = clock.thread_cpu();
        black_box((0..2_000).fold(0_u64, |sum, n| sum ^ black_box(n)));
        assert!(clock.thread_cpu() > before);
    }
}

#[test]
fn the_cpu_of_the_process_is_that_of_all_its_threads() {
    if !alone("the_cpu_of_the_process_is_that_of_all_its_threads") {
        return;
    }
    let clock = MonotonicClock::start();
    let before = clock.usage();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| compute(&clock, Duration::from_millis(20)));
        }
    });
    let cpu = clock.usage().since(&before).cpu();
    // 40 ms less what a thread that is just ending has not accounted for yet.
    assert!(cpu >= Duration::from_millis(25), "{cpu:?}");
}

#[test]
fn the_cpu_of_the_process_holds_that_of_its_reaped_children() {
    if !alone("the_cpu_of_the_process_holds_that_of_its_reaped_children") {
        return;
    }
    let clock = MonotonicClock::start();
    let (before, own) = (clock.usage(), own_usage());
    let loops = "i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done";
    let status = Command::new("sh").args(["-c", loops]).status();
    assert!(status.unwrap().success());
    let own = own_usage().since(&own).cpu();
    let all = clock.usage().since(&before).cpu();
    // The shell counts for far more than starting it and waiting for it.
    assert!(all > 3 * own, "{all:?}, {own:?} of it our own");
}

#[test]
fn without_a_reset_there_is_no_peak() {
    let clock = MonotonicClock::start();
    assert_eq!(clock.peak_memory(), None);
}

#[test]
fn a_reset_that_the_system_refuses_leaves_no_peak() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("status"), "VmHWM:\t 1656 kB\n").unwrap();
    let clock = MonotonicClock::with_proc(dir.path());
    clock.reset_peak();
    assert_eq!(clock.peak_memory(), None);
}

#[test]
fn a_reset_begins_a_new_peak_of_the_span() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("clear_refs"), "").unwrap();
    std::fs::write(dir.path().join("status"), "VmHWM:\t 1656 kB\n").unwrap();
    let clock = MonotonicClock::with_proc(dir.path());
    clock.reset_peak();
    assert_eq!(clock.peak_memory(), Some(1656 * 1024));
}

#[test]
#[cfg(target_os = "linux")]
fn a_reset_forgets_what_was_held_before() {
    if !alone("a_reset_forgets_what_was_held_before") {
        return;
    }
    let clock = MonotonicClock::start();
    clock.reset_peak();
    if clock.peak_memory().is_none() {
        return;
    }
    drop(black_box(vec![1_u8; 64 << 20]));
    let high = clock.peak_memory().unwrap();
    assert!(high >= 60 * MIB, "{high}");
    clock.reset_peak();
    let low = clock.peak_memory().unwrap();
    assert!(low < high / 2, "{low} after {high}");
}

#[test]
fn every_counter_of_getrusage_lands_in_its_field() {
    let mut raw = rusage(libc::RUSAGE_CHILDREN);
    (raw.ru_utime.tv_sec, raw.ru_utime.tv_usec) = (1, 500_000);
    (raw.ru_stime.tv_sec, raw.ru_stime.tv_usec) = (0, 7);
    (raw.ru_minflt, raw.ru_majflt) = (3, 4);
    (raw.ru_inblock, raw.ru_oublock) = (5, 6);
    (raw.ru_nvcsw, raw.ru_nivcsw) = (7, -1);
    let expected = Usage {
        user: Duration::from_millis(1_500),
        sys: Duration::from_micros(7),
        minor_faults: 3,
        major_faults: 4,
        block_reads: 5,
        block_writes: 6,
        voluntary_switches: 7,
        involuntary_switches: 0,
    };
    assert_eq!(usage(&raw), expected);
}

#[test]
fn the_high_water_mark_is_read_in_bytes() {
    let status = "Name:\tx\nVmPeak:\t  900 kB\nVmHWM:\t    1656 kB\nVmRSS:\t    1200 kB\n";
    assert_eq!(parse_high_water(status), Some(1656 * 1024));
}

#[test]
fn a_status_without_a_sound_high_water_mark_is_none() {
    for status in
        ["", "VmRSS:\t 12 kB\n", "VmHWM:\t 12\n", "VmHWM:\t many kB\n", "VmHWM:\t 18446744073709551615 kB\n"]
    {
        assert_eq!(parse_high_water(status), None, "{status:?}");
    }
}

#[test]
fn a_reset_writes_five_and_a_missing_file_is_not_created() {
    let dir = tempfile::tempdir().unwrap();
    let clear_refs = dir.path().join("clear_refs");
    assert!(!reset_high_water(dir.path()));
    assert!(!clear_refs.exists());
    fs::write(&clear_refs, "").unwrap();
    assert!(reset_high_water(dir.path()));
    assert_eq!(fs::read_to_string(&clear_refs).unwrap(), "5");
}

#[cfg(target_os = "linux")]
#[test]
fn a_peak_is_covered_up_to_what_this_process_holds() {
    let floor = Floor::default();
    assert!(floor.covers(1 << 20));
    assert!(!floor.covers(1 << 40));
    // Still so when it is asked again, and after it was forgotten.
    assert!(floor.covers(1 << 20));
    floor.forget();
    assert!(floor.covers(1 << 20));
    let more = high_water(Path::new("/proc/self")).unwrap() + (64 << 20);
    assert!(!floor.covers(more));
    let held = vec![1_u8; 128 << 20];
    assert!(floor.covers(more), "{} bytes are held", std::hint::black_box(held).len());
}
