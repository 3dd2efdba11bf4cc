//! Strips one below the other, each under the name of what it is about.

use crate::svg::{Anchor, Svg};
use crate::text::{printable, shortened};

/// Room for a name.
const NAME: f64 = 17.0;

/// The height of a strip.
pub(super) const STRIP: f64 = 16.0;

/// Room for a strip with its name, and for what lies between it and the next.
pub(super) const STEP: f64 = NAME + STRIP + 7.0;

/// Characters of a name that fit, and where.
const LONGEST_NAMES: [(usize, &str); 2] = [(72, " if-wide"), (28, " if-narrow")];

/// Writes the name of the strip whose room begins at `top`, with a mark where it is not well,
/// and `figure` at the right; where the strip begins.
pub(super) fn head(svg: &mut Svg, top: f64, name: &str, is_well: bool, figure: &str) -> f64 {
    let (class, mark) = if is_well { ("name", "") } else { ("name bad", "× ") };
    let name = printable(name);
    for (most, which) in LONGEST_NAMES {
        let name = format!("{mark}{}", shortened(&name, most));
        svg.text(&format!("{class}{which}"), (0.0, top + NAME - 4.0), Anchor::Start, &name);
    }
    svg.text("tick", (100.0, top + NAME - 4.0), Anchor::End, figure);
    top + NAME
}
