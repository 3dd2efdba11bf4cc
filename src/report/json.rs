//! The study itself, as JSON: the source of every other format, here and
//! elsewhere, now and later.
#![doc = include_str!("json.md")]

use std::io::{self, Write};

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use serde_json::Serializer;
use serde_json::ser::Formatter;

use super::Row;
use super::hyperfine::{self, Result as HyperfineResult};
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
    let saved = Saved { study, results: hyperfine::results(study) };
    saved.serialize(&mut serializer).context("write the study as JSON")?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// The study's own keys, then those that hyperfine's scripts read.
#[derive(Serialize)]
struct Saved<'a> {
    #[serde(flatten)]
    study: &'a Study,
    results: Vec<HyperfineResult>,
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
/// When it is not JSON, not a study, or of another version of the schema.
pub fn read(bytes: &[u8]) -> anyhow::Result<Study> {
    // At once into its own shape: a tree of values would take ten times the room.
    let error = match serde_json::from_slice::<Study>(bytes) {
        Ok(study) if study.schema == SCHEMA => return Ok(study),
        Ok(_) => None,
        Err(error) => Some(error),
    };
    match (serde_json::from_slice::<Head>(bytes).map(|head| head.schema), error) {
        (Ok(Some(schema)), _) if schema != SCHEMA => {
            bail!("its schema is {schema:?}, and this version of parsim reads {SCHEMA:?}")
        }
        (Ok(Some(_)), Some(error)) => Err(error).context("a saved study, but a damaged one"),
        (Ok(_), _) => bail!("not a study that parsim saved: JSON without \"schema\""),
        (Err(error), _) if bytes.first() == Some(&b'{') && error.is_eof() => {
            Err(error).context("cut off before its end")
        }
        (Err(error), _) => Err(error).context("not a study that parsim saved: not a JSON object"),
    }
}

/// As much of a saved file as tells what it is.
#[derive(Deserialize)]
struct Head {
    schema: Option<String>,
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

    #[test]
    fn what_is_no_study_is_refused_with_the_reason() {
        let refused = |text: &str| format!("{:#}", read(text.as_bytes()).unwrap_err());
        let whole = String::from_utf8(render(&crate::study::tests::empty()).unwrap()).unwrap();
        assert!(refused(&whole[..whole.len() - 20]).starts_with("cut off before its end: "));
        assert!(
            refused(&whole.replace("\"waits\"", "\"weights\""))
                .contains("a damaged one: missing field `waits`")
        );
        assert!(refused(r#"{"results":[]}"#).contains("without \"schema\""));
        assert!(refused("a,b\n1,2\n").starts_with("not a study that parsim saved: "));
        assert!(refused("").starts_with("not a study that parsim saved: "));
        assert!(refused("[1]").starts_with("not a study that parsim saved: "));
    }
}
