//! A synchronous TAP query: what is sent, and what the answer says of itself.
//!
//! DALI puts the status of a query into the `VOTable`, whatever the status of
//! HTTP: `OK` before the table, and once more behind it when something went
//! wrong on the way. So a document is read to its end.

use std::fmt;

use roxmltree::Node;
use serde::{Deserialize, Serialize};

use super::ParseError;
use super::sniff::head;
use super::xml::{self, has_name};

/// A query that every TAP service can answer: TAP requires the table.
pub const QUERY: &str = "SELECT TOP 1 table_name FROM TAP_SCHEMA.tables";

/// So many characters of what a service says of an error are kept.
const LONGEST_TEXT: usize = 2000;

/// What a service answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryAnswer {
    /// What it says of the query.
    pub status: QueryStatus,
    /// How many fields its table has; `None` where there is no table.
    pub fields: Option<usize>,
    /// The rows that came.
    pub rows: RowCount,
}

/// What a service says of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueryStatus {
    /// Done.
    Ok,
    /// Done, and there are more rows than were asked for.
    Overflow,
    /// Not done, in the service's words.
    Error(String),
    /// A word that means nothing.
    Unknown(String),
    /// Nothing, which no answer may do.
    Missing,
}

impl QueryStatus {
    /// What a `QUERY_STATUS` of this value says, with the text within it.
    pub(super) fn read(value: &str, text: &str) -> Self {
        match value.trim().to_ascii_uppercase().as_str() {
            "OK" => Self::Ok,
            "OVERFLOW" => Self::Overflow,
            "ERROR" => Self::Error(text.to_owned()),
            _ => Self::Unknown(value.trim().to_owned()),
        }
    }

    /// Takes in what is said further on: the worst counts.
    pub(super) fn add(&mut self, further: Self) {
        match (&*self, &further) {
            (Self::Error(_) | Self::Unknown(_), _) | (_, Self::Missing) | (Self::Overflow, Self::Ok) => {}
            _ => *self = further,
        }
    }
}

/// The rows of an answer; as data a number or `some`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RowCount {
    /// Some, in a binary serialisation that is not read here.
    Some,
    /// So many.
    #[serde(untagged)]
    Counted(u64),
}

impl fmt::Display for RowCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Some => f.pad("some"),
            Self::Counted(count) => count.fmt(f),
        }
    }
}

/// The parameters of a synchronous query, to be sent as a form to `sync`.
#[must_use]
pub fn query_form(adql: &str, most_rows: u32) -> Vec<(&'static str, String)> {
    vec![
        ("REQUEST", "doQuery".to_owned()),
        ("LANG", "ADQL".to_owned()),
        ("MAXREC", most_rows.to_string()),
        ("QUERY", adql.to_owned()),
    ]
}

/// Reads the `VOTable` that answers a query, to its end.
///
/// # Errors
/// When it is no `VOTable`.
pub fn read_answer(bytes: &[u8], charset: Option<&str>) -> Result<QueryAnswer, ParseError> {
    let text = xml::text(bytes, charset)?;
    let tree = xml::tree(&text, xml::VOTABLE, |name, namespace| {
        let is_known = namespace.is_empty() || namespace.starts_with("http://www.ivoa.net/xml/VOTable/");
        name == "VOTABLE" && is_known
    })?;
    let root = tree.root_element();
    let results = root
        .descendants()
        .filter(|node| has_name(node, "RESOURCE"))
        .find(|node| node.attribute("type").is_some_and(|kind| kind.eq_ignore_ascii_case("results")))
        .or_else(|| root.children().find(|node| has_name(node, "RESOURCE")));
    let mut status = QueryStatus::Missing;
    let at_root = root.children();
    let within =
        results.into_iter().flat_map(|results| results.descendants().map(move |node| (node, results)));
    let infos = at_root.map(|node| (node, root)).chain(within);
    for (info, place) in infos.filter(|(node, _)| has_name(node, "INFO")) {
        if info.attribute("name").is_some_and(|name| name.eq_ignore_ascii_case("QUERY_STATUS")) {
            // Further within, as behind a table's data, only a failure counts.
            let is_error = |value: &str| value.trim().eq_ignore_ascii_case("ERROR");
            if info.parent() != Some(place) && !info.attribute("value").is_some_and(is_error) {
                continue;
            }
            let value = info.attribute("value").unwrap_or("").trim();
            status = match (status, value.to_ascii_uppercase().as_str()) {
                (known @ (QueryStatus::Error(_) | QueryStatus::Unknown(_)), _) => known,
                (QueryStatus::Overflow, "OK") | (_, "OVERFLOW") => QueryStatus::Overflow,
                (_, "OK") => QueryStatus::Ok,
                (_, "ERROR") => QueryStatus::Error(xml::text_below(info)),
                (_, _) => QueryStatus::Unknown(value.to_owned()),
            };
        }
    }
    let table = results.and_then(|results| results.descendants().find(|node| has_name(node, "TABLE")));
    Ok(QueryAnswer { status, fields: table.map(fields), rows: table.map_or(RowCount::Counted(0), rows) })
}

/// How many fields a table has, its own or those of the one that it refers to.
fn fields(table: Node<'_, '_>) -> usize {
    let fields_of = |table: Node<'_, '_>| table.children().filter(|node| has_name(node, "FIELD")).count();
    let referred = table.attribute("ref").and_then(|name| {
        let mut nodes = table.document().descendants();
        nodes.find(|node| has_name(node, "TABLE") && node.attribute("ID") == Some(name))
    });
    match fields_of(table) {
        0 => referred.map_or(0, fields_of),
        count => count,
    }
}

/// The rows of a table.
fn rows(table: Node<'_, '_>) -> RowCount {
    let data = table.children().find(|node| has_name(node, "DATA"));
    let Some(kind) = data.and_then(|data| data.first_element_child()) else { return RowCount::Counted(0) };
    if has_name(&kind, "TABLEDATA") {
        return RowCount::Counted(kind.children().filter(|node| has_name(node, "TR")).count() as u64);
    }
    // BINARY, BINARY2 and FITS hold a stream, in place or elsewhere.
    let stream = kind.descendants().find(|node| has_name(node, "STREAM"));
    let is_empty = |stream: Node<'_, '_>| !stream.has_attribute("href") && xml::text_below(stream).is_empty();
    if stream.is_none_or(is_empty) { RowCount::Counted(0) } else { RowCount::Some }
}

impl QueryAnswer {
    /// Why the query cannot be called answered; `None` where it can.
    #[must_use]
    pub fn failure(&self) -> Option<ParseError> {
        let text = match (&self.status, self.fields) {
            (QueryStatus::Error(text), _) if text.is_empty() => "QUERY_STATUS is ERROR".to_owned(),
            (QueryStatus::Error(text), _) => {
                format!("QUERY_STATUS is ERROR: {}", head(text, LONGEST_TEXT))
            }
            (QueryStatus::Unknown(word), _) => {
                format!("QUERY_STATUS is {:?}, which means nothing", head(word, 40))
            }
            (QueryStatus::Missing, _) => "the answer has no QUERY_STATUS".to_owned(),
            (QueryStatus::Ok | QueryStatus::Overflow, None) => "the answer has no TABLE".to_owned(),
            (QueryStatus::Ok | QueryStatus::Overflow, Some(0)) => {
                "the answer's TABLE has no FIELD".to_owned()
            }
            (QueryStatus::Ok | QueryStatus::Overflow, Some(_)) => return None,
        };
        Some(ParseError::bad_value(text))
    }
}
