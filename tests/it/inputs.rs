//! What a batch runs over: columns with names, random order, functions; and what
//! is asked for instead of a run.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use crate::support::Fresh;

fn says(script: &str) -> String {
    Fresh::new().shell(script).run().exits(0).is_quiet().stdout.clone()
}

/// A directory in which `parallel` is the program under test.
fn as_parallel(script: &str) -> String {
    says(&format!("ln -s \"$(command -v parsim)\" parallel; PATH=$PWD:$PATH; {script}"))
}

#[test]
fn the_head_of_each_source_names_its_columns() {
    let csv = "printf 'n,v\\nd/x.y,1\\nd/z.y,2\\n'";
    assert_eq!(
        says(&format!(
            "{csv} | parsim parallel -k --colsep , --header : echo {{n}} {{n/}} {{n.}} {{v}} {{1//}}"
        )),
        "d/x.y x.y d/x 1 d\nd/z.y z.y d/z 2 d\n"
    );
    assert_eq!(says("parsim parallel -k --header : echo {b}{a} ::: a 1 2 ::: b x y"), "x1\ny1\nx2\ny2\n");
    assert_eq!(says("parsim parallel -k --header : echo {b}{a} ::: a 1 2 :::+ b x y"), "x1\ny2\n");
    assert_eq!(says("parsim parallel -k --header : --tagstring {a} echo ::: a 1"), "1\t1\n");
    assert_eq!(says("parsim parallel -k --header : --wd {d} 'pwd | sed s,.*/,, #' ::: d x y"), "x\ny\n");
    assert_eq!(says("echo 1 >f; parsim parallel --header 0 echo {f} :::: f"), "1\n");
    assert_eq!(says("printf 'a\\n' | parsim parallel --header : echo {a}"), "", "a head alone is no job");
}

#[test]
fn names_are_known_as_soon_as_the_first_row() {
    let fresh = Fresh::new();
    let line = fresh.parsim("parallel -j1 --header : touch {name}");
    line.run_fed("name\nfirst\n", || fresh.path("first").exists(), "second\n");
    assert!(fresh.path("second").exists());
}

#[test]
fn csv_fields_may_hold_separators_quotes_and_newlines() {
    let csv = "printf '\"a,b\",c\\n\"d\\ne\",\"f\"\"g\"\\n'";
    assert_eq!(says(&format!("{csv} | parsim parallel -k --csv echo '{{2}}-{{1}}'")), "c-a,b\nf\"g-d\ne\n");
}

#[test]
fn shuffled_inputs_are_the_same_inputs_in_another_order() {
    let fresh = Fresh::new();
    let script = "seq 100 | parsim parallel -k --shuf echo >a; seq 100 | parsim parallel -k --shuf echo >b; \
                  cmp -s a b || echo different; sort -n a | cmp - b || sort -n b >c; sort -n a | cmp - c && echo same";
    fresh.shell(script).run().says("different\n").says("same\n");
}

#[test]
fn exported_functions_are_commands() {
    let bash = |script: &str| {
        let fresh = Fresh::new();
        // Which stays there, for its last command is not put in its place.
        fresh.shell(&format!("exec bash -c '{script}; exit $?'")).run().exits(0).stdout.clone()
    };
    assert_eq!(
        bash("f() { echo \"<$1>\"; }; export -f f; parsim parallel -k f ::: a \"b c\""),
        "<a>\n<b c>\n"
    );
    // One that has a program's name comes before the program.
    assert_eq!(bash("expr() { echo mine; }; export -f expr; parsim parallel expr ::: 1"), "mine\n");
    assert_eq!(
        bash("f() { echo f$1; }; export -f f; printf \"f 1\\nf 2\\n\" | parsim parallel -k"),
        "f1\nf2\n"
    );
    assert_eq!(
        bash("f() { paste -sd,; }; export -f f; seq 4 | parsim parallel -k --pipe -N2 f"),
        "1,2\n3,4\n"
    );
}

#[test]
fn lines_are_run_by_the_shell_that_they_were_written_for() {
    let fresh = Fresh::new();
    let ran = |script: &str| {
        fresh.shell(&format!("exec bash -c '{script}; exit $?'")).run().exits(0).stdout.clone()
    };
    let dash = "export SHELL=/bin/dash; f() { echo f$1; }; export -f f; parsim parallel f ::: 1";
    assert_eq!(ran(dash), "f1\n", "other shells drop functions");
    assert_eq!(ran("unset SHELL; parsim parallel \"[[ a == a* ]] && echo {}\" ::: 1"), "1\n", "the parent");
    assert_eq!(ran("export PARSIM_SHELL=/bin/dash; parsim parallel \"echo \\$0 #\" ::: 1"), "/bin/dash\n");
}

