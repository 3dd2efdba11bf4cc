//! Argument vectors, compared with those that real shells make.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

use proptest::prelude::*;

use super::super::DirectCommand;
use super::*;

fn direct(options: &TemplateOptions, quoting: Quoting, words: &[&str]) -> Option<DirectCommand> {
    DirectCommand::of(&Template::command(words, options).unwrap(), quoting)
}

fn is_direct(command: &str) -> bool {
    direct(&plus(), Quoting::Shell, &[command]).is_some()
}

/// What a shell makes of a line.
fn split_by(shell: &str, line: &[u8]) -> Vec<Vec<u8>> {
    let script = [b"printf '%s\\0' ", line].concat();
    let output = Command::new(shell).arg("-c").arg(OsStr::from_bytes(&script)).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let mut words: Vec<Vec<u8>> = output.stdout.split(|&byte| byte == 0).map(<[u8]>::to_vec).collect();
    assert_eq!(words.pop(), Some(Vec::new()));
    words
}

#[test]
fn plain_commands_need_no_shell() {
    for command in [
        "gzip -k {}",
        "gzip",
        "/bin/echo {}",
        "./run --in={} -o {.}.out a:b,c@d+e %s x=y",
        " ls  {}\t{2}",
        "convert {1} -resize {2}% out/{1/.}_{2}.png",
        "cmd {#} {%} {##} {..} {%.gz}",
        "sleep {}",
    ] {
        assert!(is_direct(command), "{command:?}");
    }
}

#[test]
fn whatever_a_shell_may_understand_goes_to_one() {
    let special = b"\n\r\x0b\"'\\$`|&;<>()*?[]{}~#!^\x7f\x01\xc3";
    for &byte in special {
        let word = [b"x", &[byte][..], b"y"].concat();
        let template = Template::command(&[b"ls", &word[..], b"{}"], &TemplateOptions::default()).unwrap();
        assert!(DirectCommand::of(&template, Quoting::Shell).is_none(), "{byte:?}");
    }
    for command in [
        "echo {}",
        "cd {}",
        "if {}",
        "time ls {}",
        "{}",
        "x{} y",
        "{1} {2}",
        "V=1 ls {}",
        "V={} ls",
        "a+=b {}",
        "ls =x {}",
        "ls {}=x",
        "%1 {}",
        ": {}",
        ". {}",
        "[ {}",
        "- {}",
        "",
        "ls {slot}",
        "ls {foo} {}",
    ] {
        assert!(!is_direct(command), "{command:?}");
    }
}

#[test]
fn quoted_words_need_no_shell_but_for_its_own_commands() {
    let quoted = |words: &[&str]| direct(&TemplateOptions::default(), Quoting::Words, words).is_some();
    assert!(quoted(&["perl", "-ne", "/^\\S+\\s+\\S+$/ and print $ARGV,\"\\n\""]));
    assert!(quoted(&["a=b", "~", "*", "{}"]));
    assert!(
        !quoted(&["echo", "{}"]) && !quoted(&["", "{}"]) && !quoted(&["x{}"]) && !quoted(&["V={}", "ls"])
    );
    assert!(direct(&TemplateOptions::default(), Quoting::None, &["ls"]).is_none());
}

#[test]
fn the_program_is_the_first_word() {
    let program = |quoting, words: &[&str]| direct(&repeating(), quoting, words).unwrap().program().to_vec();
    assert_eq!(program(Quoting::Shell, &["  ls -l", "{}"]), b"ls");
    assert_eq!(program(Quoting::Shell, &["ls"]), b"ls");
    assert_eq!(program(Quoting::Words, &["my program", "{}"]), b"my program");
}

#[test]
fn empty_words_are_kept_where_the_shell_sees_quotes() {
    let argv = |quoting, words: &[&str], values: &[&str]| -> Vec<String> {
        let argv = direct(&TemplateOptions::default(), quoting, words).unwrap().render_argv(values, &NUMBERS);
        argv.iter().map(|word| String::from_utf8(word.to_vec()).unwrap()).collect()
    };
    assert_eq!(argv(Quoting::Shell, &["ls", "", "{}", "{3}"], &["", "a b"]), ["ls", "", "a b"]);
    assert_eq!(argv(Quoting::Words, &["ls", "", "{}", "{3}"], &["", "a b"]), ["ls", "", "", "a b", ""]);
    assert_eq!(argv(Quoting::Shell, &["ls x{3}{}"], &["", "-n"]), ["ls", "x", "-n"]);
}

fn words() -> impl Strategy<Value = Vec<String>> {
    let pieces = [
        "{}", "{}", "{.}", "{/}", "{//}", "{/.}", "{1}", "{2}", "{3}", "{-1}", "{2/}", "{#}", "{%}", "{+/}",
        "{/b/ x}", "{:-a b}", "a", "-x", ".", "/", "x=", ",", "%", " ", "  ", "\t", "@", ":",
    ];
    let word = proptest::collection::vec(prop::sample::select(pieces.to_vec()), 0..5);
    proptest::collection::vec(word.prop_map(|pieces| pieces.concat()), 0..6)
}

fn values() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let byte = prop_oneof![
        prop::sample::select(b"ab./-~'\" \n\t$\\`*?[]{}()<>|&;#!=%\xff\xc3\xa9\x81\x88".to_vec()),
        1..=255u8,
    ];
    proptest::collection::vec(proptest::collection::vec(byte, 0..7), 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn an_argument_vector_is_what_a_shell_makes_of_the_line(
        mut words in words(), values in values(), repeats_words: bool, leaves_values_out: bool,
        quoting in prop::sample::select(vec![Quoting::Shell, Quoting::Words]),
    ) {
        words.insert(0, "prog".to_owned());
        let options = TemplateOptions { repeats_words, leaves_values_out, ..plus() };
        let template = Template::command(&words, &options).unwrap();
        if let Some(direct) = DirectCommand::of(&template, quoting) {
            let mut line = Vec::new();
            template.render(&values, &NUMBERS, quoting, &mut line);
            let argv = direct.render_argv(&values, &NUMBERS);
            prop_assert_eq!(&argv, &split_by("sh", &line).into_iter().collect());
            prop_assert_eq!(&argv[0], direct.program());
        }
    }

    #[test]
    fn every_value_comes_through_a_shell_whole(values in values()) {
        let template = Template::command(&["prog"], &TemplateOptions::default()).unwrap();
        let mut line = Vec::new();
        template.render(&values, &NUMBERS, Quoting::Shell, &mut line);
        prop_assert_eq!(&split_by("sh", &line)[1..], &values[..]);
    }
}
