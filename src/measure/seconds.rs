//! Durations in saved files: seconds as a plain number, to the nanosecond,
//! which every reader of JSON understands.
//!
//! For `#[serde(with = "seconds")]`. A double holds nanoseconds exactly up to
//! some hundred days.

use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize as _, Deserializer, Serializer};

/// Writes `time` as seconds.
pub fn serialize<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

/// Some thousand years: a million of these can be added up.
const LONGEST: f64 = 1e11;

/// Reads seconds; negative ones and those that nothing can have taken are refused.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let seconds = f64::deserialize(deserializer)?;
    if seconds > LONGEST {
        return Err(D::Error::custom(format!("{seconds:e} s: longer than anything can have taken")));
    }
    Duration::try_from_secs_f64(seconds).map_err(|error| D::Error::custom(format!("{seconds} s: {error}")))
}

/// The same where there may be none: `#[serde(with = "seconds::optional", default)]`.
pub mod optional {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes `time` as seconds, or null.
    pub fn serialize<S: Serializer>(time: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => super::serialize(time, serializer),
            None => serializer.serialize_none(),
        }
    }

    #[derive(Deserialize)]
    struct Seconds(#[serde(with = "super")] Duration);

    /// Reads seconds, or null.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<Seconds>::deserialize(deserializer)?.map(|Seconds(time)| time))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Timed(#[serde(with = "super")] Duration);

    proptest! {
        #[test]
        fn every_nanosecond_of_a_month_comes_back(nanos in 0..2_600_000_000_000_000_u64) {
            let text = serde_json::to_string(&Timed(Duration::from_nanos(nanos))).unwrap();
            let Timed(back) = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(back, Duration::from_nanos(nanos));
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        assert!(serde_json::from_str::<Timed>("-1").is_err());
        assert!(serde_json::from_str::<Timed>("1e300").is_err());
        assert!(serde_json::from_str::<Timed>("1e18").is_err());
        assert!(serde_json::from_str::<Timed>("1e11").is_ok());
    }
}
