//! Jobs on other machines: `-S` and what belongs to it.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::time::Duration;

use crate::support::Hosts;

/// A busy machine gets so long for what takes no time.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// The columns of a job log that do not depend on time, row by row.
pub(crate) fn log(hosts: &Hosts) -> Vec<String> {
    let text = fs::read_to_string(hosts.path("log")).unwrap();
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('\t').collect();
        [cells[0], cells[1], cells[6], cells[7], cells[8]].join(" ")
    };
    let mut rows: Vec<String> = text.lines().skip(1).map(row).collect();
    rows.sort();
    rows
}

#[test]
fn jobs_run_on_every_host_by_one_connection_each() {
    let hosts = Hosts::new();
    // Each job waits until there is one on each host.
    let meet = r"touch ../$WHERE-is-there; until [ -e ../h1-is-there ] && [ -e ../h2-is-there ]; do sleep 0.02; done";
    let ran = hosts.run(&format!(
        "parsim parallel --joblog log -S 1/h1,1/h2 '{meet}; echo $WHERE {{}}' ::: a b c d e f"
    ));
    ran.exits(0).is_quiet().says("h1 ").says("h2 ");
    assert_eq!(hosts.connections(), 2);
    let rows = log(&hosts);
    assert_eq!(rows.len(), 6);
    assert!(
        rows.iter().any(|row| row.contains(" h1 0 0 ")) && rows.iter().any(|row| row.contains(" h2 0 0 "))
    );
    // Slots are numbered over all hosts.
    let ran = hosts.run(&format!(
        "rm hosts/h?-is-there; parsim parallel -S 1/h1,1/h2 '{meet}; echo {{%}}' ::: 1 2 | sort"
    ));
    assert_eq!(ran.exits(0).stdout, "1\n2\n");
}

#[test]
fn hosts_stand_in_files_that_are_read_once() {
    let hosts = Hosts::new();
    fs::write(hosts.path("list"), "# of the group\n\n  1/h1\n1/h2\n").unwrap();
    for file in ["--slf list", "--slf - <list", "--sshloginfile - <list", "--slf <(cat list)"] {
        let ran = hosts
            .shell(&format!("exec bash -c \"parsim parallel --nonall {file} 'echo \\$WHERE' | sort\""))
            .run();
        assert_eq!(ran.exits(0).stdout, "h1\nh2\n", "{file}: {}", ran.stderr);
    }
    hosts.run("parsim parallel --slf /dev/null echo ::: a").exits(255).tells("/dev/null: names no host");
}

#[test]
fn this_machine_is_one_of_them_and_alone_it_needs_no_connection() {
    let hosts = Hosts::new();
    let ran = hosts.run("parsim parallel -k -S 2/: 'echo {} ${PARALLEL_SSHLOGIN-none}' ::: a b");
    assert_eq!(ran.exits(0).stdout, "a none\nb none\n");
    assert_eq!(hosts.connections(), 0);
    let ran = hosts.run("parsim parallel --onall -S :,h1 'echo ${WHERE:-here} $PARALLEL_SSHLOGIN' ::: a");
    assert_eq!(ran.exits(0).stdout, "here : a\nh1 h1 a\n");
}

