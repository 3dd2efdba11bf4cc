//! What each slot did when, at full width.

use super::axis::TimeAxis;
use super::boxes::{MOST_LANES, SlotLane, Strip, has_boxes, lanes_of};
use super::{PagePart, picture};
use crate::numbers::{self, seconds};
use crate::report::nodes::called;
use crate::report::timeline::{ShownRun, are_of_several};
use crate::svg::{Anchor, Svg};
use crate::text::shortened;

/// A tail shorter than this share of the run is no tail.
const TAIL: f64 = 0.02;

/// So few lanes are high enough for a name in each box.
const FEW: usize = 16;

/// What stands above the lanes of a machine takes so much.
const NODE: f64 = 20.0;

/// How much of its name is shown; more is not there on a telephone.
const LONGEST_NODE: usize = 20;

/// A run, a lane for each slot.
pub(super) fn slots(shown: ShownRun<'_>) -> Option<PagePart> {
    let wall = shown.wall();
    if shown.run.records.is_empty() || wall <= 0.0 {
        return None;
    }
    let all: Vec<SlotLane<'_>> = lanes_of(shown).collect();
    let lanes = &all[..all.len().min(MOST_LANES)];
    let pitch = match lanes.len() {
        ..=4 => 34.0,
        5..=FEW => 24.0,
        _ => 13.0,
    };
    let (top, height) = (20.0, pitch - 3.0);
    let is_told = are_of_several(all.iter().map(|lane| lane.node.as_deref()));
    let begins = |at: usize| is_told && (at == 0 || lanes[at].node != lanes[at - 1].node);
    let mut bottom = top;
    let mut tops = Vec::new();
    for at in 0..lanes.len() {
        bottom += if begins(at) { NODE } else { 0.0 };
        tops.push(bottom);
        bottom += pitch;
    }
    let x = TimeAxis::exact(wall);
    let mut svg = Svg::fluid("plot lanes", bottom + 36.0, "what each slot did when");
    svg.text_beside("label if-wide", (0.0, 13.0), -8.0, Anchor::End, "busy");
    for &top in &tops {
        svg.rect("lane", [0.0, top, 100.0, height]);
    }
    let tail = tail(&all, wall);
    if let Some((from, to)) = tail {
        let (left, right) = (x.at(from), x.at(to));
        svg.rect("tail", [left, top - 2.0, right - left, bottom - top + 2.0]);
    }
    x.draw_below(&mut svg, bottom, bottom + 3.0, "wall time");
    for (at, lane) in lanes.iter().enumerate() {
        let top = tops[at];
        if begins(at) {
            svg.text("label", (0.0, top - 5.0), Anchor::Start, &of_node(&all, lane.node.as_deref(), wall));
        }
        let middle = top + height / 2.0 + 4.3;
        let busy = numbers::percent((lane.busy() / wall).min(1.0));
        let slot = format!("slot {}", lane.number);
        svg.text_beside("tick if-wide", (0.0, middle), -50.0, Anchor::End, &slot);
        svg.text_beside("tick if-wide", (0.0, middle), -8.0, Anchor::End, &busy);
        svg.text_beside("tick if-narrow", (0.0, middle), -8.0, Anchor::End, &slot);
        lane.draw(&mut svg, x, Strip { top, height });
    }
    let about = about(shown, &all, tail);
    Some(PagePart::Wide(picture(&format!("The {}, slot by slot", shown.title()), &about, &[], svg)))
}

/// `h1, 2 slots, 96 % busy`.
fn of_node(lanes: &[SlotLane<'_>], node: Option<&str>, wall: f64) -> String {
    let own = || lanes.iter().filter(|lane| lane.node.as_deref() == node);
    let (count, busy) = (own().count(), own().map(SlotLane::busy).sum::<f64>());
    let busy = numbers::percent((busy / count as f64 / wall).min(1.0));
    let name = shortened(&node.map_or_else(|| "no machine".to_owned(), called), LONGEST_NODE);
    format!("{name}, {}, {busy} busy", numbers::plural(count as u64, "slot"))
}

/// From the first slot that is out of tasks for good to the end of the last task, where
/// that is worth a word.
fn tail(lanes: &[SlotLane<'_>], wall: f64) -> Option<(f64, f64)> {
    let ends = || lanes.iter().map(SlotLane::end);
    let (first, last) = (ends().fold(f64::INFINITY, f64::min), ends().fold(0.0, f64::max));
    (last - first > TAIL * wall).then_some((first, last))
}

fn about(shown: ShownRun<'_>, lanes: &[SlotLane<'_>], tail: Option<(f64, f64)>) -> String {
    let busy: f64 = lanes.iter().map(SlotLane::busy).sum();
    let busy = numbers::percent((busy / lanes.len() as f64 / shown.wall()).min(1.0));
    let boxes = if has_boxes(shown) {
        "One box for each task; point at one for its name, times, status and CPU."
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
    if let Some((from, to)) = tail {
        about += &format!("; for the last {} (shaded) slots ran out of tasks", seconds(to - from));
    }
    about + "."
}
