//! Numbers as people read them: durations, bytes, ratios, counts.
//!
//! Every number of a report passes through here, so that a unit is always
//! written the same way. Knows nothing of what the numbers mean.

use std::time::Duration;

/// A duration with four significant digits and its unit: `6.480 s`, `12.35 ms`, `4.1 us`.
pub fn duration(time: Duration) -> String {
    if time.is_zero() {
        return "0 s".to_owned();
    }
    let seconds = time.as_secs_f64();
    let unit = TimeUnit::of(seconds);
    format!("{} {}", four_digits(unit.scaled(seconds)), unit.name)
}

/// The same where it is right within 2 %, as quantiles of a sketch are: two digits of it.
pub fn rough_duration(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    let (value, unit) = match seconds {
        s if s >= 0.995 => (s, "s"),
        s if s >= 0.000_995 => (s * 1e3, "ms"),
        s => (s * 1e6, "us"),
    };
    let text = if value < 9.95 { format!("{value:.1}") } else { format!("{value:.0}") };
    format!("{text} {unit}")
}

/// In what times are told, so that their numbers are short.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimeUnit {
    /// What it is called behind a number.
    pub name: &'static str,
    /// How many of them make a second.
    per_second: f64,
}

impl TimeUnit {
    /// The unit in which times up to `seconds` read best.
    pub fn of(seconds: f64) -> Self {
        match seconds {
            s if s >= 0.999_5 => Self { name: "s", per_second: 1.0 },
            s if s >= 0.999_5e-3 => Self { name: "ms", per_second: 1e3 },
            _ => Self { name: "us", per_second: 1e6 },
        }
    }

    /// The unit of this name: `ms` or `millisecond`, and its like.
    pub fn called(name: &str) -> Option<Self> {
        let units = [("second", 1.0), ("millisecond", 1e-3), ("microsecond", 1e-6)];
        units.into_iter().find_map(|(long, seconds)| {
            let unit = Self::of(seconds);
            (long == name || unit.name == name).then_some(unit)
        })
    }

    /// So many seconds with the unit's name: `0.048 s`.
    pub fn told(self, seconds: f64) -> String {
        if !seconds.is_finite() {
            return "-".to_owned();
        }
        format!("{} {}", four_digits(self.scaled(seconds.max(0.0))), self.name)
    }

    /// A time in three digits: `1.50 s`.
    pub fn brief(seconds: f64) -> String {
        let unit = Self::of(seconds);
        format!("{} {}", three_digits(unit.scaled(seconds)), unit.name)
    }

    /// A number of seconds in this unit.
    pub fn scaled(self, seconds: f64) -> f64 {
        seconds * self.per_second
    }
}

/// Seconds, or numbers with ms, s, m, h or d: `90`, `1.5h`, `1m30s`. Why it is none of
/// these follows the text in a complaint.
pub fn read_duration(text: &str) -> Result<Duration, String> {
    let wrong = || "expected seconds, or a time such as 90s, 1.5h or 1m30s".to_owned();
    let mut seconds = 0.0;
    let mut rest = text;
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let number = decimal(&rest[..digits]).ok_or_else(wrong)?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        seconds += number
            * match rest[..letters].to_ascii_lowercase().as_str() {
                "" if rest.is_empty() => 1.0,
                "s" => 1.0,
                "ms" => 1e-3,
                "m" => 60.0,
                "h" => 3600.0,
                "d" => 86400.0,
                _ => return Err(wrong()),
            };
        rest = &rest[letters..];
    }
    Duration::try_from_secs_f64(seconds).map_err(|_| wrong())
}

/// A number without sign or exponent.
pub fn decimal(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if plain { text.parse().ok() } else { None }
}

