//! What a study has to reach for a script to go on.
//!
//! A gate is missed where the runs surely miss it, and where nothing can be said:
//! who asks for one does not want to hear that all is well because nothing was
//! compared.

use super::{Changes, Comparison, Interval, Study, Verdict};
use crate::numbers;

/// What was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Gates {
    /// The least speed-up of the fastest width.
    pub min_speedup: Option<f64>,
    /// By which share (0.05 is 5 %) it may be slower at most: parallel than serial
    /// in one study, after than before in two.
    pub slower_by: Option<f64>,
}

/// Times so near a gate, as a factor, that without an interval chance decides: single
/// runs differ by as much on a machine that others use, too.
const EDGE: f64 = 1.2;

/// What `--fail-if-slower` looks at: its name, its time over that of another, and what can
/// be said of that.
type ComparedTime = (String, f64, Verdict);

impl Gates {
    /// What `study` missed, each in a sentence. With enough runs for an interval
    /// this has to lie beyond the gate as a whole.
    #[must_use]
    pub fn missed(&self, study: &Study) -> Vec<String> {
        let comparisons = Comparison::of_each(study);
        let speedup = self.min_speedup.and_then(|least| too_little(fastest(&comparisons), least));
        let slower = self.slower_by.map(|share| too_slow(ways(study, &comparisons), "serial", share));
        speedup.into_iter().chain(slower.into_iter().flatten()).collect()
    }

    /// Which gates the runs of `study` neither reach nor miss for certain, each in a
    /// sentence.
    #[must_use]
    pub fn undecided(&self, study: &Study) -> Vec<String> {
        let comparisons = Comparison::of_each(study);
        let speedup = self.min_speedup.and_then(|least| perhaps_too_little(fastest(&comparisons)?, least));
        let slower =
            self.slower_by.and_then(|share| perhaps_too_slow(ways(study, &comparisons), "serial", share));
        speedup.into_iter().chain(slower).collect()
    }

    /// The same of gates between two studies.
    #[must_use]
    pub fn undecided_by(&self, changes: &Changes<'_>, after: &Study) -> Vec<String> {
        let mut undecided = Self { slower_by: None, ..*self }.undecided(after);
        undecided
            .extend(self.slower_by.and_then(|share| perhaps_too_slow(columns(changes), "before", share)));
        undecided
    }

    /// What missed a gate between two studies.
    #[must_use]
    pub fn missed_by(&self, changes: &Changes<'_>, after: &Study) -> Vec<String> {
        let mut missed = Self { slower_by: None, ..*self }.missed(after);
        missed.extend(
            self.slower_by.map(|share| too_slow(columns(changes), "before", share)).unwrap_or_default(),
        );
        missed
    }
}

fn fastest(comparisons: &[Option<Comparison>]) -> Option<&Comparison> {
    comparisons.iter().flatten().max_by(|one, other| one.speedup.total_cmp(&other.speedup))
}

/// The parallel columns of `study` against its serial one.
fn ways(study: &Study, comparisons: &[Option<Comparison>]) -> Vec<ComparedTime> {
    let compared = study.columns.iter().zip(comparisons).filter_map(|(column, comparison)| {
        let comparison = comparison.as_ref()?;
        Some((column.short_name(), 1.0 / comparison.speedup, turned(&comparison.verdict)))
    });
    compared.collect()
}

/// The columns of a study against those of an earlier one.
fn columns(changes: &Changes<'_>) -> Vec<ComparedTime> {
    let compared = changes.columns.iter().map(|change| {
        let name = format!("{} at {} at a time", change.after.way(), change.after.width);
        (name, change.ratio(), change.verdict.clone())
    });
    compared.collect()
}

/// What of `compared` - against `against` - may be more than `share` slower.
fn too_slow(compared: Vec<ComparedTime>, against: &str, share: f64) -> Vec<String> {
    let asked = format!("and {} is allowed", numbers::fine_change(1.0 + share));
    if compared.is_empty() {
        return vec![format!("there is nothing to compare with {against}, {asked}")];
    }
    let told = compared.into_iter().filter_map(|(name, ratio, verdict)| match verdict {
        // The same for all, most often.
        Verdict::Unclaimed(why) => Some(format!("not compared with {against} ({why}), {asked}")),
        Verdict::Untested { .. } => (ratio > 1.0 + share)
            .then(|| format!("{name} took {} against {against}, {asked}", numbers::fine_change(ratio))),
        Verdict::NoDifference(interval) | Verdict::Different(interval) => {
            (interval.low > 1.0 + share).then(|| {
                let [low, high] = [interval.low, interval.high].map(numbers::fine_change);
                format!(
                    "{name} took {} ({low} to {high}) against {against}, {asked}",
                    numbers::fine_change(ratio)
                )
            })
        }
    });
    let mut told: Vec<String> = told.collect();
    told.dedup();
    told
}

