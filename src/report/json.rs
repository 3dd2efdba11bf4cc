//! The study itself, as JSON: the source of every other format, here and
//! elsewhere, now and later.
#![doc = include_str!("json.md")]

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Read, Write};

use anyhow::{Context as _, bail};
use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

use super::{Format, change};
use crate::numbers::nanos;
use crate::process::Uninterrupted;
use crate::study::{ColumnResult, EARLIER_SCHEMAS, SCHEMA, Spread, Study};
use crate::task::Record;

/// The row of the table of formats.
pub const ROW: Format = Format {
    option: "export-json",
    about: "the whole study as JSON",
    tells_half_a_run: true,
    render,
    between: Some(change::render_json),
    history: None,
};

/// Writes `study` as indented JSON with a newline at the end.
///
/// # Errors
/// When a figure of the study is not a finite number, and those of writing.
pub fn render(study: &Study, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut serializer = Serializer::with_formatter(&mut *out, RecordLines::default());
    let saved = Saved { study, results: results(study) };
    saved.serialize(&mut serializer).context("cannot write the study as JSON")?;
    Ok(out.write_all(b"\n")?)
}

/// The study's own keys, then those that hyperfine's scripts read.
#[derive(Serialize)]
struct Saved<'a> {
    #[serde(flatten)]
    study: &'a Study,
    results: Vec<HyperfineResult>,
}

/// One column, as an entry of hyperfine's `results`.
#[derive(Debug, Serialize)]
pub(super) struct HyperfineResult {
    /// The column's name: `csv-gen serial`.
    pub(super) command: String,
    pub(super) mean: f64,
    /// Of the sample; none of a single run.
    pub(super) stddev: Option<f64>,
    pub(super) median: f64,
    pub(super) user: f64,
    pub(super) system: f64,
    pub(super) min: f64,
    pub(super) max: f64,
    /// The wall time of each run.
    pub(super) times: Vec<f64>,
    /// By name, as text, which is how hyperfine writes numbers, too.
    pub(super) parameters: BTreeMap<&'static str, String>,
}

/// The columns that were run, serial first.
fn results(study: &Study) -> Vec<HyperfineResult> {
    let columns = study.columns.iter().filter(|column| !column.runs.is_empty());
    columns.map(|column| hyperfine(study, column)).collect()
}

/// A column as hyperfine exports its commands, so that scripts and spreadsheets made
/// for it draw a study, too.
pub(super) fn hyperfine(study: &Study, column: &ColumnResult) -> HyperfineResult {
    let times: Vec<f64> = column.runs.iter().map(|run| nanos(run.wall.as_secs_f64())).collect();
    let n_runs = times.len() as f64;
    let Spread { mean, sigma, low, high } = Spread::of(&times);
    HyperfineResult {
        command: format!("{} {}", study.workload, study.name(column)),
        mean: nanos(mean),
        stddev: (times.len() > 1).then(|| nanos(sigma)),
        median: nanos(column.wall()),
        user: nanos(column.runs.iter().map(|run| run.usage.user.as_secs_f64()).sum::<f64>() / n_runs),
        system: nanos(column.runs.iter().map(|run| run.usage.sys.as_secs_f64()).sum::<f64>() / n_runs),
        min: low,
        max: high,
        times,
        parameters: BTreeMap::from([("way", column.way().to_owned()), ("jobs", column.width.to_string())]),
    }
}

/// Indents down to the records, and puts each of these on a line of its own: a
/// hundred thousand tasks stay readable and small.
#[derive(Default)]
struct RecordLines {
    depth: usize,
    /// Whether the array or object that ends next holds anything.
    holds_any: bool,
}

/// The depth inside a record of the study: `columns[].runs[].records[]`.
const RECORD: usize = 7;

impl RecordLines {
    fn open<W: ?Sized + Write>(&mut self, writer: &mut W, bracket: u8) -> io::Result<()> {
        self.depth += 1;
        self.holds_any = false;
        writer.write_all(&[bracket])
    }

