//! What a sweep says of wider machines, in sentences: the laws of Amdahl and Gunther where
//! they fit, and why not where they do not.

use crate::numbers;
use crate::study::{FEWEST_RUNS_FOR_A_TEST, Fit, Law, NoFit, Point, Scaling, Study, efficiency_within};

/// The laws fitted to the sweep of each way, and what follows from them.
pub(super) fn laws(study: &Study) -> Vec<String> {
    let sweeps: Vec<Scaling> = Scaling::of_each(study).into_iter().filter(Scaling::is_sweep).collect();
    let several = sweeps.len() > 1;
    let of = |scaling: &Scaling| {
        let way = if several { format!("{}: ", study.called(&scaling.way)) } else { String::new() };
        laws_of(scaling).into_iter().map(move |line| format!("{way}{line}"))
    };
    let is_tested = study.base().is_some_and(|base| base.runs.len() >= FEWEST_RUNS_FOR_A_TEST);
    let mut lines = terms(&sweeps, if is_tested { "" } else { "; use --runs 5" });
    lines.extend(sweeps.iter().flat_map(of));
    lines
}

/// What the figures of sweeps mean, and why some are not told.
fn terms(sweeps: &[Scaling], way_out: &str) -> Vec<String> {
    let Some(first) = sweeps.first() else { return Vec::new() };
    let base = first.base.name();
    let points = || sweeps.iter().flat_map(|sweep| &sweep.points);
    let is_beyond = |point: &Point| efficiency_within(point.speedup, point.width).is_none();
    let is_slower = |point: &Point| point.width > 1 && point.serial_share.is_none() && !is_beyond(point);
    let mut lines = vec![
        "efficiency: speed-up per slot; at 100 % every slot gained its full share".to_owned(),
        "serial share: the part of the work that only one slot at a time can do, if that alone held the \
         speed-up back (Karp and Flatt); where it grows with the slots, sharing out costs time, too"
            .to_owned(),
    ];
    if points().any(is_slower) {
        lines.push(format!("serial share -: slower than {base}, which no serial share explains"));
    }
    if points().any(is_beyond) {
        lines.push(format!("efficiency -: faster than the slots allow, so something slowed {base}{way_out}"));
    }
    lines
}

fn laws_of(scaling: &Scaling) -> Vec<String> {
    let left_out = scaling.points.iter().any(|point| !point.is_fitted);
    let beyond = if left_out { "; widths beyond cores or tasks do not count" } else { "" };
    match (&scaling.amdahl, &scaling.usl) {
        (Err(unfit), Err(_)) => vec![format!("{unfit}{beyond}")],
        (amdahl, usl) => {
            let law = |fit: &Result<Fit, NoFit>| match fit {
                Ok(fit) => format!("{}{beyond}", fitted(fit)),
                Err(unfit) => format!("{unfit}{beyond}"),
            };
            vec![law(amdahl), law(usl)]
        }
    }
}

/// Karp and Flatt's share at a width: `-` where there is none that could be.
pub(super) fn serial_share(share: Option<f64>, width: usize) -> String {
    match share {
        Some(share) => numbers::percent(share),
        None if width > 1 => "-".to_owned(),
        None => String::new(),
    }
}

/// Efficiency: `-` where the speed-up is more than the slots allow.
pub(super) fn efficiency(speedup: f64, width: usize) -> String {
    efficiency_within(speedup, width).map_or_else(|| "-".to_owned(), numbers::percent)
}

