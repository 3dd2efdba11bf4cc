//! The names in a chart: of the brightest sources, where they cover nothing.

use super::field::{Extent, MIDDLE, TICKS};
use super::shown;
use super::sources::Drawn;
use crate::svg::{Anchor, Svg, text_width};

/// Names in a chart at most.
const MOST_NAMES: usize = 10;

/// Characters of a name that are shown.
const LONGEST_NAME: usize = 26;

/// How high a name is, and how much of that is above its base line.
const HEIGHT: f64 = 13.0;
const ASCENT: f64 = 10.0;

/// Between a symbol and its name.
const GAP: f64 = 4.0;

/// A name and where it is.
struct PlacedName {
    at: (f64, f64),
    anchor: Anchor,
    text: String,
    extent: Extent,
}

/// Names of the brightest of `drawn`, brightest first. None covers another, or what is
/// `taken`, or one of the symbols beside its own; a source whose name finds no such place
/// has none.
pub(super) fn draw(svg: &mut Svg, drawn: &[Drawn<'_>], taken: &[Extent]) {
    let mut taken = taken.to_vec();
    let mut n_names = 0;
    let symbols: Vec<Extent> = drawn.iter().map(|source| Extent::around(source.at, source.radius)).collect();
    for (own, source) in drawn.iter().enumerate() {
        let text = shown(source.source.id, LONGEST_NAME);
        if n_names == MOST_NAMES || text.is_empty() {
            continue;
        }
        let (x, y) = MIDDLE;
        let is_target = (source.at.0 - x).hypot(source.at.1 - y) < TICKS[1];
        let radius = if is_target { TICKS[1] } else { source.radius };
        let is_free = |name: &PlacedName| {
            Extent::FIELD.holds(&name.extent)
                && !taken.iter().any(|other| other.meets(&name.extent))
                && !symbols
                    .iter()
                    .enumerate()
                    .any(|(other, symbol)| other != own && symbol.meets(&name.extent))
        };
        if let Some(name) = places(source.at, radius, &text).into_iter().find(is_free) {
            svg.text("sky-name", name.at, name.anchor, &name.text);
            taken.push(name.extent);
            n_names += 1;
        }
    }
}

/// The four places of a name: right, left, below, above.
fn places((x, y): (f64, f64), radius: f64, text: &str) -> [PlacedName; 4] {
    let width = text_width(text);
    let far = radius + GAP;
    let place = |at: (f64, f64), anchor| {
        let left = match anchor {
            Anchor::Start => at.0,
            Anchor::Middle => at.0 - width / 2.0,
            Anchor::End => at.0 - width,
        };
        let top = at.1 - ASCENT;
        let extent = Extent::new((left, top), (left + width, top + HEIGHT));
        PlacedName { at, anchor, text: text.to_owned(), extent }
    };
    [
        place((x + far, y + 4.0), Anchor::Start),
        place((x - far, y + 4.0), Anchor::End),
        place((x, y + far + ASCENT), Anchor::Middle),
        place((x, y - far - HEIGHT + ASCENT), Anchor::Middle),
    ]
}
