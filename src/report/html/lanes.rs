//! What each slot did when: both ways on one axis, and the main run at full width.

use maud::Markup;

use super::axis::Axis;
use super::boxes::{SlotLane, Strip, TimeScale, draw_lane, has_boxes, lanes_of};
use super::svg::{Anchor, Svg, text_width};
use super::wide_picture;
use crate::format::{self, seconds};
use crate::report::timeline::{ShownRun, ShownRuns, TimeUnit};
use crate::study::{Comparison, Verdict};

const WIDTH: f64 = 1040.0;
const LEFT: f64 = 104.0;
const RIGHT: f64 = WIDTH - 14.0;

/// So many slots are drawn; the rest are counted.
const MOST_LANES: usize = 64;

/// A tail shorter than this share of the run is no tail.
const TAIL: f64 = 0.02;

/// All ways on one axis; nothing unless several ran.
pub(super) fn both(runs: &ShownRuns<'_>) -> Option<Markup> {
    let (serial, parallel) = (runs.serial?, runs.parallel()?);
    let longest = runs.all().map(|shown| shown.wall()).fold(0.0, f64::max);
    if runs.all().any(|shown| shown.run.records.is_empty()) || longest <= 0.0 {
        return None;
    }
    let (top, first) = (6.0, 30.0);
    let mut bands: Vec<Band<'_>> = Vec::new();
    for shown in &runs.side_by_side {
        let top = bands.last().map_or(first, |band| band.bottom + 2.0);
        bands.push(Band::new(*shown, top));
    }
    let bottom = bands.last().map_or(first, |band| band.bottom);
    let unit = TimeUnit::of(longest);
    let x = Axis::exact(LEFT, RIGHT, unit.scaled(longest), 6.0);
    let several = bands.len() > 1;
    let about =
        if several { "all ways on one time axis" } else { "serial and parallel run on one time axis" };
    let mut svg = Svg::new(WIDTH, bottom + 36.0, about);
    x.draw_below(&mut svg, top, bottom, &format!("wall time, {}", unit.name));
    let scale = TimeScale { x, unit };
    svg.text("tick", (LEFT - 8.0, top + 12.0), Anchor::End, "serial");
    for lane in lanes_of(serial) {
        draw_lane(&mut svg, &lane, scale, Strip { top, height: 16.0 }, serial);
    }
    for band in &bands {
        band.draw(&mut svg, scale, several);
    }
    let compared = Comparison::of(runs.study, parallel.column);
    if compared.is_some_and(|it| matches!(it.verdict, Verdict::Untested { .. } | Verdict::Different(_))) {
        saved(&mut svg, scale, serial.wall(), parallel.wall(), (first, bands[0].bottom));
    }
    let n_runs = runs.all().map(|shown| shown.column.runs.len()).max().unwrap_or(0);
    let about = if n_runs > 1 {
        let titles: Vec<String> = runs.all().map(|shown| format!("the {}", shown.title())).collect();
        let (last, others) = titles.split_last().expect("two at least");
        format!("T{} and {last}, whose wall times are nearest the medians.", &others.join(", ")[1..])
    } else {
        String::new()
    };
    let heading = if several { "All ways on one time axis" } else { "Both ways on one time axis" };
    Some(wide_picture(heading, &about, svg.finish()))
}

/// The lanes of one way among others.
struct Band<'a> {
    shown: ShownRun<'a>,
    lanes: Vec<SlotLane<'a>>,
    pitch: f64,
    top: f64,
    bottom: f64,
}

impl<'a> Band<'a> {
    fn new(shown: ShownRun<'a>, top: f64) -> Self {
        let lanes: Vec<SlotLane<'a>> = lanes_of(shown).take(MOST_LANES).collect();
        let pitch = (64.0 / lanes.len().max(1) as f64).clamp(3.0, 9.0);
        let bottom = top + (pitch * lanes.len() as f64).max(34.0) + 4.0;
        Self { shown, lanes, pitch, top, bottom }
    }

    fn draw(&self, svg: &mut Svg, scale: TimeScale, is_named: bool) {
        let middle = self.top + self.pitch * self.lanes.len() as f64 / 2.0 + 4.0;
        let width = self.shown.column.width;
        let slots = if is_named {
            format!("{} {}", width, self.shown.name)
        } else {
            format::plural(width as u64, "slot")
        };
        svg.text("tick", (LEFT - 8.0, middle), Anchor::End, &slots);
        for (at, lane) in self.lanes.iter().enumerate() {
            let top = self.top + self.pitch * at as f64;
            draw_lane(svg, lane, scale, Strip { top, height: self.pitch - 1.0 }, self.shown);
        }
    }
}

