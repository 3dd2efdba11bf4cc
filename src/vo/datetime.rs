//! `xs:dateTime`, read strictly.

/// Seconds since 1970 of an `xs:dateTime`, fractions left out; a time without a
/// zone is UTC, as TAP and DALI have it. `None` for what the schema has no room
/// for. Years beyond what fits are the earliest or latest there is.
///
/// ```
/// use parsim::vo::read_datetime;
/// assert_eq!(read_datetime("1970-01-01T01:00:01.5+01:00"), Some(1));
/// assert_eq!(read_datetime("2026-01-01T24:00:00"), read_datetime("2026-01-02T00:00:00Z"));
/// assert_eq!(read_datetime("2026-02-30T00:00:00Z"), None);
/// assert_eq!(read_datetime("2026-01-01 00:00:00"), None);
/// ```
#[must_use]
pub fn read_datetime(text: &str) -> Option<i64> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (year, rest) = rest.split_at(digits);
    // At least four digits, no needless zero before more of them, no year 0.
    if digits < 4 || (digits > 4 && year.starts_with('0')) || year.bytes().all(|digit| digit == b'0') {
        return None;
    }
    let rest = rest.as_bytes();
    let (fixed, rest) = rest.split_at_checked(15)?;
    let [b'-', m1, m0, b'-', d1, d0, b'T', h1, h0, b':', n1, n0, b':', s1, s0] = *fixed else {
        return None;
    };
    let (month, day) = (two(m1, m0)?, two(d1, d0)?);
    let (hour, minute, second) = (two(h1, h0)?, two(n1, n0)?, two(s1, s0)?);
    let (fraction, rest) = fraction(rest)?;
    let zone = zone(rest)?;
    let year: i64 = year.parse().ok().filter(|year| *year < 1_000_000_000).unwrap_or(1_000_000_000);
    // Year -1 is the one before year 1.
    let year = if negative { 1 - year } else { year };
    let is_midnight = hour == 24 && minute == 0 && second == 0 && !fraction;
    let sound = (1..=12).contains(&month)
        && (1..=days_in(month, year)).contains(&day)
        && (hour < 24 || is_midnight)
        && minute < 60
        && second < 60;
    if !sound {
        return None;
    }
    Some(((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second - zone * 60)
}

fn two(tens: u8, ones: u8) -> Option<i64> {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| i64::from(byte - b'0'));
    Some(digit(tens)? * 10 + digit(ones)?)
}

/// Whether there is a fraction that is not zero, and what follows it.
fn fraction(text: &[u8]) -> Option<(bool, &[u8])> {
    let Some(rest) = text.strip_prefix(b".") else { return Some((false, text)) };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = rest.split_at(digits);
    (!digits.is_empty()).then(|| (digits.iter().any(|digit| *digit != b'0'), rest))
}

/// Minutes east of Greenwich.
fn zone(text: &[u8]) -> Option<i64> {
    match *text {
        [] | [b'Z'] => Some(0),
        [sign @ (b'+' | b'-'), h1, h0, b':', m1, m0] => {
            let (hours, minutes) = (two(h1, h0)?, two(m1, m0)?);
            let east = hours * 60 + minutes;
            let sound = minutes < 60 && east <= 14 * 60;
            sound.then_some(if sign == b'+' { east } else { -east })
        }
        _ => None,
    }
}

fn days_in(month: i64, year: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the Gregorian calendar (Howard Hinnant,
/// "chrono-Compatible Low-Level Date Algorithms").
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}