    fn next<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.holds_any = true;
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

impl Formatter for RecordLines {
    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open(writer, b'[')
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b']')
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.next(writer, first)
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
}

/// Reads what [`render`] wrote, as it comes: a large study is not held twice. One of an
/// earlier schema is from then on as if it had been saved in today's.
///
/// # Errors
/// When it cannot be read, or is not a study, or of another version of the schema.
pub fn read(mut source: impl Read) -> anyhow::Result<Study> {
    study_from(&mut Uninterrupted(&mut source))
}

/// One for all sources: what reads a study is the largest thing that is compiled, and
/// blocks come through here, not bytes.
fn study_from(source: &mut dyn Read) -> anyhow::Result<Study> {
    let shallow = ShallowJson { source: source.take(LONGEST), depth: 0, at: JsonPlace::Structure };
    let mut source = BufReader::with_capacity(HEAD, shallow);
    let head = source.fill_buf()?.to_vec();
    match (serde_json::from_reader::<_, Study>(source), schema(&head)) {
        (_, Some(schema)) if schema != SCHEMA && !EARLIER_SCHEMAS.contains(&&*schema) => {
            bail!("its schema is {schema:?}, and this version of parsim reads {SCHEMA:?}")
        }
        (Ok(mut study), _) => match study.check() {
            Ok(()) => {
                renew(&mut study);
                Ok(Study { schema: SCHEMA.to_owned(), ..study })
            }
            Err(why) => Err(anyhow::Error::msg(why).context("a saved study, but a damaged one")),
        },
        (Err(error), _) if error.is_io() => Err(error.into()),
        (Err(error), Some(_)) if error.is_eof() => Err(error).context("cut off before its end"),
        (Err(error), Some(_)) => Err(error).context("a saved study, but a damaged one"),
        (Err(_), None) if head.starts_with(b"{") => {
            bail!("not a study that parsim saved: no \"schema\" at its start")
        }
        (Err(error), None) => Err(error).context("not a study that parsim saved: not a JSON object"),
    }
}

/// The schema whose records have findings among their facts.
const WITH_FACTS: &str = "parsim-study/1";

/// Makes the records of an old study what they are now.
fn renew(study: &mut Study) {
    if study.schema != WITH_FACTS {
        return;
    }
    let runs = study.columns.iter_mut().flat_map(|column| &mut column.runs);
    let of_runs = runs.map(|run| &mut run.records);
    let of_cut = study.cut.iter_mut().map(|cut| &mut cut.records);
    of_runs.chain(of_cut).for_each(|records| records.change(Record::renew));
}

/// A source of JSON that fails where arrays and objects are nested without end: a
/// reader keeps note of each, also of those that it passes over.
struct ShallowJson<'a> {
    source: io::Take<&'a mut dyn Read>,
    depth: usize,
    at: JsonPlace,
}

#[derive(Clone, Copy, PartialEq)]
enum JsonPlace {
    Structure,
    Text,
    /// Behind a backslash.
    Escaped,
}

/// Nested as deep as this, it is no study: these have a dozen.
const DEEPEST: usize = 128;

impl Read for ShallowJson<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(bytes)?;
        for byte in &bytes[..count] {
            self.at = match (self.at, byte) {
                (JsonPlace::Structure | JsonPlace::Escaped, b'"') | (JsonPlace::Escaped, _) => {
                    JsonPlace::Text
                }
                (JsonPlace::Text, b'\\') => JsonPlace::Escaped,
                (JsonPlace::Text, b'"') | (JsonPlace::Structure, _) => JsonPlace::Structure,
                (JsonPlace::Text, _) => JsonPlace::Text,
            };
            match byte {
                b'[' | b'{' if self.at == JsonPlace::Structure => self.depth += 1,
                b']' | b'}' if self.at == JsonPlace::Structure => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
        if self.depth > DEEPEST {
            return Err(io::Error::other("not a study that parsim saved: nested without end"));
        }
        Ok(count)
    }
}

