//! What people type on `compare` who know hyperfine: GNU parallel's meaning counts
//! wherever what follows fits it.

use std::fs;

use crate::support::{Fresh, Ran};

fn compare(fresh: &Fresh, line: &str) -> Ran {
    fresh.parsim("compare").args(shell_words::split(line).unwrap()).run()
}

/// What the jobs of each way print.
fn printed(line: &str) -> String {
    let ran = compare(&Fresh::new(), &format!("-k --show-output {line}"));
    ran.exits(0);
    let lines: Vec<&str> = ran.stdout.lines().take_while(|line| !line.starts_with("parsim ")).collect();
    let (one, other) = lines.split_at(lines.len() / 2);
    assert_eq!(one, other, "both ways print the same");
    one.join("|")
}

#[test]
fn letters_keep_gnu_parallels_meaning_where_what_follows_fits_it() {
    for (line, expected) in [
        ("-N2 echo ::: a b c d", "a b|c d"),
        ("-N 2 echo ::: a b c d", "a b|c d"),
        ("-n 2 echo ::: a b c d", "a b|c d"),
        ("-L 2 echo ::: a b", "a b"),
        ("-P 2 echo ::: a b", "a|b"),
        ("-r echo ::: a '' b", "a|b"),
        ("-m echo ::: a", "a"),
        ("-i XX echo XX ::: a b", "a|b"),
        ("-s 100 echo ::: a", "a"),
        ("-S : echo ::: a", "a"),
    ] {
        assert_eq!(printed(line), expected, "{line}");
    }
}

#[test]
fn inputs_may_have_names_and_values_or_a_range_of_numbers() {
    for (line, expected) in [
        ("-L name a,b 'echo {name}'", "a|b"),
        ("--parameter-list name 'a\\,b,c' 'echo {name}'", "a,b|c"),
        ("-L x a,b -L y 1,2 'echo {y}{x}'", "1a|2a|1b|2b"),
        ("-P size 1 4 'echo {size}'", "1|2|3|4"),
        ("-P size 0 1 -D 0.5 'echo {size}'", "0|0.5|1"),
        ("--parameter-scan n -1 1 --parameter-step-size 2 'echo {n}'", "-1|1"),
        ("-kPn 1 2 'echo {n} {2}' ::: a b", "1 a|1 b|2 a|2 b"),
        ("-L name 'a b' echo {name}", "a b"),
    ] {
        assert_eq!(printed(line), expected, "{line}");
    }
}

#[test]
fn named_inputs_are_first_and_whole_however_others_are_cut_into_columns() {
    let fresh = Fresh::new();
    fs::write(fresh.path("table"), "a-b\nc-d\n").unwrap();
    let table = fresh.path("table").display().to_string();
    for (line, expected) in [
        ("--colsep - -a table -L x 1-9,2 'echo {x} {1} {2} {3}'", "1-9 1-9 a b|1-9 1-9 c d|2 2 a b|2 2 c d"),
        ("--colsep - -L x 1-9,2 'echo {x} {2} {3}' :::: table", "1-9 a b|1-9 c d|2 a b|2 c d"),
        ("--csv -L x '\"q\\,\"' 'echo {x} {2} {3}' ::: 'a,b'", "\"q,\" a b"),
        ("--colsep - --header : -L x 1-9 'echo {x} {a} {b}' :::: table", "1-9 c d"),
        ("--skip-first-line -L x 1,2 'echo {x} {2}' :::: table", "1 c-d|2 c-d"),
        ("-E 2 -d , -L x 1,2,3 'echo {x} {2}' ::: a,b", "1 a|1 b|2 a|2 b|3 a|3 b"),
        ("--colsep , --trim lr --link -L x ' 1 ,2' 'echo {x} {2} {3}' ::: 'a , b' c,d", " 1  a b|2 c d"),
    ] {
        assert_eq!(printed(&line.replace("table", &table)), expected, "{line}");
    }
}

#[test]
fn named_inputs_name_the_files_that_are_compared() {
    let fresh = Fresh::new();
    let ran = compare(&fresh, "-L name a,b --outputs '{name}.txt' 'echo x >{name}.txt'");
    ran.exits(0).says("2 of 2 files identical");
}

