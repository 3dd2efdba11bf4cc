//! Limits of the system: files, memory, processes, arguments, and inputs without an end.

use crate::support::Fresh;

/// A job that ends well once so many run, and otherwise after a while with 1.
fn together(jobs: u32) -> String {
    format!(
        "mkdir -p here; : >here/{{}}; n=0; until [ $(ls here | wc -l) -ge {jobs} ]; \
         do n=$((n+1)); [ $n -lt 300 ] || exit 1; sleep 0.05; done"
    )
}

#[test]
fn however_many_runs_are_asked_for_they_take_no_memory_before_they_are_made() {
    let fresh = Fresh::new();
    let line = "ulimit -v 1000000; exec timeout -s INT 1 parsim sleep --tasks 1 --seconds 0.01 -j 2 --runs 100000000";
    let ran = fresh.shell(line).run();
    ran.expect(!ran.stderr.contains("memory allocation"), "no lack of memory");
}

#[test]
fn more_jobs_run_at_once_than_the_soft_limit_of_open_files_allows_and_get_that_limit_back() {
    let fresh = Fresh::new();
    // Where no more can be had, there is nothing to be seen.
    let script = format!(
        "[ $(ulimit -Hn) = unlimited ] || [ $(ulimit -Hn) -ge 1024 ] || exit 0; ulimit -Sn 200; seq 50 | parsim parallel -j50 --shell /bin/sh '{}'",
        together(50)
    );
    fresh.shell(&script).run().exits(0).is_quiet();
    for (line, times) in [
        ("parallel --shell /bin/sh 'ulimit -Sn;:' ::: 1 2", 2),
        ("parallel -u --shell /bin/sh 'ulimit -Sn;:' ::: 1", 1),
        ("compare --prepare 'ulimit -Sn >>limits' true ::: 1 >/dev/null 2>&1; cat limits", 2),
    ] {
        let ran = Fresh::new().shell(&format!("ulimit -Sn 200; parsim {line}")).run();
        let expected = "200\n".repeat(times);
        ran.expect(ran.stdout == expected, &format!("{line}: {expected:?}"));
    }
}

#[test]
fn too_few_open_files_for_one_job_are_refused_in_one_line_and_few_are_enough_for_one() {
    for (files, status) in [(6, 255), (12, 255), (16, 255), (32, 0)] {
        let script =
            format!("ulimit -n {files}; seq 5 | parsim parallel -j4 --shell /bin/sh 'echo {{}};:' | wc -l");
        let ran = Fresh::new().shell(&script).run();
        ran.tells_one_line("ulimit -n");
        let jobs = if status == 0 { "5" } else { "0" };
        ran.expect(ran.stdout.trim() == jobs, &format!("{jobs} jobs with {files} files"));
    }
}

#[test]
fn limited_memory_makes_for_fewer_slots_which_is_told_once_and_no_job_fails() {
    for (kib, is_told) in [(300_000, false), (100_000, true), (50_000, true)] {
        let script = format!(
            "ulimit -v {kib}; seq 80 | parsim parallel -j60 -k --shell /bin/sh 'echo {{}};:' >out; s=$?; wc -l <out; exit $s"
        );
        let ran = Fresh::new().shell(&script).run();
        ran.exits(0).expect(ran.stdout.trim() == "80", "every job");
        if is_told {
            ran.tells_one_line("at a time, not 60: memory is limited");
        } else {
            ran.is_quiet();
        }
    }
    for line in [
        "sleep -j60 --tasks 60 --seconds 0 --parallel --progress=never",
        "csv -j60 --files 60 --rows 2 --cols 2 --parallel --progress=never --out-dir made",
        "compare -j60 echo ::: 1 2 3",
        "tap --demo --parallel -j60 --progress=never",
    ] {
        if line.starts_with("tap") && !cfg!(feature = "net") {
            continue;
        }
        let ran = Fresh::new().shell(&format!("ulimit -v 60000; parsim {line}; [ $? -lt 100 ]")).run();
        ran.tells("at a time, not 60: memory is limited");
        ran.exits(0);
    }
}

/// A line of shell as a user of its own, who may have so many processes; `None` where
/// that cannot be arranged.
fn as_a_user_with(processes: u32, script: &str) -> Option<crate::support::Ran> {
    let user = 61_000 + std::process::id() % 4_000;
    let fresh = Fresh::new();
    let line = |processes: u32, script: &str| {
        let change = format!(
            "exec setpriv --reuid={user} --regid={user} --clear-groups prlimit --nproc={processes} /bin/sh -c '{script}'"
        );
        fresh.shell(&format!("cd /; {change}")).env("HOME", "/").run()
    };
    let can = line(45, "parsim --version");
    let script = script.replace('\'', r"'\''");
    can.stdout.starts_with("parsim").then(|| line(processes, &script))
}

#[test]
fn limited_processes_make_for_fewer_slots_which_is_told_once_and_no_job_fails() {
    let script = "seq 40 | parsim parallel -j30 --shell /bin/sh 'sleep 0.05; echo {}' | wc -l";
    let Some(ran) = as_a_user_with(45, script) else { return };
    ran.tells_one_line("at a time, not 30: ").expect(ran.stdout.trim() == "40", "every job");
}

