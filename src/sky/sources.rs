//! Which sources are drawn, where, and how large.

use std::cmp::Ordering;

use super::field::{FieldOfView, is_inside};
use super::plane::separation;
use super::symbol::ObjectKind;
use super::{FinderChart, SkySource, sexagesimal, shown};
use crate::sorting;
use crate::svg::Svg;
use crate::task::ConeSource;

/// Sources that are drawn at most: more than that hide each other.
const MOST_DRAWN: usize = 1000;

/// Magnitudes beyond these stand for unknown ones: the Sun has -26.8, and what the largest
/// telescopes see ends at 32.
const MAGNITUDES: std::ops::RangeInclusive<f64> = -30.0..=35.0;

/// Radii of the brightest and of the faintest source, and of one without a magnitude: beside
/// others that have one, and where none has.
const LARGEST: f64 = 8.0;
const SMALLEST: f64 = 1.6;
const WITHOUT: f64 = 2.4;
const ALL_WITHOUT: f64 = 4.0;

/// Characters that are shown of what a source is called when it is pointed at.
const LONGEST_IN_TOOLTIP: usize = 120;

/// The magnitude of `source`, if it can be one.
pub(super) fn known_magnitude(source: &SkySource<'_>) -> Option<f64> {
    source.magnitude.filter(|magnitude| MAGNITUDES.contains(magnitude))
}

/// Sorts `sources`, the brightest first, and keeps `most` of them; how many are left out.
/// Those that are equally bright stay in their order.
pub fn keep_brightest(sources: &mut Vec<ConeSource>, most: usize) -> u64 {
    let dimness = |source: &ConeSource| known_magnitude(&source.into()).unwrap_or(f64::INFINITY);
    sorting::sort_by(sources, |one, other| dimness(one).total_cmp(&dimness(other)));
    let n_left_out = sources.len().saturating_sub(most);
    sources.truncate(most);
    n_left_out as u64
}

/// The size of a symbol by its magnitude.
#[derive(Clone, Copy, Debug)]
pub(super) struct MagnitudeScale {
    /// Of the largest symbol: a whole number.
    pub(super) bright: f64,
    /// Of the smallest.
    pub(super) faint: f64,
}

impl MagnitudeScale {
    fn of(magnitudes: impl Iterator<Item = f64>) -> Option<Self> {
        let ends = magnitudes.fold(None, |ends: Option<(f64, f64)>, magnitude| {
            let (least, most) = ends.unwrap_or((magnitude, magnitude));
            Some((least.min(magnitude), most.max(magnitude)))
        });
        let (least, most) = ends?;
        let bright = least.floor();
        // A few alike are not the brightest and the faintest of all.
        Some(Self { bright, faint: most.ceil().max(bright + 4.0) })
    }

    /// How large a source of this magnitude is drawn.
    pub(super) fn radius(&self, magnitude: f64) -> f64 {
        let share = (magnitude - self.bright) / (self.faint - self.bright);
        LARGEST + (SMALLEST - LARGEST) * share.clamp(0.0, 1.0)
    }
}

/// A source with its place in the chart.
#[derive(Clone, Debug)]
pub(super) struct Drawn<'a> {
    pub(super) source: &'a SkySource<'a>,
    pub(super) kind: ObjectKind,
    pub(super) magnitude: Option<f64>,
    /// Degrees from the centre.
    separation: f64,
    pub(super) at: (f64, f64),
    pub(super) radius: f64,
}

impl Drawn<'_> {
    /// Draws its symbol, which says what it is when it is pointed at.
    pub(super) fn draw(&self, svg: &mut Svg) {
        let mut title = shown(self.source.id, LONGEST_IN_TOOLTIP);
        if let Some(kind) = self.source.kind {
            title += &format!(" · {}", shown(kind, LONGEST_IN_TOOLTIP));
        }
        if let Some(magnitude) = self.magnitude {
            title += &format!(" · mag {}", (magnitude * 1000.0).round() / 1000.0);
        }
        title += &format!(" · {} from the centre", sexagesimal::angle(self.separation));
        svg.path_with_title(self.kind.class(), &self.kind.path(self.at, self.radius), &title);
    }
}

/// What is drawn of all that was found.
pub(super) struct Selection<'a> {
    /// Brightest first.
    pub(super) drawn: Vec<Drawn<'a>>,
    /// By which magnitude each is so large; `None` where none has one.
    pub(super) scale: Option<MagnitudeScale>,
    /// Whether any has a type.
    pub(super) has_kinds: bool,
    /// How many there are in the field, with those that are only known to be dimmer.
    pub(super) in_field: u64,
    /// How many are outside of it.
    pub(super) outside: usize,
}

impl<'a> Selection<'a> {
    /// The brightest of the chart's sources, and of those without a magnitude the nearest.
    pub(super) fn of(chart: &'a FinderChart<'a>, field: &FieldOfView) -> Self {
        let has_kinds =
            chart.sources.iter().any(|source| source.kind.is_some_and(|kind| !kind.trim().is_empty()));
        let placed = chart.sources.iter().filter_map(|source| {
            let at = field.at((source.ra, source.dec)).filter(|at| is_inside(*at, 0.0))?;
            let kind =
                if has_kinds { ObjectKind::of(source.kind.unwrap_or_default()) } else { ObjectKind::Star };
            let magnitude = known_magnitude(source);
            let separation = separation(chart.centre, (source.ra, source.dec));
            Some(Drawn { source, kind, magnitude, separation, at, radius: ALL_WITHOUT })
        });
        let mut drawn: Vec<Drawn<'a>> = placed.collect();
        let in_field = drawn.len();
        sorting::sort_by(&mut drawn, Drawn::before);
        drawn.truncate(MOST_DRAWN);
        let scale = MagnitudeScale::of(drawn.iter().filter_map(|source| source.magnitude));
        if let Some(scale) = scale {
            for source in &mut drawn {
                source.radius = source.magnitude.map_or(WITHOUT, |magnitude| scale.radius(magnitude));
            }
        }
        let outside = chart.sources.len() - in_field;
        Self { drawn, scale, has_kinds, in_field: in_field as u64 + chart.more, outside }
    }
}

impl Drawn<'_> {
    /// The order in which sources are drawn and named, whatever order they came in.
    fn before(&self, other: &Self) -> Ordering {
        let dimness = |source: &Self| source.magnitude.unwrap_or(f64::INFINITY);
        dimness(self)
            .total_cmp(&dimness(other))
            .then(self.separation.total_cmp(&other.separation))
            .then_with(|| self.source.id.cmp(other.source.id))
    }
}