fn too_little(fastest: Option<&Comparison>, least: f64) -> Option<String> {
    let asked = format!("and {} is asked for", numbers::factor(least));
    let Some(fastest) = fastest else { return Some(format!("there is no speed-up, {asked}")) };
    let reached = numbers::factor(fastest.speedup);
    match &fastest.verdict {
        Verdict::Unclaimed(text) => Some(format!("no speed-up is claimed ({text}), {asked}")),
        Verdict::Untested { .. } => {
            // What is asked for and reached to the last digit is not missed by rounding.
            (fastest.speedup < least * (1.0 - 1e-9)).then(|| format!("the speed-up is {reached}, {asked}"))
        }
        Verdict::NoDifference(interval) | Verdict::Different(interval) => {
            (interval.high < least).then(|| {
                let (low, high) = (numbers::three_digits(interval.low), numbers::three_digits(interval.high));
                format!("the speed-up is {reached} ({low}-{high}), {asked}")
            })
        }
    }
}

fn perhaps_too_little(fastest: &Comparison, least: f64) -> Option<String> {
    let gate = format!("--min-speedup {}", typed(least));
    let reached = numbers::factor(fastest.speedup);
    match &fastest.verdict {
        Verdict::Unclaimed(_) => None,
        Verdict::Untested { runs } => {
            is_at_the_edge(fastest.speedup, least).then(|| up_to_chance(&gate, &reached, *runs))
        }
        Verdict::NoDifference(interval) | Verdict::Different(interval) => {
            (interval.low < least && least <= interval.high).then(|| {
                let (low, high) = (numbers::three_digits(interval.low), numbers::three_digits(interval.high));
                format!("{gate} not decided: {reached} ({low}-{high}); {}", found_by(interval))
            })
        }
    }
}

/// Of `compared`, as for [`too_slow`], the one that may be the slowest, unless one
/// is too slow for certain.
fn perhaps_too_slow(compared: Vec<ComparedTime>, against: &str, share: f64) -> Option<String> {
    let most = 1.0 + share;
    let gate = format!("--fail-if-slower {}", typed(share * 100.0));
    let untested = compared.iter().filter_map(|(name, ratio, verdict)| match verdict {
        Verdict::Untested { runs } => Some((name, *ratio, *runs)),
        Verdict::Unclaimed(_) | Verdict::NoDifference(_) | Verdict::Different(_) => None,
    });
    let slowest = untested.max_by(|(_, one, _), (_, other, _)| one.total_cmp(other));
    if let Some((name, ratio, runs)) = slowest.filter(|(_, ratio, _)| is_at_the_edge(*ratio, most)) {
        let reached = format!("{name} took {} against {against}", numbers::fine_change(ratio));
        return Some(up_to_chance(&gate, &reached, runs));
    }
    let known = compared
        .into_iter()
        .filter_map(|(name, ratio, verdict)| verdict.interval().map(|interval| (name, ratio, interval)));
    let known: Vec<(String, f64, Interval)> = known.collect();
    if known.iter().any(|(.., interval)| interval.low > most) {
        return None;
    }
    let slowest = known.into_iter().max_by(|(.., one), (.., other)| one.high.total_cmp(&other.high));
    let (name, ratio, interval) = slowest.filter(|(.., interval)| interval.high > most)?;
    let [ratio, low, high] = [ratio, interval.low, interval.high].map(numbers::fine_change);
    let found = found_by(&interval);
    Some(format!("{gate} not decided: {name} took {ratio} ({low} to {high}) against {against}; {found}"))
}

/// Whether a `ratio` of so few runs that nobody knows how they scatter is too near `gate`.
fn is_at_the_edge(ratio: f64, gate: f64) -> bool {
    (gate / EDGE..=gate * EDGE).contains(&ratio)
}

fn up_to_chance(gate: &str, reached: &str, runs: usize) -> String {
    let runs = numbers::plural(runs as u64, "run");
    format!("{gate} is a coin toss this near its edge: {reached} ({runs}, no test); use --runs 10")
}

/// What the runs behind `interval` are good for.
fn found_by(interval: &Interval) -> String {
    let least = numbers::fine_change(1.0 + interval.finds());
    let least = least.trim_start_matches('+');
    format!("the smallest difference these runs can find is {least}; use more --runs")
}

/// `number` as it was typed, or near enough.
fn typed(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
}