/// Seconds that were worked out, as [`duration`]: a figure of none, as a ratio to
/// nothing is, is `-`, and none is below zero.
pub fn seconds(value: f64) -> String {
    if !value.is_finite() {
        return "-".to_owned();
    }
    match Duration::try_from_secs_f64(value.max(0.0)) {
        Ok(time) => duration(time),
        // Beyond what a clock can show.
        Err(_) => format!("{value:.1e} s"),
    }
}

/// The share of `checks` that went well, `up` of them, never rounded up: `99.93 %`.
pub fn availability(up: u64, checks: u64) -> String {
    let hundredths = down_to(up, checks, 10_000);
    if up >= checks && checks > 0 {
        return "100 %".to_owned();
    }
    format!("{}.{:02} %", hundredths / 100, hundredths % 100)
}

/// How much of `whole` is `part` as a whole number of `steps`, never rounded up and without
/// the errors of fractions; of nothing, none.
pub fn down_to(part: u64, whole: u64, steps: u64) -> u64 {
    let steps = u128::from(part) * u128::from(steps) / u128::from(whole.max(1));
    u64::try_from(steps).unwrap_or(u64::MAX)
}

/// How long something has been so, in one unit: `40 s`, `50 min`, `3 h`, `12 d`.
pub fn age(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", count(seconds / 86_400)),
    }
}

/// A mean and a deviation from it, in seconds, in `unit` or the mean's: `802 ± 3.41 ms`.
pub fn spread(mean: f64, sigma: f64, unit: Option<TimeUnit>) -> String {
    let unit = unit.unwrap_or_else(|| TimeUnit::of(mean));
    let [mean, sigma] = [mean, sigma].map(|value| three_digits(unit.scaled(value)));
    format!("{mean} ± {sigma} {}", unit.name)
}

/// From the smaller to the larger, in seconds, in `unit` or the larger one's: `798 ... 806 ms`.
pub fn range(low: f64, high: f64, unit: Option<TimeUnit>) -> String {
    let unit = unit.unwrap_or_else(|| TimeUnit::of(high));
    let [low, high] = [low, high].map(|value| three_digits(unit.scaled(value)));
    format!("{low} ... {high} {}", unit.name)
}

/// Less CPU time than this, in seconds, is a tick or two of the kernel's clock.
const LITTLE_CPU: f64 = 0.005;

/// CPU time in seconds, in `unit` where that is asked for; below some milliseconds `~0`.
pub fn cpu_time(value: f64, unit: Option<TimeUnit>) -> String {
    match unit {
        _ if value < LITTLE_CPU => "~0".to_owned(),
        Some(unit) => unit.told(value),
        None => seconds(value),
    }
}

/// How CPU time changed; `None` where there is too little of it for a ratio.
pub fn cpu_change(one: f64, other: f64) -> Option<String> {
    (one >= LITTLE_CPU && other >= LITTLE_CPU).then(|| change(other / one))
}

/// Seconds to the nanosecond, below which there is only what arithmetic left over.
pub fn nanos(seconds: f64) -> f64 {
    (seconds * 1e9).round() / 1e9
}

/// Four significant digits, never in exponent form.
fn four_digits(value: f64) -> String {
    let decimals = match value {
        v if v >= 999.95 => 0,
        v if v >= 99.995 => 1,
        v if v >= 9.9995 => 2,
        _ => 3,
    };
    format!("{value:.decimals$}")
}

/// Bytes in decimal units, three significant digits: `59.9 MB`, `512 B`.
pub fn bytes(count: f64) -> String {
    scaled(count, 1000.0, &["B", "kB", "MB", "GB", "TB", "PB"])
}

/// Memory in binary units, three significant digits: `9.62 MiB`.
pub fn memory(count: f64) -> String {
    scaled(count, 1024.0, &["B", "KiB", "MiB", "GiB", "TiB", "PiB"])
}

/// Memory that is known not to have been reached, rounded up: `< 6.4 MiB`.
pub fn memory_below(count: f64) -> String {
    let tenths = (count * 10.0 / f64::from(1 << 20)).floor() + 1.0;
    format!("< {:.1} MiB", tenths / 10.0)
}

