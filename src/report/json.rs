//! The study itself, as JSON: the source of every other format, here and
//! elsewhere, now and later.
#![doc = include_str!("json.md")]

use std::io::{self, Write};

use anyhow::{Context as _, ensure};
use serde::Serialize as _;
use serde_json::Serializer;
use serde_json::ser::Formatter;

use super::Row;
use crate::study::{SCHEMA, Study};

/// The row of the table of formats.
pub const ROW: Row = Row { option: "export-json", about: "the whole study as JSON", render };

/// Writes `study` as indented JSON with a newline at the end.
///
/// # Errors
/// When a figure of the study is not a finite number.
pub fn render(study: &Study) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, Shallow::default());
    study.serialize(&mut serializer).context("write the study as JSON")?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Indents down to the records, and puts each of these on a line of its own: a
/// hundred thousand tasks stay readable and small.
#[derive(Default)]
struct Shallow {
    depth: usize,
    /// Whether the array or object that ends next holds anything.
    holds_any: bool,
}

/// The depth inside a record of the study: `columns[].runs[].records[]`.
const RECORD: usize = 7;

impl Shallow {
    fn open<W: ?Sized + Write>(&mut self, writer: &mut W, bracket: u8) -> io::Result<()> {
        self.depth += 1;
        self.holds_any = false;
        writer.write_all(&[bracket])
    }

    fn next<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if !first {
            writer.write_all(b",")?;
        }
        self.break_line(writer, first)
    }

    fn close<W: ?Sized + Write>(&mut self, writer: &mut W, bracket: u8) -> io::Result<()> {
        let was_deep = self.depth >= RECORD;
        self.depth -= 1;
        if self.holds_any && !was_deep {
            self.break_line(writer, true)?;
        }
        self.holds_any = true;
        writer.write_all(&[bracket])
    }

    fn break_line<W: ?Sized + Write>(&self, writer: &mut W, first: bool) -> io::Result<()> {
        match self.depth {
            RECORD.. if first => Ok(()),
            RECORD.. => writer.write_all(b" "),
            depth => write!(writer, "\n{:1$}", "", 2 * depth),
        }
    }
}

impl Formatter for Shallow {
    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open(writer, b'[')
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b']')
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.next(writer, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, _writer: &mut W) -> io::Result<()> {
        self.holds_any = true;
        Ok(())
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open(writer, b'{')
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b'}')
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.next(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, _writer: &mut W) -> io::Result<()> {
        self.holds_any = true;
        Ok(())
    }
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
