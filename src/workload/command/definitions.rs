//! What a caller has defined, to be known to every job: `$PARALLEL_ENV`.
//!
//! Knows texts, no shell.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use crate::template::{Dialect, quote};

/// The longest text that can be one argument.
const LONGEST: usize = 131_071;

/// Keeps the line that is the last argument, for definitions may change arguments.
const KEEP: &[u8] = b"parsim_line=$1; shift\n";

/// Runs the line that was kept, which is then kept no longer.
const RUN: &[u8] = b"\neval \"unset parsim_line\n$parsim_line\"";

/// Definitions in the language of a shell.
#[derive(Clone, Debug)]
pub struct Definitions {
    text: Vec<u8>,
    dialect: Dialect,
    needs_eval: bool,
}

impl Definitions {
    /// Definitions that the line follows.
    #[must_use]
    pub fn before_line(text: Vec<u8>, dialect: Dialect) -> Self {
        Self { text, dialect, needs_eval: false }
    }

    /// Definitions after which the shell is made to read the line anew.
    #[must_use]
    pub fn before_eval(text: Vec<u8>, dialect: Dialect) -> Self {
        Self { text, dialect, needs_eval: true }
    }

    /// What the shell is given after `-c`: a text and perhaps arguments, the first of
    /// which is the name of the shell, which is called `shell`. A line that is too
    /// long to follow the definitions comes as an argument, if the shell is like sh.
    pub(super) fn with_line<'t>(&self, line: &'t [u8], shell: &'t OsStr) -> Vec<Cow<'t, OsStr>> {
        let mut text = self.text.clone();
        text.push(b'\n');
        if self.needs_eval {
            text.extend_from_slice(b"eval ");
            quote(line, self.dialect, &mut text);
        } else {
            text.extend_from_slice(line);
        }
        if text.len() <= LONGEST || self.dialect != Dialect::Posix {
            return vec![owned(&text)];
        }
        vec![owned(&[KEEP, &self.text, RUN].concat()), shell.into(), OsStr::from_bytes(line).into()]
    }
}

/// `words` of a command line in which `$NAME` right before a brace is `${NAME}`: the
/// same to a shell, but `$NAME{}` stays the variable of that name, whatever the value
/// begins with. Within single quotes and behind a backslash nothing is a variable.
#[must_use]
pub fn names_apart(words: &[&[u8]]) -> Vec<Vec<u8>> {
    let (mut single, mut double) = (false, false);
    let mut apart = |word: &[u8]| {
        let mut out = Vec::with_capacity(word.len() + 2);
        let mut rest = word;
        while let Some((&byte, behind)) = rest.split_first() {
            rest = behind;
            out.push(byte);
            match byte {
                b'\'' if !double => single = !single,
                b'"' if !single => double = !double,
                b'\\' if !single => {
                    out.extend(rest.first());
                    rest = rest.get(1..).unwrap_or_default();
                }
                b'$' if !single => {
                    let is_name = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
                    let length = rest.iter().take_while(is_name).count();
                    let (name, behind) = rest.split_at(length);
                    if name.first().is_some_and(|first| !first.is_ascii_digit()) && behind.starts_with(b"{") {
                        out.push(b'{');
                        out.extend_from_slice(name);
                        out.push(b'}');
                        rest = behind;
                    }
                }
                _ => {}
            }
        }
        out
    };
    words.iter().map(|word| apart(word)).collect()
}

fn owned(text: &[u8]) -> Cow<'static, OsStr> {
    Cow::Owned(OsStr::from_bytes(text).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_before_a_value_keeps_its_name() {
        let apart = |words: &[&str]| {
            let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
            String::from_utf8(names_apart(&words).join(&b' ')).unwrap()
        };
        for (line, meant) in [
            ("echo \"$V{}\" $W_2{.} $V", "echo \"${V}{}\" ${W_2}{.} $V"),
            ("echo '$V{}' \\$V{} $1{} ${V}{} $V/{}", "echo '$V{}' \\$V{} $1{} ${V}{} $V/{}"),
            ("echo \"it's $V{}\" \\'$V{}", "echo \"it's ${V}{}\" \\'${V}{}"),
        ] {
            assert_eq!(apart(&[line]), meant);
        }
        assert_eq!(apart(&["'a", "$V{}", "b' $V{}"]), "'a $V{} b' ${V}{}");
    }

    #[test]
    fn a_line_follows_the_definitions_or_is_an_argument_where_both_are_too_long() {
        let words = |dialect, length| {
            let definitions = Definitions::before_line(vec![b'#'; 100_000], dialect);
            definitions.with_line(&vec![b'x'; length], OsStr::new("sh")).len()
        };
        assert_eq!(words(Dialect::Posix, 31_070), 1);
        assert_eq!(words(Dialect::Posix, 31_071), 3);
        assert_eq!(words(Dialect::Fish, 31_071), 1);
        let eval = Definitions::before_eval(b"x=1".to_vec(), Dialect::Posix);
        assert_eq!(eval.with_line(b"echo $x", OsStr::new("zsh")), [OsStr::new("x=1\neval 'echo $x'")]);
    }
}
