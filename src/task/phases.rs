//! The phases of a check of a service: what the spans of its record are called, and how long
//! one may take.

use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::numbers::read_duration;

/// The phases in the order in which they come.
pub const PHASES: [&str; 7] = ["resolve", "connect", "tls", "first_byte", "body", "query", "deep"];

/// The longest that a check of a service may take, or a phase of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LatencyLimit {
    /// The name of the phase's span; the whole check without one.
    pub phase: Option<String>,
    /// The longest it may take.
    pub most: Duration,
}

impl FromStr for LatencyLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (phase, most) = match text.split_once('=') {
            Some((phase, most)) if PHASES.contains(&phase) => (Some(phase.to_owned()), most),
            Some((phase, _)) => {
                return Err(format!("no phase is called {phase:?}: try {}", PHASES.join(", ")));
            }
            None => (None, text),
        };
        Ok(Self { phase, most: read_duration(most)? })
    }
}

impl TryFrom<String> for LatencyLimit {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<LatencyLimit> for String {
    fn from(limit: LatencyLimit) -> Self {
        let phase = limit.phase.map_or_else(Self::new, |phase| format!("{phase}="));
        format!("{phase}{}", limit.most.as_secs_f64())
    }
}
