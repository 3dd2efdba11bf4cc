//! Angles as people write them on charts.

use std::fmt::Write as _;

/// A billionth of a second, of arc or of time: what lines of a grid are counted in.
pub(super) const SECOND: i64 = 1_000_000_000;

const MINUTE: i64 = 60 * SECOND;

/// A degree or an hour.
pub(super) const DEGREE: i64 = 60 * MINUTE;

/// All of right ascension.
const DAY: i64 = 24 * DEGREE;

/// `12h54m40s`: as many parts and digits as `step` needs.
pub(super) fn right_ascension(nanos: i64, step: i64) -> String {
    parts(nanos.rem_euclid(DAY), step, ['h', 'm', 's'])
}

/// `−12°34′06″`: as many parts and digits as `step` needs.
pub(super) fn declination(nanos: i64, step: i64) -> String {
    let sign = if nanos < 0 { '−' } else { '+' };
    format!("{sign}{}", parts(nanos.abs(), step, ['°', '′', '″']))
}

fn parts(nanos: i64, step: i64, units: [char; 3]) -> String {
    let mut text = format!("{:02}{}", nanos / DEGREE, units[0]);
    if step % DEGREE != 0 {
        let _ = write!(text, "{:02}{}", nanos % DEGREE / MINUTE, units[1]);
    }
    if step % MINUTE != 0 {
        let _ = write!(text, "{:02}", nanos % MINUTE / SECOND);
        if step % SECOND != 0 {
            let digits = format!("{:09}", step % SECOND);
            let decimals = digits.trim_end_matches('0').len();
            let fraction = format!("{:09}", nanos % SECOND);
            let _ = write!(text, ".{}", &fraction[..decimals]);
        }
        text.push(units[2]);
    }
    text
}

/// `right ascension, declination` (degrees) with digits enough for a chart of this radius.
pub(super) fn place((ra, dec): (f64, f64), radius: f64) -> String {
    // To a five-hundredth of the radius, and a digit more in right ascension, as is the custom.
    let fine = (DEGREE as f64 * radius / 500.0).max(1.0).log10().floor();
    let step = 10_f64.powf(fine.min(9.0));
    let rounded = |value: f64, step: f64| ((value / step).round() * step) as i64;
    let finer = (step / 10.0).max(1.0);
    format!(
        "{} {}",
        right_ascension(rounded(ra / 15.0 * DEGREE as f64, finer), finer as i64),
        declination(rounded(dec * DEGREE as f64, step), step as i64)
    )
}

/// An angle in the unit in which it reads best: `17.1″`, `2.4′`, `1.5°`.
pub(super) fn angle(degrees: f64) -> String {
    let (value, unit) = match degrees {
        d if d >= 1.0 => (d, "°"),
        d if d * 60.0 >= 1.0 => (d * 60.0, "′"),
        d => (d * 3600.0, "″"),
    };
    format!("{}{unit}", digits(value))
}

/// Up to three digits that say something, four of what is beyond a thousand.
pub(super) fn digits(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let decimals = (2.0 - value.abs().log10().floor()).clamp(0.0, 9.0) as usize;
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}
