//! Cone searches: what is sent to a service (TAP or Simple Cone Search), and what its answer
//! comes to.
//!
//! Sends nothing and reads nothing: see [`super::votable`] for that.
//!
//! Sources: Simple Cone Search 1.03 with the draft of 1.1, TAP 1.1, ADQL 2.1, DALI 1.1.

use std::borrow::Cow;

use super::votable::{Datatype, Field, QueryStatus, TableSummary, TableWriter};
use super::{ParseError, ParseErrorKind};

/// A circle in the sky, in degrees, ICRS.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SkyCone {
    /// Right ascension of the centre.
    pub ra: f64,
    /// Declination of the centre.
    pub dec: f64,
    /// Radius.
    pub radius: f64,
}

/// How a service is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConeProtocol {
    /// Table Access Protocol: a query in ADQL.
    Tap,
    /// Simple Cone Search: a position and a radius in the URL.
    Scs,
}

/// A number as every service reads it: no exponent, and the digits that a double needs to be
/// read back as the same.
#[must_use]
pub fn decimal(number: f64) -> String {
    format!("{}", number + 0.0)
}

/// The URL that asks a Simple Cone Search service at `base`, whose own query is kept.
/// `verbosity` is 1 to 3, how many columns are wanted.
#[must_use]
pub fn scs_url(base: &str, cone: &SkyCone, verbosity: Option<u8>, most_rows: Option<u64>) -> String {
    let base = base.split_once('#').map_or(base, |(base, _)| base);
    let separator = match base.split_once('?') {
        None => "?",
        Some((_, query)) if query.is_empty() || query.ends_with('&') => "",
        Some(_) => "&",
    };
    // Services that keep to the standard refuse what is not from 0 to 360.
    let ra = cone.ra.rem_euclid(360.0);
    let ra = if ra < 360.0 { ra } else { 0.0 };
    let (ra, dec, radius) = (decimal(ra), decimal(cone.dec), decimal(cone.radius));
    let mut url = format!("{base}{separator}RA={ra}&DEC={dec}&SR={radius}");
    if let Some(verbosity) = verbosity {
        url += &format!("&VERB={verbosity}");
    }
    if let Some(most_rows) = most_rows {
        url += &format!("&MAXREC={most_rows}");
    }
    url
}

/// A table that TAP queries search: names as they are written in ADQL, quoted where they have
/// to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkyTable {
    /// The table.
    pub name: String,
    /// Its column of right ascensions in degrees.
    pub ra: String,
    /// Its column of declinations in degrees.
    pub dec: String,
    /// The columns that are wanted; none means all.
    pub columns: Vec<String>,
}

/// What the uploaded table is called in queries: the name of the form's part, too.
pub const UPLOAD_NAME: &str = "t";

/// The column of an answer that says which of the uploaded targets a row belongs to.
pub const UPLOAD_ID: &str = "target_id";

impl SkyTable {
    /// The query for one cone.
    #[must_use]
    pub fn cone_adql(&self, cone: &SkyCone) -> String {
        let Self { name, ra, dec, columns } = self;
        let columns = if columns.is_empty() { "*".to_owned() } else { columns.join(", ") };
        let circle = circle(&decimal(cone.ra), &decimal(cone.dec), &decimal(cone.radius));
        format!("SELECT {columns} FROM {name} WHERE 1=CONTAINS(POINT('ICRS',{ra},{dec}),{circle})")
    }

    /// The query for all cones of an uploaded table, see [`upload`]. `radius` is theirs, where
    /// they share one: services find more by a number than by a column.
    #[must_use]
    pub fn upload_adql(&self, radius: Option<f64>) -> String {
        let Self { name, ra, dec, columns } = self;
        let own = |column: &String| format!("o.{column}");
        let columns = if columns.is_empty() {
            "o.*".to_owned()
        } else {
            columns.iter().map(own).collect::<Vec<String>>().join(", ")
        };
        let radius = radius.map_or_else(|| format!("{UPLOAD_NAME}.target_radius"), decimal);
        let circle =
            circle(&format!("{UPLOAD_NAME}.target_ra"), &format!("{UPLOAD_NAME}.target_dec"), &radius);
        format!(
            "SELECT {UPLOAD_NAME}.{UPLOAD_ID}, {columns} FROM TAP_UPLOAD.{UPLOAD_NAME} AS {UPLOAD_NAME} \
             JOIN {name} AS o ON 1=CONTAINS(POINT('ICRS',o.{ra},o.{dec}),{circle})"
        )
    }
}