/// What follows from a law, then the figures that it rests on.
fn fitted(fit: &Fit) -> String {
    let (cause, figures) = match fit.law {
        Law::Amdahl => {
            let share = format!("{:.1} %", fit.alpha * 100.0);
            (format!("{share} of the work is done by one slot at a time"), String::new())
        }
        Law::Usl => (
            "slots wait for each other (contention) and have to agree (coherency)".to_owned(),
            format!("contention {:.4}, coherency {:.6}, ", fit.alpha, fit.beta),
        ),
    };
    let follows = match (fit.limit(), fit.best_width()) {
        (Some(limit), _) => {
            format!("{cause}, so the speed-up stays below {} (extrapolated)", numbers::factor(limit))
        }
        (None, Some(width)) if width < 1.5 => format!("{cause}, so one slot is best"),
        (None, Some(width)) => {
            let mark = if fit.is_extrapolated(width) { " (extrapolated)" } else { "" };
            format!("{cause}, so {width:.0} slots are best{mark}")
        }
        (None, None) => "slots hardly hold each other up, so no limit is in sight".to_owned(),
    };
    let (from, to) = (fit.from, fit.to);
    format!(
        "{}: {follows}; {figures}one slot {} (gamma), fitted to {from}-{to} slots, {} off",
        fit.law,
        numbers::factor(fit.gamma),
        numbers::percent(fit.off)
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::study::tests::empty;
    use crate::study::{ColumnResult, RunResult};
    use crate::task::Column;

    /// What is said of a sweep with these speed-ups over ten seconds, on 64 cores.
    fn told(speedups: &[(usize, f64)]) -> Vec<String> {
        let column = |column, width, seconds| {
            let run =
                RunResult { wall: Duration::from_secs_f64(seconds), tasks: 1000, ..RunResult::default() };
            ColumnResult::new(column, width, vec![run])
        };
        let mut study = empty();
        study.host.usable = 64;
        study.columns.push(column(Column::SERIAL, 1, 10.0));
        let swept = speedups.iter().map(|&(width, speedup)| column(Column::PARALLEL, width, 10.0 / speedup));
        study.columns.extend(swept);
        laws(&study)
    }

    fn by(law: impl Fn(f64) -> f64) -> Vec<(usize, f64)> {
        [1, 2, 4, 8, 16].map(|width| (width, law(width as f64))).into()
    }

    #[test]
    fn a_law_that_fits_is_told_with_the_rate_of_one_slot() {
        assert_eq!(
            told(&by(|n| 0.9 * n / (1.0 + 0.1 * (n - 1.0))))[2],
            "Amdahl: 10.0 % of the work is done by one slot at a time, so the speed-up stays below 9.00x \
             (extrapolated); one slot 0.90x (gamma), fitted to 1-16 slots, 0 % off"
        );
        assert_eq!(
            told(&by(|n| n / (1.0 + 0.02 * (n - 1.0) + 0.002 * n * (n - 1.0))))[3],
            "USL: slots wait for each other (contention) and have to agree (coherency), so 22 slots are best \
             (extrapolated); contention 0.0200, coherency 0.002000, one slot 1.00x (gamma), fitted to 1-16 slots, \
             0 % off"
        );
    }

    #[test]
    fn what_is_nearly_ideal_has_no_limit_in_sight() {
        for line in &told(&by(|n| n / (1.0 + 1e-4 * (n - 1.0) + 1e-9 * n * (n - 1.0))))[2..] {
            assert!(line.contains(": slots hardly hold each other up, so no limit is in sight; "), "{line}");
        }
    }

    #[test]
    fn what_does_not_scale_at_all_is_all_serial_and_no_more() {
        let flat = told(&[(1, 1.01), (2, 0.99), (4, 1.02), (8, 1.0)]);
        assert!(
            flat[3].starts_with(
                "Amdahl: 100.0 % of the work is done by one slot at a time, so one slot is best; "
            ),
            "{flat:?}"
        );
    }

    #[test]
    fn what_was_slower_than_serial_at_every_width_has_no_law_and_no_share() {
        assert_eq!(
            told(&[(1, 0.9), (2, 0.7), (4, 0.5), (8, 0.42)])[2..],
            [
                "serial share -: slower than serial, which no serial share explains",
                "slower than serial at every width: no law fits"
            ]
        );
    }

    #[test]
    fn what_lies_on_no_curve_is_said_to() {
        let lines = told(&[(1, 1.0), (2, 1.9), (4, 0.8), (8, 6.0), (16, 1.5)]);
        assert!(lines[3].starts_with("Amdahl: does not fit: the nearest curve is "), "{lines:?}");
        assert!(lines[3].ends_with(" % off"), "{lines:?}");
    }

    #[test]
    fn a_speed_up_that_the_slots_cannot_give_has_no_efficiency_and_no_law() {
        assert_eq!(
            [(1.0, 1), (2.06, 2), (2.4, 2)].map(|(speedup, width)| efficiency(speedup, width)),
            ["100 %", "100 %", "-"]
        );
        assert_eq!(
            told(&[(1, 1.0), (2, 2.4), (4, 3.9)])[2..],
            [
                "efficiency -: faster than the slots allow, so something slowed serial; use --runs 5",
                "faster than the slots allow: no law fits"
            ]
        );
    }

    #[test]
    fn a_share_that_cannot_be_is_a_dash() {
        let cells = [(None, 1), (None, 2), (Some(0.0), 2), (Some(1.0), 4)];
        assert_eq!(cells.map(|(share, width)| serial_share(share, width)), ["", "-", "0 %", "100 %"]);
    }
}
