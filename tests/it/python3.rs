//! Jobs on other machines where no parsim runs: python3 runs them, and behaves as parsim does.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::process::Command;

use crate::hosts::{SOON, log};
use crate::support::Hosts;

/// Whether there is a python3 that is new enough; says that a test does nothing where not.
fn is_here() -> bool {
    let is_new = "import sys; sys.exit(sys.version_info < (3, 6))";
    let found = Command::new("python3").args(["-c", is_new]).status();
    let is_here = found.is_ok_and(|status| status.success());
    if !is_here {
        writeln!(std::io::stderr(), "not tested: there is no python3 (3.6 or newer)").unwrap();
    }
    is_here
}

/// Hosts on which nothing is what it is here: a parsim that is none, and another system.
fn bare_hosts(programs: &[(&str, &str)]) -> Hosts {
    let hosts = Hosts::new();
    fs::create_dir_all(hosts.path("hosts/bare")).unwrap();
    for (name, script) in programs {
        let path = hosts.path("hosts/bare").join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    hosts
}

const NO_PARSIM: (&str, &str) = ("parsim", "exit 1");
const OTHER_SYSTEM: (&str, &str) = ("uname", "echo Plan9 mips");
const NO_PYTHON3: (&str, &str) = ("python3", "exit 1");

#[test]
fn python3_runs_jobs_where_no_parsim_does_and_that_is_told_once() {
    if !is_here() {
        return;
    }
    let hosts = bare_hosts(&[NO_PARSIM, OTHER_SYSTEM]);
    let ran = hosts.run("parsim parallel -k -S 2/bare 'echo {} $WHERE' ::: a b c");
    assert_eq!(ran.exits(0).stdout, "a bare\nb bare\nc bare\n");
    ran.tells("bare: python3 3.").tells("does not run on Plan9 mips");
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    // Who is compared with himself connects twice.
    let ran = hosts.run("parsim compare -S 2/bare echo ::: a b");
    assert_eq!(ran.exits(0).says("2 of 2 jobs identical").stderr.matches("Plan9").count(), 1);
    // A copy of this program finds no room.
    let ran = hosts.run("rm hosts/bare/uname; parsim parallel -S 1/full echo ::: a");
    assert_eq!(ran.exits(0).tells("full: python3 3.").tells("there must be room").stdout, "a\n");
    // Who asks for it knows.
    let ran = hosts.run("parsim parallel --ssh-worker python3 -S 1/h1 echo ::: a");
    assert_eq!(ran.exits(0).is_quiet().stdout, "a\n");
    hosts.run("parsim hosts --ssh-worker python3 -S h1").exits(0).says("python3 3.");
}

#[test]
fn where_there_is_no_python3_either_that_is_told() {
    let hosts = bare_hosts(&[NO_PARSIM, OTHER_SYSTEM, NO_PYTHON3]);
    let ran = hosts.run("parsim parallel -S 1/bare echo ::: a");
    ran.exits(1).tells("does not run on Plan9 mips, and there is no python3 (3.6 or newer) there");
    let ran = hosts.run("parsim parallel --ssh-worker python3 -S 1/bare echo ::: a");
    ran.exits(1).tells("bare is down: there is no python3 (3.6 or newer) there");
    let ran = hosts.run("parsim parallel --ssh-worker copy -S 1/bare echo ::: a");
    ran.exits(1).tells("install parsim there");
}

#[test]
fn a_batch_comes_out_the_same_whether_parsim_or_python3_runs_it() {
    if !is_here() {
        return;
    }
    let hosts = Hosts::new();
    fs::write(hosts.path("odd"), b"\xff\xfe\0a b\0it's\0%s %(slot)d\0\xe2\x82\xac\0-n\0\0").unwrap();
    let blocks: Vec<u8> = (0..300_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect();
    fs::write(hosts.path("blocks"), &blocks).unwrap();
    let marked = "PARALLEL_SEQ PARALLEL_JOBSLOT PARALLEL_SSHLOGIN PARALLEL_SSHHOST PARSIM_NODE PARSIM_WAY";
    for line in [
        "-k -0 -j1 'printf \"%s\\0\" {} {#} {%}; exit 3' <odd",
        "-k -0 -j1 --plus -q printf '%s;' {} {%} {0%} {0#} <odd",
        "-k -j1 {} ::: 'exit 3' 'kill -TERM $$' 'kill -PIPE $$; echo alive' 'echo x >&2; echo y' nowhere/none",
        "-k -j1 --tag --env A,LC_CTYPE 'echo \"[$A] [$B] [$LC_CTYPE]\"; umask' ::: a b",
        &format!(
            "-k -j1 --process-slot-var MY 'for v in {marked} MY; do eval echo $v=\\$$v; done #' ::: a b"
        ),
        "-k -j1 -v echo ::: a b",
        "-k -j1 -t echo ::: a b",
        "-k -j1 --dry-run echo ::: a b",
        "-k -j1 --wd 'sub/{}-{%}' 'pwd | sed s,.*sub,sub,' ::: a b",
        "-k -j1 --wd /proc/{} pwd ::: a",
        "-k -j1 --nice 5 'nice #' ::: a",
        "-k -j1 --pipe --block 100k cat <blocks",
        "-k -j1 --pipe --block 100k --cat 'wc -c <{}; cmp {} - </dev/null' <blocks",
        "-k -j1 --pipe --block 100k --fifo 'cat {}' <blocks",
        "-k -j1 --pipe --block 100k true <blocks",
        "-k -j1 --plus 'echo {} {choose_k}' ::: a b ::: a b",
        "-k -j1 --timeout 0.3 'echo {}; sleep {}' ::: 0 600",
        "-k -j1 --halt now,fail=1 'echo {}; exit {}' ::: 0 4 0",
        "-k -j1 --retries 3 'echo {} >>tries; grep -c {} tries; exit 1' ::: a",
    ] {
        let [parsim, python3] = ["auto", "python3"].map(|worker| {
            let ran = hosts.run(&format!(
                "rm -rf hosts/h1; export A='1  2' B=3; parsim parallel --joblog log --shell /bin/sh -S h1 --ssh-worker {worker} {line} >out; echo $?"
            ));
            let (out, status) = (fs::read(hosts.path("out")).unwrap(), ran.stdout.clone());
            let log = fs::read(hosts.path("log")).unwrap();
            let columns = |row: &[u8]| -> Vec<Vec<u8>> {
                let cells: Vec<_> = row.split(|byte| *byte == b'\t').map(<[u8]>::to_vec).collect();
                [&cells[..2], &cells[4..]].concat()
            };
            let rows: Vec<_> = log.split(|byte| *byte == b'\n').filter(|row| row.len() > 9).map(columns).collect();
            (out, rows, ran.stderr, status)
        });
        assert_eq!(python3, parsim, "{line}");
    }
}

#[test]
fn jobs_end_when_they_are_told_to_and_none_outlives_its_worker() {
    if !is_here() {
        return;
    }
    let hosts = Hosts::new();
    let pids = || fs::read_to_string(hosts.path("hosts/pids")).unwrap_or_default();
    let is_alive =
        |pid: &str| fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "));
    let all_end = |when: &str| {
        let begun = std::time::Instant::now();
        while pids().lines().any(is_alive) {
            assert!(begun.elapsed() < SOON, "{when}: {}", pids());
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        fs::remove_file(hosts.path("hosts/pids")).unwrap();
    };
    // Among them one that nothing but KILL ends.
    let job =
        "echo $$ $PPID | tr \" \" \"\\n\" >>../pids; (trap \"\" TERM; exec sleep 600) & echo $! >>../pids";
    let line = format!("exec parsim parallel -j2 -S h1 --ssh-worker python3 '{job}; sleep 600' ::: 1 2");
    for signal in ["INT", "TERM", "KILL"] {
        let mut started = hosts.shell(&line).start();
        started.until("all jobs run", || pids().lines().count() == 6);
        started.signal(signal);
        started.end_within(SOON);
        all_end(signal);
    }
    // The worker is killed: what looks after it ends the jobs, once it has heard of them; so it
    // is another job that does it, which begins after that.
    let kill = "until [ \"$(grep -c . ../pids 2>&1)\" = 3 ]; do sleep 0.02; done; kill -9 $PPID";
    let ran = hosts.run(&format!(
        "parsim parallel -S 2/h1 --ssh-worker python3 'if [ {{}} = 1 ]; then {job}; sleep 600; else {kill}; fi' ::: 1 2"
    ));
    ran.exits(2).tells("was killed by signal 9");
    all_end("the worker is killed");
    // A limit of time ends all that the job began.
    let ran = hosts
        .run(&format!("parsim parallel --timeout 1 -S 1/h1 --ssh-worker python3 '{job}; sleep 600' ::: 1"));
    ran.exits(1).tells("timed out");
    all_end("the time is over");
}

#[test]
fn files_go_with_jobs_and_come_back_by_way_of_python3_too() {
    if !is_here() {
        return;
    }
    let hosts = Hosts::new();
    let names = ["plain", "it's", "two words", "line\nbreak", "-hyphen", "$HOME", "100%"];
    for name in names {
        fs::write(hosts.path(name), format!("<{name}>")).unwrap();
    }
    fs::write(hosts.path("list"), names.join("\0")).unwrap();
    let run = |line: &str| hosts.run(&format!("parsim parallel -S 2/h1 --ssh-worker python3 {line}"));
    run("-0 --trc {}.out 'cat < {} > {}.out' < list").exits(0).is_quiet();
    for name in names {
        assert_eq!(fs::read_to_string(hosts.path(&format!("{name}.out"))).unwrap(), format!("<{name}>"));
    }
    assert!(hosts.home("h1").is_empty());
    // In folders, and whole ones, of which links are no part.
    fs::create_dir_all(hosts.path("tree/a b")).unwrap();
    fs::write(hosts.path("tree/a b/x"), "x").unwrap();
    std::os::unix::fs::symlink("/etc/passwd", hosts.path("tree/link")).unwrap();
    run("--trc {}.2 'cp -r {} {}.2; ln -s /etc/passwd {}.2/back' ::: tree").exits(0).is_quiet();
    assert_eq!(hosts.names("tree.2"), ["a b"]);
    assert_eq!(fs::read_to_string(hosts.path("tree.2/a b/x")).unwrap(), "x");
    fs::remove_dir_all(hosts.path("hosts/h1/tree.2")).unwrap();
    fs::create_dir_all(hosts.path("d/e")).unwrap();
    fs::write(hosts.path("d/e/f.c"), "x").unwrap();
    run("--trc {.}.o 'cp {} {.}.o' ::: d/e/f.c").exits(0).is_quiet();
    assert!(hosts.path("d/e/f.o").exists() && hosts.home("h1").is_empty());
    // Bytes of any kind, of any length.
    let big: Vec<u8> = (0..1_500_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect();
    fs::write(hosts.path("big"), &big).unwrap();
    fs::write(hosts.path("empty"), "").unwrap();
    hosts.run("chmod 750 big").exits(0);
    run("--trc {}.2 'cp -p {} {}.2' ::: big empty").exits(0).is_quiet();
    assert_eq!(fs::read(hosts.path("big.2")).unwrap(), big);
    assert_eq!(fs::metadata(hosts.path("big.2")).unwrap().mode() & 0o777, 0o750);
    assert_eq!(fs::read(hosts.path("empty.2")).unwrap(), b"");
    // Base files come once, whoever is first.
    let ran = run("--basefile plain --cleanup 'cat plain; echo #' ::: 1 2 3");
    assert_eq!(ran.exits(0).stdout, "<plain>\n".repeat(3));
    assert!(hosts.home("h1").is_empty());
    // What is missing is told, and what is the same there stays.
    let ran = run("--transferfile {} 'echo ran' ::: nowhere");
    ran.exits(0).says("ran").tells("not sent: nowhere: no such file");
    run("--return {}.out 'true' ::: nowhere").exits(1).tells("--return: nowhere.out: no such file");
    let ran = run(r#"--wd "$PWD" --basefile plain --trc {}.out 'cat {} > {}.out' ::: plain"#);
    ran.exits(0).is_quiet();
    assert_eq!(fs::read_to_string(hosts.path("plain")).unwrap(), "<plain>");
    // A folder of its own goes with what is in it.
    let own = run("--wd ... 'touch x; pwd #' ::: 1");
    assert!(own.exits(0).stdout.contains("/h1/.parallel/tmp/"), "{}", own.stdout);
    assert!(hosts.names("hosts/h1/.parallel/tmp").is_empty());
}

#[test]
fn what_python3_cannot_do_there_is_refused_by_name_before_any_job() {
    if !is_here() {
        return;
    }
    let hosts = Hosts::new();
    for (line, why) in [
        ("--no-shell /bin/echo ::: a", "--no-shell needs a parsim there"),
        ("--shellquote echo ::: a", "--shellquote needs a parsim there"),
        ("--wd /proc/none pwd ::: a", "cannot make the working directory /proc/none: no such file"),
    ] {
        let ran = hosts.run(&format!("parsim parallel --joblog log -S 1/h1 --ssh-worker python3 {line}"));
        assert_eq!(ran.exits(1).tells(why).stdout, "", "{line}");
        assert!(log(&hosts)[0].starts_with("1 h1 255 0 "));
    }
}

/// Passes on what a worker says until its first job has begun, and ends the connection.
const EAR: &str = r#"
import os, struct

def read(count):
    some = b""
    while len(some) < count:
        some += os.read(0, count - len(some)) or exit()
    return some

line = b""
while not line.endswith(b" go\n"):
    line += read(1)
    os.write(1, line[-1:])
head = b""
while head[4:] != b"G":
    head = read(5)
    os.write(1, head + read(*struct.unpack("<I", head[:4])))
os.kill(os.getppid(), 9)
"#;

#[test]
fn a_job_whose_worker_is_lost_before_it_told_its_name_is_run_again_by_name() {
    if !is_here() {
        return;
    }
    for worker in ["auto", "python3"] {
        let hosts = Hosts::new();
        fs::write(hosts.path("hosts/ear"), EAR).unwrap();
        let line = format!("parsim parallel --ssh-worker {worker} --joblog log -S 1/deaf 'echo {{}}' ::: a");
        hosts.run(&line).exits(1).tells("job 1 failed").tells(": echo a");
        assert_eq!(log(&hosts), ["1 deaf 255 0 echo a"]);
        let ran = hosts.run("parsim parallel --retry-failed --joblog log -S 1/h1");
        assert_eq!(ran.exits(0).stdout, "a\n", "{worker}");
    }
}

/// In the place of ssh: a host that runs nothing, and says that a job was another command.
const FORGER: &str = r#"#!/usr/bin/env python3
import json, re, struct, sys
def say(kind, some=b""):
    sys.stdout.buffer.write(struct.pack("<Ic", len(some), kind) + some)
    sys.stdout.buffer.flush()
def hear():
    length, kind = struct.unpack("<Ic", sys.stdin.buffer.read(5) or sys.exit())
    return kind, sys.stdin.buffer.read(length)
nonce = re.search("n=([0-9a-f]{16});", " ".join(sys.argv)).group(1)
sys.stdout.buffer.write(b"parsim-%s go\n" % nonce.encode())
hear()
say(b"R", b'{"version":"1","host":"x","cores":1,"memory":null,"load":null,"boot_id":null,"takes_lines":true}')
forged = "touch forged"
while True:
    kind, some = hear()
    if kind in (b"S", b"P"):
        say(b"R")
    elif kind == b"T":
        number = some[:8]
        seq, = struct.unpack("<Q", number)
        say(b"G", struct.pack("<QIQ", seq, 0, 0))
        say(b"N", number + forged.encode())
        if seq == 1:
            sys.exit()
        record = {"seq": seq, "label": forged, "slot": 0, "attempt": 1, "start": 0.0, "wall": 0.1, "cpu": 0.0}
        record.update(bytes=0, outcome={"kind": "exited", "why": 1}, digest="0" * 32)
        line = b"\1" + struct.pack("<Q", len(forged) + 1) + forged.encode() + b"\xff"
        say(b"D", number + line + json.dumps(record).encode())
"#;

#[test]
fn a_host_does_not_say_which_command_a_job_was() {
    if !is_here() {
        return;
    }
    let hosts = Hosts::new();
    fs::write(hosts.path("bin/forger"), FORGER).unwrap();
    fs::set_permissions(hosts.path("bin/forger"), fs::Permissions::from_mode(0o755)).unwrap();
    // It lies about the first job, and leaves in the middle of the second.
    let ran = hosts.run("parsim parallel -S 1/x --ssh forger --joblog log 'echo {} {%}' ::: a b");
    ran.exits(2).tells("job 1 failed: exit status 1: echo a 1").tells("echo b 1");
    let rows = log(&hosts);
    let commands: Vec<&str> = rows.iter().map(|row| row.split_once(" echo ").unwrap().1).collect();
    assert_eq!(commands, ["a 1", "b 1"]);
    // What is run from there is what was typed.
    let ran = hosts.run("parsim parallel -k --retry-failed --joblog log");
    assert_eq!(ran.exits(0).stdout, "a 1\nb 1\n");
    assert!(!hosts.path("forged").exists());
}