#[test]
fn called_parallel_it_is_parsim_parallel() {
    assert_eq!(as_parallel("parallel -k echo ::: a b"), "a\nb\n");
    assert_eq!(as_parallel("parallel --will-cite -j2 </dev/null; parallel </dev/null; echo $?"), "0\n");
    assert_eq!(as_parallel("parallel --version | awk 'NR==1{print $3}'"), "20221122\n");
    assert_eq!(as_parallel("parallel --min-version 20130222 && echo new"), "20221122\nnew\n");
    assert_eq!(as_parallel("parallel --min-version 20990101 || echo $?"), "20221122\n255\n");
    assert_eq!(as_parallel("parallel --help | head -1 | cut -c1-6"), "Usage:\n");
    let cores = as_parallel("for what in cores threads cpus sockets; do parallel --number-of-$what; done");
    assert_eq!(cores.lines().filter(|line| line.parse::<u32>().is_ok_and(|n| n > 0)).count(), 4, "{cores}");
    assert_eq!(as_parallel("parallel --max-line-length-allowed"), "131071\n");
}

#[test]
fn this_machine_may_be_named_as_one_that_jobs_run_on() {
    assert_eq!(says("parsim parallel -S : echo ::: a; parsim parallel --sshlogin 2/: echo ::: b"), "a\nb\n");
}

#[test]
fn values_are_quoted_for_a_shell_as_often_as_asked_for() {
    assert_eq!(says("parsim parallel -k --shellquote ::: 'a b' \"it's\" ''"), "'a b'\n'it'\"'\"'s'\n''\n");
    assert_eq!(says("parsim parallel --shellquote --shellquote ::: 'a b'"), "\"'\"'a b'\"'\"\n");
    assert_eq!(says("parsim parallel --shellquote echo ::: 'a b'"), "'echo '\"'\"'a b'\"'\"\n");
}

#[test]
fn jobs_are_told_their_slot_their_threads_and_where_temporary_files_go() {
    assert_eq!(says("parsim parallel -j1 --process-slot-var S 'echo $S {}' ::: a b"), "0 a\n0 b\n");
    assert_eq!(
        says(
            "OMP_NUM_THREADS=9 parsim parallel --threads-per-job 3 'echo $OMP_NUM_THREADS $RAYON_NUM_THREADS #' ::: a"
        ),
        "3 3\n"
    );
    // Far more threads than cores leave one slot.
    assert_eq!(says("parsim parallel --threads-per-job 100000 'echo {%}' ::: a b c"), "1\n1\n1\n");
    assert_eq!(says("mkdir t; parsim parallel --tmpdir t 'echo $TMPDIR #' ::: a"), "t\n");
    assert_eq!(says("X=1 parsim parallel --env X 'echo $X #' ::: a"), "1\n");
}

#[test]
fn jobs_run_in_directories_that_are_made_for_them() {
    assert_eq!(says("parsim parallel --wd new/one 'touch {}' ::: x; ls new/one"), "x\n");
    assert_eq!(says("parsim parallel -k --wd d{} 'touch x #' ::: 1 2; ls d1 d2"), "d1:\nx\n\nd2:\nx\n");
    let fresh = Fresh::new();
    let ran = fresh.shell("TMPDIR=$PWD parsim parallel -j1 --wd ... 'pwd #' ::: a b").run();
    ran.exits(0).expect(ran.stdout.lines().count() == 2, "a directory each");
    let folders: Vec<&str> = ran.stdout.lines().collect();
    ran.expect(folders[0] != folders[1], "two directories");
    ran.expect(fresh.names(".").is_empty(), "nothing left of them");
}

#[test]
fn a_directory_of_a_jobs_own_is_gone_however_the_job_ended() {
    let fresh = Fresh::new();
    let script = "mkdir t; TMPDIR=$PWD/t parsim parallel --timeout 1 --wd ... 'mkdir a; >a/b; {}' ::: true false 'sleep 100'";
    fresh.shell(script).run().exits(2);
    assert_eq!(fresh.names("t"), [] as [&str; 0]);
    assert_eq!(says("mkdir t; TMPDIR=$PWD/t parsim parallel --wd ... 'rm -r $PWD #' ::: a; ls -A t"), "");
}

#[test]
fn a_job_elsewhere_knows_where_it_came_from() {
    for place in ["w", "w{}", "..."] {
        for job in ["'echo $OLDPWD #'", "-n0 printenv OLDPWD"] {
            let said = says(&format!("pwd; OLDPWD=/ parsim parallel --wd '{place}' {job} ::: 1"));
            let lines: Vec<&str> = said.lines().collect();
            assert_eq!(lines[0], lines[1], "--wd {place} {job}");
        }
    }
}