#[test]
fn values_are_quoted_there_and_variables_travel_by_name_alone() {
    let hosts = Hosts::new();
    let ran = hosts.run(r#"parsim parallel -k -S 1/h1 echo ::: 'a  b' '$HOME' "it's" '*' '\'"#);
    assert_eq!(ran.exits(0).stdout, "a  b\n$HOME\nit's\n*\n\\\n");
    let script = "export A='1  2' B=3 C=4; parsim parallel --env A,B -S 1/h1 'echo \"[$A] [$B] [$C]\"' ::: x";
    assert_eq!(hosts.run(script).exits(0).stdout, "[1  2] [3] [] x\n");
    // All of them, but for those that are about where one is.
    let script = "export A=1 SSH_B=2 HOME=/nowhere; parsim parallel --env _ -S 1/h1 'echo \"[$A] [$SSH_B] ${HOME##*/}\"' ::: x";
    assert_eq!(hosts.run(script).exits(0).stdout, "[1] [] h1 x\n");
    let told = "parsim parallel -S 1/me@h1 'echo $PARALLEL_SEQ $PARALLEL_JOBSLOT $PARALLEL_SSHLOGIN $PARALLEL_SSHHOST $PARSIM_NODE' ::: x";
    assert_eq!(hosts.run(told).exits(0).stdout, "1 1 me@h1 h1 h1 x\n");
}

#[test]
fn jobs_run_in_the_shell_of_the_host_unless_one_is_asked_for() {
    let hosts = Hosts::new();
    let shell = hosts.path("hosts/ksh");
    fs::write(&shell, "#!/bin/sh\nASKED=own exec /bin/sh \"$@\"\n").unwrap();
    fs::set_permissions(&shell, fs::Permissions::from_mode(0o755)).unwrap();
    let run =
        |more: &str| hosts.run(&format!("parsim parallel {more} -S 1/own 'echo \"[$ASKED]\"; : ' ::: x"));
    assert_eq!(run("").exits(0).stdout, "[own]\n");
    assert_eq!(run("--shell /bin/sh").exits(0).stdout, "[]\n");
}

#[test]
fn a_host_that_is_down_does_without_and_where_all_are_each_job_fails() {
    let hosts = Hosts::new();
    let ran = hosts.run("parsim parallel -k -S 1/dead,1/h1 'echo {} $WHERE' ::: a b c");
    assert_eq!(ran.exits(0).stdout, "a h1\nb h1\nc h1\n");
    ran.tells("dead is down: ended with status 255: ssh: connect to host dead port 22: Connection refused");
    let ran = hosts.run("parsim parallel --joblog log -S dead 'echo {}' ::: a b");
    ran.exits(2).tells("no host is left");
    assert_eq!(log(&hosts), ["1 dead 255 0 echo a", "2 dead 255 0 echo b"]);
    hosts.run("parsim parallel --filter-hosts -S dead echo ::: a").exits(255).tells("no host is left");
    // They run again once it is up.
    let ran = hosts.run("mv bin/ssh bin/old; sed s/dead/gone/ bin/old >bin/ssh; chmod +x bin/ssh; parsim parallel -k --joblog log --resume-failed -S dead 'echo {}' ::: a b");
    assert_eq!(ran.exits(0).stdout, "a\nb\n");
}

#[test]
fn what_a_login_shell_prints_is_not_the_jobs() {
    let hosts = Hosts::new();
    let ran = hosts.run("parsim parallel -k -S 1/chatty echo ::: a b");
    assert_eq!(ran.exits(0).is_quiet().stdout, "a\nb\n");
}

#[test]
fn how_a_job_ended_there_is_told_as_a_shell_tells_it() {
    let hosts = Hosts::new();
    hosts.run("parsim parallel --joblog log -S 1/h1 '{}' ::: 'exit 3' 'kill -TERM $$' true").exits(2);
    assert_eq!(log(&hosts), ["1 h1 3 0 exit 3", "2 h1 143 0 kill -TERM $$", "3 h1 0 0 true"]);
    hosts.run("parsim parallel --joblog log --timeout 0.3 -S 1/h1 'sleep {}' ::: 600").exits(1);
    assert_eq!(log(&hosts), ["1 h1 255 0 sleep 600"]);
    let ran = hosts.run("parsim parallel -j1 --halt now,fail=1 -S h1 'echo {}; exit {}' ::: 0 4 0");
    assert_eq!(ran.exits(4).stdout, "0\n4\n");
}

#[test]
fn a_job_for_a_group_of_hosts_runs_on_one_of_these() {
    let hosts = Hosts::new();
    let ran = hosts.run(
        "parsim parallel --hostgroups -k -S @g1/1/h1,@g2/1/h2 'echo {} $WHERE $PARALLEL_ARGHOSTGROUPS' ::: a@g1 b@g2 c@h2 d",
    );
    ran.exits(0).says("a h1 g1\nb h2 g2\nc h2 h2\nd ");
    let ran =
        hosts.run("parsim parallel --hostgroups -k -S @g1/1/dead,@g2/1/h2 'echo {} $WHERE' ::: a@g1 b@g2");
    assert_eq!(ran.exits(1).tells("no host is left").stdout, "b h2\n");
    let ran = hosts.run("parsim parallel -k -S @g1/1/h1,@g2/1/h2,@g2 'echo $WHERE' ::: 1 2");
    assert_eq!(ran.exits(0).stdout, "h2 1\nh2 2\n");
}

#[test]
fn every_host_runs_the_command_or_all_jobs() {
    let hosts = Hosts::new();
    let ran = hosts.run("parsim parallel --nonall --tag -S h1,h2 'echo $WHERE' | sort");
    assert_eq!(ran.exits(0).stdout, "h1\th1\nh2\th2\n");
    let ran = hosts.run("parsim parallel --onall --tag -S h2,h1 'echo $WHERE' ::: a b");
    assert_eq!(ran.exits(0).stdout, "h2\th2 a\nh2\th2 b\nh1\th1 a\nh1\th1 b\n");
    hosts.run("parsim parallel --nonall -S h1,h2,dead 'test $WHERE = h1'").exits(2);
}

#[test]
fn files_go_with_a_job_and_come_back_whatever_they_are_called() {
    let hosts = Hosts::new();
    let names = ["plain", "it's", "two words", "line\nbreak", "-hyphen", "$HOME"];
    for name in names {
        fs::write(hosts.path(name), format!("<{name}>")).unwrap();
    }
    let line = r"parsim parallel -0 --trc {}.out -S 2/h1 'cat < {} > {}.out' < list";
    fs::write(hosts.path("list"), names.join("\0")).unwrap();
    hosts.run(line).exits(0).is_quiet();
    for name in names {
        assert_eq!(fs::read_to_string(hosts.path(&format!("{name}.out"))).unwrap(), format!("<{name}>"));
    }
    assert!(hosts.home("h1").is_empty());
    // In folders, which are made and removed; what stands before /./ is this side's.
    fs::create_dir_all(hosts.path("d/e")).unwrap();
    fs::write(hosts.path("d/e/f.c"), "x").unwrap();
    hosts.run("parsim parallel --trc {.}.o -S h1 'cp {} {.}.o' ::: d/e/f.c").exits(0).is_quiet();
    assert!(hosts.path("d/e/f.o").exists() && hosts.home("h1").is_empty());
    hosts.run("parsim parallel --transferfile d/./e/f.c -S h1 'cat e/f.c #' ::: x").exits(0).says("x");
    assert_eq!(hosts.home("h1"), ["e"]);
    // Whole folders, of which links are no part.
    fs::create_dir_all(hosts.path("tree/a b")).unwrap();
    fs::write(hosts.path("tree/a b/x"), "x").unwrap();
    fs::write(hosts.path("tree/y"), "y").unwrap();
    std::os::unix::fs::symlink("/etc/passwd", hosts.path("tree/link")).unwrap();
    hosts.run("rm -r hosts/h1/e; parsim parallel --trc {}.2 -S h1 'cp -r {} {}.2; rm -f {}.2/y; ln -s /etc/passwd {}.2/back' ::: tree")
        .exits(0)
        .is_quiet();
    assert_eq!(hosts.names("tree.2"), ["a b"]);
    assert_eq!(fs::read_to_string(hosts.path("tree.2/a b/x")).unwrap(), "x");
    // Bytes of any kind, of any length.
    let big: Vec<u8> = (0..1_500_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect();
    fs::write(hosts.path("big"), &big).unwrap();
    fs::write(hosts.path("empty"), "").unwrap();
    hosts
        .run("chmod 750 big; parsim parallel --trc {}.2 -S h1 'cp -p {} {}.2' ::: big empty")
        .exits(0)
        .is_quiet();
    assert_eq!(fs::read(hosts.path("big.2")).unwrap(), big);
    assert_eq!(fs::metadata(hosts.path("big.2")).unwrap().mode() & 0o777, 0o750);
    assert_eq!(fs::read(hosts.path("empty.2")).unwrap(), b"");
}

#[test]
fn a_file_that_is_missing_is_told_and_one_that_is_the_same_there_stays() {
    let hosts = Hosts::new();
    let ran = hosts.run("parsim parallel --transferfile {} -S h1 'echo ran' ::: nowhere");
    ran.exits(0).says("ran").tells("not sent: nowhere: no such file");
    let ran = hosts.run("parsim parallel --return {}.out -S h1 'true' ::: nowhere");
    ran.exits(1).tells("--return: nowhere.out: no such file");
    let ran = hosts.run("mkfifo pipe; parsim parallel --transferfile {} -S h1 'echo ran' ::: pipe");
    ran.exits(0).tells("pipe: neither a file nor a folder");
    // The host sees the very folder: nothing is written over, nothing removed.
    fs::write(hosts.path("shared"), "here").unwrap();
    let line =
        r#"parsim parallel --wd "$PWD" --basefile shared --trc {}.out -S h1 'cat {} > {}.out' ::: shared"#;
    hosts.run(line).exits(0).is_quiet();
    assert_eq!(fs::read_to_string(hosts.path("shared")).unwrap(), "here");
    assert_eq!(fs::read_to_string(hosts.path("shared.out")).unwrap(), "here");
}

#[test]
fn every_host_gets_the_base_files_once() {
    let hosts = Hosts::new();
    fs::write(hosts.path("base"), "base\n").unwrap();
    let ran =
        hosts.run("parsim parallel --onall --basefile base -S h1,h2 'cat base && rm -f base #' ::: 1 2");
    // Removed by the first job, it does not come again.
    assert_eq!(ran.exits(2).stdout, "base\nbase\n");
    hosts.run("parsim parallel --nonall --basefile base --cleanup -S h1,h2 'cat base'").exits(0);
    assert!(hosts.home("h1").is_empty() && hosts.home("h2").is_empty());
}

#[test]
fn jobs_run_in_the_login_directory_or_where_they_are_told_to() {
    let hosts = Hosts::new();
    let pwd = |options: &str| {
        let ran = hosts.run(&format!("parsim parallel {options} -S h1 'pwd # ' ::: x"));
        ran.exits(0).stdout.replace(hosts.path("hosts/h1").to_str().unwrap(), "HOME")
    };
    assert_eq!(pwd(""), "HOME\n");
    assert_eq!(pwd("--wd sub/dir"), "HOME/sub/dir\n");
    assert!(!hosts.path("sub").exists());
    let own = pwd("--wd ...");
    assert!(own.starts_with("HOME/.parallel/tmp/"), "{own}");
    assert!(hosts.names("hosts/h1/.parallel/tmp").is_empty());
    assert_eq!(pwd("--wd ."), format!("{}\n", fs::canonicalize(hosts.path(".")).unwrap().display()));
}

#[test]
fn a_connection_that_breaks_takes_its_jobs_along_and_others_do_the_rest() {
    let hosts = Hosts::new();
    // The worker's own connection is killed by the first job, once.
    let breaks = r#"if [ $WHERE = h1 ] && mkdir ../../broken 2>/dev/null; then kill -9 $(sed -n "s/^h1 //p" ../connections | head -n 1); sleep 600; fi; until [ -d ../../broken ]; do sleep 0.02; done; echo {}"#;
    let ran = hosts.run(&format!("parsim parallel -k --joblog log -S 1/h1,1/h2 '{breaks}' ::: a b c d"));
    ran.exits(1).tells("is down").tells("job ");
    let failed = log(&hosts).into_iter().filter(|row| row.contains(" 255 0 ")).count();
    assert_eq!(failed, 1);
    assert_eq!(ran.stdout.lines().count(), 3);
    let ran = hosts.run(&format!(
        "rmdir broken; : >hosts/connections; parsim parallel -k --retries 2 -S 1/h1 '{breaks}' ::: a b c"
    ));
    assert_eq!(ran.exits(0).stdout, "a\nb\nc\n");
}

#[test]
fn nothing_is_left_running_there_when_parsim_ends_or_is_killed() {
    let hosts = Hosts::new();
    for signal in ["INT", "TERM", "KILL"] {
        let line = "exec parsim parallel -S 2/h1,2/h2 'echo $$ >> ../pids; sleep 600 & echo $! >> ../pids; sleep 600' ::: 1 2 3 4";
        let mut started = hosts.shell(line).start();
        let pids = || fs::read_to_string(hosts.path("hosts/pids")).unwrap_or_default();
        started.until("all jobs run", || pids().lines().count() == 8);
        started.signal(signal);
        started.end_within(SOON);
        let begun = std::time::Instant::now();
        let is_alive = |pid: &str| {
            fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
        };
        while pids().lines().any(is_alive) {
            assert!(begun.elapsed() < SOON, "{signal}: {}", pids());
            std::thread::sleep(Duration::from_millis(20));
        }
        fs::remove_file(hosts.path("hosts/pids")).unwrap();
    }
}

#[test]
fn this_program_is_copied_to_where_there_is_none_and_used_again_only_if_it_is_whole() {
    let hosts = Hosts::new();
    let line = "parsim parallel --ssh-worker copy -S 1/h1 echo ::: a";
    // Whoever copies it keeps it from others, and its jobs none the less make files for all.
    let umask = "umask 027; parsim parallel --ssh-worker copy -S 1/h1 'umask #' ::: a";
    hosts.run(umask).exits(0).says("027").is_quiet();
    let [name] = &hosts.names("hosts/cache")[..] else { panic!("one copy") };
    let copy = hosts.path("hosts/cache").join(name);
    let first = fs::metadata(&copy).unwrap().ino();
    assert_eq!(fs::metadata(&copy).unwrap().mode() & 0o777, 0o700);
    hosts.run(line).exits(0).says("a");
    assert_eq!(fs::metadata(&copy).unwrap().ino(), first);
    // Others might have written to it; it is not what it was; it is a link.
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o722)).unwrap();
    hosts.run(line).exits(0).says("a");
    let second = fs::metadata(&copy).unwrap();
    assert!(second.ino() != first && second.mode() & 0o777 == 0o700);
    fs::write(&copy, "#!/bin/sh\necho parsim-worker/5\n").unwrap();
    hosts.run(line).exits(0).says("a");
    fs::rename(&copy, hosts.path("elsewhere")).unwrap();
    std::os::unix::fs::symlink(hosts.path("elsewhere"), &copy).unwrap();
    hosts.run(line).exits(0).says("a");
    assert!(!fs::symlink_metadata(&copy).unwrap().is_symlink());
    let ran = hosts.run("parsim parallel --ssh-worker /nowhere/parsim -S 1/h1 echo ::: a");
    ran.exits(1).tells("/nowhere/parsim is no parsim of this protocol");
}

