//! A study as bytes: the trait of a format, and the table of formats.
//!
//! Every format is a pure function of a [`Study`]; none knows where its bytes
//! go. A new one is a file here and a row in [`ROWS`]: the option
//! `--export-NAME`, its help and the saving come from the row.

pub mod json;
pub mod prometheus;
pub mod services;
mod table;
pub mod text;

pub use table::{Line, Table};

use crate::study::Study;

/// Draws a study.
pub type Render = fn(&Study) -> anyhow::Result<Vec<u8>>;

/// A format that can be exported to a file.
#[derive(Clone, Copy)]
pub struct Row {
    /// The option without its dashes: `export-json`.
    pub option: &'static str,
    /// One line of help.
    pub about: &'static str,
    /// Draws it.
    pub render: Render,
}

/// Every format that can be exported.
pub const ROWS: &[Row] = &[json::ROW, prometheus::ROW];
