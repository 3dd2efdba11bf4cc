//! GNU parallel's quoting of one value for a Bourne-like shell.
//!
//! Knows no template: a value goes in, a shell word comes out.

/// Appends `value` to `out`, quoted so that a shell reads it as one word.
///
/// Letters, digits and `-_.+/` stay bare, an empty value is `''`, everything
/// else is wrapped in `'…'` with each `'` written `'"'"'`, after which a
/// leading or trailing empty `''` is left out.
pub fn quote(value: &[u8], out: &mut Vec<u8>) {
    if value.is_empty() {
        out.extend_from_slice(b"''");
        return;
    }
    if is_bare(value) {
        out.extend_from_slice(value);
        return;
    }
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

/// The number of bytes that [`quote`] appends for `value`.
#[must_use]
pub fn quoted_len(value: &[u8]) -> usize {
    if value.is_empty() {
        return 2;
    }
    if is_bare(value) {
        return value.len();
    }
    let outer = |byte: Option<&u8>| 2 * usize::from(byte == Some(&b'\''));
    value.len() + 2 + 4 * apostrophes(value) - outer(value.first()) - outer(value.last())
}

/// How many `'` a text holds.
pub(super) fn apostrophes(text: &[u8]) -> usize {
    text.split(|&byte| byte == b'\'').count() - 1
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
        quote(value.as_bytes(), &mut out);
        assert_eq!(out.len(), quoted_len(value.as_bytes()), "{value:?}");
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
