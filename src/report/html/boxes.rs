//! The tasks of one slot as boxes along an axis of time.
//!
//! Up to a certain number of tasks each is a box with a tooltip. Beyond it boxes
//! narrower than a pixel merge, so that a page of a hundred thousand tasks
//! is a picture still and opens at once.

use std::fmt::Write as _;

use super::axis::Axis;
use super::class_of;
use super::svg::{Anchor, Svg, Tenth, text_width};
use crate::format::{self, seconds};
use crate::report::timeline::{self, ShownRun, TimeUnit};
use crate::task::Record;

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

/// Whether each task of a run has a box of its own.
pub(super) fn has_boxes(shown: ShownRun<'_>) -> bool {
    shown.run.records.len() <= MOST_BOXES
}

/// The tasks of one slot in order of time.
pub(super) struct SlotLane<'a> {
    /// From 1, as people count.
    pub(super) number: u64,
    tasks: Vec<&'a Record>,
}

impl SlotLane<'_> {
    pub(super) fn end(&self) -> f64 {
        self.tasks.iter().map(|record| timeline::span(record).1).fold(0.0, f64::max)
    }

    pub(super) fn busy(&self) -> f64 {
        self.tasks.iter().map(|record| record.wall.as_secs_f64()).sum()
    }
}

pub(super) fn lanes_of(shown: ShownRun<'_>) -> impl Iterator<Item = SlotLane<'_>> {
    let lanes = timeline::lanes(&shown.run.records);
    lanes.into_iter().map(|(slot, tasks)| SlotLane { number: u64::from(slot) + 1, tasks })
}

/// From seconds to places.
#[derive(Clone, Copy)]
pub(super) struct TimeScale {
    pub(super) x: Axis,
    pub(super) unit: TimeUnit,
}

impl TimeScale {
    pub(super) fn at(&self, seconds: f64) -> f64 {
        self.x.at(self.unit.scaled(seconds))
    }
}

/// Where a lane is drawn.
#[derive(Clone, Copy)]
pub(super) struct Strip {
    pub(super) top: f64,
    pub(super) height: f64,
}

pub(super) fn draw_lane(
    svg: &mut Svg,
    lane: &SlotLane<'_>,
    scale: TimeScale,
    strip: Strip,
    shown: ShownRun<'_>,
) {
    if has_boxes(shown) {
        draw_boxes(svg, lane, scale, strip, shown);
    } else {
        draw_merged(svg, lane, scale, strip, shown);
    }
}

fn draw_boxes(svg: &mut Svg, lane: &SlotLane<'_>, scale: TimeScale, strip: Strip, shown: ShownRun<'_>) {
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

fn tooltip(record: &Record, lane: &SlotLane<'_>, shown: ShownRun<'_>) -> String {
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
fn draw_merged(svg: &mut Svg, lane: &SlotLane<'_>, scale: TimeScale, strip: Strip, shown: ShownRun<'_>) {
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
fn merged(lane: &SlotLane<'_>, scale: TimeScale) -> Vec<(f64, f64)> {
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