#[test]
fn where_there_is_no_room_for_this_program_that_is_told() {
    let hosts = Hosts::new();
    let ran = hosts.run("parsim parallel --ssh-worker copy -S 1/full echo ::: a");
    ran.exits(1).tells("cannot be copied there").tells("there must be room");
}

#[test]
fn why_a_host_is_down_is_told_behind_whatever_else_it_says() {
    let hosts = Hosts::new();
    let ran = hosts.run("parsim parallel -S 1/loud echo ::: a");
    ran.exits(1).tells("loud is down: ended with status 255: no such user");
}

#[test]
fn a_host_that_lies_about_its_cores_does_no_harm() {
    let hosts = Hosts::new();
    let heard = "until [ $(grep -c liar ../connections) -ge 1 ]; do sleep 0.02; done; sleep 0.5";
    let ran = hosts.run(&format!("parsim parallel -S liar,1/h1 '{heard}; echo' ::: a"));
    ran.exits(0).says("a");
}

#[test]
fn both_ways_are_compared_on_hosts() {
    let hosts = Hosts::new();
    let ran =
        hosts.run("parsim compare -S 1/h1,1/h2 --export-json study.json 'sleep 0.{}; echo {}' ::: 1 2 3 4");
    ran.exits(0).tells("serial is one job at a time on h1").says("identical");
    let study: serde_json::Value =
        serde_json::from_slice(&fs::read(hosts.path("study.json")).unwrap()).unwrap();
    let text = study.to_string();
    assert!(text.contains("\"node\":\"h1\"") && text.contains("\"node\":\"h2\""), "{text}");
}

