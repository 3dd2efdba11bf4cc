//! The tasks of a slot as boxes along an axis of time.
//!
//! Up to a certain number of tasks each is a box with a tooltip. Beyond it boxes
//! narrower than a pixel merge, so that a page of a hundred thousand tasks
//! is a picture still and opens at once.

use std::fmt::Write as _;

use super::axis::TimeAxis;
use super::class_of;
use crate::numbers::{self, seconds};
use crate::report::nodes::called;
use crate::report::timeline::{self, Lane, LaneTask, ShownRun};
use crate::svg::{Anchor, Hundredth, Svg, Tenth, text_width};
use crate::task::Record;
use crate::text::{printable, shortened};

/// So many slots are drawn; the rest are counted.
pub(super) const MOST_LANES: usize = 64;

/// Up to so many tasks in a run each has a box and a tooltip of its own.
const MOST_BOXES: usize = 2000;

/// Boxes are this much narrower than their time, in per cent of the picture, so that
/// neighbours stay apart.
const GAP: f64 = 0.08;

/// What is narrower, in per cent of the picture, is not seen by itself: a pixel of a wide screen.
const PIXEL: f64 = 0.1;

/// A failure is seen however short it was.
const NARROWEST_FAILURE: f64 = 0.25;

/// Lanes lower than this have no text in their boxes.
const LOWEST_WITH_TEXT: f64 = 15.0;

/// How much of a name a tooltip shows.
const LONGEST_NAME: usize = 200;

/// A name that does not fit is cut where there is room for so many characters.
const WORTH_CUTTING: usize = 14;

/// How wide a picture is at least where it is not narrow, in pixels.
pub(super) const WIDE: f64 = 600.0;

/// How wide it is at least on a telephone.
pub(super) const NARROW: f64 = 250.0;

/// Whether each task of a run has a box of its own.
pub(super) fn has_boxes(shown: ShownRun<'_>) -> bool {
    shown.run.records.len() <= MOST_BOXES
}

/// The tasks of one slot in order of time.
pub(super) struct SlotLane<'a> {
    shown: ShownRun<'a>,
    /// The machine that it is of, where several were named.
    pub(super) node: Option<Box<str>>,
    /// From 1, as people count.
    pub(super) number: u64,
    tasks: Vec<LaneTask>,
}

/// Where a lane is drawn.
#[derive(Clone, Copy)]
pub(super) struct Strip {
    pub(super) top: f64,
    pub(super) height: f64,
}