#[test]
fn packed_lines_leave_room_for_the_environment_and_for_addresses() {
    for (limit, environment) in [("256", 0), ("256", 60_000), ("128", 0), ("8192", 0), ("unlimited", 100_000)]
    {
        for packs in ["-X", "-m", "--xargs"] {
            for command in ["/bin/echo", "'exec /bin/echo'"] {
                if limit == "8192" && packs != "-X" {
                    continue;
                }
                let script = format!(
                    "export FILL=$(head -c {environment} /dev/zero | tr '\\0' x); ulimit -s {limit} 2>/dev/null || {{ echo 50000; exit 0; }}; \
                     seq 50000 | parsim parallel -j2 {packs} --shell /bin/sh {command} | wc -w"
                );
                let ran = Fresh::new().shell(&script).run();
                ran.exits(0).is_quiet();
                ran.expect(ran.stdout.trim() == "50000", &format!("{limit} {packs} {command}: all words"));
            }
        }
    }
}

#[test]
fn an_environment_that_leaves_no_room_is_refused_with_its_size() {
    let script = "export FILL=$(head -c 64600 /dev/zero | tr '\\0' x); export MORE=$FILL; ulimit -s 256; exec parsim parallel echo ::: a";
    let fresh = Fresh::new();
    let mut line = fresh.shell(script);
    let path = line.command().get_envs().find(|(name, _)| *name == "PATH").unwrap().1.unwrap().to_owned();
    line.command().env_clear().env("PATH", path);
    let ran = line.run();
    ran.exits(255).tells_one_line("of the 131072 bytes that it and a command line may take together");
}

#[test]
fn a_record_without_an_end_is_refused_for_its_length_in_little_memory() {
    for (line, name) in [
        ("echo", "standard input"),
        ("-0 echo", "standard input"),
        ("--colsep , echo", "standard input"),
        ("--csv echo", "standard input"),
        ("-X echo", "standard input"),
        ("-L1 echo", "standard input"),
        ("--header : echo {x}", "standard input"),
        ("-a - echo", "standard input"),
        ("-a /dev/zero echo", "/dev/zero"),
        ("echo :::: /dev/zero", "/dev/zero"),
        ("echo :::: /dev/zero ::: a b", "/dev/zero"),
    ] {
        let script = format!("ulimit -v 120000; tr '\\0' x </dev/zero | parsim parallel {line}");
        let ran = Fresh::new().shell(&script).run();
        ran.exits(255).tells_one_line(&format!("{name}: a record does not end within 2097152 bytes"));
    }
    // A record that goes on and on in others.
    for (line, feeds) in [
        ("--csv echo", "{ echo '\"'; yes a; }"),
        ("-L1 echo", "yes 'a '"),
        ("--pipe --header : cat", "tr '\\0' x </dev/zero"),
    ] {
        let script = format!("{feeds} | parsim parallel {line}");
        Fresh::new()
            .shell(&script)
            .run()
            .exits(255)
            .tells_one_line("standard input: a record does not end within");
    }
}

#[test]
fn a_nul_in_the_input_is_told_once_and_replaced() {
    for line in ["-k", "-k -j4", "-k -n2", "--shuf -j1", "-k --colsep ,"] {
        let ran = Fresh::new()
            .shell(&format!("printf 'a\\0b\\nc\\0d\\n' | parsim parallel {line} printf %s,"))
            .run();
        ran.exits(0).tells_one_line("a NUL in the input was replaced with \\0");
        ran.says("a\\0b").says("c\\0d");
    }
    Fresh::new().shell("printf 'a\\0b\\0' | parsim parallel -0 -k echo").run().exits(0).is_quiet();
}

#[test]
fn a_list_or_a_number_that_has_no_end_is_refused_before_it_fills_the_memory() {
    for (line, told) in [
        ("tap --urls /dev/zero", "read URLs from /dev/zero: more than 16 MiB: is it a list of URLs"),
        ("tap --urls - </dev/zero", "read URLs from -: more than 16 MiB: is it a list of URLs"),
        ("parallel -j /dev/zero echo ::: a", "-j /dev/zero: give N, N%, +N, -N, 0, or a file"),
    ] {
        let ran = Fresh::new().shell(&format!("ulimit -v 400000; parsim {line}")).run();
        ran.exits(255).tells_one_line(told);
    }
}

#[test]
fn a_record_that_outgrows_the_memory_ends_the_run_and_not_parsim() {
    for line in ["cat", "-N1 cat"] {
        let script = format!("ulimit -v 80000; parsim parallel -j2 --shell /bin/sh --pipe {line} </dev/zero");
        Fresh::new()
            .shell(&script)
            .run()
            .exits(255)
            .tells_one_line("cannot read standard input: out of memory");
    }
}

#[test]
fn few_open_files_make_for_fewer_tasks_at_a_time_which_is_told_once_and_none_fails() {
    for line in [
        "csv --files 64 --rows 5 --cols 5 -j64",
        "csv --files 64 --rows 5 --cols 5 -j64 --parallel",
        "csv --files 16 --rows 5 --cols 5 -j16 --workers processes --runs 2",
        "tap --demo -j64 --parallel",
    ] {
        let script = format!("ulimit -n 44; parsim {line} --progress=never >out");
        let ran = Fresh::new().shell(&script).run();
        ran.exits(0);
        if !line.contains("tap") {
            ran.tells_one_line("at a time, not");
        }
    }
}
