//! What a study has to reach for a script to go on.

use super::change::is_slower;
use super::{Changes, Comparison, Study, Verdict};
use crate::format;

/// What was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Gates {
    /// The least speed-up of the fastest width.
    pub min_speedup: Option<f64>,
    /// By which share (0.05 is 5 %) it may be slower at most: parallel than serial
    /// in one study, after than before in two.
    pub slower_by: Option<f64>,
}

impl Gates {
    /// What `study` missed, each in a sentence. Missed is what the runs can tell
    /// apart: with enough of them for an interval, this must lie beyond the gate.
    #[must_use]
    pub fn missed(&self, study: &Study) -> Vec<String> {
        let comparisons = Comparison::of_each(study);
        let compared = || comparisons.iter().flatten();
        let fastest = compared().max_by(|one, other| one.speedup.total_cmp(&other.speedup));
        let mut missed = Vec::new();
        if let Some(least) = self.min_speedup {
            missed.extend(too_little(fastest, least));
        }
        if let Some(share) = self.slower_by {
            missed.extend(study.columns.iter().zip(&comparisons).filter_map(|(column, comparison)| {
                let comparison = comparison.as_ref()?;
                let slower = turned(&comparison.verdict);
                is_slower(1.0 / comparison.speedup, &slower, share).then(|| {
                    let by = format::change(1.0 / comparison.speedup);
                    format!("-j {} took {by} against serial, and {} is allowed", column.width, allowed(share))
                })
            }));
        }
        missed
    }

    /// What missed a gate between two studies.
    #[must_use]
    pub fn missed_by(&self, changes: &Changes, after: &Study) -> Vec<String> {
        let mut missed = Self { slower_by: None, ..*self }.missed(after);
        if let Some(share) = self.slower_by {
            missed.extend(changes.columns.iter().filter(|change| change.is_slower_than(share)).map(
                |change| {
                    let by = format::change(change.ratio());
                    format!(
                        "{} at {} at a time took {by} against before, and {} is allowed",
                        change.way,
                        change.width,
                        allowed(share)
                    )
                },
            ));
        }
        missed
    }
}

fn allowed(share: f64) -> String {
    format!("+{}", format::percent(share))
}

fn too_little(fastest: Option<&Comparison>, least: f64) -> Option<String> {
    let asked = format!("and {} is asked for", format::factor(least));
    let Some(fastest) = fastest else { return Some(format!("there is no speed-up, {asked}")) };
    let reached = format::factor(fastest.speedup);
    match &fastest.verdict {
        Verdict::Unclaimed(text) => Some(format!("no speed-up is claimed ({text}), {asked}")),
        Verdict::Untested { .. } => {
            // What is asked for and reached to the last digit is not missed by rounding.
            (fastest.speedup < least * (1.0 - 1e-9)).then(|| format!("the speed-up is {reached}, {asked}"))
        }
        Verdict::NoDifference(interval) | Verdict::Different(interval) => {
            (interval.high < least).then(|| {
                let (low, high) = (format::three_digits(interval.low), format::three_digits(interval.high));
                format!("the speed-up is {reached} ({low}-{high}), {asked}")
            })
        }
    }
}

/// The verdict on the inverse of a ratio.
fn turned(verdict: &Verdict) -> Verdict {
    match verdict {
        Verdict::Different(interval) => {
            Verdict::Different(super::Interval { low: 1.0 / interval.high, high: 1.0 / interval.low })
        }
        same => same.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn study(serial: &[u64], parallel: &[u64]) -> Study {
        crate::study::tests::both_ways(serial, parallel, 2)
    }

    fn least(least: f64) -> Gates {
        Gates { min_speedup: Some(least), slower_by: None }
    }

    fn slower(share: f64) -> Gates {
        Gates { min_speedup: None, slower_by: Some(share) }
    }

    #[test]
    fn a_speedup_below_the_gate_is_missed() {
        let study = study(&[150], &[100]);
        assert!(least(1.5).missed(&study).is_empty() && Gates::default().missed(&study).is_empty());
        assert_eq!(least(1.6).missed(&study), ["the speed-up is 1.50x, and 1.60x is asked for"]);
    }

    #[test]
    fn a_gate_within_the_spread_is_not_missed() {
        let study = study(&[150, 180, 120, 160, 140], &[100, 110, 90, 105, 95]);
        assert!(least(1.6).missed(&study).is_empty());
        assert!(least(3.0).missed(&study)[0].starts_with("the speed-up is 1.50x ("));
    }

    #[test]
    fn parallel_may_be_slower_by_no_more_than_was_allowed() {
        let study = study(&[100], &[120]);
        assert!(slower(0.25).missed(&study).is_empty());
        assert_eq!(slower(0.1).missed(&study), ["-j 2 took +20 % against serial, and +10 % is allowed"]);
    }

    #[test]
    fn a_speedup_that_is_not_claimed_is_not_reached() {
        let mut study = study(&[200], &[100]);
        study.unnamed_failures = 1;
        assert_eq!(
            least(1.5).missed(&study),
            ["no speed-up is claimed (1 task failed), and 1.50x is asked for"]
        );
        study.columns.remove(0);
        assert_eq!(least(1.5).missed(&study), ["there is no speed-up, and 1.50x is asked for"]);
    }

    #[test]
    fn between_two_studies_after_is_measured_against_before() {
        let (before, after) = (study(&[100], &[50]), study(&[100], &[60]));
        let changes = Changes::between(&before, &after);
        assert_eq!(
            slower(0.1).missed_by(&changes, &after),
            ["parallel at 2 at a time took +20 % against before, and +10 % is allowed"]
        );
        assert!(slower(0.3).missed_by(&changes, &after).is_empty());
        assert_eq!(least(2.0).missed_by(&changes, &after).len(), 1);
    }
}
