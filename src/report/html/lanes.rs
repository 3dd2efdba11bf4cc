//! What each slot did when: both ways on one axis, and the main run at full width.
//!
//! Up to a certain number of tasks each is a box with a tooltip. Beyond it boxes
//! narrower than a pixel merge, so that a page of a hundred thousand tasks
//! is a picture still and opens at once.

use std::fmt::Write as _;

use super::axis::TimeAxis;
use super::{PagePart, class_of, wide_picture};
use crate::numbers::{self, seconds};
use crate::report::timeline::{self, ShownRun, ShownRuns};
use crate::study::{Comparison, Verdict};
use crate::svg::{Anchor, Svg, Tenth, text_width};
use crate::task::Record;
use crate::text::shortened;

const WIDTH: f64 = 1040.0;
const LEFT: f64 = 104.0;
const RIGHT: f64 = WIDTH - 14.0;

/// So many slots are drawn; the rest are counted.
const MOST_LANES: usize = 64;

/// A tail shorter than this share of the run is no tail.
const TAIL: f64 = 0.02;

/// Up to so many tasks in a run each has a box and a tooltip of its own.
const MOST_BOXES: usize = 2000;

/// Boxes are this much narrower than their time, so that neighbours stay apart.
const GAP: f64 = 0.7;

/// A failure is seen however short it was.
const NARROWEST_FAILURE: f64 = 2.5;

/// Lanes lower than this have no text in their boxes.
const LOWEST_WITH_TEXT: f64 = 9.0;

/// How much of a name a tooltip shows.
const LONGEST_NAME: usize = 200;