#[test]
fn what_cannot_be_done_elsewhere_is_refused_by_name() {
    let hosts = Hosts::new();
    for (line, why) in [
        ("parallel -S -x echo ::: 1", "does not begin with a hyphen"),
        ("parallel -S me:secret@h1 echo ::: 1", "a password in a login"),
        ("parallel -S 0/h1 echo ::: 1", "at least one slot"),
        ("parallel --slf nowhere echo ::: 1", "--sshloginfile nowhere: no such file"),
        ("parallel -u -S h1 echo ::: 1", "-u does not go with -S"),
        ("parallel --tty -S h1 echo ::: 1", "--tty does not go with -S"),
        ("parallel --pipe --round-robin -S h1 cat", "--round-robin does not go with -S"),
        ("parallel --pipe-part -a log -S h1 cat", "--pipe-part does not go with -S"),
        ("parallel --load 1 -S h1 echo ::: 1", "--load does not go with -S"),
        ("parallel --workers processes -S h1 echo ::: 1", "--workers does not go with -S"),
        ("parallel --trc {}.x echo ::: 1", "name them, for example with -S h1,h2"),
        ("parallel -X --trc {}.x -S h1 echo ::: 1", "does not go with"),
        ("parallel --nonall -S h1 echo ::: 1", "--nonall runs the command once on every host"),
        ("parallel --ssh-worker 'a;b' -S h1 echo ::: 1", "python3, or the path of a parsim on the hosts"),
        ("serial -S h1 echo ::: 1", "serial means one job at a time"),
        ("parallel -j1,2 -S h1 echo ::: 1", "-j: with -S it is one number"),
    ] {
        let ran = hosts.run(&format!("parsim {line} </dev/null"));
        ran.exits(255).tells(why);
        assert!(!ran.stderr.contains("secret"), "{}", ran.stderr);
    }
    assert_eq!(hosts.connections(), 0);
}
