//! Quoting of one value, so that a shell reads it as one word: for Bourne-like
//! shells byte for byte as GNU parallel does.
//!
//! Knows no template: a value goes in, a shell word comes out.

use serde::{Deserialize, Serialize};

/// How a shell reads what stands between `'` and `'`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Dialect {
    /// sh and its like: everything stands for itself.
    #[default]
    Posix,
    /// fish: `\\` is `\`, and `\'` is `'`.
    Fish,
    /// csh and tcsh: `!` recalls what was typed and a line ends the text, each
    /// unless `\` is before it.
    Csh,
    /// rc: `''` is `'`.
    Rc,
}

/// Appends `value` to `out`, quoted so that a shell reads it as one word.
///
/// Letters, digits and `-_.+/` stay bare, an empty value is `''`, everything
/// else is wrapped in `'…'`, in which the dialect's own signs are escaped. Where
/// a `'` is written `'"'"'`, a leading or trailing empty `''` is left out.
pub fn quote(value: &[u8], dialect: Dialect, out: &mut Vec<u8>) {
    if value.is_empty() {
        out.extend_from_slice(b"''");
        return;
    }
    if is_bare(value) {
        out.extend_from_slice(value);
        return;
    }
    if dialect == Dialect::Posix {
        quote_posix(value, out);
        return;
    }
    out.push(b'\'');
    for &byte in value {
        match (dialect, byte) {
            (Dialect::Fish, b'\\' | b'\'') | (Dialect::Csh, b'!' | b'\n') => out.extend([b'\\', byte]),
            (Dialect::Rc, b'\'') => out.extend_from_slice(b"''"),
            (Dialect::Posix | Dialect::Csh, b'\'') => out.extend_from_slice(b"'\"'\"'"),
            _ => out.push(byte),
        }
    }
    out.push(b'\'');
}

/// The number of bytes that [`quote`] appends for `value`.
#[must_use]
pub fn quoted_len(value: &[u8], dialect: Dialect) -> usize {
    if value.is_empty() {
        return 2;
    }
    if is_bare(value) {
        return value.len();
    }
    let outer = |byte: Option<&u8>| match dialect {
        Dialect::Posix => 2 * usize::from(byte == Some(&b'\'')),
        Dialect::Fish | Dialect::Csh | Dialect::Rc => 0,
    };
    value.len() + 2 + escapes(value, dialect) - outer(value.first()) - outer(value.last())
}

/// How many bytes a text becomes longer within quotes.
pub(super) fn escapes(text: &[u8], dialect: Dialect) -> usize {
    let weight = |&byte: &u8| match (dialect, byte) {
        (Dialect::Posix | Dialect::Csh, b'\'') => 4,
        (Dialect::Fish, b'\\' | b'\'') | (Dialect::Csh, b'!' | b'\n') | (Dialect::Rc, b'\'') => 1,
        _ => 0,
    };
    text.iter().map(weight).sum()
}

fn quote_posix(value: &[u8], out: &mut Vec<u8>) {
    let last = value.len() - 1;
    if value[0] != b'\'' {
        out.push(b'\'');
    }
    for (at, &byte) in value.iter().enumerate() {
        if byte != b'\'' {
            out.push(byte);
            continue;
        }
        if at > 0 {
            out.push(b'\'');
        }
        out.extend_from_slice(b"\"'\"");
        if at < last {
            out.push(b'\'');
        }
    }
    if value[last] != b'\'' {
        out.push(b'\'');
    }
}

fn is_bare(value: &[u8]) -> bool {
    value.iter().all(|&byte| BARE[usize::from(byte)])
}

/// The bytes that need no quotes, by value.
const BARE: [bool; 256] = {
    let mut bare = [false; 256];
    let mut byte = 0u8;
    while byte < 128 {
        bare[byte as usize] =
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'+' | b'/');
        byte += 1;
    }
    bare
};

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(value: &str) -> String {
        let mut out = Vec::new();
        quote(value.as_bytes(), Dialect::Posix, &mut out);
        assert_eq!(out.len(), quoted_len(value.as_bytes(), Dialect::Posix), "{value:?}");
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn only_letters_digits_and_five_signs_stay_bare() {
        for bare in ["a", "Zz09", "-n", "a_b.c+d/e", "0"] {
            assert_eq!(quoted(bare), bare);
        }
        for byte in 1..128u8 {
            let value = String::from(char::from(byte));
            let bare = byte.is_ascii_alphanumeric() || b"-_.+/".contains(&byte);
            assert_eq!(quoted(&value) == value, bare, "{value:?}");
        }
        assert_eq!(quoted("ä"), "'ä'");
    }

    #[test]
    fn an_empty_value_is_two_quotes() {
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn an_apostrophe_is_double_quoted_and_empty_ends_are_dropped() {
        assert_eq!(quoted("it's"), r#"'it'"'"'s'"#);
        assert_eq!(quoted("'"), r#""'""#);
        assert_eq!(quoted("''"), r#""'"''"'""#);
        assert_eq!(quoted("'a"), r#""'"'a'"#);
        assert_eq!(quoted("a'"), r#"'a'"'""#);
        assert_eq!(quoted("a\n'"), "'a\n'\"'\"");
    }
}
