//! When a certificate expires: the one field of X.509 (RFC 5280, 4.1) that is
//! wanted here, found by walking its DER.

use crate::vo::read_datetime;

/// The end of a certificate's validity in seconds since 1970; `None` where the
/// bytes are no certificate.
pub(super) fn not_after(certificate: &[u8]) -> Option<i64> {
    let (_, whole, _) = element(certificate)?;
    let (_, mut fields, _) = element(whole)?;
    // An explicit version, if any; then serial number, algorithm and issuer.
    if fields.first() == Some(&0xa0) {
        fields = element(fields)?.2;
    }
    for _ in 0..3 {
        fields = element(fields)?.2;
    }
    let (_, validity, _) = element(fields)?;
    let (_, _, rest) = element(validity)?;
    let (tag, time, _) = element(rest)?;
    let time = std::str::from_utf8(time).ok().filter(|time| time.is_ascii())?;
    let (century, rest) = match tag {
        // UTCTime: two digits of the year, of this century below 50.
        0x17 => (if time.get(..2)?.parse::<u8>().ok()? < 50 { "20" } else { "19" }, time),
        // GeneralizedTime: four digits.
        0x18 => (time.get(..2)?, time.get(2..)?),
        _ => return None,
    };
    let part = |at: usize| rest.get(at..at + 2);
    read_datetime(&format!(
        "{century}{}-{}-{}T{}:{}:{}Z",
        part(0)?,
        part(2)?,
        part(4)?,
        part(6)?,
        part(8)?,
        part(10)?
    ))
}

/// Tag, content, and what follows, of the first element.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f).min(8))?;
        let fold = |length: usize, byte: &u8| length.checked_mul(256)?.checked_add(usize::from(*byte));
        (digits.iter().try_fold(0, fold)?, rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wrapped(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[tag, 0x82], &length[..], content].concat()
    }

    fn certificate(end: &[u8]) -> Vec<u8> {
        let validity = [wrapped(0x17, b"200101000000Z"), end.to_vec()].concat();
        let fields = [
            wrapped(0xa0, &[2]),
            wrapped(2, &[1]),
            wrapped(0x30, &[]),
            wrapped(0x30, &[]),
            wrapped(0x30, &validity),
        ];
        wrapped(0x30, &wrapped(0x30, &fields.concat()))
    }

    #[test]
    fn both_forms_of_time_are_read() {
        assert_eq!(not_after(&certificate(&wrapped(0x17, b"260102030405Z"))), Some(1_767_323_045));
        assert_eq!(not_after(&certificate(&wrapped(0x18, b"20260102030405Z"))), Some(1_767_323_045));
        assert_eq!(not_after(&certificate(&wrapped(0x0c, b"20260102030405Z"))), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = not_after(&bytes);
            let _ = not_after(&certificate(&bytes));
        }
    }
}
