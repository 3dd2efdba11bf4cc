//! Batches of commands: `parsim serial` and `parsim parallel`.

use std::fs;

use crate::support::Fresh;

#[test]
fn values_on_the_line_are_combined_with_the_last_fastest() {
    let ran = Fresh::new().parsim("parallel -k echo {1}-{2} ::: a b ::: 1 2").run();
    ran.exits(0).is_quiet().expect(ran.stdout == "a-1\na-2\nb-1\nb-2\n", "the product in order");
}

#[test]
fn lines_of_standard_input_are_values_and_without_a_command_commands() {
    let fresh = Fresh::new();
    let ran = fresh.shell("printf 'x y\\nit'\\''s\\n' | parsim parallel -k echo").run();
    ran.exits(0).expect(ran.stdout == "x y\nit's\n", "values as they are");
    let ran = fresh.shell("printf 'echo 1; echo 2\\necho $((1+2))\\n' | parsim serial").run();
    ran.exits(0).expect(ran.stdout == "1\n2\n3\n", "lines run by a shell");
}

#[test]
fn output_is_grouped_in_the_order_of_ending_and_kept_in_input_order_when_asked_to() {
    let fresh = Fresh::new();
    // The first job writes only when the second has written all it has to.
    let jobs = "'[ {} = 2 ] || until [ -e two ]; do :; done; echo {}a; echo {}b; : >two' ::: 1 2";
    let ran = fresh
        .shell(&format!("parsim parallel -j2 -k {jobs}; rm two; echo; parsim parallel -j2 {jobs}"))
        .run();
    let (kept, grouped) = ran.stdout.split_once("\n\n").unwrap();
    ran.expect(kept == "1a\n1b\n2a\n2b", "input order");
    ran.expect(["1a\n1b\n2a\n2b\n", "2a\n2b\n1a\n1b\n"].contains(&grouped), "whole groups");
}

#[test]
fn the_number_of_failed_jobs_is_the_exit_status_and_they_are_named() {
    let ran = Fresh::new().shell("parsim parallel 'exit {}' ::: 0 3 0 7").run();
    ran.exits(2).tells("parsim: job 2 failed: exit status 3: exit 3\n").tells("job 4 failed: exit status 7");
    let ran = Fresh::new().shell("seq 102 | parsim parallel -j4 'false #'").run();
    ran.exits(101);
}

#[test]
fn a_missing_command_is_a_failed_job_and_a_killed_one_too() {
    let ran = Fresh::new().shell("parsim parallel --shell /bin/sh ::: no-such-command 'kill -9 $$'").run();
    ran.exits(2).tells("exit status 127").tells("killed by signal 9");
}

#[test]
fn a_command_of_plain_words_runs_without_a_shell_as_with_one() {
    let fresh = Fresh::new();
    let nasty = "'a b' \"it's\" '$HOME' '*' '-n' 'x\\y'";
    let through = |options: &str| {
        fresh
            .shell(&format!(
                "PARSIM_SHELL=/bin/sh parsim parallel -k {options} /usr/bin/printf %s/ ::: {nasty}"
            ))
            .run()
            .stdout
    };
    let direct = through("--no-shell");
    assert_eq!(direct, "a b/it's/$HOME/*/-n/x\\y/");
    let shell =
        fresh.shell(&format!("PARSIM_SHELL=/bin/sh parsim parallel -k 'true; printf %s/' {{}} ::: {nasty}"));
    assert_eq!(shell.run().stdout, direct);
}

#[test]
fn jobs_that_last_too_long_are_killed_with_all_their_children() {
    let fresh = Fresh::new();
    // The number of the shell keeps the jobs of other runs of this test apart.
    let script = "parsim parallel --timeout 0.3 \"trap '' TERM; sleep 32$$.{#} & wait; sleep 32$$.{#}\" ::: 1; s=$?; \
                  for again in $(seq 200); do pgrep -f \"sleep 32$$[.]1\" >left || break; sleep 0.1; done; exit $s";
    fresh.shell(script).run().exits(1).tells("job 1 failed: timed out");
    assert_eq!(fs::read_to_string(fresh.path("left")).unwrap(), "");
}

