//! A sweep as a table with a bar for each width, and a mark where the ideal is.

use super::{Glyphs, Look, labels, nice_step, place, short};
use crate::numbers;
use crate::report::laws;
use crate::study::{Point, Scaling, Study};

/// Two marks of the axis are at least so many cells apart.
const APART: usize = 6;

/// The axis ends at so many times the highest speed-up: ideals far beyond it
/// would make a line of dots of what was measured.
const BEYOND: f64 = 2.0;

/// What stands before the bars.
const FIGURES: usize = 44;

/// The sweeps of `study`, one for each way; nothing of fewer than two widths.
pub(super) fn draw(study: &Study, look: Look) -> Vec<String> {
    let sweeps: Vec<Scaling> = Scaling::of_each(study).into_iter().filter(Scaling::is_sweep).collect();
    let several = sweeps.len() > 1;
    let mut lines = Vec::new();
    for scaling in &sweeps {
        if several {
            lines.push(study.called(&scaling.way).to_owned());
        }
        lines.extend(drawn(study, scaling, look));
    }
    lines
}

fn drawn(study: &Study, scaling: &Scaling, look: Look) -> Vec<String> {
    let glyphs = Glyphs::of(look.unicode);
    let room = look.width.saturating_sub(FIGURES + 1).max(1);
    let best = scaling.points.iter().map(|point| point.speedup).fold(0.0, f64::max);
    let widest = scaling.points.last().map_or(1, |point| point.width) as f64;
    let top = widest.max(best).min(BEYOND * best.max(1.0));
    let step = nice_step(top, room / APART);
    let marks = (0..).map(|number| f64::from(number) * step).take_while(|value| *value <= top);
    let marks: Vec<(usize, String)> = marks.map(|value| (place(value / top, room), short(value))).collect();

    let rule = if look.unicode { '─' } else { '-' };
    let rule: String = std::iter::repeat_n(rule, FIGURES + room + 1).collect();
    // Of more logical cores than physical ones, those beyond share.
    let physical = study.host.physical.filter(|physical| *physical < study.host.usable);
    let head = format!(
        "{:>6}{:>12}{:>10}{:>7}{:>7}  {}",
        "-j",
        "wall",
        "speed-up",
        "eff",
        "share",
        labels(room + 1, &marks)
    );
    let mut lines = vec![head, rule.clone()];
    for point in &scaling.points {
        let star = if Some(point.width) == physical { '*' } else { ' ' };
        lines.push(format!("{}{}", figures(point, star), bar(point, top, room, glyphs)));
    }
    lines.push(rule);
    let over = scaling.base.name();
    let mut legend = format!("{} speed-up over {over}   {} ideal", glyphs.measured, glyphs.ideal);
    if scaling.points.iter().any(|point| Some(point.width) == physical) {
        legend += "   * physical cores";
    }
    lines.extend([legend, "share: the serial share by Karp and Flatt".to_owned()]);
    lines
}

fn figures(point: &Point, star: char) -> String {
    format!(
        "{:>6}{star}{:>11}{:>10}{:>7}{:>7}  ",
        point.width,
        numbers::seconds(point.wall),
        numbers::factor(point.speedup),
        numbers::percent(point.efficiency),
        laws::serial_share(point.serial_share, point.width),
    )
}

fn bar(point: &Point, top: f64, room: usize, glyphs: Glyphs) -> String {
    let measured = place(point.speedup / top, room);
    let ideal = place(point.width as f64 / top, room);
    let mut cells: Vec<char> = vec![' '; room + 1];
    cells[..measured].fill(glyphs.line);
    if let Some(cell) = cells.get_mut(ideal) {
        *cell = glyphs.ideal;
    }
    cells[measured.min(room)] = glyphs.measured;
    cells.into_iter().collect::<String>().trim_end().to_owned()
}
