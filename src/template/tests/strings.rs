//! Which replacement strings there are and what they stand for.

use super::*;

#[test]
fn the_usual_strings_cut_a_value_as_gnu_parallel_does() {
    let table = [
        ("dir/sub/f.tar.gz", "dir/sub/f.tar|f.tar.gz|dir/sub|f.tar"),
        ("/abs/x.y", "/abs/x|x.y|/abs|x"),
        ("f.txt", "f|f.txt|.|f"),
        ("noext", "noext|noext|.|noext"),
        (".hidden", "|.hidden|.|"),
        ("dir.d/noext", "dir.d/noext|noext|dir.d|noext"),
        ("a/.b", "a/|.b|a|"),
        ("trail/", "trail/||.|"),
        ("/", "/||/|"),
        ("", "||.|"),
        ("//", "//||/|"),
        ("a//b", "a//b|b|a|b"),
        ("a//", "a//||.|"),
        ("a/b//", "a/b//||a|"),
        ("///a", "///a|a|/|a"),
        ("..", ".|..|.|."),
        ("a\nb/c.d", "a\nb/c|a\nc.d|a\nb|a\nc"),
        ("a.b\n", "a|a.b\n|.|a"),
        ("x/y\nz", "x/y\nz|y\nz|x|y\nz"),
    ];
    for (value, cut) in table {
        let mut out = Vec::new();
        let template = Template::text(b"{}|{.}|{/}|{//}|{/.}", &TemplateOptions::default()).unwrap();
        template.render(&[value], &NUMBERS, Quoting::None, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), format!("{value}|{cut}"), "{value:?}");
    }
}

#[test]
fn a_position_takes_one_value_and_one_beyond_the_last_takes_none() {
    assert_eq!(line("echo {1} {2} {3} {0} {foo} {-3} {}", &["a", "b"]), "echo a b  a b {foo} b a b");
    assert_eq!(line("echo {-1} {-2}", &["a", "b"]), "echo b a");
    assert_eq!(line("echo [{3}] {1}", &["a", "b"]), "echo [] a");
    assert_eq!(line("echo {01} {00} {-0} {-5} {1 } {2  .}", &["a", "b.c"]), "echo a    a b");
    assert_eq!(line("echo {99999999999999999999}{-99999999999999999999}.", &["a"]), "echo .");
}

#[test]
fn positions_go_with_every_string() {
    assert_eq!(line("echo {2.} {2/} {2//} {2/.} {-1/}", &["x", "d/e.f"]), "echo d/e e.f d e e.f");
    // The number is position 1 written behind the position: 21 and -11, or 1.
    assert_eq!(line("echo {2#}{0#}{-1#}{0%}", &["x", "y"]), "echo 23");
    let eleven = ["v"; 11];
    assert_eq!(line("echo {1#}", &eleven), "echo 2");
}

#[test]
fn several_values_for_one_string_are_joined_by_spaces() {
    assert_eq!(line("echo {}", &["a", "b c", "d"]), "echo a 'b c' d");
    assert_eq!(line("echo x{}y", &["a", "b"]), "echo xa by");
    assert_eq!(line("echo {.}:{/}", &["a.b", "c/d"]), "echo a c/d:a.b d");
}

#[test]
fn numbers_are_the_jobs() {
    assert_eq!(line("echo {#}:{%}:{}", &["a"]), "echo 2:3:a");
    let padded = line_of(&plus(), Quoting::Shell, &["{##} {0#} {0%}"], &[]);
    assert_eq!(padded, "12 02 3");
}

#[test]
fn values_are_appended_only_if_nothing_stands_for_one() {
    assert_eq!(line("echo", &["a"]), "echo a");
    assert_eq!(line("echo", &["a", "b"]), "echo a b");
    assert_eq!(line("echo {foo}", &["a"]), "echo {foo} a");
    for used in ["{#}", "{%}", "{2}", "{//}"] {
        let template = Template::command(&["echo", used], &TemplateOptions::default()).unwrap();
        assert!(template.uses_any(), "{used}");
        assert!(!line(&format!("echo {used}"), &["value"]).contains("value"));
    }
    let template = Template::command(&["echo", "{ }"], &TemplateOptions::default()).unwrap();
    assert!(!template.uses_any());
}

#[test]
fn nothing_is_appended_to_an_exact_command_or_a_text() {
    let mut out = Vec::new();
    let template = Template::exact(&["cat", "-"], &TemplateOptions::default()).unwrap();
    template.render(&["a"], &NUMBERS, Quoting::Shell, &mut out);
    assert_eq!(out, b"cat -");
    assert!(!Template::text(b"dir", &TemplateOptions::default()).unwrap().uses_any());
}

#[test]
fn no_command_at_all_is_the_value() {
    let none: [&str; 0] = [];
    assert_eq!(line_of(&TemplateOptions::default(), Quoting::Shell, &none, &["echo a b"]), "echo a b");
}

#[test]
fn words_are_joined_by_single_spaces_and_keep_their_own() {
    let words = ["echo", "a  b", "", "{}"];
    assert_eq!(line_of(&TemplateOptions::default(), Quoting::Shell, &words, &["v"]), "echo a  b  v");
}

