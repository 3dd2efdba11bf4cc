//! A study as bytes, and what changed between two: the table of formats.
//!
//! Every format is a pure function of a [`Study`]; none knows where its bytes
//! go. A new one is a file here and a row in [`ROWS`]: the option
//! `--export-NAME`, its help and the saving come from the row.

pub mod change;
pub mod csv;
mod document;
pub mod html;
mod hyperfine;
pub mod json;
pub mod junit;
mod look;
pub mod markdown;
pub mod prometheus;
pub mod services;
pub mod summary;
mod svg;
mod table;
pub mod terminal;
pub mod text;
mod timeline;
pub mod trace;

pub use look::{Look, Pictures};
pub use table::{Line, Table};

use std::io::Write;

use crate::study::Study;

/// Draws a study, piece by piece where it may be long.
pub type Render = fn(&Study, &mut dyn Write) -> anyhow::Result<()>;

/// Draws what changed between two studies.
pub type RenderChange = fn(&change::Pair<'_>, &mut dyn Write) -> anyhow::Result<()>;

/// A format that can be exported to a file.
#[derive(Clone, Copy)]
pub struct Row {
    /// The option without its dashes: `export-json`.
    pub option: &'static str,
    /// One line of help.
    pub about: &'static str,
    /// Draws it.
    pub render: Render,
    /// Draws what changed between two; `None` where the format is of one study.
    pub between: Option<RenderChange>,
}

impl Row {
    /// Whether it tells what half a run found out, as of services one by one; the
    /// others tell of whole runs only.
    #[must_use]
    pub fn tells_of_half_a_run(&self) -> bool {
        [json::ROW, markdown::ROW, html::ROW, junit::ROW, prometheus::ROW]
            .iter()
            .any(|row| row.option == self.option)
    }
}

/// Every format that can be exported.
pub const ROWS: &[Row] =
    &[json::ROW, csv::ROW, markdown::ROW, html::ROW, junit::ROW, trace::ROW, prometheus::ROW];

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
