//! What is quoted and what is repeated.

use super::*;

#[test]
fn values_are_quoted_wherever_they_are() {
    assert_eq!(line("echo '\"{}\"'", &["a b"]), "echo '\"'a b'\"'");
    assert_eq!(line("echo x{}y", &[""]), "echo x''y");
    assert_eq!(line("echo {.}", &[".hidden"]), "echo ''");
    assert_eq!(line("echo {}{}", &["'"]), r#"echo "'""'""#);
}

#[test]
fn a_value_that_makes_the_command_is_not_quoted() {
    assert_eq!(line("{}", &["echo a b"]), "echo a b");
    assert_eq!(line("{} x{}", &["a b"]), "a b xa b");
    assert_eq!(line("my{}x y", &["a b"]), "mya bx y");
    assert_eq!(line("{2} {1}", &["$a", "b c"]), "b c $a");
    assert_eq!(line("\"{}\"", &["a b"]), "\"a b\"");
    assert_eq!(line("{#} {}", &["a b"]), "2 a b");
}

#[test]
fn a_value_after_a_blank_or_an_equals_sign_is_quoted() {
    assert_eq!(line("V={} cmd", &["a b"]), "V='a b' cmd");
    assert_eq!(line(" {}", &["a b"]), " 'a b'");
    assert_eq!(line("\t{}", &["a b"]), "\t'a b'");
    assert_eq!(line_of(&TemplateOptions::default(), Quoting::Shell, &["", "{}"], &["a b"]), " 'a b'");
}

#[test]
fn quoted_words_hold_their_values() {
    let quoted =
        |words: &[&str], values: &[&str]| line_of(&TemplateOptions::default(), Quoting::Words, words, values);
    assert_eq!(quoted(&["printf", "<%s>\\n"], &["a  b"]), "printf '<%s>\\n' 'a  b'");
    assert_eq!(quoted(&["echo", "x{}y z"], &["a'b"]), r#"echo 'xa'"'"'by z'"#);
    assert_eq!(quoted(&["echo", "", "{3}", "{}"], &[""]), "echo '' '' ''");
    assert_eq!(quoted(&["echo", "a{}b", "c"], &["1", "2"]), "echo a1 2b c");
    assert_eq!(quoted(&["{}", "x y"], &["a b"]), "'a b' 'x y'");
}

#[test]
fn quoted_words_are_repeated_whole() {
    let render = |words: &[&str]| line_of(&repeating(), Quoting::Words, words, &["1", "2"]);
    assert_eq!(render(&["echo", "a {}b"]), "echo 'a 1b' 2b");
    assert_eq!(render(&["echo", "x{}", "y"]), "echo x1 x2 y");
}

#[test]
fn texts_of_options_are_not_quoted() {
    let template = Template::text(b"J{#}-{}-{2/}", &TemplateOptions::default()).unwrap();
    let mut out = Vec::new();
    template.render(&["a b", "c/d e"], &NUMBERS, Quoting::None, &mut out);
    assert_eq!(out, b"J2-a b c/d e-d e");
}

#[test]
fn the_word_around_a_string_is_repeated() {
    let repeated = |text: &str, values: &[&str]| line_of(&repeating(), Quoting::Shell, &[text], values);
    assert_eq!(repeated("echo p{}s", &["1", "2", "3"]), "echo p1s p2s p3s");
    assert_eq!(repeated("echo {#}:{1.}+{2}", &["1", "2"]), "echo 2:1+2");
    assert_eq!(repeated("echo {1}-{} {2}", &["a", "b"]), "echo a-a a-b b");
    assert_eq!(repeated("echo {#}a {#}{} {} x", &["a", "b"]), "echo 2a 2a 2b a b x");
    assert_eq!(repeated("echo a\t{}b c", &["1", "2"]), "echo a\t1b \t2b c");
    assert_eq!(repeated("echo a\n{} c", &["1", "2"]), "echo a\n1 a\n2 c");
    assert_eq!(repeated("echo", &["1", "2"]), "echo 1 2");
    assert_eq!(repeated("p{} {}", &["a b", "c"]), "pa b pc a b c");
    assert_eq!(repeated("echo 1  2 {}  3", &["a", "b"]), "echo 1  2 a b  3");
}

#[test]
fn a_word_without_a_string_for_each_value_comes_once() {
    let repeated = |text: &str| line_of(&repeating(), Quoting::Shell, &[text], &["a", "b"]);
    assert_eq!(repeated("echo x{2}y {}"), "echo xby a b");
    assert_eq!(repeated("echo x{-1}{0}"), "echo xba xbb");
}
