//! Angles as people write them on charts.

use std::fmt::Write as _;

/// A billionth of a second, of arc or of time: what lines of a grid are counted in.
pub(super) const SECOND: i64 = 1_000_000_000;

const MINUTE: i64 = 60 * SECOND;

/// A degree or an hour.
pub(super) const DEGREE: i64 = 60 * MINUTE;

/// All of right ascension.
const DAY: i64 = 24 * DEGREE;

/// The whole number not above `value`.
#[expect(clippy::cast_possible_truncation, reason = "a float cast saturates, and NaN is 0")]
pub(super) fn whole(value: f64) -> i64 {
    value.floor() as i64
}

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
    let rounded = |value: f64, step: f64| whole((value / step).round() * step);
    let finer = (step / 10.0).max(1.0);
    format!(
        "{} {}",
        right_ascension(rounded(ra / 15.0 * DEGREE as f64, finer), whole(finer)),
        declination(rounded(dec * DEGREE as f64, step), whole(step))
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
    let decimals = (0..9_usize).find(|n| value.abs() * 10_f64.powf(*n as f64) >= 100.0).unwrap_or(9);
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn angles_have_the_digits_of_their_step() {
        let nanos = 12 * DEGREE + 54 * MINUTE + 35 * SECOND + 660_000_000;
        for (step, ra, dec) in [
            (DEGREE, "12h", "−12°"),
            (MINUTE, "12h54m", "−12°54′"),
            (5 * SECOND, "12h54m35s", "−12°54′35″"),
            (SECOND / 2, "12h54m35.6s", "−12°54′35.6″"),
            (SECOND / 100, "12h54m35.66s", "−12°54′35.66″"),
            (1, "12h54m35.660000000s", "−12°54′35.660000000″"),
        ] {
            assert_eq!(right_ascension(nanos, step), ra);
            assert_eq!(declination(-nanos, step), dec);
        }
        assert_eq!(right_ascension(-SECOND, SECOND), "23h59m59s");
        assert_eq!(right_ascension(DAY, DEGREE), "00h");
        assert_eq!(declination(0, MINUTE), "+00°00′");
        assert_eq!(declination(-30 * MINUTE, MINUTE), "−00°30′");
    }

    #[test]
    fn a_place_is_told_as_finely_as_its_chart_shows_it() {
        let ngc_4782 = (193.648_583_3, -12.568_444_4);
        assert_eq!(place(ngc_4782, 0.04), "12h54m35.66s −12°34′06.4″");
        assert_eq!(place(ngc_4782, 10.0), "12h54m35.7s −12°34′06″");
        assert_eq!(place(ngc_4782, 1e-5), "12h54m35.659992s −12°34′06.39984″");
        // What is rounded up is carried.
        assert_eq!(place((359.999_999_99, 59.999_999_99), 0.04), "00h00m00.00s +60°00′00.0″");
    }

    #[test]
    fn lengths_are_told_in_the_unit_that_reads_best() {
        let told = [40.0, 1.0, 0.5, 0.04, 1.0 / 60.0, 0.004_756, 1e-5, 1e-7, 0.0].map(angle);
        assert_eq!(told, ["40°", "1°", "30′", "2.4′", "1′", "17.1″", "0.036″", "0.00036″", "0″"]);
        assert_eq!([0.04, 12.345, 123.45, 1234.5].map(digits), ["0.04", "12.3", "123", "1234"]);
    }
}