/// Bytes per second in decimal units: `2.41 GB/s`.
pub fn rate(bytes_per_second: f64) -> String {
    format!("{}/s", bytes(bytes_per_second))
}

fn scaled(count: f64, base: f64, units: &[&str]) -> String {
    let mut value = count;
    let mut unit = 0;
    while value >= base * 0.9995 && unit + 1 < units.len() {
        value /= base;
        unit += 1;
    }
    if unit == 0 {
        return format!("{value:.0} {}", units[0]);
    }
    format!("{} {}", three_digits(value), units[unit])
}

/// Three significant digits, never in exponent form: `5.17`, `31.9`, `679`.
pub fn three_digits(value: f64) -> String {
    let decimals = match value.abs() {
        v if v >= 99.95 => 0,
        v if v >= 9.995 => 1,
        _ => 2,
    };
    format!("{value:.decimals$}")
}

/// What is more than so many times something is compared with next to nothing.
const LARGEST_FACTOR: u64 = 100_000;

/// A ratio as a factor: `5.17x`. The caller says what it is relative to.
pub fn factor(ratio: f64) -> String {
    if ratio > LARGEST_FACTOR as f64 {
        return format!("more than {}x", count(LARGEST_FACTOR));
    }
    format!("{}x", three_digits(ratio))
}

/// A share as whole per cent: `0.653` is `65 %`.
pub fn percent(share: f64) -> String {
    let percent = (share * 100.0).round();
    // Not "-0 %".
    format!("{:.0} %", if percent == 0.0 { 0.0 } else { percent })
}

/// A signed change in per cent: `1.36` is `+36 %`; no change is `0 %`.
pub fn change(ratio: f64) -> String {
    let percent = (ratio - 1.0) * 100.0;
    if percent.abs() < 0.5 {
        return "0 %".to_owned();
    }
    format!("{percent:+.0} %")
}

/// A signed change in per cent, with one decimal where it is small: `1.043` is
/// `+4.3 %`, `1.36` is `+36 %`.
pub fn fine_change(ratio: f64) -> String {
    let percent = (ratio - 1.0) * 100.0;
    let text = if percent.abs() < 9.95 { format!("{percent:+.1}") } else { format!("{percent:+.0}") };
    match text.strip_suffix(".0").unwrap_or(&text) {
        "+0" | "-0" => "0 %".to_owned(),
        text => format!("{text} %"),
    }
}

