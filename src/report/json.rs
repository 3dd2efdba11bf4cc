//! The study itself, as JSON: the source of every other format, here and
//! elsewhere, now and later.
#![doc = include_str!("json.md")]

use anyhow::{Context as _, ensure};

use super::Row;
use crate::study::{SCHEMA, Study};

/// The row of the table of formats.
pub const ROW: Row = Row { option: "export-json", about: "the whole study as JSON", render };

/// Writes `study` as indented JSON with a newline at the end.
///
/// # Errors
/// When a figure of the study is not a finite number.
pub fn render(study: &Study) -> anyhow::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(study).context("write the study as JSON")?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Reads what [`render`] wrote.
///
/// # Errors
/// When it is not JSON, or of another version of the schema.
pub fn read(bytes: &[u8]) -> anyhow::Result<Study> {
    let value: serde_json::Value = serde_json::from_slice(bytes).context("not a saved study: not JSON")?;
    let schema = value.get("schema").and_then(serde_json::Value::as_str).unwrap_or("none");
    ensure!(schema == SCHEMA, "its schema is {schema}, and this version of parsim reads {SCHEMA}");
    serde_json::from_value(value).context("not a saved study")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_the_same() {
        let study = crate::study::tests::empty();
        assert_eq!(read(&render(&study).unwrap()).unwrap(), study);
    }

    #[test]
    fn another_schema_is_refused_by_name() {
        let error = read(br#"{"schema":"parsim-study/999"}"#).unwrap_err().to_string();
        assert!(error.contains("parsim-study/999") && error.contains(SCHEMA), "{error}");
    }
}
