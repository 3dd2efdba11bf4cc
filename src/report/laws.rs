//! What a sweep says of wider machines, in sentences: the laws of Amdahl and Gunther where
//! they fit, and why not where they do not.

use crate::numbers;
use crate::study::{Fit, Law, NoFit, Point, Scaling, Study};

/// The laws fitted to the sweep of each way, and what follows from them.
pub(super) fn laws(study: &Study) -> Vec<String> {
    let sweeps: Vec<Scaling> = Scaling::of_each(study).into_iter().filter(Scaling::is_sweep).collect();
    let several = sweeps.len() > 1;
    let of = |scaling: &Scaling| {
        let way = if several { format!("{}: ", study.called(&scaling.way)) } else { String::new() };
        laws_of(scaling).into_iter().map(move |line| format!("{way}{line}"))
    };
    let mut lines: Vec<String> = sweeps.iter().flat_map(of).collect();
    let is_unexplained = |point: &Point| point.width > 1 && point.serial_share.is_none();
    let unexplained = sweeps.iter().find(|scaling| scaling.points.iter().any(is_unexplained));
    lines.extend(unexplained.map(|scaling| {
        let base = scaling.base.name();
        format!("serial share -: no share explains a width slower than {base} or faster than ideal")
    }));
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

fn fitted(fit: &Fit) -> String {
    let shares = match fit.law {
        Law::Amdahl => format!("serial share {:.1} %", fit.alpha * 100.0),
        Law::Usl => format!("contention {:.4}, coherency {:.6}", fit.alpha, fit.beta),
    };
    let follows = match (fit.limit(), fit.best_width()) {
        (Some(limit), _) => format!("limit {} (extrapolated)", numbers::factor(limit)),
        (None, Some(width)) => {
            let mark = if fit.is_extrapolated(width) { " (extrapolated)" } else { "" };
            format!("best at {width:.0} at a time{mark}")
        }
        (None, None) => "no limit in sight".to_owned(),
    };
    let (from, to) = (fit.from, fit.to);
    format!(
        "{}: {shares}, one slot {} (gamma), {follows}; fitted to {from}-{to} at a time, {} off",
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
            told(&by(|n| 0.9 * n / (1.0 + 0.1 * (n - 1.0))))[0],
            "Amdahl: serial share 10.0 %, one slot 0.90x (gamma), limit 9.00x (extrapolated); fitted to 1-16 \
             at a time, 0 % off"
        );
        assert_eq!(
            told(&by(|n| n / (1.0 + 0.02 * (n - 1.0) + 0.002 * n * (n - 1.0))))[1],
            "USL: contention 0.0200, coherency 0.002000, one slot 1.00x (gamma), best at 22 at a time \
             (extrapolated); fitted to 1-16 at a time, 0 % off"
        );
    }

    #[test]
    fn what_is_nearly_ideal_has_no_limit_in_sight() {
        for line in told(&by(|n| n / (1.0 + 1e-4 * (n - 1.0) + 1e-9 * n * (n - 1.0)))) {
            assert!(line.contains(", no limit in sight; fitted to 1-16 at a time, 0 % off"), "{line}");
        }
    }

    #[test]
    fn what_does_not_scale_at_all_is_all_serial_and_no_more() {
        let flat = told(&[(1, 1.01), (2, 0.99), (4, 1.02), (8, 1.0)]);
        assert!(
            flat[0].starts_with("Amdahl: serial share 100.0 %, one slot 1.00x (gamma), best at 1 "),
            "{flat:?}"
        );
    }

    #[test]
    fn what_was_slower_than_serial_at_every_width_has_no_law_and_no_share() {
        assert_eq!(
            told(&[(1, 0.9), (2, 0.7), (4, 0.5), (8, 0.42)]),
            [
                "slower than serial at every width: no law fits",
                "serial share -: no share explains a width slower than serial or faster than ideal"
            ]
        );
    }

    #[test]
    fn what_lies_on_no_curve_is_said_to() {
        let lines = told(&[(1, 1.0), (2, 6.0), (4, 0.8), (8, 9.0), (16, 0.5)]);
        assert!(lines[0].starts_with("Amdahl: not fitted, the nearest curve is "), "{lines:?}");
        assert!(lines[0].ends_with(" % off"), "{lines:?}");
    }

    #[test]
    fn a_share_that_cannot_be_is_a_dash() {
        let cells = [(None, 1), (None, 2), (Some(0.0), 2), (Some(1.0), 4)];
        assert_eq!(cells.map(|(share, width)| serial_share(share, width)), ["", "-", "0 %", "100 %"]);
    }
}