fn circle(ra: &str, dec: &str, radius: &str) -> String {
    format!("CIRCLE('ICRS',{ra},{dec},{radius})")
}

/// The parameters of a synchronous query whose rows come as `TABLEDATA`; at most `most_rows`,
/// where that is said, else as many as the service sends.
#[must_use]
pub fn tap_form(adql: &str, most_rows: Option<u64>) -> Vec<(&'static str, String)> {
    let mut form = vec![
        ("REQUEST", "doQuery".to_owned()),
        ("LANG", "ADQL".to_owned()),
        ("FORMAT", "votable/td".to_owned()),
    ];
    form.extend(most_rows.map(|most_rows| ("MAXREC", most_rows.to_string())));
    form.push(("QUERY", adql.to_owned()));
    form
}

/// The parameter that goes with an uploaded table, whose part of the form has the name
/// [`UPLOAD_NAME`].
#[must_use]
pub fn upload_parameter() -> (&'static str, String) {
    ("UPLOAD", format!("{UPLOAD_NAME},param:{UPLOAD_NAME}"))
}

/// The table to upload: each target's number and its cone.
///
/// # Panics
/// Never: memory takes all that is written.
#[must_use]
pub fn upload(targets: impl IntoIterator<Item = (u64, SkyCone)>) -> Vec<u8> {
    let field = |name: &str, datatype: Datatype, unit: Option<&str>| Field {
        name: name.to_owned(),
        datatype,
        unit: unit.map(str::to_owned),
        ..Field::default()
    };
    let fields = [
        field(UPLOAD_ID, Datatype::Long, None),
        field("target_ra", Datatype::Double, Some("deg")),
        field("target_dec", Datatype::Double, Some("deg")),
        field("target_radius", Datatype::Double, Some("deg")),
    ];
    let written = TableWriter::begin(Vec::new(), "Targets", &fields).and_then(|mut writer| {
        for (number, cone) in targets {
            let cells = [number.to_string(), decimal(cone.ra), decimal(cone.dec), decimal(cone.radius)];
            writer.row(cells.iter().map(|cell| Some(cell.as_str())))?;
        }
        writer.end(true)
    });
    written.expect("memory takes all that is written")
}

/// Which columns of an answer hold what a cone search is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConeColumns {
    /// What each source is called.
    pub id: Option<usize>,
    /// Where it is, in degrees: right ascension and declination.
    pub position: Option<(usize, usize)>,
}

impl ConeColumns {
    /// Finds them: a position by the names that were asked for, where there were any, then by
    /// what the fields say they are (UCD), and last by names that are usual.
    #[must_use]
    pub fn of(fields: &[Field], asked: Option<(&str, &str)>) -> Self {
        let by_name = |name: &str| only(fields, |field| is_angle(field) && is_called(field, name));
        let by_ucd = |ucds: [&str; 2]| {
            let mut found =
                ucds.iter().map(|ucd| first(fields, |field| is_angle(field) && is_meant(field, ucd)));
            found.find_map(|found| found)
        };
        let asked = asked.and_then(|(ra, dec)| by_name(ra).zip(by_name(dec)));
        let main = || by_ucd(RA_MAIN).zip(by_ucd(DEC_MAIN));
        let plain = || by_ucd(RA).zip(by_ucd(DEC));
        let usual = || USUAL_NAMES.iter().find_map(|(ra, dec)| by_name(ra).zip(by_name(dec)));
        let id = ID.iter().find_map(|ucd| first(fields, |field| is_meant(field, ucd)));
        Self {
            id: id.or_else(|| first(fields, |field| is_called(field, "main_id"))),
            position: asked.or_else(main).or_else(plain).or_else(usual),
        }
    }
}

