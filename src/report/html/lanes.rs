//! What each slot did when: both ways on one axis, and the main run at full width.
//!
//! Up to a certain number of tasks each is a box with a tooltip. Beyond it boxes
//! narrower than a pixel merge, so that a page of a hundred thousand tasks
//! is a picture still and opens at once.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::{Shown, View, class_of, seconds, wide_picture};
use crate::format;
use crate::report::svg::{Anchor, Axis, Svg, Tenth, Unit, text_width};
use crate::report::timeline;
use crate::study::{Comparison, Verdict};
use crate::task::Record;

const WIDTH: f64 = 1040.0;
const LEFT: f64 = 104.0;
const RIGHT: f64 = WIDTH - 14.0;

/// Up to so many tasks in a run each has a box and a tooltip of its own.
const MOST_BOXES: usize = 2000;

/// So many slots are drawn; the rest are counted.
const MOST_LANES: usize = 64;

/// A tail shorter than this share of the run is no tail.
const TAIL: f64 = 0.02;

/// Boxes are this much narrower than their time, so that neighbours stay apart.
const GAP: f64 = 0.7;

/// A failure is seen however short it was.
const NARROWEST_FAILURE: f64 = 2.5;

/// Lanes lower than this have no text in their boxes.
const LOWEST_WITH_TEXT: f64 = 9.0;

/// How much of a name a tooltip shows.
const LONGEST_NAME: usize = 200;

/// All ways on one axis; nothing unless several ran.
pub(super) fn both(view: &View<'_>) -> Markup {
    let (Some(serial), Some(parallel)) = (view.serial, view.parallel) else { return html! {} };
    let longest = view.ways().map(|shown| shown.wall()).fold(0.0, f64::max);
    if view.ways().any(|shown| shown.run.records.is_empty()) || longest <= 0.0 {
        return html! {};
    }
    let (top, first) = (6.0, 30.0);
    let mut bands: Vec<Band<'_>> = Vec::new();
    for shown in view.side_by_side() {
        let top = bands.last().map_or(first, |band| band.bottom + 2.0);
        bands.push(Band::new(shown, top));
    }
    let bottom = bands.last().map_or(first, |band| band.bottom);
    let unit = Unit::of(longest);
    let x = Axis::exact(LEFT, RIGHT, unit.scaled(longest), 6.0);
    let several = bands.len() > 1;
    let about =
        if several { "all ways on one time axis" } else { "serial and parallel run on one time axis" };
    let mut svg = Svg::new(WIDTH, bottom + 36.0, about);
    x.draw_below(&mut svg, top, bottom, &format!("wall time, {}", unit.name));
    let scale = Scale { x, unit };
    svg.text("tick", (LEFT - 8.0, top + 12.0), Anchor::End, "serial");
    for lane in lanes_of(serial) {
        draw_lane(&mut svg, &lane, scale, Strip { top, height: 16.0 }, serial);
    }
    for band in &bands {
        band.draw(&mut svg, scale, several);
    }
    let compared = Comparison::of(view.study, parallel.column);
    if compared.is_some_and(|it| matches!(it.verdict, Verdict::Untested { .. } | Verdict::Different(_))) {
        saved(&mut svg, scale, serial.wall(), parallel.wall(), (first, bands[0].bottom));
    }
    let n_runs = view.ways().map(|shown| shown.column.runs.len()).max().unwrap_or(0);
    let about = if n_runs > 1 {
        let titles: Vec<String> = view.ways().map(|shown| format!("the {}", shown.title())).collect();
        let (last, others) = titles.split_last().expect("two at least");
        format!("T{} and {last}, whose wall times are nearest the medians.", &others.join(", ")[1..])
    } else {
        String::new()
    };
    let heading = if several { "All ways on one time axis" } else { "Both ways on one time axis" };
    wide_picture(heading, &about, svg.finish())
}

/// The lanes of one way among others.
struct Band<'a> {
    shown: Shown<'a>,
    lanes: Vec<Lane<'a>>,
    pitch: f64,
    top: f64,
    bottom: f64,
}

impl<'a> Band<'a> {
    fn new(shown: Shown<'a>, top: f64) -> Self {
        let lanes: Vec<Lane<'a>> = lanes_of(shown).take(MOST_LANES).collect();
        let pitch = (64.0 / lanes.len().max(1) as f64).clamp(3.0, 9.0);
        let bottom = top + (pitch * lanes.len() as f64).max(34.0) + 4.0;
        Self { shown, lanes, pitch, top, bottom }
    }