/// All ways on one axis; nothing unless several ran.
pub(super) fn both(runs: &ShownRuns<'_>) -> Option<PagePart> {
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
    let x = TimeAxis::exact(LEFT, RIGHT, longest, 6.0);
    let several = bands.len() > 1;
    let about =
        if several { "all ways on one time axis" } else { "serial and parallel run on one time axis" };
    let mut svg = Svg::new(WIDTH, bottom + 36.0, about);
    x.draw_below(&mut svg, top, bottom, "wall time");
    svg.text("tick", (LEFT - 8.0, top + 12.0), Anchor::End, "serial");
    for lane in lanes_of(serial) {
        lane.draw(&mut svg, x, Strip { top, height: 16.0 });
    }
    for band in &bands {
        band.draw(&mut svg, x, several);
    }
    let compared = Comparison::of(runs.study, parallel.column);
    if compared.is_some_and(|it| matches!(it.verdict, Verdict::Untested { .. } | Verdict::Different(_))) {
        saved(&mut svg, x, [serial, parallel].map(|shown| shown.wall()), (first, bands[0].bottom));
    }
    let mut about = String::new();
    if runs.all().any(|shown| shown.column.runs.len() > 1) {
        let titles: Vec<String> = runs.all().map(|shown| format!("the {}", shown.title())).collect();
        let (last, others) = titles.split_last().expect("two at least");
        about = format!("T{} and {last}, whose wall times are nearest the medians.", &others.join(", ")[1..]);
    }
    let heading = if several { "All ways on one time axis" } else { "Both ways on one time axis" };
    Some(wide_picture(heading, &about, svg))
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

    fn draw(&self, svg: &mut Svg, x: TimeAxis, is_named: bool) {
        let middle = self.top + self.pitch * self.lanes.len() as f64 / 2.0 + 4.0;
        let width = self.shown.column.width;
        let slots = if is_named {
            format!("{width} {}", self.shown.name)
        } else {
            numbers::plural(width as u64, "slot")
        };
        svg.text("tick", (LEFT - 8.0, middle), Anchor::End, &slots);
        for (at, lane) in self.lanes.iter().enumerate() {
            let top = self.top + self.pitch * at as f64;
            lane.draw(svg, x, Strip { top, height: self.pitch - 1.0 });
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
    let strong = format!("{} saved", seconds(serial - parallel));
    let lesser = format!("the same tasks end at {} instead of {}", seconds(parallel), seconds(serial));
    let has_room = RIGHT - end > text_width(&lesser) + 12.0;
    if has_room || RIGHT - end > 1.4 * text_width(&strong) + 12.0 {
        svg.text("strong", (end + 9.0, top + 15.0), Anchor::Start, &strong);
    }
    if has_room {
        svg.text("label", (end + 9.0, top + 31.0), Anchor::Start, &lesser);
    }
}

/// A run, a lane for each slot.
pub(super) fn slots(shown: ShownRun<'_>) -> Option<PagePart> {
    let wall = shown.wall();
    if shown.run.records.is_empty() || wall <= 0.0 {
        return None;
    }
    let all: Vec<SlotLane<'_>> = lanes_of(shown).collect();
    let lanes = &all[..all.len().min(MOST_LANES)];
    let pitch = if lanes.len() <= 16 { 22.0 } else { 13.0 };
    let (top, height) = (22.0, pitch - 4.0);
    let bottom = top + pitch * lanes.len() as f64 + 2.0;
    let x = TimeAxis::exact(LEFT, RIGHT, wall, 6.0);
    let mut svg = Svg::new(WIDTH, bottom + 36.0, "what each slot did when");
    svg.text("label", (LEFT - 8.0, 13.0), Anchor::End, "busy");
    let tops = (0..lanes.len()).map(|at| top + pitch * at as f64);
    for top in tops.clone() {
        svg.rect("lane", [LEFT, top, RIGHT - LEFT, height]);
    }
    tail(&mut svg, &all, x, wall, (top - 2.0, bottom));
    x.draw_below(&mut svg, bottom, bottom + 3.0, "wall time");
    for (lane, top) in lanes.iter().zip(tops) {
        let middle = top + pitch / 2.0 + 2.0;
        let busy = numbers::percent((lane.busy() / wall).min(1.0));
        svg.text("tick", (LEFT - 52.0, middle), Anchor::End, &format!("slot {}", lane.number));
        svg.text("tick", (LEFT - 8.0, middle), Anchor::End, &busy);
        lane.draw(&mut svg, x, Strip { top, height });
    }
    Some(wide_picture(&format!("The {}, slot by slot", shown.title()), &about(shown, &all), svg))
}

/// From the first slot that is out of tasks for good to the end of the last task.
fn tail(svg: &mut Svg, lanes: &[SlotLane<'_>], x: TimeAxis, wall: f64, (top, bottom): (f64, f64)) {
    let ends = || lanes.iter().map(SlotLane::end);
    let (first, last) = (ends().fold(f64::INFINITY, f64::min), ends().fold(0.0, f64::max));
    if last - first <= TAIL * wall {
        return;
    }
    let (left, right) = (x.at(first), x.at(last));
    svg.rect("tail", [left, top, right - left, bottom - top]);
    let text = format!("tail {}: slots run out of tasks", seconds(last - first));
    svg.text("label", (RIGHT, 13.0), Anchor::End, &text);
}

fn about(shown: ShownRun<'_>, lanes: &[SlotLane<'_>]) -> String {
    let busy: f64 = lanes.iter().map(SlotLane::busy).sum();
    let busy = numbers::percent((busy / lanes.len() as f64 / shown.wall()).min(1.0));
    let boxes = if has_boxes(shown) {
        "One box for each task, numbered in input order; point at one for its name, times and CPU."
    } else {
        "Tasks narrower than a pixel are drawn as one."
    };
    let mut about = format!("{boxes} Slots were busy {busy} of the time");
    let unused = shown.column.width.saturating_sub(lanes.len());
    if unused > 0 {
        about += &format!("; {} never used", numbers::plural(unused as u64, "slot"));
    }
    if lanes.len() > MOST_LANES {
        about += &format!("; the first {MOST_LANES} of {} are drawn", lanes.len());
    }
    about + "."
}

/// Whether each task of a run has a box of its own.
fn has_boxes(shown: ShownRun<'_>) -> bool {
    shown.run.records.len() <= MOST_BOXES
}

/// The tasks of one slot in order of time.
struct SlotLane<'a> {
    shown: ShownRun<'a>,
    /// From 1, as people count.
    number: u64,
    tasks: Vec<&'a Record>,
}

/// Where a lane is drawn.
#[derive(Clone, Copy)]
struct Strip {
    top: f64,
    height: f64,
}

fn lanes_of(shown: ShownRun<'_>) -> impl Iterator<Item = SlotLane<'_>> {
    let lanes = timeline::lanes(&shown.run.records);
    lanes.into_iter().map(move |(slot, tasks)| SlotLane { shown, number: u64::from(slot) + 1, tasks })
}

/// The left and the right end of a task.
fn ends(record: &Record, x: TimeAxis) -> (f64, f64) {
    let (start, end) = timeline::span(record);
    (x.at(start), x.at(end))
}

impl SlotLane<'_> {
    fn end(&self) -> f64 {
        self.tasks.iter().map(|record| timeline::span(record).1).fold(0.0, f64::max)
    }

    fn busy(&self) -> f64 {
        self.tasks.iter().map(|record| record.wall.as_secs_f64()).sum()
    }

    fn draw(&self, svg: &mut Svg, x: TimeAxis, strip: Strip) {
        let way = class_of(self.shown.column.way());
        let shades = [way, &format!("{way} odd")];
        if has_boxes(self.shown) {
            self.draw_boxes(svg, x, strip, shades);
        } else {
            self.draw_merged(svg, x, strip, shades);
        }
    }

    fn draw_boxes(&self, svg: &mut Svg, x: TimeAxis, strip: Strip, shades: [&str; 2]) {
        let (failed, others): (Vec<_>, Vec<_>) =
            self.tasks.iter().enumerate().partition(|(_, record)| record.outcome.is_failure());
        // Failures last, so that a neighbour does not hide a short one.
        for (at, record) in others.into_iter().chain(failed) {
            let (left, right) = ends(record, x);
            let is_failure = record.outcome.is_failure();
            let (class, narrowest, mark) =
                if is_failure { ("failed", NARROWEST_FAILURE, "× ") } else { (shades[at % 2], 0.5, "") };
            let width = (right - left - GAP).max(narrowest);
            svg.rect_with_title(class, [left, strip.top, width, strip.height], &self.tooltip(record));
            if strip.height < LOWEST_WITH_TEXT {
                continue;
            }
            let middle = (left + width / 2.0, strip.top + strip.height / 2.0 + 3.6);
            let number = format!("{mark}{}", record.seq + 1);
            if width > text_width(&number) + 4.0 {
                svg.text("inside", middle, Anchor::Middle, &number);
            } else if is_failure {
                // Colour alone would tell too few readers.
                svg.text("cross", middle, Anchor::Middle, "×");
            }
        }
    }

    fn tooltip(&self, record: &Record) -> String {
        let (start, end) = timeline::span(record);
        let (wall, cpu) = (record.wall.as_secs_f64(), record.cpu.as_secs_f64());
        let on_a_line = |text: &str| shortened(&text.replace('\n', "\\n"), LONGEST_NAME);
        let mut text = format!("task {}  {}\n", record.seq + 1, on_a_line(&record.label));
        let [from, to, lasts] = [start, end, wall].map(seconds);
        let _ = writeln!(text, "{}, slot {}: {from} to {to}  ({lasts})", self.shown.name, self.number);
        let _ = write!(text, "CPU {}", seconds(cpu));
        if wall > 0.0 {
            let _ = write!(text, " ({})", numbers::percent(cpu / wall));
        }
        if record.attempt > 1 {
            let _ = write!(text, "\nattempt {}", record.attempt);
        }
        if !record.outcome.is_success() {
            let _ = write!(text, "\n{}", on_a_line(&record.outcome.to_string()));
        }
        text
    }

    /// One path for each shade: a box costs twenty bytes, and there are at most as
    /// many as pixels.
    fn draw_merged(&self, svg: &mut Svg, x: TimeAxis, strip: Strip, shades: [&str; 2]) {
        let mut paths = [String::new(), String::new(), String::new()];
        for (at, (left, right)) in self.merged(x).into_iter().enumerate() {
            add_box(&mut paths[at % 2], left, (right - left - GAP).max(0.5), strip);
        }
        let mut last_failed = f64::NEG_INFINITY;
        for record in self.tasks.iter().filter(|record| record.outcome.is_failure()) {
            let (left, right) = ends(record, x);
            if left >= last_failed + 1.0 {
                add_box(&mut paths[2], left, (right - left).max(NARROWEST_FAILURE), strip);
                last_failed = left;
            }
        }
        let classes = [shades[0], shades[1], "failed"];
        for (class, path) in classes.iter().zip(&paths).filter(|(_, path)| !path.is_empty()) {
            svg.path(class, path);
        }
    }

    /// The places of boxes, where those narrower than a pixel and close together are one.
    fn merged(&self, x: TimeAxis) -> Vec<(f64, f64)> {
        let mut boxes: Vec<(f64, f64)> = Vec::new();
        let mut was_narrow = false;
        for record in &self.tasks {
            let (left, right) = ends(record, x);
            let is_narrow = right - left < 1.0;
            match boxes.last_mut() {
                Some(last) if is_narrow && was_narrow && left - last.1 < 1.0 => last.1 = last.1.max(right),
                _ => boxes.push((left, right)),
            }
            was_narrow = is_narrow;
        }
        boxes
    }
}

fn add_box(path: &mut String, left: f64, width: f64, Strip { top, height }: Strip) {
    let (left, top, width, height) = (Tenth(left), Tenth(top), Tenth(width), Tenth(height));
    let _ = write!(path, "M{left} {top}h{width}v{height}h-{width}z");
}