/// The end of the shorter way, and how much later the other one ends.
fn saved(svg: &mut Svg, scale: TimeScale, serial: f64, parallel: f64, (top, bottom): (f64, f64)) {
    if parallel >= serial {
        return;
    }
    let x = scale.at(parallel);
    svg.line("end", (x, top - 3.0), (x, bottom));
    let strong = format!("{} saved", seconds(serial - parallel));
    let lesser = format!("the same tasks end at {} instead of {}", seconds(parallel), seconds(serial));
    if RIGHT - x > text_width(&lesser) + 12.0 {
        svg.text("strong", (x + 9.0, top + 15.0), Anchor::Start, &strong);
        svg.text("label", (x + 9.0, top + 31.0), Anchor::Start, &lesser);
    } else if RIGHT - x > 1.4 * text_width(&strong) + 12.0 {
        svg.text("strong", (x + 9.0, top + 15.0), Anchor::Start, &strong);
    }
}

/// A run, a lane for each slot.
pub(super) fn slots(shown: ShownRun<'_>) -> Option<Markup> {
    if shown.run.records.is_empty() || shown.wall() <= 0.0 {
        return None;
    }
    let all: Vec<SlotLane<'_>> = lanes_of(shown).collect();
    let lanes = &all[..all.len().min(MOST_LANES)];
    let pitch = if lanes.len() <= 16 { 22.0 } else { 13.0 };
    let top = 22.0;
    let bottom = top + pitch * lanes.len() as f64 + 2.0;
    let unit = TimeUnit::of(shown.wall());
    let x = Axis::exact(LEFT, RIGHT, unit.scaled(shown.wall()), 6.0);
    let scale = TimeScale { x, unit };
    let mut svg = Svg::new(WIDTH, bottom + 36.0, "what each slot did when");
    svg.text("label", (LEFT - 8.0, 13.0), Anchor::End, "busy");
    for at in 0..lanes.len() {
        svg.rect("lane", LEFT, top + pitch * at as f64, RIGHT - LEFT, pitch - 4.0);
    }
    tail(&mut svg, &all, scale, shown.wall(), (top - 2.0, bottom));
    x.draw_below(&mut svg, bottom, bottom + 3.0, &format!("wall time, {}", unit.name));
    for (at, lane) in lanes.iter().enumerate() {
        let top = top + pitch * at as f64;
        let busy = format::percent((lane.busy() / shown.wall()).min(1.0));
        svg.text(
            "tick",
            (LEFT - 52.0, top + pitch / 2.0 + 2.0),
            Anchor::End,
            &format!("slot {}", lane.number),
        );
        svg.text("tick", (LEFT - 8.0, top + pitch / 2.0 + 2.0), Anchor::End, &busy);
        draw_lane(&mut svg, lane, scale, Strip { top, height: pitch - 4.0 }, shown);
    }
    let heading = format!("The {}, slot by slot", shown.title());
    Some(wide_picture(&heading, &about(shown, &all), svg.finish()))
}

/// From the first slot that is out of tasks for good to the end of the last task.
fn tail(svg: &mut Svg, lanes: &[SlotLane<'_>], scale: TimeScale, wall: f64, (top, bottom): (f64, f64)) {
    let ends = || lanes.iter().map(SlotLane::end);
    let (first, last) = (ends().fold(f64::INFINITY, f64::min), ends().fold(0.0, f64::max));
    if last - first <= TAIL * wall {
        return;
    }
    let (left, right) = (scale.at(first), scale.at(last));
    svg.rect("tail", left, top, right - left, bottom - top);
    let text = format!("tail {}: slots run out of tasks", seconds(last - first));
    svg.text("label", (RIGHT, 13.0), Anchor::End, &text);
}

fn about(shown: ShownRun<'_>, lanes: &[SlotLane<'_>]) -> String {
    let slots = lanes.len() as f64;
    let busy: f64 = lanes.iter().map(SlotLane::busy).sum();
    let mut about = if has_boxes(shown) {
        "One box for each task, numbered in input order; point at one for its name, times and CPU. "
            .to_owned()
    } else {
        "Tasks narrower than a pixel are drawn as one. ".to_owned()
    };
    about +=
        &format!("Slots have a task {} of the time", format::percent((busy / slots / shown.wall()).min(1.0)));
    let unused = shown.column.width.saturating_sub(lanes.len());
    if unused > 0 {
        about += &format!("; {} never had one", format::plural(unused as u64, "slot"));
    }
    if lanes.len() > MOST_LANES {
        about += &format!("; the first {MOST_LANES} of {} are drawn", lanes.len());
    }
    about.push('.');
    about
}
