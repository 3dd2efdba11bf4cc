//! What was found around a target, as far as a chart shows it: plain data.

use serde::{Deserialize, Serialize};

/// A cone, and the sources in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ConeChart {
    /// What it is a chart of.
    pub title: String,
    /// Right ascension and declination (ICRS) of its centre, in degrees.
    pub centre: (f64, f64),
    /// Radius in degrees.
    pub radius: f64,
    /// All of them, or the brightest.
    pub sources: Vec<ConeSource>,
    /// How many more there are.
    #[serde(default, skip_serializing_if = "is_none")]
    pub more: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_none(count: &u64) -> bool {
    *count == 0
}

/// One source.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ConeSource {
    /// What the catalogue calls it.
    pub id: String,
    /// Right ascension (ICRS) in degrees.
    pub ra: f64,
    /// Declination (ICRS) in degrees.
    pub dec: f64,
    /// The catalogue's type of object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// How bright it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub magnitude: Option<f64>,
}