/// A whole number with thousands set apart: `2,994,980`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count with its noun in the right number: `1 file`, `20 files`.
pub fn plural(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{} {noun}s", count(number)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_that_are_read_add_up() {
        let seconds = |text: &str| read_duration(text).map(|d| d.as_secs_f64());
        assert_eq!(seconds("1m30s"), Ok(90.0));
        assert_eq!(seconds("1.5h"), Ok(5400.0));
        assert_eq!(seconds("2d"), Ok(172_800.0));
        assert_eq!(seconds(".5"), Ok(0.5));
        assert_eq!(seconds("1m5"), Ok(65.0));
        assert_eq!(seconds("1S250ms"), Ok(1.25));
        for wrong in ["", "x", "1x", "-1", "1ms2x", "1e3", "1..2", "1 s", ".", "1é"] {
            assert!(read_duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn durations_keep_four_digits_and_pick_their_unit() {
        let show = |nanos| duration(Duration::from_nanos(nanos));
        assert_eq!(show(6_480_000_000), "6.480 s");
        assert_eq!(show(64_800_000_000), "64.80 s");
        assert_eq!(show(999_600_000), "1.000 s");
        assert_eq!(show(12_346_000), "12.35 ms");
        assert_eq!(show(4_100), "4.100 us");
        assert_eq!(show(0), "0 s");
    }

    #[test]
    fn times_side_by_side_share_a_unit() {
        assert_eq!(spread(0.8021, 0.00341, None), "802 ± 3.41 ms");
        assert_eq!(range(0.998, 1.0063, None), "1.00 ... 1.01 s");
    }

    #[test]
    fn cpu_time_of_some_milliseconds_is_next_to_nothing_and_has_no_change() {
        assert_eq!([0.0, 0.0049, 0.0123].map(|time| cpu_time(time, None)), ["~0", "~0", "12.30 ms"]);
        assert_eq!(cpu_change(0.2, 0.3), Some("+50 %".to_owned()));
        assert_eq!((cpu_change(0.001, 0.3), cpu_change(0.3, 0.001)), (None, None));
    }

    #[test]
    fn any_figure_of_seconds_is_told_and_none_panics() {
        assert_eq!(seconds(6.48), "6.480 s");
        assert_eq!(seconds(-1.0), "0 s");
        assert_eq!(seconds(-0.0), "0 s");
        assert_eq!(seconds(f64::NAN), "-");
        assert_eq!(seconds(f64::INFINITY), "-");
        assert_eq!(seconds(1e300), "1.0e300 s");
        assert_eq!(seconds(f64::MAX), "1.8e308 s");
    }

    #[test]
    fn bytes_are_decimal_and_memory_is_binary() {
        assert_eq!(bytes(59_899_600.0), "59.9 MB");
        assert_eq!(bytes(999.0), "999 B");
        assert_eq!(bytes(999_900.0), "1.00 MB");
        assert_eq!(memory(10_485_760.0), "10.0 MiB");
        assert_eq!(rate(2.41e9), "2.41 GB/s");
        assert_eq!(memory_below(6.31 * 1_048_576.0), "< 6.4 MiB");
        assert_eq!(memory_below(6.0 * 1_048_576.0), "< 6.1 MiB");
    }

    #[test]
    fn ratios_counts_and_nouns_read_as_people_write_them() {
        assert_eq!(factor(5.168), "5.17x");
        assert_eq!(factor(99_999.4), "99999x");
        assert_eq!(factor(1.0 / f64::MIN_POSITIVE), "more than 100,000x");
        assert_eq!(percent(0.653), "65 %");
        assert_eq!(percent(-0.001), "0 %");
        assert_eq!(change(1.36), "+36 %");
        assert_eq!(change(0.9), "-10 %");
        assert_eq!(change(1.001), "0 %");
        assert_eq!(count(2_994_980), "2,994,980");
        assert_eq!(count(123), "123");
        assert_eq!(plural(1, "file"), "1 file");
        assert_eq!(plural(20, "file"), "20 files");
    }

    #[test]
    fn shares_of_whole_numbers_are_exact_and_never_rounded_up() {
        assert_eq!(availability(57, 100), "57.00 %");
        assert_eq!(availability(29, 100), "29.00 %");
        assert_eq!(availability(2, 3), "66.66 %");
        assert_eq!(availability(99_999, 100_000), "99.99 %");
        assert_eq!(availability(100_000, 100_000), "100 %");
        assert_eq!(availability(0, 0), "0.00 %");
        assert!((0..=100).all(|part| down_to(part, 100, 100) == part));
        assert_eq!(down_to(u64::MAX - 1, u64::MAX, 100), 99);
    }

    #[test]
    fn a_unit_may_be_asked_for_by_either_of_its_names() {
        let told = |name: &str, seconds| TimeUnit::called(name).map(|unit| unit.told(seconds));
        assert_eq!(told("second", 0.0481).as_deref(), Some("0.048 s"));
        assert_eq!(told("ms", 1.25).as_deref(), Some("1250 ms"));
        assert_eq!(told("microsecond", 2e-6).as_deref(), Some("2.000 us"));
        assert_eq!(told("hour", 1.0), None);
        assert_eq!(spread(0.802, 0.00341, TimeUnit::called("s")), "0.80 ± 0.00 s");
    }
}
