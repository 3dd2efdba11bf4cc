//! What a cone search found, as a chart of the sky.
//!
//! A finder chart is SVG: north up and east to the left as an observer sees it, the cone, a
//! grid, and each source by its brightness and kind. It runs no script and loads nothing; it
//! is light or dark as its reader wants it.
//!
//! Knows nothing of tasks, of HTTP or of files; usable on its own:
//!
//! ```
//! use parsim::sky::{FinderChart, SkySource};
//!
//! let galaxy = SkySource {
//!     id: "NGC 4782", ra: 193.6485833, dec: -12.5684444, kind: Some("GiP"), magnitude: Some(11.75),
//! };
//! let chart = FinderChart {
//!     title: "NGC 4782", centre: (193.6485833, -12.5684444), radius: 0.04, sources: &[galaxy], more: 0,
//! };
//! assert!(chart.svg().starts_with("<svg xmlns="));
//! ```
//!
//! Names and types come from services that nobody vouches for: whatever they hold, it stays
//! text.

mod chart;
mod columns;
mod field;
mod furniture;
mod graticule;
mod legend;
mod names;
mod page;
mod plane;
mod sexagesimal;
mod sources;
mod symbol;
#[cfg(test)]
mod tests;

pub use chart::STYLE;
pub use columns::ChartColumns;
pub use page::{ALADIN, FIELD_OF_VIEW, SkyPage, page};
pub use plane::{TangentPlane, separation};
pub use sources::keep_brightest;
pub use symbol::ObjectKind;

use crate::task::ConeSource;
use crate::text::{printable, shortened};

/// The smallest and the largest radius of a chart, in degrees. A gnomonic chart stretches
/// towards its rim: half as much again at 40 degrees, without end at 90.
pub const CHART_RADII: std::ops::RangeInclusive<f64> = 1e-7..=40.0;

/// A cone and what was found in it.
#[derive(Clone, Copy, Debug)]
pub struct FinderChart<'a> {
    /// What it is a chart of.
    pub title: &'a str,
    /// Right ascension (-360 to 360) and declination (ICRS) in degrees.
    pub centre: (f64, f64),
    /// Radius of the cone in degrees.
    pub radius: f64,
    /// All that was found, or the brightest of them, in any order.
    pub sources: &'a [SkySource<'a>],
    /// How many more were found.
    pub more: u64,
}

/// One row of a catalogue.
#[derive(Clone, Copy, Debug)]
pub struct SkySource<'a> {
    /// What the catalogue calls it.
    pub id: &'a str,
    /// Right ascension (ICRS) in degrees.
    pub ra: f64,
    /// Declination (ICRS) in degrees.
    pub dec: f64,
    /// The catalogue's type of object, as it writes it.
    pub kind: Option<&'a str>,
    /// Brightness; what cannot be one (99, say) counts as none.
    pub magnitude: Option<f64>,
}

impl<'a> From<&'a ConeSource> for SkySource<'a> {
    /// A source as studies keep it.
    fn from(ConeSource { id, ra, dec, kind, magnitude }: &'a ConeSource) -> Self {
        Self { id, ra: *ra, dec: *dec, kind: kind.as_deref(), magnitude: *magnitude }
    }
}

/// A text from elsewhere on one line, without what could act on its reader, and cut.
fn shown(text: &str, most: usize) -> String {
    // Far more than is shown need not be looked at.
    let words: Vec<&str> =
        text.char_indices().nth(4 * most).map_or(text, |(cut, _)| &text[..cut]).split_whitespace().collect();
    shortened(&printable(&words.join(" ")), most)
}
