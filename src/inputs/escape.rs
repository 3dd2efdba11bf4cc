//! C's escapes in delimiters and record marks: `-d '\t'`, `--recend '\n\n'`.

/// Replaces `\a \b \e \f \n \r \t \v \\`, `\ooo` (octal, up to three digits)
/// and `\xhh`; any other backslash stands for itself.
#[must_use]
pub fn unescape(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        let (byte, used) = if *first == b'\\' { escaped(tail) } else { (*first, 0) };
        bytes.push(byte);
        rest = &tail[used..];
    }
    bytes
}

/// The byte that `\` and `tail` stand for, and how much of `tail` it takes.
fn escaped(tail: &[u8]) -> (u8, usize) {
    let plain = |byte| (byte, 1);
    match tail {
        [b'a', ..] => plain(7),
        [b'b', ..] => plain(8),
        [b'e', ..] => plain(27),
        [b'f', ..] => plain(12),
        [b'n', ..] => plain(b'\n'),
        [b'r', ..] => plain(b'\r'),
        [b't', ..] => plain(b'\t'),
        [b'v', ..] => plain(11),
        [b'\\', ..] => plain(b'\\'),
        [b'0'..=b'7', ..] => number(tail, 8, 3).unwrap_or((b'\\', 0)),
        [b'x', hex @ ..] => number(hex, 16, 2).map_or((b'\\', 0), |(byte, used)| (byte, used + 1)),
        _ => (b'\\', 0),
    }
}

/// A number of at most `most` digits that fits a byte, and how many it has.
fn number(digits: &[u8], radix: u32, most: usize) -> Option<(u8, usize)> {
    let mut value = 0_u32;
    let mut used = 0;
    for digit in digits.iter().take(most).map_while(|byte| char::from(*byte).to_digit(radix)) {
        let longer = value * radix + digit;
        if longer > 255 {
            break;
        }
        value = longer;
        used += 1;
    }
    let byte = u8::try_from(value).ok()?;
    (used > 0).then_some((byte, used))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_those_of_c() {
        assert_eq!(unescape(br"\n\t\r\0\\"), b"\n\t\r\0\\");
        assert_eq!(unescape(br"\101\x41\x4g"), b"AA\x04g");
        assert_eq!(unescape(br"\0101"), b"\x081");
        assert_eq!(unescape(br"\777"), b"\x3f7");
    }

    #[test]
    fn other_backslashes_stand_for_themselves() {
        assert_eq!(unescape(br"\q\"), br"\q\");
        assert_eq!(unescape(br"\xz"), br"\xz");
        assert_eq!(unescape(b"###"), b"###");
    }
}