/// The verdict on the inverse of a ratio.
fn turned(verdict: &Verdict) -> Verdict {
    let turned = |interval: &Interval| Interval { low: 1.0 / interval.high, high: 1.0 / interval.low };
    match verdict {
        Verdict::Different(interval) => Verdict::Different(turned(interval)),
        Verdict::NoDifference(interval) => Verdict::NoDifference(turned(interval)),
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
    fn a_gate_within_the_interval_is_told_as_undecided_and_any_other_is_not() {
        let noisy = study(&[150, 180, 120, 160, 140], &[100, 110, 90, 105, 95]);
        let told = least(1.6).undecided(&noisy);
        assert_eq!(told.len(), 1);
        assert!(told[0].starts_with("--min-speedup 1.6 not decided: 1.50x ("), "{told:?}");
        assert!(told[0].ends_with("; use more --runs"), "{told:?}");
        assert!(least(0.5).undecided(&noisy).is_empty() && least(9.0).undecided(&noisy).is_empty());
        let slow = study(&[100, 101, 99, 100, 100], &[110, 106, 114, 118, 102]);
        let told = slower(0.07).undecided(&slow);
        assert!(told[0].starts_with("--fail-if-slower 7 not decided: -j 2 took +10 % (+"), "{told:?}");
        assert!(slower(0.0).undecided(&slow).is_empty() && slower(0.5).undecided(&slow).is_empty());
    }

    #[test]
    fn what_could_not_be_decided_comes_with_the_smallest_difference_the_runs_could_find() {
        let noisy = study(&[150, 152, 148, 151, 149], &[100, 101, 99, 102, 98]);
        let told = least(1.5).undecided(&noisy);
        assert!(told[0].contains("; the smallest difference these runs can find is 3."), "{told:?}");
        let told = slower(0.05).undecided(&study(&[100, 99, 101, 98, 102], &[105, 106, 104, 107, 103]));
        assert!(
            told[0].contains(" against serial; the smallest difference these runs can find is "),
            "{told:?}"
        );
    }

    #[test]
    fn near_its_edge_a_gate_without_an_interval_is_a_coin_toss() {
        let told = least(1.6).undecided(&study(&[150], &[100]));
        let expected = "--min-speedup 1.6 is a coin toss this near its edge: 1.50x (1 run, no test); \
                        use --runs 10";
        assert_eq!(told, [expected]);
        // Whether it was reached or not.
        assert_eq!(least(1.5).undecided(&study(&[151, 150, 149], &[100, 99, 98])).len(), 1);
        let told = slower(0.05).undecided(&study(&[100, 100], &[104, 104]));
        let expected = "--fail-if-slower 5 is a coin toss this near its edge: \
                        -j 2 took +4 % against serial (2 runs, no test); use --runs 10";
        assert_eq!(told, [expected]);
        // Far from it even one run tells.
        assert!(least(1.2).undecided(&study(&[150], &[100])).is_empty());
        assert!(least(3.0).undecided(&study(&[150], &[100])).is_empty());
        assert!(slower(0.05).undecided(&study(&[200], &[100])).is_empty());
    }

    #[test]
    fn parallel_may_be_slower_by_no_more_than_was_allowed() {
        let study = study(&[100], &[120]);
        assert!(slower(0.25).missed(&study).is_empty());
        assert_eq!(slower(0.025).missed(&study), ["-j 2 took +20 % against serial, and +2.5 % is allowed"]);
        assert_eq!(slower(0.1).missed(&study), ["-j 2 took +20 % against serial, and +10 % is allowed"]);
    }

    #[test]
    fn slower_is_missed_only_where_the_whole_interval_is_beyond_the_gate() {
        let study = study(&[100, 101, 99, 100, 100], &[110, 106, 114, 118, 102]);
        assert!(slower(0.0).missed(&study)[0].starts_with("-j 2 took +10 % (+"));
        assert!(slower(0.05).missed(&study).is_empty());
    }

    #[test]
    fn a_speedup_that_is_not_claimed_is_not_reached() {
        let mut study = study(&[200], &[100]);
        study.unnamed_failures = 1;
        assert_eq!(
            least(1.5).missed(&study),
            ["no speed-up is claimed (1 task failed), and 1.50x is asked for"]
        );
        assert_eq!(
            slower(0.05).missed(&study),
            ["not compared with serial (1 task failed), and +5 % is allowed"]
        );
        study.columns.remove(0);
        assert_eq!(least(1.5).missed(&study), ["there is no speed-up, and 1.50x is asked for"]);
        assert_eq!(
            slower(0.05).missed(&study),
            ["there is nothing to compare with serial, and +5 % is allowed"]
        );
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

    #[test]
    fn studies_of_other_work_miss_the_gate_and_say_so_once() {
        let (before, after) = (study(&[100], &[50]), study(&[1], &[1]));
        let after = Study { workload: "sleep".to_owned(), ..after };
        let changes = Changes::between(&before, &after);
        assert_eq!(
            slower(5.0).missed_by(&changes, &after),
            ["not compared with before (the work was made-up and is sleep), and +500 % is allowed"]
        );
    }
}