#[test]
fn a_folder_for_temporary_files_that_cannot_be_used_is_told_before_anything_runs() {
    let fresh = Fresh::new();
    fs::write(fresh.path("file"), "").unwrap();
    for (folder, why) in
        [("t/here", "no such directory"), ("file", "not a directory"), ("/proc", "no file can be made")]
    {
        for subcommand in ["serial", "parallel", "compare"] {
            let ran = fresh.parsim(&format!("{subcommand} --tmpdir {folder} touch ::: ran")).run();
            ran.refuses(&format!("--tmpdir {folder}: {why}"));
        }
    }
    assert_eq!(fresh.names("."), ["file"]);
}

#[test]
fn without_a_terminal_jobs_that_were_to_have_it_run_without() {
    // In a session of its own there is none.
    let script = "setsid -w parsim parallel --tty 'cat; echo {}' ::: a b";
    assert_eq!(says(script), "a\nb\n");
}

#[test]
fn a_table_from_windows_has_names_without_carriage_returns_and_values_with_them() {
    let table = |text: &str| format!("printf '{text}' | parsim parallel -k --header :");
    assert_eq!(
        says(&format!("{} --colsep , echo {{id}} {{city}}", table("id,city\\r\\n1,Oslo\\r\\n"))),
        "1 Oslo\n"
    );
    assert_eq!(says(&format!("{} echo {{city}}", table("city\\r\\nOslo\\r\\n"))), "Oslo\r\n");
    assert_eq!(says(&format!("{} echo {{b}} {{a}}", table("a\\tb\\r\\n1\\t2\\r\\n"))), "2\r 1\n");
    assert_eq!(says(&format!("{} --csv echo {{b}} {{a}}", table("a,b\\r\\n1,2\\r\\n"))), "2 1\n");
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_name() {
    const MARK: &str = "\\357\\273\\277";
    let table = |text: &str| format!("printf '{MARK}{text}' | parsim parallel -k --header :");
    assert_eq!(
        says(&format!("{} --colsep , echo {{id}} {{city}}", table("id,city\\r\\n1,Oslo\\n"))),
        "1 Oslo\n"
    );
    assert_eq!(says(&format!("{} echo {{city}}", table("city\\nOslo\\n"))), "Oslo\n");
    assert_eq!(says(&format!("{} --csv echo {{b}} {{a}}", table("\"a\",b\\n1,2\\n"))), "2 1\n");
    // A value is handed on as it is.
    let value = format!("printf 'a\\n{MARK}b\\n' | parsim parallel --header : 'printf %s {{a}} | wc -c'");
    assert_eq!(says(&value).trim(), "4");
}

#[test]
fn the_total_may_be_told_instead_of_counted() {
    let fresh = Fresh::new();
    let mut line = fresh.parsim("parallel -j1 --plus --total-jobs 7 touch {##}-{}").stdin(Stdio::piped());
    let mut child = line.command().spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"a\n").unwrap();
    while !fresh.path("7-a").exists() {
        std::thread::yield_now();
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_limit_in_percent_follows_the_jobs_that_succeeded() {
    let fresh = Fresh::new();
    let ran =
        fresh.shell("parsim parallel -j1 --timeout 2000% 'sleep {}; echo {}' ::: 0.2 0.2 0.2 60 0.2").run();
    ran.exits(1).tells("job 4 failed: timed out").expect(ran.stdout == "0.2\n0.2\n0.2\n0.2\n", "the others");
}

#[test]
fn a_trace_is_shown_when_the_job_starts() {
    let fresh = Fresh::new();
    let ran = fresh.shell("parsim parallel -j1 -t echo ::: a b 2>&1").run();
    ran.exits(0).expect(ran.stdout == "echo a\na\necho b\nb\n", "each line before its job");
}

#[test]
fn a_separator_without_values_leaves_standard_input() {
    assert_eq!(says("echo a | parsim parallel echo :::"), "a\n");
    assert_eq!(says("parsim parallel echo ::: </dev/null"), "");
}

#[test]
fn values_of_the_line_end_where_records_end() {
    assert_eq!(says("parsim parallel -k 'echo {#}{}' ::: \"$(seq 2)\" x"), "11\n22\n3x\n");
    assert_eq!(says("parsim parallel -k -d, 'echo {#}{}' ::: a,b c"), "1a\n2b\n3c\n");
    assert_eq!(says("parsim parallel -k -0 'echo {#}{}' ::: \"$(seq 2)\" x"), "11\n2\n2x\n");
}
