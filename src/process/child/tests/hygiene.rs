//! What a job inherits, what it leaves behind, and whose CPU time is whose.

use std::collections::BTreeSet;
use std::fs;
use std::os::fd::AsFd as _;
use std::process;
use std::thread;
use std::time::Instant;

use super::*;

/// Runs a test of this binary by itself: it looks at the whole process.
fn alone(name: &str) -> process::Output {
    process::Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            &format!("process::child::tests::hygiene::{name}"),
            "--nocapture",
            "--test-threads=1",
        ])
        .env("PROCESS_TEST_ALONE", name)
        .output()
        .unwrap()
}

fn is_alone(name: &str) -> bool {
    std::env::var_os("PROCESS_TEST_ALONE").is_some_and(|value| value == name)
}

fn descriptors(pid: &str) -> BTreeSet<i32> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    entries.map(|entry| entry.unwrap().file_name().to_str().unwrap().parse().unwrap()).collect()
}

fn zombies() -> usize {
    let me = process::id().to_string();
    let is_ours = |stat: &str| {
        let fields: Vec<&str> = stat.rsplit_once(") ").map_or("", |(_, rest)| rest).split(' ').collect();
        fields.first() == Some(&"Z") && fields.get(1) == Some(&me.as_str())
    };
    let stats = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path().join("stat"));
    stats.filter(|stat| fs::read_to_string(stat).is_ok_and(|stat| is_ours(&stat))).count()
}

#[test]
fn a_hundred_jobs_leave_no_descriptor_and_no_zombie() {
    let name = "a_hundred_jobs_leave_no_descriptor_and_no_zombie";
    if !is_alone(name) {
        let output = alone(name);
        assert!(output.status.success(), "{output:?}");
        return;
    }
    let before = descriptors("self");
    either_way(|_, worker| {
        let missing = program("/dev/null/missing");
        let argv = script("cat; echo x; sleep 0 & exit 1");
        for _ in 0..50 {
            let (command, mut source) = (shell(), &b"text"[..]);
            let job = Job { stdin: JobStdin::Feed(&mut source), ..Job::new(&command, &argv) };
            assert_eq!(collect(worker, job).unwrap().report.ended, ProcessEnd::Exited(1));
            assert!(collect(worker, Job::new(&missing, &argv)).is_err());
        }
        assert_eq!(zombies(), 0);
    });
    assert_eq!(descriptors("self"), before);
}

#[test]
fn a_job_has_its_three_descriptors_and_no_other_of_ours() {
    // Those that this process was started with are passed on.
    let inherited = descriptors("self").into_iter().filter(|fd| {
        let text = fs::read_to_string(format!("/proc/self/fdinfo/{fd}")).unwrap_or_default();
        let flags = text.lines().find_map(|line| line.strip_prefix("flags:"));
        let flags = flags.and_then(|flags| i32::from_str_radix(flags.trim(), 8).ok());
        flags.is_some_and(|flags| flags & libc::O_CLOEXEC == 0)
    });
    let expected: BTreeSet<i32> = inherited.chain([0, 1, 2]).collect();
    either_way(|_, worker| {
        let (command, argv, mut source) = (shell(), script("ls /proc/$$/fd; :"), &b""[..]);
        let job = Job { stdin: JobStdin::Feed(&mut source), ..Job::new(&command, &argv) };
        let out = collect(worker, job).unwrap().out;
        assert_eq!(out.lines().map(|line| line.parse().unwrap()).collect::<BTreeSet<i32>>(), expected);
    });
}

#[test]
fn a_standard_descriptor_can_take_the_place_of_another() {
    let name = "a_standard_descriptor_can_take_the_place_of_another";
    if !is_alone(name) {
        let output = alone(name);
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{out}{err}");
        assert_eq!(out.matches("to stderr").count(), 2, "{out}");
        assert_eq!(err.matches("to stdout").count(), 2, "{err}");
        return;
    }
    either_way(|_, worker| {
        let (command, argv) = (shell(), script("echo to stdout; echo to stderr >&2"));
        let (stdin, stdout, stderr) = (io::stdin(), io::stdout(), io::stderr());
        let swapped = Job {
            stdin: JobStdin::File(stdin.as_fd()),
            stdout: JobStdout::File(stderr.as_fd()),
            stderr: JobStdout::File(stdout.as_fd()),
            ..Job::new(&command, &argv)
        };
        assert!(collect(worker, swapped).unwrap().report.ended.is_success());
    });
}

