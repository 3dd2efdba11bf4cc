//! What is made of a job's numbers beside its command: tags, names of results,
//! working directories.

use crate::support::Fresh;

fn says(script: &str) -> String {
    let ran = Fresh::new().shell(script).run();
    ran.exits(0).is_quiet();
    ran.stdout.clone()
}

#[test]
fn a_tag_has_the_slot_of_its_job_however_output_is_kept_apart() {
    for order in ["", "-k", "--lb", "-k --lb", "--retries 2", "-k --retries 2"] {
        let line = format!("parsim parallel -j1 {order} --tagstring '{{%}}' echo ::: a b");
        assert_eq!(says(&line), "1\ta\n1\tb\n", "{order}");
        let lines =
            says(&format!("parsim parallel -j3 {order} --tagstring 's{{%}}' echo 's{{%}}' '#' ::: 1 2 3 4"));
        let are_alike =
            |line: &str| line.split_once('\t').is_some_and(|(tag, own)| tag == own && tag != "s0");
        assert!(lines.lines().count() == 4 && lines.lines().all(are_alike), "{order}: {lines}");
    }
    assert_eq!(says("seq 2 | parsim parallel -j1 --pipe -N1 --tagstring '{%}' cat"), "1\t1\n1\t2\n");
}

#[test]
fn a_tag_has_the_number_of_all_jobs() {
    for order in ["-k", "-k --lb"] {
        let line = format!("parsim parallel --plus {order} --tagstring '{{#}}/{{##}}' echo ::: a b");
        assert_eq!(says(&line), "1/2\ta\n2/2\tb\n", "{order}");
    }
    assert_eq!(
        says("seq 4 | parsim parallel --plus -k -n2 --tagstring '{#}/{##}' echo"),
        "1/2\t1 2\n2/2\t3 4\n"
    );
    assert_eq!(says("parsim parallel --plus --total-jobs 7 --tagstring '{#}/{##}' echo ::: a"), "1/7\ta\n");
    assert_eq!(
        says("seq 10 | parsim parallel --plus -k --tagstring '{0#}' echo | tail -2"),
        "09\t9\n10\t10\n"
    );
}

#[test]
fn names_of_results_and_directories_have_the_slot_and_the_number_of_all_jobs() {
    assert_eq!(
        says("parsim parallel --plus -j1 --results 'o/{#}of{##}-{%}' echo ::: a b; cat o/1of2-1 o/2of2-1"),
        "a\nb\n"
    );
    assert_eq!(
        says("parsim parallel --plus -j1 --wd 'w{##}-{%}' 'echo {} >>x #' ::: a b; cat w2-1/x"),
        "a\nb\n"
    );
}

#[test]
fn a_slot_does_not_tell_which_results_are_there() {
    let fresh = Fresh::new();
    fresh.parsim("parallel --resume --results o/{%} echo ::: a").run().refuses("the slot in a name");
}

#[test]
fn escapes_in_a_tag_are_resolved_and_those_in_values_are_not() {
    let says = |line: &str| says(&format!("parsim parallel -k {line}"));
    assert_eq!(says(r"--tagstring '{1}\t{2}' echo {3} ::: a ::: b ::: c"), "a\tb\tc\n");
    assert_eq!(says(r"--tagstring '<\101\n\\r\q>' echo ::: a"), "<A\n\\\r\\q>\ta\n");
    assert_eq!(says(r"--tagstring {} 'echo #' ::: 'a\tb\101'"), "a\\tb\\101\t\n");
}

#[test]
fn an_empty_text_is_no_tag_and_any_other_counts_more_than_the_values() {
    let says = |line: &str| says(&format!("parsim parallel -k {line} echo ::: a"));
    for order in ["", "--lb"] {
        assert_eq!(says(&format!("{order} --tagstring ''")), "a\n");
    }
    assert_eq!(says("--tagstring X --tagstring ''"), "a\n");
    assert_eq!(says("--tagstring '' --tag"), "a\ta\n");
    assert_eq!(says("--tag --tagstring ''"), "a\ta\n");
    assert_eq!(says("--tagstring X --tag"), "X\ta\n");
    assert_eq!(says("--tag --tagstring X"), "X\ta\n");
}
