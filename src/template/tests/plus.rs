//! The strings of --plus.

use super::*;

fn cut(string: &str, value: &str) -> String {
    let mut out = Vec::new();
    let template = Template::text(string.as_bytes(), &plus()).unwrap();
    template.render(&[value], &NUMBERS, Quoting::None, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn extensions_and_directories_are_cut_as_gnu_parallel_does() {
    let text = "{..}|{...}|{/..}|{/...}|{+/}|{+.}|{+..}|{+...}";
    let table = [
        ("d/a.tar.gz", "d/a|d/a.tar.gz|a|a.tar.gz|d|gz|tar.gz|"),
        ("b.tar.gz", "b|b.tar.gz|b|b.tar.gz||gz|tar.gz|"),
        ("a.b.c.d", "a.b|a|a.b|a||d|c.d|b.c.d"),
        ("d.d/n", "d.d/n|d.d/n|n|n|d.d|d/n||"),
        ("", "|||||||"),
        ("/x", "/x|/x|x|x||||"),
        ("a\nb", "a\nb|a\nb|a\nb|a\nb|a\n|a\n|a\n|a\n"),
        ("a\n", "a\n|a\n|a\n|a\n|\n|\n|\n|\n"),
        ("x\na.b.c", "x\na|x\na.b.c|x\na|x\na.b.c|x\n|x\nc|x\nb.c|x\n"),
    ];
    for (value, expected) in table {
        assert_eq!(cut(text, value), expected, "{value:?}");
    }
}

#[test]
fn the_expansions_of_bash_are_there() {
    let table = [
        ("{:-none}", "", "none"),
        ("{:-none}", "0", "none"),
        ("{:-none}", "x", "x"),
        ("{:2}", "abcdef", "cdef"),
        ("{:9}", "abcdef", ""),
        ("{:0:3}", "abcdef", "abc"),
        ("{:4:9}", "abcdef", "ef"),
        ("{:7:1}", "abcdef", ""),
        ("{#z.*z.}", "z.z.z.foo", "z.foo"),
        ("{##z.*z.}", "z.z.z.foo", "foo"),
        ("{%.z.*z}", "foo.z.z.z", "foo.z"),
        ("{%%.z.*z}", "foo.z.z.z", "foo"),
        ("{%.gz}", "d.tar.gz", "d.tar"),
        ("{%.gz}", "d.gz\n", "d\n"),
        ("{/a/X}", "banana", "bXnana"),
        ("{//a/X}", "banana", "bXnXnX"),
        ("{//x*/-}", "axb", "-a--b-"),
        ("{/#ban/X}", "banana", "Xana"),
        ("{/%ana/X}", "banana", "banX"),
        ("{/%[^.]*/-}", "a.b", "a.--"),
        ("{/%.*/-}", "a\n", "--\n-"),
        ("{/an}", "banana", "{/an}"),
        ("{/n/$1\\1&/}", "anb", "a$1\\1&/b"),
        ("{/é/e}", "cafés", "cafes"),
        ("{/\\é/e}", "cafés", "cafes"),
        ("{/{b/x}", "a{bc", "axc"),
        ("{^a}", "abca", "Abca"),
        ("{^b}", "abca", "abca"),
        ("{^^[a-c]}", "abca", "ABCA"),
        ("{,A}", "AbcA", "abcA"),
        ("{,,.}", "AbcA", "abca"),
        ("{#a*b}", "aabab", "ab"),
        ("{#(a)b}", "abc", "a"),
        ("{%b.}", "aabab", "aabab"),
    ];
    for (string, value, expected) in table {
        assert_eq!(cut(string, value), expected, "{string} of {value:?}");
    }
}

#[test]
fn positions_go_with_them_too() {
    let values = ["a.b.c", "d/e.f.g"];
    let render = |text: &str| line_of(&plus(), Quoting::Shell, &[text], &values);
    assert_eq!(render("x {1..} {2/..} {2..} {-1+/} {2:1:2} {1/b/X} {2%.g}"), "x a e d/e d /e a.X.c d/e.f");
}

#[test]
fn they_are_unknown_without_the_option() {
    assert_eq!(line("x {..} {%.gz} {##}", &["a"]), "x {..} {%.gz} {##} a");
}

#[test]
fn shell_variables_are_never_quoted_as_values() {
    let words = ["x", "{slot}", "{host}"];
    let line = line_of(&plus(), Quoting::Shell, &words, &["a"]);
    assert_eq!(line, "x ${PARALLEL_JOBSLOT} ${PARALLEL_SSHHOST}");
}

#[test]
fn a_pattern_that_is_none_is_refused() {
    let error = Template::command(&["echo {%(}"], &plus()).unwrap_err().to_string();
    assert!(error.starts_with("cannot use {%(}: "), "{error}");
}

#[test]
fn jobs_are_left_out_by_their_values() {
    let skips = |text: &str, values: &[&str]| Template::command(&[text], &plus()).unwrap().skips(values);
    assert!(!skips("echo {}", &["a", "a"]));
    assert!(skips("echo {uniq}", &["a", "b", "a"]));
    assert!(!skips("echo {uniq}", &["b", "a"]));
    assert!(skips("echo {uniq}", &["b", ""]));
    assert!(skips("echo {choose_k}", &["b", "a"]) && skips("echo {choose_k}", &["a", "a"]));
    assert!(!skips("echo {choose_k}", &["a", "b", "c"]) && !skips("echo {choose_k}", &["a"]));
}

#[test]
fn numbers_are_as_wide_as_the_largest() {
    for (total, expected) in [(0, "7"), (9, "7"), (10, "07"), (999, "007"), (1000, "007"), (1001, "0007")] {
        let template = Template::text(b"{0#}", &plus()).unwrap();
        let mut out = Vec::new();
        let numbers = Numbers { seq: 7, total, ..NUMBERS };
        template.render(&[""], &numbers, Quoting::None, &mut out);
        assert_eq!(out, expected.as_bytes(), "of {total}");
    }
}
