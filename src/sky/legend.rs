//! What stands below a chart: the symbols that are in it, and what is not.

use std::collections::BTreeMap;

use super::field::{BOTTOM, LEFT, RIGHT};
use super::sources::Selection;
use super::symbol::ObjectKind;
use crate::numbers::count;
use crate::svg::{Anchor, Svg, text_width};

/// From one row to the next.
const ROW: f64 = 23.0;

/// One thing in it.
struct LegendEntry {
    symbol: Option<(ObjectKind, f64)>,
    class: &'static str,
    text: String,
}

impl LegendEntry {
    fn words(text: impl Into<String>) -> Self {
        Self { symbol: None, class: "sky-note", text: text.into() }
    }

    fn symbol(kind: ObjectKind, radius: f64, text: impl Into<String>) -> Self {
        Self { symbol: Some((kind, radius)), class: "sky-text", text: text.into() }
    }

    fn width(&self) -> f64 {
        let symbol = if self.symbol.is_some() { 20.0 } else { 0.0 };
        symbol + 0.9 * text_width(&self.text) + 14.0
    }
}

/// The rows below a chart.
#[derive(Default)]
pub(super) struct Legend {
    rows: Vec<Vec<LegendEntry>>,
}

impl Legend {
    /// What has to be said of `selection`, and nothing that is not in it.
    pub(super) fn of(selection: &Selection<'_>, has_pole: bool) -> Self {
        let mut legend = Self::default();
        let mut kinds: BTreeMap<ObjectKind, usize> = BTreeMap::new();
        for source in &selection.drawn {
            *kinds.entry(source.kind).or_default() += 1;
        }
        legend.add(kinds.keys().map(|kind| {
            LegendEntry::symbol(*kind, 5.0, if selection.has_kinds { kind.name() } else { "source" })
        }));
        let mut further = Vec::new();
        if let Some(scale) = selection.scale {
            further.push(LegendEntry::words("magnitude"));
            let middle = f64::midpoint(scale.bright, scale.faint).round();
            for magnitude in [scale.bright, middle, scale.faint] {
                further.push(LegendEntry::symbol(
                    ObjectKind::Star,
                    scale.radius(magnitude),
                    magnitude.to_string().replace('-', "−"),
                ));
            }
        }
        further.extend(notes(selection).into_iter().map(LegendEntry::words));
        if has_pole {
            further.push(LegendEntry::words("N and E as at the centre"));
        }
        legend.add(further);
        legend
    }

    fn add(&mut self, entries: impl IntoIterator<Item = LegendEntry>) {
        let mut room = 0.0;
        for entry in entries {
            let width = entry.width();
            if width > room || self.rows.is_empty() {
                self.rows.push(Vec::new());
                room = RIGHT - LEFT + 14.0;
            }
            room -= width;
            if let Some(row) = self.rows.last_mut() {
                row.push(entry);
            }
        }
    }

    /// How much room it takes.
    pub(super) fn height(&self) -> f64 {
        ROW * self.rows.len() as f64
    }

    /// Draws it below the field.
    pub(super) fn draw(&self, svg: &mut Svg) {
        let mut y = BOTTOM + 40.0;
        for row in &self.rows {
            let mut x = LEFT;
            for entry in row {
                let mut from = x;
                if let Some((kind, radius)) = entry.symbol {
                    svg.path(kind.class(), &kind.path((x + 7.0, y - 4.0), radius));
                    from += 20.0;
                }
                svg.text(entry.class, (from, y), Anchor::Start, &entry.text);
                x += entry.width();
            }
            y += ROW;
        }
    }
}

/// What the chart leaves out.
fn notes(selection: &Selection<'_>) -> Vec<String> {
    let n_drawn = selection.drawn.len();
    let mut notes = Vec::new();
    if n_drawn == 0 {
        notes.push("no sources".to_owned());
    }
    if (n_drawn as u64) < selection.in_field {
        let which = if selection.scale.is_some() { "brightest" } else { "nearest" };
        notes.push(format!(
            "the {} {which} of {} are drawn",
            count(n_drawn as u64),
            count(selection.in_field)
        ));
    }
    let n_without = selection.drawn.iter().filter(|source| source.magnitude.is_none()).count() as u64;
    match selection.scale {
        Some(_) if n_without > 0 => {
            notes.push(format!("{} without a magnitude, drawn small", count(n_without)));
        }
        None if n_drawn > 0 => notes.push("no magnitudes: all are drawn alike".to_owned()),
        _ => {}
    }
    if selection.outside > 0 {
        notes.push(format!("{} outside of the field", count(selection.outside as u64)));
    }
    notes
}