/// What the fields are by Unified Content Descriptors, of today and of version 1.
const RA_MAIN: [&str; 2] = ["pos.eq.ra;meta.main", "POS_EQ_RA_MAIN"];
const DEC_MAIN: [&str; 2] = ["pos.eq.dec;meta.main", "POS_EQ_DEC_MAIN"];
const RA: [&str; 2] = ["pos.eq.ra", "POS_EQ_RA"];
const DEC: [&str; 2] = ["pos.eq.dec", "POS_EQ_DEC"];
const ID: [&str; 3] = ["meta.id;meta.main", "ID_MAIN", "meta.id"];

const USUAL_NAMES: [(&str, &str); 5] =
    [("ra", "dec"), ("_RAJ2000", "_DEJ2000"), ("RAJ2000", "DEJ2000"), ("RA_ICRS", "DE_ICRS"), ("ra", "de")];

fn first(fields: &[Field], is_it: impl Fn(&Field) -> bool) -> Option<usize> {
    fields.iter().position(is_it)
}

/// The only one: two of one name tell nothing.
fn only(fields: &[Field], is_it: impl Fn(&Field) -> bool) -> Option<usize> {
    let found = fields.iter().position(&is_it)?;
    fields.iter().skip(found + 1).all(|field| !is_it(field)).then_some(found)
}

fn is_called(field: &Field, name: &str) -> bool {
    field.name.eq_ignore_ascii_case(name.trim_matches('"'))
}

fn is_meant(field: &Field, ucd: &str) -> bool {
    field.ucd.as_deref().is_some_and(|found| found.eq_ignore_ascii_case(ucd))
}

/// Whether values can be angles in degrees: sexagesimal texts and radians are not.
fn is_angle(field: &Field) -> bool {
    let unit = field.unit.as_deref().unwrap_or_default().to_ascii_lowercase();
    !field.datatype.is_text() && (unit.is_empty() || unit.starts_with("deg"))
}

/// What an answer that could be read to its end comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConeAnswer {
    /// All rows, as the service says; with Simple Cone Search it need not.
    Complete,
    /// Rows, and not a word on whether they are all: TAP has to say it.
    NoStatus,
    /// There are more rows than came.
    Overflow,
    /// The service could not answer, in its words, which may be none.
    Failed(String),
    /// There is no table to be read, and why.
    NoTable(ParseError),
}

impl ConeAnswer {
    /// Judges an answer by what it says beside its rows.
    #[must_use]
    pub fn of(summary: &TableSummary, protocol: ConeProtocol) -> Self {
        let is_tap = protocol == ConeProtocol::Tap;
        let has_status = matches!(summary.status, QueryStatus::Ok | QueryStatus::Overflow);
        match (&summary.status, &summary.error) {
            (QueryStatus::Error(text), None) => return Self::Failed(text.clone()),
            (QueryStatus::Error(text), Some(error)) => {
                let text = if text.is_empty() { error } else { text };
                return Self::Failed(text.clone());
            }
            // In TAP it is no error to call an INFO so.
            (_, Some(error)) if !is_tap || !has_status => return Self::Failed(error.clone()),
            (QueryStatus::Unknown(_), None) if is_tap => {
                let flaw = summary.status.flaw().unwrap_or_default();
                return Self::NoTable(ParseError::bad_value(flaw));
            }
            _ => {}
        }
        if let Some(flaw) = table_flaw(summary) {
            return Self::NoTable(flaw);
        }
        match summary.status {
            QueryStatus::Overflow => Self::Overflow,
            QueryStatus::Missing if is_tap => Self::NoStatus,
            _ => Self::Complete,
        }
    }
}

/// Why there are no rows to be read, where there should be some.
fn table_flaw(summary: &TableSummary) -> Option<ParseError> {
    let wrong = |text: String| ParseError::new(ParseErrorKind::WrongDocument, text);
    match (summary.fields, &summary.unread) {
        (None, _) => {
            let said = summary.description.as_deref().unwrap_or_default();
            let said: Cow<'_, str> = match said {
                "" => "".into(),
                said => format!(", and says: {}", super::sniff::head(said, 200)).into(),
            };
            Some(wrong(format!("the answer has no TABLE{said}")))
        }
        (Some(0), _) => Some(wrong("the answer's TABLE has no FIELD".to_owned())),
        (Some(_), Some(why)) => Some(ParseError::bad_value(why.clone())),
        (Some(_), None) => None,
    }
}

#[cfg(test)]
mod tests;
