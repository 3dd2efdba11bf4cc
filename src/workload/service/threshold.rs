//! When a service that works is too slow, or its certificate too close to its end, to pass
//! for one that is up.

use std::time::Duration;

use clap::Args;
use serde::{Deserialize, Serialize};

use super::judge::fail;
use crate::measure::seconds;
use crate::moment::Moment;
use crate::numbers::{self, read_duration};
use crate::task::LatencyLimit;
use crate::task::{ErrorClass, Finding, Warning};

/// A certificate is told of so long before its end unless the user wants it otherwise.
const TWO_WEEKS: Duration = Duration::from_secs(14 * 86_400);

/// What a service may take, and how long its certificate must still be good.
#[derive(Args, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Thresholds {
    /// Warn when a check takes longer, or a phase of it (2s, connect=500ms) [default: never]
    #[arg(long, value_name = "[PHASE=]TIME", value_delimiter = ',')]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warn_latency: Vec<LatencyLimit>,
    /// Count a service as not up when a check, or a phase of it, takes longer [default: never]
    #[arg(long, value_name = "[PHASE=]TIME", value_delimiter = ',')]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub crit_latency: Vec<LatencyLimit>,
    /// Warn when the certificate expires within so many days, or a time such as 36h
    #[arg(long, value_name = "DAYS", default_value = "14d", value_parser = read_days)]
    #[serde(default = "two_weeks", with = "seconds")]
    pub warn_expiry: Duration,
    /// Count a service as not up when its certificate expires within so many days [default: never]
    #[arg(long, value_name = "DAYS", value_parser = read_days)]
    #[serde(default, with = "seconds::optional", skip_serializing_if = "Option::is_none")]
    pub crit_expiry: Option<Duration>,
}

/// Days, as those give them who write of certificates, or a time with its unit.
fn read_days(text: &str) -> Result<Duration, String> {
    let wrong = || "expected days, or a time such as 14d or 36h".to_owned();
    let in_days = numbers::decimal(text).map(|_| format!("{text}d"));
    read_duration(in_days.as_deref().unwrap_or(text)).map_err(|_| wrong())
}

fn two_weeks() -> Duration {
    TWO_WEEKS
}

impl Thresholds {
    /// Holds what was found out, and that it took so long in all, against them; `span` is how
    /// long a phase took.
    pub(super) fn judge(&self, finding: &mut Finding, span: &dyn Fn(&str) -> Duration, total: Duration) {
        let now = finding.time.map_or(0, Moment::seconds);
        let left = finding.cert_expires.map(|expires| expires - now);
        let is_within = |limit: Duration| left.is_some_and(|left| left < limit.as_secs().cast_signed());
        if is_within(self.warn_expiry) {
            finding.warn(Warning::CertExpires);
        }
        let slow = self.warn_latency.iter().find_map(|limit| exceeded(limit, span, total));
        if slow.is_some() {
            finding.warn(Warning::Slow);
        }
        // Whatever else it has is worse.
        if !finding.verdict.is_up() {
            return;
        }
        if let Some(slow) = self.crit_latency.iter().find_map(|limit| exceeded(limit, span, total)) {
            fail(finding, ErrorClass::Slow, &slow);
        } else if let (true, Some(left)) = (self.crit_expiry.is_some_and(is_within), left) {
            let days = numbers::three_digits(left as f64 / 86_400.0);
            fail(finding, ErrorClass::Expiring, &format!("its certificate expires in {days} days"));
        }
    }
}

/// How far a check is beyond `limit`, in words, if it is.
fn exceeded(limit: &LatencyLimit, span: &dyn Fn(&str) -> Duration, total: Duration) -> Option<String> {
    let (what, took) = match &limit.phase {
        Some(phase) => (format!("{phase} "), span(phase)),
        None => (String::new(), total),
    };
    let told =
        || format!("{what}took {}, more than {}", numbers::duration(took), numbers::duration(limit.most));
    (took > limit.most).then(told)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::ServiceVerdict;

    /// Class and warnings of a service that is up and whose certificate ends in so many days.
    fn judged(days: i64, warn: u64, crit: Option<u64>) -> (Option<ErrorClass>, Vec<Warning>) {
        let day = |days: u64| Duration::from_secs(days * 86_400);
        let thresholds = Thresholds {
            warn_latency: Vec::new(),
            crit_latency: Vec::new(),
            warn_expiry: day(warn),
            crit_expiry: crit.map(day),
        };
        let time = Moment::now();
        let mut finding = Finding {
            verdict: ServiceVerdict::Up,
            time: Some(time),
            cert_expires: Some(time.seconds() + days * 86_400),
            ..Finding::default()
        };
        thresholds.judge(&mut finding, &|_| Duration::ZERO, Duration::ZERO);
        (finding.class, finding.warnings)
    }

    #[test]
    fn a_mere_number_is_of_days() {
        let days = |text| read_days(text).map(|time| time.as_secs_f64() / 86_400.0);
        assert_eq!(
            [days("30"), days("1.5"), days("14d"), days("36h")],
            [Ok(30.0), Ok(1.5), Ok(14.0), Ok(1.5)]
        );
        assert!(days("soon").is_err() && days("").is_err() && days("1.2.3").is_err());
    }

    #[test]
    fn a_certificate_twenty_days_from_its_end_is_told_of_by_who_wants_to_hear_that_early() {
        assert_eq!(two_weeks(), TWO_WEEKS);
        assert_eq!(judged(20, 14, None), (None, Vec::new()));
        assert_eq!(judged(20, 30, None), (None, vec![Warning::CertExpires]));
        assert_eq!(judged(20, 30, Some(7)), (None, vec![Warning::CertExpires]));
        assert_eq!(judged(20, 30, Some(21)), (Some(ErrorClass::Expiring), vec![Warning::CertExpires]));
        assert_eq!(judged(13, 14, None), (None, vec![Warning::CertExpires]));
        assert_eq!(judged(-1, 14, Some(3)), (Some(ErrorClass::Expiring), vec![Warning::CertExpires]));
    }
}