/// A study of ten million tasks; what goes on behind that is cut off.
const LONGEST: u64 = 4 << 30;

/// So much is read at a time; what a study is stands at its very start.
const HEAD: usize = 1 << 16;

/// The schema that the start of a file names.
fn schema(head: &[u8]) -> Option<String> {
    let key = b"\"schema\"";
    let at = head.windows(key.len()).position(|window| window == key)?;
    let rest = head[at + key.len()..].trim_ascii_start().strip_prefix(b":")?;
    serde_json::Deserializer::from_slice(rest).into_iter::<String>().next()?.ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::Disturbed;
    use crate::report::tests::drawn;
    use crate::study::tests::both_ways;
    use crate::task::{ConeChart, ConeSource};

    #[test]
    fn what_is_written_is_read_back_the_same() {
        let study = crate::study::tests::empty();
        assert_eq!(read(&drawn(render, &study)[..]).unwrap(), study);
        let disturbed = Disturbed { bytes: &drawn(render, &study), is_next: false };
        assert_eq!(read(disturbed).unwrap(), study);
    }

    #[test]
    fn places_in_the_sky_are_read_back_to_the_last_bit() {
        let mut study = crate::study::tests::empty();
        let place = |number: u32| f64::from(number).sqrt() * 11.3;
        let sources = (0..1000).map(|number| ConeSource {
            ra: place(number),
            dec: -place(number) / 4.0,
            ..ConeSource::default()
        });
        study.charts = vec![ConeChart { sources: sources.collect(), ..ConeChart::default() }];
        assert_eq!(read(&drawn(render, &study)[..]).unwrap(), study);
    }

    #[test]
    fn another_schema_is_refused_by_name() {
        let error = read(&br#"{"schema":"parsim-study/999"}"#[..]).unwrap_err().to_string();
        assert!(error.contains("parsim-study/999") && error.contains(SCHEMA), "{error}");
    }

    #[test]
    fn what_is_no_study_is_refused_with_the_reason() {
        let refused = |text: &str| format!("{:#}", read(text.as_bytes()).unwrap_err());
        let whole = String::from_utf8(drawn(render, &crate::study::tests::empty())).unwrap();
        assert!(refused(&whole[..whole.len() - 20]).starts_with("cut off before its end: "));
        assert!(
            refused(&whole.replace("\"waits\"", "\"weights\""))
                .contains("a damaged one: missing field `waits`")
        );
        assert!(refused(r#"{"results":[]}"#).contains("no \"schema\" at its start"));
        assert!(refused("a,b\n1,2\n").starts_with("not a study that parsim saved: "));
        assert!(refused("").starts_with("not a study that parsim saved: "));
        assert!(refused("[1]").starts_with("not a study that parsim saved: "));
        let deep = |text: &str| refused(&text.repeat(200));
        for text in ["[", "{\"a\":[", "{\"schema\":", "[\"\\\"]\","] {
            assert_eq!(deep(text), "not a study that parsim saved: nested without end", "{text}");
        }
        for text in ["[]{}", "\"[{\",", "\"\\\"[\","] {
            assert!(!deep(text).contains("nested"), "{text}");
        }
    }

    #[test]
    fn the_spread_is_that_of_the_sample_and_a_single_run_has_none() {
        let study = both_ways(&[1000], &[400, 600, 500], 2);
        let [serial, parallel] = &results(&study)[..] else { panic!("two columns") };
        assert_eq!((serial.stddev, parallel.stddev), (None, Some(0.1)));
        assert!((parallel.mean - 0.5).abs() < 1e-12 && (parallel.max - 0.6).abs() < 1e-12);
        assert_eq!(parallel.parameters["jobs"], "2");
        assert_eq!(serial.command, "made-up serial");
    }
}
