//! The ways on one axis of time, as in a race: each task a box, and what the shorter way
//! saved.

use super::axis::TimeAxis;
use super::boxes::{MOST_LANES, NARROW, SlotLane, Strip, WIDE, lanes_of};
use super::{PagePart, class_of, picture};
use crate::numbers;
use crate::report::timeline::{ShownRun, ShownRuns, TimeUnit};
use crate::study::{Comparison, Verdict};
use crate::svg::{Anchor, Svg, text_width};

/// How high the lanes of all ways are together, where there are many.
const HEIGHT: f64 = 200.0;

/// The highest and the lowest lane, with the gap below it.
const PITCHES: [f64; 2] = [3.0, 34.0];

/// What a way takes at least: its name and its time stand beside it.
const LOWEST_WAY: f64 = 36.0;

/// Between two ways.
const APART: f64 = 6.0;

/// What is saved is written so much larger than other texts.
const LARGER: f64 = 1.8;

/// So far texts may leave a wide picture at its right end.
const BEYOND: f64 = 20.0;

/// All ways on one axis; nothing unless several ran.
pub(super) fn both(runs: &ShownRuns<'_>) -> Option<PagePart> {
    let (serial, best) = (runs.serial?, runs.best()?);
    let longest = runs.all().map(|shown| shown.wall()).fold(0.0, f64::max);
    if longest <= 0.0 {
        return None;
    }
    let all: Vec<(ShownRun<'_>, Vec<SlotLane<'_>>)> =
        runs.all().map(|shown| (shown, lanes_of(shown).take(MOST_LANES).collect())).collect();
    let n_lanes: usize = all.iter().map(|(_, lanes)| lanes.len().max(1)).sum();
    let pitch = (HEIGHT / n_lanes as f64).clamp(PITCHES[0], PITCHES[1]);
    let mut ways: Vec<RacingWay<'_>> = Vec::new();
    for (shown, lanes) in all {
        let top = ways.last().map_or(2.0, |way| way.bottom + APART);
        let height = if shown.column.is_serial() { PITCHES[1] } else { pitch * lanes.len().max(1) as f64 };
        let bottom = top + height.max(LOWEST_WAY);
        ways.push(RacingWay { shown, pitch: height / lanes.len().max(1) as f64, lanes, top, bottom });
    }
    let bottom = ways.last().map_or(0.0, |way| way.bottom);
    let x = TimeAxis::exact(longest);
    let mut svg = Svg::fluid("plot lanes", bottom + 36.0, "all ways on one axis of time");
    x.draw_below(&mut svg, 0.0, bottom, "wall time");
    for way in &ways {
        way.draw(&mut svg, x);
    }
    let compared = Comparison::of(runs.study, best.column);
    if compared.is_some_and(|it| matches!(it.verdict, Verdict::Untested { .. } | Verdict::Different(_))) {
        let way =
            ways.iter().find(|way| std::ptr::eq(way.shown.column, best.column)).expect("it is one of them");
        saved(&mut svg, x, [serial, best].map(|shown| shown.wall()), (way.top, way.bottom));
    }
    let mut about = String::new();
    if runs.all().any(|shown| shown.column.runs.len() > 1) {
        let titles: Vec<String> = runs.all().map(|shown| format!("the {}", shown.title())).collect();
        let (last, others) = titles.split_last().expect("two at least");
        about = format!("T{} and {last}, whose wall times are nearest the medians.", &others.join(", ")[1..]);
    }
    let heading = if ways.len() > 2 { "All ways on one time axis" } else { "Both ways on one time axis" };
    Some(PagePart::Wide(picture(heading, &about, &[], svg)))
}

/// A way among others.
struct RacingWay<'a> {
    shown: ShownRun<'a>,
    lanes: Vec<SlotLane<'a>>,
    pitch: f64,
    top: f64,
    bottom: f64,
}

impl RacingWay<'_> {
    fn draw(&self, svg: &mut Svg, x: TimeAxis) {
        let column = self.shown.column;
        let middle = f64::midpoint(self.top, self.bottom);
        let brief = TimeUnit::brief(self.shown.wall());
        let (name, time) = match (self.shown.name, column.is_serial()) {
            (_, true) => ("serial".to_owned(), brief),
            ("parallel", _) => (numbers::plural(column.width as u64, "slot"), brief),
            (engine, _) => (engine.to_owned(), format!("-j {}, {brief}", column.width)),
        };
        svg.text_beside("name", (0.0, middle - 3.0), -8.0, Anchor::End, &name);
        svg.text_beside("tick", (0.0, middle + 12.0), -8.0, Anchor::End, &time);
        for (at, lane) in self.lanes.iter().enumerate() {
            let gap = if self.pitch > 8.0 { 2.0 } else { 1.0 };
            lane.draw(svg, x, Strip { top: self.top + self.pitch * at as f64, height: self.pitch - gap });
        }
        if self.lanes.is_empty() {
            let place = [0.0, self.top, x.at(self.shown.wall()), self.bottom - self.top];
            svg.rect_with_title(class_of(column.way()), place, &format!("{name}: {time}"));
        }
    }
}

/// The end of the shorter way, and how much later the other one ends.
fn saved(svg: &mut Svg, x: TimeAxis, [serial, parallel]: [f64; 2], (top, bottom): (f64, f64)) {
    if parallel >= serial {
        return;
    }
    let end = x.at(parallel);
    svg.line("end", (end, top - 3.0), (end, bottom));
    let strong = format!("{} saved", TimeUnit::brief(serial - parallel));
    let needed = LARGER * text_width(&strong) + 16.0;
    let room = |picture: f64| (100.0 - end) / 100.0 * picture;
    let class = match (room(WIDE) + BEYOND > needed, room(NARROW) > needed) {
        (true, true) => "strong",
        (true, false) => "strong if-wide",
        (false, _) => return,
    };
    svg.text_beside(class, (end, f64::midpoint(top, bottom) + 7.0), 12.0, Anchor::Start, &strong);
}
