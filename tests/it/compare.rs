//! Both ways of a batch of commands: `parsim compare`.

use std::fs;

use quick_junit::{Report, TestCaseStatus};

use crate::support::{Fresh, Ran};

/// `parsim compare` in a shell, for quotes.
fn compare(fresh: &Fresh, line: &str) -> Ran {
    fresh.shell(&format!("parsim compare {line}")).run()
}

#[test]
fn jobs_that_do_the_same_both_ways_agree() {
    let fresh = Fresh::new();
    let ran = compare(&fresh, "'echo {}; echo {} >&2' ::: a b c");
    ran.exits(0).is_quiet().says("3 of 3 jobs identical").says("serial").says("parallel").says("speed-up");
    ran.does_not_say("results").expect(ran.stdout.lines().all(|line| line != "a"), "no job's output");
}

#[test]
fn the_first_difference_of_each_job_is_quoted() {
    let fresh = Fresh::new();
    let ran = compare(&fresh, "'printf \"same\\n$PARSIM_WAY {}\\n\"' ::: a b");
    ran.exits(102).says("0 of 2 jobs identical");
    ran.says(r#"(parallel): stdout line 2, byte 6: serial "serial a\n", parallel "parallel a\n""#);
    let ran = compare(&fresh, "'[ {} = 2 ] || [ $PARSIM_WAY = serial ] || echo oh >&2' ::: 1 2");
    ran.exits(102).says("1 of 2 jobs identical");
    ran.says(r#": stderr line 1, byte 1: serial ends there, parallel "oh\n""#);
}

#[test]
fn the_first_difference_is_found_beyond_any_buffer() {
    let fresh = Fresh::new();
    let ran = compare(&fresh, "'head -c 3000000 /dev/zero; echo $PARSIM_WAY {}' ::: 1");
    ran.exits(102).says("stdout line 1, byte 3000001: serial ").says("parallel 1\\n");
}

#[test]
fn a_difference_too_far_into_much_output_is_found_with_its_place() {
    let fresh = Fresh::new();
    let ran = compare(&fresh, "'head -c 70000000 /dev/zero; echo $PARSIM_WAY {}' ::: 1");
    ran.exits(102).says("stdout bytes 69992449 to 70000011 differ (so far into the output nothing is kept");
}

#[test]
fn a_difference_is_quoted_whichever_run_it_is_in() {
    let fresh = Fresh::new();
    let ran = compare(&fresh, "--runs 2 'echo {} >>ran; echo $(($(wc -l <ran) / 4))' ::: a");
    ran.exits(102).says(r#"stdout line 1, byte 1: the first serial "0\n", this serial "1\n""#);
}

#[test]
fn one_slot_has_no_thread_that_a_serial_run_has_not() {
    let fresh = Fresh::new();
    if !std::path::Path::new("/proc/self/task").exists() {
        return;
    }
    let ran = compare(&fresh, "-j 1 'ls /proc/$PPID/task | wc -l; : {}' ::: a b");
    ran.exits(0).says("2 of 2 jobs identical");
}

#[test]
fn failing_alike_is_to_agree_and_failing_otherwise_is_to_differ() {
    let fresh = Fresh::new();
    let ran = compare(&fresh, "'exit {}' ::: 0 3");
    ran.exits(1)
        .says("2 of 2 jobs identical")
        .says("failed: exit 3: exit status 3")
        .does_not_say("no speed-up");
    let ran = compare(&fresh, "'[ $PARSIM_WAY = serial ] || exit {}' ::: 0 3");
    ran.exits(1).says("1 of 2 jobs identical").says("serial: succeeded, parallel: exit status 3");
    ran.says("no speed-up is claimed: 1 task failed");
}

#[test]
fn a_file_of_its_own_for_each_way_is_compared_whatever_it_is_called() {
    let fresh = Fresh::new();
    let ran = compare(&fresh, "--outputs '{way}.log' 'echo {} >>{way}.log' ::: a");
    ran.exits(0).says("1 of 1 job identical, 1 of 1 file identical");
    assert_eq!(fresh.names("."), ["parallel.log", "serial.log"]);
}

#[test]
fn a_race_for_a_file_is_named() {
    let fresh = Fresh::new();
    // In parallel the first job waits for the second one's line.
    let job = "'[ {}$PARSIM_WAY != 1parallel ] || until [ -s {way}.log ]; do sleep 0.01; done; echo {} >>{way}.log'";
    let ran = compare(&fresh, &format!("-j2 --outputs '{{way}}.log' {job} ::: 1 2"));
    ran.exits(102).says("2 of 2 jobs identical, 0 of 1 file identical");
    ran.says(r#"differs: file {way}.log (parallel): line 1, byte 1: serial "1\n", parallel "2\n""#);
}

#[test]
fn a_difference_of_files_alone_is_told_to_ci_with_what_differs() {
    let fresh = Fresh::new();
    let job = "--export-junit j.xml --outputs '{}.out' 'echo $PARSIM_WAY >{}.out' ::: a b";
    compare(&fresh, job).exits(102);
    let report = Report::deserialize_from_str(&fs::read_to_string(fresh.path("j.xml")).unwrap()).unwrap();
    let TestCaseStatus::NonSuccess { message, description, .. } = &report.test_suites[2].test_cases[0].status
    else {
        panic!("the ways differ");
    };
    assert_eq!(message.as_deref().unwrap(), "2 of 2 jobs identical, 0 of 2 files identical");
    let first = r#"differs: file a.out (parallel): line 1, byte 1: serial "serial\n", parallel "parallel\n""#;
    assert!(description.as_deref().unwrap().starts_with(first), "{description:?}");
}

#[test]
fn the_report_for_ci_is_xml_whatever_a_value_is() {
    let fresh = Fresh::new();
    let line = fresh.parsim("compare --export-junit j.xml true :::");
    line.args(["\u{ffff}\u{fffe}", "\u{1}<]]>&", "\u{fdd0}"]).run().exits(0);
    let text = fs::read_to_string(fresh.path("j.xml")).unwrap();
    roxmltree::Document::parse(&text).unwrap();
    assert!(!text.contains(['\u{ffff}', '\u{fffe}']) && text.contains(r"\u{ffff}\u{fffe}"), "{text}");
}

#[test]
fn files_of_the_first_way_are_put_aside_and_gone_in_the_end() {
    let fresh = Fresh::new();
    let ran = compare(&fresh, "--outputs '{}.out' --runs 2 'set -C; echo {} >{}.out' ::: 'a b' '[c]'");
    ran.exits(0).says("2 of 2 files identical");
    assert_eq!(fresh.names("."), ["[c].out", "a b.out"]);
}

#[test]
fn the_first_of_two_files_that_differ_is_kept() {
    let fresh = Fresh::new();
    let ran = compare(&fresh, "--outputs '*.out' 'echo $PARSIM_WAY >{}.out' ::: a");
    ran.exits(102)
        .says(r#"differs: file a.out (parallel): line 1, byte 1: serial "serial\n", parallel "parallel\n""#);
    ran.says("kept as .a.out.first-");
    let names = fresh.names(".");
    ran.expect(names.len() == 2 && names[0].starts_with(".a.out.first-"), "two files");
    assert_eq!(fs::read_to_string(fresh.path(&names[0])).unwrap(), "serial\n");
}

#[test]
fn a_file_that_was_there_before_is_refused_unless_it_is_prepared() {
    let fresh = Fresh::new();
    fs::write(fresh.path("a.out"), "old\n").unwrap();
    let ran = compare(&fresh, "--outputs '*.out' 'echo {} >>{}.out' ::: a");
    ran.exits(255).tells("a.out is there already").tells("--prepare");
    assert_eq!(fs::read_to_string(fresh.path("a.out")).unwrap(), "old\n");
    let ran = compare(&fresh, "--outputs '*.out' --prepare 'echo old >a.out' 'echo {} >>{}.out' ::: a");
    ran.exits(0).says("1 of 1 file identical");
    assert_eq!(fs::read_to_string(fresh.path("a.out")).unwrap(), "old\na\n");
    assert_eq!(fresh.names("."), ["a.out"]);
}

#[test]
fn a_file_that_only_one_way_left_is_named_and_so_is_a_pattern_without_files() {
    let fresh = Fresh::new();
    let ran = compare(&fresh, "--outputs '*.out' '[ $PARSIM_WAY = serial ] || : >{}.out' ::: a");
    ran.exits(102).says("differs: file a.out (parallel): only this parallel run left it");
    let ran = compare(&fresh, "--outputs '*.none' true ::: a");
    ran.exits(255).says("note: --outputs: there was no such file after a serial run");
    ran.tells_one_line("--outputs *.none: no run left such a file, so nothing was compared");
    compare(&fresh, "--outputs '*.none' false ::: a").exits(1);
}

#[test]
fn of_a_folder_all_files_are_compared() {
    let fresh = Fresh::new();
    let job = "'mkdir -p d{}/e; echo {} >d{}/f; echo $PARSIM_WAY >d{}/e/g' ::: a";
    for pattern in ["d{}", "d{}/**", "d*"] {
        let ran = compare(&fresh, &format!("--outputs '{pattern}' {job}"));
        ran.exits(102).says("1 of 2 files identical").says("differs: file da/e/g (parallel)");
        fs::remove_dir_all(fresh.path("da")).unwrap();
    }
}

#[test]
fn jobs_that_consume_their_inputs_are_told_of_as_such() {
    let fresh = Fresh::new();
    fs::write(fresh.path("a"), "a").unwrap();
    fs::write(fresh.path("b"), "b").unwrap();
    let ran = compare(&fresh, "gzip ::: a b");
    ran.exits(2).says("these jobs consume their inputs").says("{way}").says("--prepare");
    ran.says("no speed-up is claimed");
    let ran = compare(&fresh, "--prepare 'gunzip -f *.gz' gzip ::: a b");
    ran.exits(0).does_not_say("consume");
}

#[test]
fn the_way_is_text_like_any_other_where_only_one_way_runs() {
    let fresh = Fresh::new();
    let ran = fresh.shell("parsim serial echo {way} ::: a").run();
    ran.expect(ran.stdout == "{way} a\n", "the text as it is");
    let ran = compare(&fresh, "--show-output echo {way} ::: a");
    ran.exits(102).says("serial a\n").says("parallel a\n");
}

#[test]
fn a_sample_is_spread_over_the_batch_and_stands_for_the_whole() {
    let fresh = Fresh::new();
    let ran = || fresh.shell("seq 100 | parsim compare --sample 4 --show-output -k 'echo job {} {#}'").run();
    let first = ran();
    first.exits(0).says("4 of 4 jobs identical").says("a sample of 4 of 100 jobs; all of them: serial est. ");
    let is_range =
        |line: &str| line.starts_with("a sample of 4 ") && line.contains(" (") && line.contains(" to ");
    first.expect(first.stdout.lines().any(is_range), "an interval");
    let jobs = |ran: &Ran| -> Vec<String> {
        ran.stdout.lines().filter(|line| line.starts_with("job ")).map(str::to_owned).collect()
    };
    let drawn = jobs(&first);
    let numbers: Vec<u64> =
        drawn.iter().map(|job| job[4..].split(' ').next().unwrap().parse().unwrap()).collect();
    let quarters: Vec<u64> = numbers.iter().map(|number| (number - 1) / 25).collect();
    first.expect(quarters == [0, 1, 2, 3, 0, 1, 2, 3], "four jobs of four quarters, twice");
    let is_own_number = |(job, number): (&String, &u64)| *job == format!("job {number} {number}");
    first.expect(drawn.iter().zip(&numbers).all(is_own_number), "each with its number in the whole");
    let again = ran();
    again.expect(jobs(&again) == drawn, "the same jobs the next time");
}

#[test]
fn several_widths_are_swept_over() {
    let ran = compare(&Fresh::new(), "-j 1,2 true ::: 1 2 3");
    ran.exits(0).says("-j 1").says("-j 2").says("3 of 3 jobs identical");
}

#[test]
fn hooks_run_around_each_run_and_repeats_alternate() {
    let fresh = Fresh::new();
    let hooks = "--prepare 'echo \"<$PARSIM_WAY\" >>log' --cleanup 'echo \">\" >>log'";
    let ran = compare(&fresh, &format!("--runs 2 {hooks} 'echo {{}} >>log' ::: 1"));
    ran.exits(0).says("median of 2");
    let log = fs::read_to_string(fresh.path("log")).unwrap();
    assert_eq!(log, "<serial\n1\n>\n<parallel\n1\n>\n<parallel\n1\n>\n<serial\n1\n>\n");
}

#[test]
fn records_are_exported_of_both_ways_and_of_one() {
    let fresh = Fresh::new();
    compare(&fresh, "--export-json both.json 'echo {}' ::: a b").exits(0);
    fresh.shell("parsim parallel -k --export-json one.json 'echo {}' ::: a b").run().exits(0).says("a\nb\n");
    let study = |name: &str| -> serde_json::Value {
        serde_json::from_slice(&fs::read(fresh.path(name)).unwrap()).unwrap()
    };
    let both = study("both.json");
    assert_eq!(both["agreement"]["identical"], 2);
    assert_eq!(both["columns"][1]["runs"][0]["records"][1]["label"], "echo b");
    let one = study("one.json");
    assert_eq!(one["columns"].as_array().unwrap().len(), 1);
    assert_eq!(one["columns"][0]["runs"][0]["records"].as_array().unwrap().len(), 2);
}

#[test]
fn pictures_of_both_ways_are_drawn_when_asked_for() {
    let fresh = Fresh::new();
    let ran = compare(&fresh, "-j 2 sleep {} ::: 0.05 0.05 0.05 0.05");
    ran.exits(0).does_not_say("lanes").does_not_say("█");
    let ran = compare(&fresh, "--lanes -j 2 sleep {} ::: 0.05 0.05 0.05 0.05");
    ran.exits(0).says("serial   █").says("lanes      -j 2, one cell = ").says("CPU  ");
    let lanes = ["\n  1 ", "\n  2 "].iter().filter(|slot| ran.stdout.contains(**slot)).count();
    ran.expect(lanes == 2, "a lane for each of two slots");
    // Of jobs this short either width may be the faster one.
    let ran = compare(&fresh, "--lanes --ascii -j 1,2 true ::: 1 2 3 4");
    ran.exits(0).says("o speed-up over serial").says("lanes      -j ");
    ran.expect(ran.stdout.is_ascii(), "nothing but ASCII");
    fresh.parsim("parallel --lanes true ::: a").run().refuses("--lanes is for both ways");
}

#[test]
fn a_missed_gate_is_103_unless_something_weighs_more() {
    let fresh = Fresh::new();
    let gates = "--min-speedup 0.001x --fail-if-slower 100000%";
    compare(&fresh, &format!("{gates} -j 2 sleep {{}} ::: 0.1 0.1")).exits(0).is_quiet();
    let missed = compare(&fresh, "--min-speedup 5000 -j 2 sleep {} ::: 0.05 0.05");
    missed.exits(103).tells_one_line("the speed-up is ").tells(", and 5000x is asked for").says("speed-up ");
    let slower = "--fail-if-slower 1 -j 2 'test {way} = serial || sleep 0.5; : {}' ::: 1 2";
    compare(&fresh, slower).exits(103).tells("-j 2 took +").tells(" against serial, and +1 % is allowed");
    compare(&fresh, "--min-speedup 5000 echo {way} ::: 1 2").exits(102).tells(", and 5000x is asked for");
    let failed = compare(&fresh, "--min-speedup 5000 'test {} = 1' ::: 1 2");
    failed.exits(1).tells(", and 5000x is asked for");
    fresh
        .parsim("compare --min-speedup -1 true ::: 1")
        .run()
        .refuses("--min-speedup -1: expected a number of at least 0");
    fresh.parsim("compare --fail-if-slower x true ::: 1").run().refuses("expected a number of at least 0");
    fresh.parsim("parallel --min-speedup 2 true ::: 1").run().refuses("is for both ways");
}

#[test]
fn what_cannot_be_compared_is_refused_with_a_reason() {
    let fresh = Fresh::new();
    fresh.parsim("compare --halt now,fail=1 true ::: a").run().refuses("same jobs");
    fresh.parsim("compare --joblog log true ::: a").run().refuses("several times");
    fresh.parsim("compare --dry-run true ::: a").run().refuses("nothing runs");
    fresh.parsim("compare -u true ::: a").run().refuses("cannot be compared");
    fresh.parsim("compare csv --files 2").run().refuses("parsim csv");
    fresh.parsim("compare").run().refuses("nothing to run was given");
    fresh.parsim("parallel --runs 3 true ::: a").run().refuses("is for both ways");
    fresh.shell("parsim compare true </dev/null -a /dev/null").run().exits(255).tells("no inputs");
}
