//! The escapes in the text of `--tagstring`: GNU parallel's own, which are Perl's
//! as far as they go. They are resolved before replacement strings are looked for,
//! so that a backslash in a value stands for itself.

/// Replaces `\t`, `\n` and `\r`, then `\NNN` (octal), then `\N`; any other
/// backslash stands for itself, a doubled one included. A backslash that came of
/// `\134` escapes the digit behind it, as it does there.
pub(super) fn resolved(text: &[u8]) -> Vec<u8> {
    let named = each(text, |tail, out| {
        let byte = match tail {
            [b't', ..] => b'\t',
            [b'n', ..] => b'\n',
            [b'r', ..] => b'\r',
            _ => return 0,
        };
        out.push(byte);
        1
    });
    let long = each(&named, |tail, out| digits(tail, 3, out));
    each(&long, |tail, out| digits(tail, 1, out))
}

/// `text` with `escape` asked at each backslash: it is given what is behind it,
/// appends what that stands for, and tells how much of it that was.
fn each(text: &[u8], escape: impl Fn(&[u8], &mut Vec<u8>) -> usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        let used = if *first == b'\\' { escape(tail, &mut out) } else { 0 };
        if used == 0 {
            out.push(*first);
        }
        rest = &tail[used..];
    }
    out
}

/// Exactly `count` digits: as many of them as are octal are a character's number,
/// the others stand for themselves.
fn digits(tail: &[u8], count: usize, out: &mut Vec<u8>) -> usize {
    let Some(digits) = tail.get(..count).filter(|digits| digits.iter().all(u8::is_ascii_digit)) else {
        return 0;
    };
    let octal = digits.iter().take_while(|digit| **digit < b'8').count();
    let (number, plain) = digits.split_at(octal);
    if !number.is_empty() {
        let number = number.iter().fold(0, |number, digit| number * 8 + u32::from(digit - b'0'));
        match u8::try_from(number) {
            Ok(byte) => out.push(byte),
            // Perl's characters go on where bytes end, and are written as UTF-8.
            Err(_) => out.extend(char::from_u32(number).unwrap_or_default().to_string().bytes()),
        }
    }
    out.extend_from_slice(plain);
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_characters_and_numbers_are_resolved() {
        assert_eq!(resolved(br"{1}\t{2}\r\n"), b"{1}\t{2}\r\n");
        assert_eq!(resolved(br"\101\0\1\12\377"), b"A\0\x01\x012\xff");
        assert_eq!(resolved(br"\400"), "\u{100}".as_bytes());
    }

    #[test]
    fn digits_that_are_not_octal_stand_for_themselves() {
        assert_eq!(resolved(br"\8\9\189\999\458"), b"89\x01899\x39\x39%8");
    }

    #[test]
    fn other_backslashes_stand_for_themselves() {
        assert_eq!(resolved(br"\x\\t\q\{}\"), b"\\x\\\t\\q\\{}\\");
        assert_eq!(resolved(br"\1345\134t"), b"\x05\\t");
    }
}