/// The slots of a run that had a task.
pub(super) fn lanes_of(shown: ShownRun<'_>) -> impl Iterator<Item = SlotLane<'_>> {
    let lanes = timeline::lanes(&shown.run.records);
    let lane = move |Lane { node, slot, tasks }| SlotLane { shown, node, number: u64::from(slot) + 1, tasks };
    lanes.into_iter().map(lane)
}

/// The left and the right end of a task.
fn ends(task: &LaneTask, x: TimeAxis) -> (f64, f64) {
    let (start, end) = task.span();
    (x.at(start), x.at(end))
}

impl SlotLane<'_> {
    pub(super) fn end(&self) -> f64 {
        self.tasks.iter().map(|task| task.span().1).fold(0.0, f64::max)
    }

    pub(super) fn busy(&self) -> f64 {
        self.tasks.iter().map(LaneTask::wall).sum()
    }

    pub(super) fn draw(&self, svg: &mut Svg, x: TimeAxis, strip: Strip) {
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
            self.tasks.iter().enumerate().partition(|(_, task)| task.is_failure);
        // Failures last, so that a neighbour does not hide a short one.
        for (at, task) in others.into_iter().chain(failed) {
            let Some(record) = self.shown.run.records.get(task.at) else { continue };
            let (left, right) = ends(task, x);
            let (class, narrowest) =
                if task.is_failure { ("failed", NARROWEST_FAILURE) } else { (shades[at % 2], PIXEL / 2.0) };
            let width = (right - left - GAP).max(narrowest);
            svg.rect_with_title(class, [left, strip.top, width, strip.height], &self.tooltip(&record));
            if strip.height >= LOWEST_WITH_TEXT {
                draw_label(svg, &record, (left, width), strip);
            }
        }
    }

    fn tooltip(&self, record: &Record) -> String {
        let (wall, cpu) = (record.wall.as_secs_f64(), record.cpu.as_secs_f64());
        let (start, end) = (record.start.as_secs_f64(), record.end().as_secs_f64());
        let on_a_line = |text: &str| shortened(&text.replace('\n', "\\n"), LONGEST_NAME);
        let mut text = format!("task {}  {}\n", record.seq + 1, on_a_line(&record.label));
        let [from, to, lasts] = [start, end, wall].map(seconds);
        let node = self.node.as_deref().map_or_else(String::new, |node| called(node) + " ");
        let _ = writeln!(text, "{}, {node}slot {}: {from} to {to}  ({lasts})", self.shown.name, self.number);
        let _ = write!(text, "CPU {}", seconds(cpu));
        if wall > 0.0 {
            let _ = write!(text, " ({})", numbers::percent(cpu / wall));
        }
        if record.attempt > 1 {
            let _ = write!(text, "\nattempt {}", record.attempt);
        }
        let _ = write!(text, "\n{}", on_a_line(&record.outcome.to_string()));
        text
    }

    /// One path for each shade: a box costs twenty bytes, and there are at most as
    /// many as pixels.
    fn draw_merged(&self, svg: &mut Svg, x: TimeAxis, strip: Strip, shades: [&str; 2]) {
        let mut paths = [String::new(), String::new(), String::new()];
        for (at, (left, right)) in self.merged(x).into_iter().enumerate() {
            add_box(&mut paths[at % 2], left, (right - left - GAP).max(PIXEL / 2.0), strip);
        }
        let mut last_failed = f64::NEG_INFINITY;
        for task in self.tasks.iter().filter(|task| task.is_failure) {
            let (left, right) = ends(task, x);
            if left >= last_failed + PIXEL {
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
        for task in &self.tasks {
            let (left, right) = ends(task, x);
            let is_narrow = right - left < PIXEL;
            match boxes.last_mut() {
                Some(last) if is_narrow && was_narrow && left - last.1 < PIXEL => last.1 = last.1.max(right),
                _ => boxes.push((left, right)),
            }
            was_narrow = is_narrow;
        }
        boxes
    }
}

fn add_box(path: &mut String, left: f64, width: f64, Strip { top, height }: Strip) {
    let (left, width) = (Hundredth(left), Hundredth(width));
    let (top, height) = (Tenth(top), Tenth(height));
    let _ = write!(path, "M{left} {top}h{width}v{height}h-{width}z");
}

/// Writes into a box what it is: its name where that fits, else its number in input
/// order; on a telephone less fits.
fn draw_label(svg: &mut Svg, record: &Record, (left, width): (f64, f64), strip: Strip) {
    let middle = (left + width / 2.0, strip.top + strip.height / 2.0 + 4.3);
    let [wide, narrow] = [WIDE, NARROW].map(|picture| label(record, width / 100.0 * picture));
    let draw = |svg: &mut Svg, class: &str, text: Option<String>| match text {
        Some(text) => svg.text(&format!("inside{class}"), middle, Anchor::Middle, &text),
        // Colour alone would tell too few readers.
        None if record.outcome.is_failure() => {
            svg.text(&format!("cross{class}"), middle, Anchor::Middle, "×");
        }
        None => {}
    };
    if wide == narrow {
        return draw(svg, "", wide);
    }
    draw(svg, " if-wide", wide);
    draw(svg, " if-narrow", narrow);
}

/// What a box of so many pixels says.
fn label(record: &Record, pixels: f64) -> Option<String> {
    let mark = if record.outcome.is_failure() { "× " } else { "" };
    let fits = |text: &String| text_width(text) + 6.0 < pixels;
    let name = printable(&record.label);
    let number = record.seq + 1;
    let whole = Some(format!("{mark}{name}")).filter(fits);
    let cut = || {
        let short = format!("{mark}{number}: ");
        let room = characters(pixels).saturating_sub(short.chars().count() + 1);
        (room >= WORTH_CUTTING).then(|| short + &shortened(&name, room))
    };
    whole.or_else(cut).or_else(|| Some(format!("{mark}{number}")).filter(fits))
}

/// How many characters fit into so many pixels.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float cast saturates")]
fn characters(pixels: f64) -> usize {
    ((pixels - 6.0) / text_width("m")) as usize
}