#[test]
fn warmup_setup_and_names_are_hyperfines() {
    let fresh = Fresh::new();
    let line = "-w 2 --setup 'echo setup >>log' --command-name 'my jobs' --export-json study.json \
                --export-markdown study.md 'echo {} >>log' ::: job";
    let ran = compare(&fresh, line);
    ran.exits(0).says("my jobs   1 job").does_not_say("parsim compare");
    let log = fs::read_to_string(fresh.path("log")).unwrap();
    assert_eq!(log, format!("setup\n{}", "job\n".repeat(6)));
    fresh.parsim("report study.json").run().exits(0).says("my jobs   1 job");
    assert!(fs::read_to_string(fresh.path("study.md")).unwrap().starts_with("`my jobs`"));
}

#[test]
fn times_are_shown_in_the_unit_that_is_asked_for() {
    let fresh = Fresh::new();
    for (line, unit) in [("--time-unit second", " s "), ("-u millisecond", " ms "), ("-u us", " us ")] {
        let ran = compare(&fresh, &format!("{line} --export-json study.json sleep {{}} ::: 0.01"));
        let again = fresh.parsim("report study.json").run();
        for ran in [ran, again] {
            let row =
                |label: &str| ran.stdout.lines().find(|line| line.trim_start().starts_with(label)).unwrap();
            let has_unit = |label: &str| row(label).matches(unit).count() == 2;
            ran.exits(0).expect(has_unit("wall") && has_unit("whole command"), "two times in that unit");
        }
    }
    compare(&fresh, "--time-unit hour true ::: a").refuses("expected second, millisecond or microsecond");
    compare(&fresh, "-u true ::: a").refuses("--ungroup does not go with compare");
}

#[test]
fn a_setup_that_fails_ends_it_before_any_job() {
    let fresh = Fresh::new();
    compare(&fresh, "--setup false 'touch {}' ::: job").refuses("the --setup command: \"false\" ended");
    assert!(fresh.names(".").is_empty());
}

#[test]
fn setup_may_make_the_inputs() {
    let ran = compare(&Fresh::new(), "--setup 'seq 3 >list' echo :::: list");
    ran.exits(0).says("3 of 3 jobs identical");
}

#[test]
fn what_is_neither_is_answered_with_the_right_option() {
    let fresh = Fresh::new();
    for (line, told) in [
        ("-r 10 'sleep 1'", "-r 10: --runs 10 runs each way 10 times"),
        ("-r10 'sleep 1'", "-r 10: --runs 10 runs each way 10 times"),
        ("-m 5 'sleep 1'", "--runs 5 runs each way 5 times"),
        ("-M 5 'sleep 1'", "--runs 5 runs each way 5 times"),
        ("--min-runs 5 'sleep 1'", "--runs N runs each way N times"),
        ("-N 'sleep 1'", "-N 'sleep 1': to run jobs without a shell, use --no-shell"),
        ("-S none 'sleep 1'", "--no-shell"),
        ("-S bash 'sleep 1'", "--shell PATH"),
        ("--shell=none 'sleep 1'", "to run jobs without a shell, use --no-shell"),
        ("-i 'sleep 1'", "leave -i out: failed jobs never stop a comparison"),
        ("-i 'exit 1' ::: a", "leave -i out: failed jobs never stop a comparison"),
        ("--ignore-failure 'exit 1' ::: a", "failed jobs never stop a comparison"),
        ("-n name echo ::: a", "use --command-name name"),
        ("-s 'make x' echo ::: a", "use --setup 'make x'"),
        ("-p 'make x' echo ::: a", "use --prepare 'make x'"),
        ("-c 'make x' echo ::: a", "--cleanup CMD"),
        ("--style basic echo ::: a", "--color=WHEN"),
        ("--output pipe echo ::: a", "--show-output; to compare files, --outputs GLOB"),
        ("--output=null echo ::: a", "--show-output"),
        ("--export-asciidoc x echo ::: a", "--export-markdown FILE"),
        ("-D 2 echo ::: a", "--parameter-step-size needs --parameter-scan"),
        ("-P n 4 1 'echo {n}'", "the values of {n}: the first number is the larger one"),
        ("-P n 1 2 -D 0 'echo {n}'", "expected a number above 0"),
        ("-L name", "option -L needs VAR A,B,..."),
        ("-L '' a,b 'echo {}'", "expected a name and its values"),
        ("--parameter-scan n 1 x 'echo {n}'", "expected a name and two numbers"),
        ("-L n 1,2 'echo {n}' 'sleep {n}'", "one command is run for each value"),
    ] {
        compare(&fresh, line).refuses(told);
    }
    assert!(fresh.names(".").is_empty());
}
