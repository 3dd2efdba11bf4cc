//! Quotes of every shell that is known, read by the shells themselves.

use super::super::quote::quoted_len;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Stdio};

use proptest::prelude::*;

use super::super::{Dialect, GrowingLine, quote};
use super::*;

/// A shell: the words before a line, its dialect, and the bytes that it can be given.
struct Shell {
    words: &'static [&'static str],
    dialect: Dialect,
    takes: fn(u8) -> bool,
}

const fn shell(words: &'static [&'static str], dialect: Dialect) -> Shell {
    Shell { words, dialect, takes: |_| true }
}

const SHELLS: [Shell; 17] = [
    shell(&["sh"], Dialect::Posix),
    shell(&["dash"], Dialect::Posix),
    shell(&["bash"], Dialect::Posix),
    shell(&["rbash"], Dialect::Posix),
    shell(&["zsh"], Dialect::Posix),
    shell(&["ksh"], Dialect::Posix),
    shell(&["ksh93"], Dialect::Posix),
    shell(&["mksh"], Dialect::Posix),
    shell(&["lksh"], Dialect::Posix),
    shell(&["posh"], Dialect::Posix),
    shell(&["busybox", "sh"], Dialect::Posix),
    // It reads characters: what is none in the locale is an error of its own.
    Shell { words: &["yash"], dialect: Dialect::Posix, takes: |byte| byte.is_ascii() },
    shell(&["fish"], Dialect::Fish),
    shell(&["csh"], Dialect::Csh),
    shell(&["tcsh"], Dialect::Csh),
    shell(&["bsd-csh"], Dialect::Csh),
    // It takes the byte for the end of its input.
    Shell { words: &["rc"], dialect: Dialect::Rc, takes: |byte| byte != 0xff },
];

const DIALECTS: [Dialect; 4] = [Dialect::Posix, Dialect::Fish, Dialect::Csh, Dialect::Rc];

impl Shell {
    fn is_here(&self) -> bool {
        Command::new(self.words[0]).args(["-c", ":"]).stdin(Stdio::null()).output().is_ok()
    }

    /// What it makes of `values`, quoted for it as the arguments of a command.
    fn reads(&self, values: &[Vec<u8>], locale: &str) -> Vec<Vec<u8>> {
        let options = TemplateOptions { dialect: self.dialect, ..TemplateOptions::default() };
        let template = Template::command(&["env printf '%s\\0'"], &options).unwrap();
        let mut line = Vec::new();
        template.render(values, &NUMBERS, Quoting::Shell, &mut line);
        let mut command = Command::new(self.words[0]);
        command.args(&self.words[1..]).arg("-c").arg(OsStr::from_bytes(&line)).env("LC_ALL", locale);
        // No start-up files of whoever runs the tests, and none left to them.
        let home = tempfile::tempdir().unwrap();
        let output = command.env("HOME", home.path()).env_remove("ENV").output().unwrap();
        assert!(output.status.success(), "{:?}: {output:?}", self.words);
        let mut words: Vec<Vec<u8>> = output.stdout.split(|&byte| byte == 0).map(<[u8]>::to_vec).collect();
        assert_eq!(words.pop(), Some(Vec::new()));
        words
    }
}

#[test]
fn every_byte_comes_through_every_shell() {
    for shell in SHELLS.iter().filter(|shell| shell.is_here()) {
        let bytes: Vec<u8> = (1..=255).filter(|&byte| (shell.takes)(byte)).collect();
        let mut values: Vec<Vec<u8>> = bytes.iter().map(|&byte| vec![byte]).collect();
        values.extend(bytes.iter().map(|&byte| vec![b'a', byte, b'b', byte, byte]));
        values.extend([Vec::new(), bytes.clone(), bytes.iter().rev().copied().collect()]);
        for locale in ["C.UTF-8", "C"] {
            assert_eq!(shell.reads(&values, locale), values, "{:?} in {locale}", shell.words);
        }
    }
}

#[test]
fn a_long_value_comes_through_every_shell() {
    let values = [b"!'\\x".repeat(5_000), b"y".repeat(60_000)];
    // The old csh says "Word too long." of some thousand bytes.
    let is_old = |shell: &Shell| ["csh", "bsd-csh"].contains(&shell.words[0]);
    for shell in SHELLS.iter().filter(|shell| shell.is_here() && !is_old(shell)) {
        assert!(shell.reads(&values, "C.UTF-8") == values, "{:?}", shell.words);
    }
}

#[test]
fn each_dialect_escapes_its_own_signs() {
    let quoted = |dialect, value: &str| {
        let mut out = Vec::new();
        quote(value.as_bytes(), dialect, &mut out);
        String::from_utf8(out).unwrap()
    };
    for dialect in DIALECTS {
        assert_eq!(
            [quoted(dialect, "a.b"), quoted(dialect, ""), quoted(dialect, "a b")],
            ["a.b", "''", "'a b'"]
        );
    }
    assert_eq!(quoted(Dialect::Fish, r"\'"), r"'\\\''");
    assert_eq!(quoted(Dialect::Csh, "!'\n"), "'\\!'\"'\"'\\\n'");
    assert_eq!(quoted(Dialect::Rc, r"\'"), r"'\'''");
    let options = TemplateOptions { dialect: Dialect::Fish, ..plus() };
    assert_eq!(line_of(&options, Quoting::Words, &["echo", "it's {}"], &["\\"]), r"echo 'it\'s \\'");
    assert_eq!(line_of(&options, Quoting::Shell, &["echo {slot}"], &["a"]), "echo {$PARALLEL_JOBSLOT}");
}

fn values() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let byte = prop_oneof![
        4 => prop::sample::select(b"'\"\\!\n$`^~*?[]{}()<>|&;#=%@-+ \t\r\xff\xc3\xa9\x81\x88\x01".to_vec()),
        1 => 1..=255u8,
    ];
    proptest::collection::vec(proptest::collection::vec(byte, 0..9), 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn every_value_comes_through_every_shell_whole(values in values()) {
        for shell in SHELLS.iter().filter(|shell| shell.is_here()) {
            let takes = |value: &Vec<u8>| value.iter().copied().filter(|&byte| (shell.takes)(byte)).collect();
            let values: Vec<Vec<u8>> = values.iter().map(takes).collect();
            prop_assert_eq!(&shell.reads(&values, "C.UTF-8"), &values, "{:?}", shell.words);
        }
    }
}

proptest! {
    #[test]
    fn lengths_are_those_of_the_lines_in_every_dialect(
        values in values(), dialect in prop::sample::select(DIALECTS.to_vec()),
    ) {
        for value in &values {
            let mut out = Vec::new();
            quote(value, dialect, &mut out);
            prop_assert_eq!(out.len(), quoted_len(value, dialect));
        }
        let template = Template::command(&["x'{}\\!"], &TemplateOptions { dialect, ..repeating() }).unwrap();
        for quoting in [Quoting::Shell, Quoting::Words] {
            let mut packer = GrowingLine::new(&template, quoting, &NUMBERS);
            packer.push(&values);
            let mut line = Vec::new();
            template.render(&values, &NUMBERS, quoting, &mut line);
            if quoting == Quoting::Words {
                prop_assert!(packer.length() >= line.len());
            } else {
                prop_assert_eq!(packer.length(), line.len());
            }
        }
    }
}