#[test]
fn values_are_never_read_as_templates() {
    assert_eq!(line("echo {1} {2}", &["{2}", "{1}"]), "echo '{2}' '{1}'");
    assert_eq!(line("echo {}", &["{}{#}"]), "echo '{}{#}'");
}

#[test]
fn braces_around_a_string_stay() {
    assert_eq!(line("echo {{}} {1{}} {{1}}", &["a"]), "echo {a} {1a} {a}");
    assert_eq!(line("awk '{print $1}' {}", &["f"]), "awk '{print $1}' f");
}

#[test]
fn a_renamed_string_loses_its_own_name() {
    let options = renamed(&[(ReplacementName::Value, ",,")]);
    let render = |words: &[&str]| line_of(&options, Quoting::Shell, words, &["a.b"]);
    assert_eq!(render(&["echo ,, {} {.}"]), "echo a.b {} a");
    // Positions come with braces, so they are gone too.
    assert_eq!(render(&["echo {1} ,,"]), "echo {1} a.b");
    assert_eq!(render(&["echo x,,,"]), "echo x,a.b");
    let options = renamed(&[(ReplacementName::Value, "{v}")]);
    assert_eq!(line_of(&options, Quoting::Shell, &["echo {v} {1v} {}"], &["a"]), "echo a a {}");
    let options = renamed(&[
        (ReplacementName::Seq, ",,"),
        (ReplacementName::Slot, "%"),
        (ReplacementName::WithoutExtension, "@"),
    ]);
    assert_eq!(line_of(&options, Quoting::Shell, &["echo ,,:%:@:{#}"], &["a.b"]), "echo 2:3:a:{#}");
}

#[test]
fn a_name_given_twice_means_the_last_string() {
    let options = renamed(&[(ReplacementName::Value, "{.}")]);
    assert_eq!(line_of(&options, Quoting::Shell, &["echo {.}"], &["a.b"]), "echo a.b");
    let options = renamed(&[(ReplacementName::Seq, "{}")]);
    assert_eq!(line_of(&options, Quoting::Shell, &["echo {}"], &["a.b"]), "echo 2");
    let options = renamed(&[(ReplacementName::Value, "")]);
    assert_eq!(line_of(&options, Quoting::Shell, &["echo {}"], &["a.b"]), "echo a.b");
}

#[test]
fn columns_have_names_with_the_usual_endings() {
    let options = with_columns(&["n", "first name", "a+b"]);
    let values = ["d/x.y", "bob", "1"];
    let render = |text: &str| line_of(&options, Quoting::Shell, &[text], &values);
    assert_eq!(render("echo {n/} {n.} {n//} {n/.} {1}"), "echo x.y d/x d x d/x.y");
    assert_eq!(render("echo {first name} {a+b}"), "echo bob 1");
    assert_eq!(render("echo {n..} {N} {nn}"), "echo {n..} {N} {nn} d/x.y bob 1");
}

#[test]
fn an_empty_column_name_is_no_name() {
    let options = with_columns(&["a", ""]);
    assert_eq!(line_of(&options, Quoting::Shell, &["echo {}"], &["1", "2"]), "echo 1 2");
}

#[test]
fn left_out_values_leave_their_spaces() {
    let options = TemplateOptions { leaves_values_out: true, ..TemplateOptions::default() };
    assert_eq!(line_of(&options, Quoting::Shell, &["echo", "hi"], &["a"]), "echo hi ");
    assert_eq!(line_of(&options, Quoting::Shell, &["echo x{}y{#}"], &["a"]), "echo xy2");
    assert_eq!(line_of(&options, Quoting::Words, &["echo", "x{}", "{}"], &["a"]), "echo x");
}

#[test]
fn a_job_without_values_has_an_empty_one() {
    assert_eq!(line("echo {} {1}.", &[]), "echo '' ''.");
}

#[test]
fn perl_expressions_are_refused() {
    let error = Template::command(&["echo", "{=", "s/a/b/", "=}"], &TemplateOptions::default()).unwrap_err();
    assert_eq!(error.to_string(), "cannot use {= =}: Perl expressions are not supported");
    assert!(Template::command(&["echo {= x"], &TemplateOptions::default()).is_ok());
}

#[test]
fn every_byte_but_nul_may_be_in_a_template_and_in_a_value() {
    let bytes: Vec<u8> = (1..=255).filter(|byte| !b"{}=".contains(byte)).collect();
    let template = Template::command(&[b"echo ", &bytes[..], b"{}"], &TemplateOptions::default()).unwrap();
    let mut out = Vec::new();
    template.render(&[&bytes], &NUMBERS, Quoting::None, &mut out);
    assert_eq!(out, [b"echo  ", &bytes[..], b" ", &bytes].concat());
}

#[test]
fn what_a_line_depends_on_is_known() {
    let of = |text: &str| Template::command(&[text], &plus()).unwrap();
    assert!(of("echo {%}").uses_slot() && of("echo {slot}").uses_slot());
    assert!(!of("echo {#} {}").uses_slot());
    assert!(of("echo {##}").needs_total() && of("echo {0#}").needs_total());
    assert!(!of("echo {#} {0%}").needs_total());
}