    fn draw(&self, svg: &mut Svg, scale: Scale, is_named: bool) {
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
fn saved(svg: &mut Svg, scale: Scale, serial: f64, parallel: f64, (top, bottom): (f64, f64)) {
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
pub(super) fn slots(shown: Shown<'_>) -> Markup {
    if shown.run.records.is_empty() || shown.wall() <= 0.0 {
        return html! {};
    }
    let all: Vec<Lane<'_>> = lanes_of(shown).collect();
    let lanes = &all[..all.len().min(MOST_LANES)];
    let pitch = if lanes.len() <= 16 { 22.0 } else { 13.0 };
    let top = 22.0;
    let bottom = top + pitch * lanes.len() as f64 + 2.0;
    let unit = Unit::of(shown.wall());
    let x = Axis::exact(LEFT, RIGHT, unit.scaled(shown.wall()), 6.0);
    let scale = Scale { x, unit };
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
    wide_picture(&format!("The {}, slot by slot", shown.title()), &about(shown, &all), svg.finish())
}

/// From the first slot that is out of tasks for good to the end of the last task.
fn tail(svg: &mut Svg, lanes: &[Lane<'_>], scale: Scale, wall: f64, (top, bottom): (f64, f64)) {
    let ends = || lanes.iter().map(Lane::end);
    let (first, last) = (ends().fold(f64::INFINITY, f64::min), ends().fold(0.0, f64::max));
    if last - first <= TAIL * wall {
        return;
    }
    let (left, right) = (scale.at(first), scale.at(last));
    svg.rect("tail", left, top, right - left, bottom - top);
    let text = format!("tail {}: slots run out of tasks", seconds(last - first));
    svg.text("label", (RIGHT, 13.0), Anchor::End, &text);
}

fn about(shown: Shown<'_>, lanes: &[Lane<'_>]) -> String {
    let slots = lanes.len() as f64;
    let busy: f64 = lanes.iter().map(Lane::busy).sum();
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

fn has_boxes(shown: Shown<'_>) -> bool {
    shown.run.records.len() <= MOST_BOXES
}

/// The tasks of one slot in order of time.
struct Lane<'a> {
    /// From 1, as people count.
    number: u64,
    tasks: Vec<&'a Record>,
}

impl Lane<'_> {
    fn end(&self) -> f64 {
        self.tasks.iter().map(|record| timeline::span(record).1).fold(0.0, f64::max)
    }

    fn busy(&self) -> f64 {
        self.tasks.iter().map(|record| record.wall.as_secs_f64()).sum()
    }
}

fn lanes_of(shown: Shown<'_>) -> impl Iterator<Item = Lane<'_>> {
    let lanes = timeline::lanes(&shown.run.records);
    lanes.into_iter().map(|(slot, tasks)| Lane { number: u64::from(slot) + 1, tasks })
}

/// From seconds to places.
#[derive(Clone, Copy)]
struct Scale {
    x: Axis,
    unit: Unit,
}

impl Scale {
    fn at(&self, seconds: f64) -> f64 {
        self.x.at(self.unit.scaled(seconds))
    }
}

/// Where a lane is drawn.
#[derive(Clone, Copy)]
struct Strip {
    top: f64,
    height: f64,
}

fn draw_lane(svg: &mut Svg, lane: &Lane<'_>, scale: Scale, strip: Strip, shown: Shown<'_>) {
    if has_boxes(shown) {
        draw_boxes(svg, lane, scale, strip, shown);
    } else {
        draw_merged(svg, lane, scale, strip, shown);
    }
}

fn draw_boxes(svg: &mut Svg, lane: &Lane<'_>, scale: Scale, strip: Strip, shown: Shown<'_>) {
    let way = class_of(shown.column.way());
    let odd = format!("{way} odd");
    let (failed, others): (Vec<_>, Vec<_>) =
        lane.tasks.iter().enumerate().partition(|(_, record)| record.outcome.is_failure());
    // Failures last, so that a neighbour does not hide a short one.
    for (at, record) in others.into_iter().chain(failed) {
        let (start, end) = timeline::span(record);
        let (left, right) = (scale.at(start), scale.at(end));
        let is_failure = record.outcome.is_failure();
        let (class, narrowest) = match at % 2 {
            _ if is_failure => ("failed", NARROWEST_FAILURE),
            0 => (way, 0.5),
            _ => (odd.as_str(), 0.5),
        };
        let width = (right - left - GAP).max(narrowest);
        svg.rect_with_title(class, [left, strip.top, width, strip.height], &tooltip(record, lane, shown));
        if strip.height < LOWEST_WITH_TEXT {
            continue;
        }
        let middle = (left + width / 2.0, strip.top + strip.height / 2.0 + 3.6);
        let number = format!("{}{}", if is_failure { "× " } else { "" }, record.seq + 1);
        if width > text_width(&number) + 4.0 {
            svg.text("inside", middle, Anchor::Middle, &number);
        } else if is_failure {
            // Colour alone would tell too few readers.
            svg.text("cross", middle, Anchor::Middle, "×");
        }
    }
}

fn tooltip(record: &Record, lane: &Lane<'_>, shown: Shown<'_>) -> String {
    let (start, end) = timeline::span(record);
    let (wall, cpu) = (record.wall.as_secs_f64(), record.cpu.as_secs_f64());
    let name = format::shortened(&record.label.replace('\n', "\\n"), LONGEST_NAME);
    let mut text = format!("task {}  {name}\n", record.seq + 1);
    let _ = writeln!(
        text,
        "{}, slot {}: {} to {}  ({})",
        shown.name,
        lane.number,
        seconds(start),
        seconds(end),
        seconds(wall)
    );
    let _ = write!(text, "CPU {}", seconds(cpu));
    if wall > 0.0 {
        let _ = write!(text, " ({})", format::percent(cpu / wall));
    }
    if record.attempt > 1 {
        let _ = write!(text, "\nattempt {}", record.attempt);
    }
    if !record.outcome.is_success() {
        let why = record.outcome.to_string().replace('\n', "\\n");
        let _ = write!(text, "\n{}", format::shortened(&why, LONGEST_NAME));
    }
    text
}

/// One path for each shade: a box costs twenty bytes, and there are at most as
/// many as pixels.
fn draw_merged(svg: &mut Svg, lane: &Lane<'_>, scale: Scale, strip: Strip, shown: Shown<'_>) {
    let mut shades = [String::new(), String::new()];
    let mut failed = String::new();
    let mut last_failed = f64::NEG_INFINITY;
    for (at, (left, right)) in merged(lane, scale).into_iter().enumerate() {
        add_box(&mut shades[at % 2], left, (right - left - GAP).max(0.5), strip);
    }
    for record in lane.tasks.iter().filter(|record| record.outcome.is_failure()) {
        let (left, right) = (scale.at(timeline::span(record).0), scale.at(timeline::span(record).1));
        if left >= last_failed + 1.0 {
            add_box(&mut failed, left, (right - left).max(NARROWEST_FAILURE), strip);
            last_failed = left;
        }
    }
    let way = class_of(shown.column.way());
    for (class, path) in [(way, &shades[0]), (&format!("{way} odd"), &shades[1]), ("failed", &failed)] {
        if !path.is_empty() {
            svg.path(class, path);
        }
    }
}

fn add_box(path: &mut String, left: f64, width: f64, Strip { top, height }: Strip) {
    let (left, top, width, height) = (Tenth(left), Tenth(top), Tenth(width), Tenth(height));
    let _ = write!(path, "M{left} {top}h{width}v{height}h-{width}z");
}

/// The places of boxes, where those narrower than a pixel and close together are one.
fn merged(lane: &Lane<'_>, scale: Scale) -> Vec<(f64, f64)> {
    let mut boxes: Vec<(f64, f64)> = Vec::new();
    let mut was_narrow = false;
    for record in &lane.tasks {
        let (start, end) = timeline::span(record);
        let (left, right) = (scale.at(start), scale.at(end));
        let is_narrow = right - left < 1.0;
        match boxes.last_mut() {
            Some(last) if is_narrow && was_narrow && left - last.1 < 1.0 => last.1 = last.1.max(right),
            _ => boxes.push((left, right)),
        }
        was_narrow = is_narrow;
    }
    boxes
}
