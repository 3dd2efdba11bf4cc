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
    if is_bare(value) {
        out.extend_from_slice(value);
        return;
    }
    let start = out.len();
    out.push(b'\'');
    for &byte in value {
        match escape(byte, dialect) {
            Some(escape) => out.extend_from_slice(escape),
            None => out.push(byte),
        }
    }
    out.push(b'\'');
    if drops_empty_end(value.last(), dialect) {
        out.truncate(out.len() - 2);
    }
    if drops_empty_end(value.first(), dialect) {
        out.drain(start..start + 2);
    }
}

/// The number of bytes that [`quote`] appends for `value`.
pub fn quoted_len(value: &[u8], dialect: Dialect) -> usize {
    if is_bare(value) {
        return value.len();
    }
    let dropped = |byte: Option<&u8>| 2 * usize::from(drops_empty_end(byte, dialect));
    value.len() + 2 + escapes(value, dialect) - dropped(value.first()) - dropped(value.last())
}

/// How many bytes a text becomes longer within quotes.
pub(super) fn escapes(text: &[u8], dialect: Dialect) -> usize {
    text.iter().filter_map(|&byte| escape(byte, dialect)).map(|escape| escape.len() - 1).sum()
}

/// What stands within quotes for a byte that does not stand for itself.
fn escape(byte: u8, dialect: Dialect) -> Option<&'static [u8]> {
    Some(match (dialect, byte) {
        (Dialect::Posix | Dialect::Csh, b'\'') => b"'\"'\"'",
        (Dialect::Fish, b'\'') => b"\\'",
        (Dialect::Fish, b'\\') => b"\\\\",
        (Dialect::Csh, b'!') => b"\\!",
        (Dialect::Csh, b'\n') => b"\\\n",
        (Dialect::Rc, b'\'') => b"''",
        _ => return None,
    })
}

/// Whether a value that begins or ends with `byte` would have a `''` there.
fn drops_empty_end(byte: Option<&u8>, dialect: Dialect) -> bool {
    dialect == Dialect::Posix && byte == Some(&b'\'')
}

fn is_bare(value: &[u8]) -> bool {
    let is_bare =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'+' | b'/');
    !value.is_empty() && value.iter().all(is_bare)
}

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
