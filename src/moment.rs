//! Moments of the calendar, for people and for what is kept from run to run: RFC 3339, UTC,
//! to the millisecond.
//!
//! Durations never come from here: calendars jump when a clock is set.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::vo::read_datetime;

const DAY: i64 = 86_400_000;

/// A moment, to the millisecond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Moment {
    /// Since 1970, as UTC counts.
    millis: i64,
}

impl Moment {
    /// What the machine's clock says.
    #[must_use]
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { millis: i64::try_from(since.as_millis()).unwrap_or(i64::MAX) }
    }

    /// So many seconds after the beginning of 1970.
    #[must_use]
    pub fn of_seconds(seconds: i64) -> Self {
        Self { millis: seconds.saturating_mul(1000) }
    }

    /// Milliseconds since 1970; none before.
    #[must_use]
    pub fn millis(self) -> u64 {
        u64::try_from(self.millis).unwrap_or(0)
    }

    /// Whole seconds since 1970.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.millis.div_euclid(1000)
    }

    /// How long after `earlier`; nothing where that is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.millis.saturating_sub(earlier.millis)).unwrap_or(0))
    }

    /// Days since 1970.
    #[must_use]
    pub fn day(self) -> i64 {
        self.millis.div_euclid(DAY)
    }

    /// `2026-11-28`
    #[must_use]
    pub fn date(self) -> String {
        let (year, month, day) = self.civil();
        format!("{year:04}-{month:02}-{day:02}")
    }

    /// To the minute, as in a log: `2026-11-28 19:02`.
    #[must_use]
    pub fn minute(self) -> String {
        let minutes = self.millis.rem_euclid(DAY) / 60_000;
        format!("{} {:02}:{:02}", self.date(), minutes / 60, minutes % 60)
    }

    /// To the minute, as people write it: `22 Nov 2026 07:20 UTC`.
    #[must_use]
    pub fn in_words(self) -> String {
        const MONTHS: [&str; 12] =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let (year, month, day) = self.civil();
        let name = usize::try_from(month - 1).ok().and_then(|month| MONTHS.get(month)).unwrap_or(&"?");
        let minutes = self.millis.rem_euclid(DAY) / 60_000;
        format!("{day} {name} {year} {:02}:{:02} UTC", minutes / 60, minutes % 60)
    }

    /// Year, month and day.
    fn civil(self) -> (i64, i64, i64) {
        // Howard Hinnant's civil_from_days ("chrono-Compatible Low-Level Date Algorithms"):
        // years begin in March, so that the leap day is the last one; 719,468 days lie
        // between the first and 1970.
        let days = self.day() + 719_468;
        let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let is_next_year = month >= 10;
        let month = if is_next_year { month - 9 } else { month + 3 };
        (era * 400 + year + i64::from(is_next_year), month, day)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of_day = self.millis.rem_euclid(DAY);
        let (seconds, millis) = (of_day / 1000, of_day % 1000);
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        write!(f, "{}T{hours:02}:{minutes:02}:{:02}.{millis:03}Z", self.date(), seconds % 60)
    }
}

impl From<Moment> for String {
    fn from(moment: Moment) -> Self {
        moment.to_string()
    }
}

impl TryFrom<String> for Moment {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let seconds = read_datetime(&text).ok_or_else(|| format!("{text:?}: not a time of RFC 3339"))?;
        let fraction = text.split_once('.').map_or("", |(_, rest)| rest);
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).chain(*b"000").take(3);
        let millis = digits.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
        Ok(Self { millis: seconds.saturating_mul(1000).saturating_add(millis) })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn moments_are_told_to_the_minute_in_utc() {
        let told = |seconds| Moment::of_seconds(seconds).in_words();
        assert_eq!(told(0), "1 Jan 1970 00:00 UTC");
        assert_eq!(told(951_782_399), "28 Feb 2000 23:59 UTC");
        assert_eq!(told(951_782_400), "29 Feb 2000 00:00 UTC");
        assert_eq!(told(1_795_332_000), "22 Nov 2026 07:20 UTC");
        assert_eq!(told(4_107_542_399), "28 Feb 2100 23:59 UTC");
        assert_eq!(told(4_107_542_400), "1 Mar 2100 00:00 UTC");
        assert_eq!(Moment::of_seconds(1_795_332_000).minute(), "2026-11-22 07:20");
    }

    #[test]
    fn a_moment_is_written_as_rfc_3339_has_it() {
        assert_eq!(Moment { millis: 1_795_332_061_007 }.to_string(), "2026-11-22T07:21:01.007Z");
        assert_eq!(Moment { millis: -1 }.to_string(), "1969-12-31T23:59:59.999Z");
        let read = |text: &str| Moment::try_from(text.to_owned()).map(|moment| moment.millis);
        assert_eq!(read("1970-01-01T01:00:01.5+01:00"), Ok(1500));
        assert!(read("yesterday").is_err());
    }

    proptest! {
        #[test]
        fn a_moment_is_read_back_as_it_was(millis in -60_000_000_000_000_i64..250_000_000_000_000) {
            let moment = Moment { millis };
            prop_assert_eq!(Moment::try_from(moment.to_string()), Ok(moment));
        }
    }
}