#[test]
#[expect(unsafe_code, reason = "std neither catches nor blocks signals")]
fn a_job_starts_with_default_signals_in_a_group_of_its_own() {
    const NONE: &str = "0000000000000000";
    extern "C" fn handler(_: i32) {}
    fn own(field: &str) -> String {
        let status = fs::read_to_string("/proc/thread-self/status").unwrap();
        status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(":\t")).unwrap().to_owned()
    }
    let handler: extern "C" fn(i32) = handler;
    // SAFETY: the handler does nothing; the mask is this thread's own.
    unsafe {
        libc::signal(libc::SIGUSR2, handler as libc::sighandler_t);
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigaddset(&raw mut set, libc::SIGUSR1);
        libc::sigaddset(&raw mut set, libc::SIGTERM);
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
    }
    either_way(|running, worker| {
        assert_ne!(running.caught & (1 << (libc::SIGUSR2 - 1)), 0);
        let argv = ByteList::from_words(["cat", "/proc/self/status"]).unwrap();
        let mut leader = 0;
        let out = {
            let command = program("/bin/cat");
            let job = Job::new(&command, &argv);
            collect_and(worker, job, |_| leader = running.list()[0].1).unwrap().out
        };
        let fields: Vec<(&str, &str)> = out.lines().filter_map(|line| line.split_once(":\t")).collect();
        let value = |name| fields.iter().find(|(field, _)| *field == name).unwrap().1;
        assert_eq!((value("SigBlk"), value("SigCgt")), (NONE, NONE));
        // What this process was started to ignore; PIPE is ignored by Rust.
        let ignored = u64::from_str_radix(&own("SigIgn"), 16).unwrap() & !(1 << (libc::SIGPIPE - 1));
        assert_eq!(value("SigIgn"), format!("{ignored:016x}"));
        assert_eq!(value("NSpgid"), leader.to_string());
    });
    // The caller's mask is as it was.
    assert_eq!(own("SigBlk"), format!("{:016x}", 1 << (libc::SIGUSR1 - 1) | 1 << (libc::SIGTERM - 1)));
}

#[test]
fn overlapping_jobs_do_not_share_their_usage() {
    either_way(|running, worker| {
        let (input, held) = io::pipe().unwrap();
        let (spinner, lasted, sleeper) = thread::scope(|scope| {
            // It ends when its input does: after the spinner.
            let sleeper = scope.spawn(|| {
                let mut worker = JobRunner::new(running, 2).unwrap();
                let (command, argv) = (program("/bin/cat"), ByteList::from_words(["cat"]).unwrap());
                let job = Job { stdin: JobStdin::File(input.as_fd()), ..Job::new(&command, &argv) };
                collect(&mut worker, job).unwrap().report
            });
            until(|| running.list().len() == 1);
            let started = Instant::now();
            let spinner = sh(worker, "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done").report;
            let lasted = started.elapsed();
            drop(held);
            (spinner, lasted, sleeper.join().unwrap())
        });
        assert!(spinner.ended.is_success() && sleeper.ended.is_success());
        let cpu = |report: &crate::process::child::Report| report.usage.user + report.usage.sys;
        assert!(cpu(&spinner) > 4 * cpu(&sleeper), "{spinner:?} {sleeper:?}");
        assert!(cpu(&spinner) <= lasted + std::time::Duration::from_millis(5));
        assert!(spinner.usage.max_rss_bytes > 100_000);
    });
}

#[test]
fn what_an_environment_holds_is_passed_on_byte_for_byte() {
    either_way(|_, worker| {
        let mut environment = ByteList::new();
        let odd = ["BASH_FUNC_f%%=() {  echo hi\n}", "EMPTY=", "EQUALS=a=b"];
        for variable in odd {
            environment.push(variable.as_bytes());
        }
        let command = Command::new(c"/usr/bin/env".to_owned(), Arc::new(environment));
        let argv = ByteList::from_words(["env", "-0"]).unwrap();
        let ran = collect(worker, Job::new(&command, &argv)).unwrap();
        let mut seen: Vec<&str> = ran.out.split_terminator('\0').collect();
        seen.sort_unstable();
        assert_eq!(seen, odd);
    });
}
