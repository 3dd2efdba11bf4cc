//! A study as bytes, and what changed between two: the table of formats.
//!
//! Every format is a pure function of a [`Study`]; none knows where its bytes
//! go. What people read is a document first (`document`: what is in it, and in
//! which order, `overview` says for a study, `change` for two), which text,
//! Markdown and pages draw; what programs read is written from the study itself.
//!
//! A new format is a file here and a row in [`ROWS`]: the option `--export-NAME`,
//! its help and the saving come from the row.

pub mod change;
mod command_line;
mod csv;
mod document;
#[cfg(feature = "html")]
mod html;
pub mod json;
mod junit;
mod laws;
mod markdown;
mod nodes;
mod overview;
mod prometheus;
mod sentences;
pub(crate) mod services;
pub(crate) mod summary;
mod tables;
mod terminal;
pub mod text;
mod tiles;
mod timeline;
mod trace;

#[cfg(feature = "html")]
pub use html::page as html;
pub use terminal::{Look, Pictures};

use std::io::Write;

use crate::study::{History, Study};

/// Draws a study, piece by piece where it may be long.
pub type Render = fn(&Study, &mut dyn Write) -> anyhow::Result<()>;

/// Draws what changed between two studies.
pub type RenderChange = fn(&change::StudyPair<'_>, &mut dyn Write) -> anyhow::Result<()>;

/// Draws a history of services, which is kept in the file of this name.
pub type RenderHistory = fn(&History, &str, &mut dyn Write) -> anyhow::Result<()>;

/// A format that can be exported to a file.
#[derive(Clone, Copy)]
pub struct Format {
    /// The option without its dashes: `export-json`.
    pub option: &'static str,
    /// One line of help.
    pub about: &'static str,
    /// Whether it tells what half a run found out, as of services one by one; the
    /// others tell of whole runs only.
    pub tells_half_a_run: bool,
    /// Draws it.
    pub render: Render,
    /// Draws what changed between two; `None` where the format is of one study.
    pub between: Option<RenderChange>,
    /// Draws a history of services; `None` where the format is of studies.
    pub history: Option<RenderHistory>,
}

/// Every format that can be exported.
pub const ROWS: &[Format] = &[
    json::ROW,
    csv::ROW,
    markdown::ROW,
    #[cfg(feature = "html")]
    html::ROW,
    junit::ROW,
    trace::ROW,
    prometheus::ROW,
];

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod tests {
    use super::*;

    /// What `render` draws of `study`.
    pub(super) fn drawn(render: Render, study: &Study) -> Vec<u8> {
        let mut bytes = Vec::new();
        render(study, &mut bytes).unwrap();
        bytes
    }
}