#[test]
fn a_job_starts_as_soon_as_its_line_has_come() {
    let fresh = Fresh::new();
    let line = fresh.parsim("parallel -j1 touch {}");
    line.run_fed("first\n", || fresh.path("first").exists(), "second\n");
    assert!(fresh.path("second").exists());
}

#[test]
fn a_signal_ends_the_jobs_and_then_parsim() {
    let fresh = Fresh::new();
    let started = fresh.parsim("parallel -u sh -c").args([">ready; sleep 322.7", ":::", "a"]).start();
    let mut shell = fresh.shell("echo 'echo >ready; exec sleep 322.8' | parsim parallel").start();
    shell.until("the job runs", || fresh.path("ready").exists());
    shell.signal_all("TERM");
    shell.end().ends_by_signal(libc::SIGTERM);
    started.signal("TERM");
    started.end();
    // Who was killed needs a moment of a core to die.
    fresh
        .shell("for again in $(seq 200); do pgrep -f 'sleep 322[.]' || exit 0; sleep 0.1; done; exit 1")
        .run()
        .exits(0);
}

#[test]
fn tags_dry_runs_and_traces_show_what_gnu_parallel_shows() {
    let fresh = Fresh::new();
    let says = |script: &str| fresh.shell(script).run().stdout;
    assert_eq!(says("parsim parallel -k --tag echo ::: a b"), "a\ta\nb\tb\n");
    assert_eq!(
        says("parsim parallel -k --tagstring '<{}>' 'echo 1; echo 2' '#' {} ::: a"),
        "<a>\t1\n<a>\t2\n"
    );
    assert_eq!(
        says("parsim parallel -k --dry-run echo {} '>' {.}.out ::: 'a b.c'"),
        "echo 'a b.c' > 'a b'.out\n"
    );
    assert_eq!(says("parsim parallel -k -v echo ::: a"), "echo a\na\n");
    fresh.shell("parsim parallel -t echo ::: a").run().exits(0).says("a\n").tells("echo a\n");
}

#[test]
fn values_are_packed_into_few_command_lines() {
    let fresh = Fresh::new();
    let says = |script: &str| fresh.shell(script).run().stdout;
    assert_eq!(says("parsim parallel -k -n2 echo ::: 1 2 3"), "1 2\n3\n");
    assert_eq!(says("seq 100000 | parsim parallel --xargs echo | wc -w"), "100000\n");
    assert_eq!(says("parsim parallel -j1 -X echo p{}s ::: 1 2 3"), "p1s p2s p3s\n");
}

#[test]
fn options_that_cannot_have_an_effect_are_refused_by_name() {
    let fresh = Fresh::new();
    fresh.parsim("parallel --warmup 1 echo ::: a").run().refuses("--warmup is for both ways");
    fresh.parsim("parallel --no-such echo ::: a").run().refuses("no-such");
    fresh.parsim("serial -j 2 echo ::: a").run().refuses("serial means one task at a time");
    fresh.parsim("parallel csv --files 20").run().refuses("csv is a workload: parsim csv --parallel");
}

#[test]
fn a_closed_stdout_ends_the_batch_quietly() {
    let ran = Fresh::new().shell("yes | parsim parallel -u echo 2>err | head -1; cat err").run();
    ran.exits(0).expect(ran.stdout.starts_with("y\n"), "the first line");
    let ran = Fresh::new().shell("seq 1000000 | parsim parallel -k echo | head -2").run();
    ran.exits(0).expect(ran.stdout == "1\n2\n", "the first two lines");
}

#[test]
fn in_input_order_messages_of_a_job_come_behind_its_output() {
    let fresh = Fresh::new();
    let job = "'printf a{}; echo e{} >&2; printf b; echo f >&2; echo c' ::: 1 2";
    let both =
        |options: &str| fresh.shell(&format!("parsim parallel -k -j2 {options} {job} 2>&1")).run().stdout;
    assert_eq!(both(""), "a1bc\ne1\nf\na2bc\ne2\nf\n");
    assert_eq!(both("--tag"), "1\ta1bc\n1\te1\n1\tf\n2\ta2bc\n2\te2\n2\tf\n");
}
