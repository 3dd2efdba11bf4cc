//! What a document says beside its rows: how the query went, and what went wrong.

use super::super::sniff::head;
use super::fields::{Attributes, trimmed, value};
use super::status::QueryStatus;

/// So many characters of a text for people are kept.
pub const LONGEST_TEXT: usize = 4000;

/// What a document says beside its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSummary {
    /// What is said of the query (`QUERY_STATUS`), wherever it stands.
    pub status: QueryStatus,
    /// An error as Simple Cone Search has it: an `INFO` or `PARAM` called `Error`.
    pub error: Option<String>,
    /// What the document says of itself.
    pub description: Option<String>,
    /// How many fields the result has; `None` where there is no table.
    pub fields: Option<usize>,
    /// The rows of the result.
    pub rows: u64,
    /// Why its rows are not read, where they are not: as FITS, or in another document.
    pub unread: Option<String>,
}

/// How a resource ranks as the place of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    Not,
    Unmarked,
    Results,
}

/// Where something is said: in which resource (outside of all: none), and whether that place
/// speaks for the query, or only its failures count.
#[derive(Clone, Copy, Debug)]
pub struct SaidIn {
    pub rank: Option<Rank>,
    pub speaks: bool,
}

/// What is said of the query, by where it is said.
#[derive(Debug)]
pub struct Said {
    at_root: QueryStatus,
    unmarked: QueryStatus,
    results: QueryStatus,
    has_results: bool,
    error: Option<String>,
}

impl Said {
    pub fn nothing() -> Self {
        Self {
            at_root: QueryStatus::Missing,
            unmarked: QueryStatus::Missing,
            results: QueryStatus::Missing,
            has_results: false,
            error: None,
        }
    }

    /// There is a resource that is marked as the place of the result.
    pub fn note_results(&mut self) {
        self.has_results = true;
    }

    /// Takes in an `INFO`, `text` within it.
    pub fn note_info(&mut self, attributes: &Attributes, text: &str, place: SaidIn) {
        let said = value(attributes, "value").unwrap_or_default().trim();
        let text = trimmed(text);
        if is_error(attributes) {
            return self.note_error(if said.is_empty() { text } else { said });
        }
        let name = value(attributes, "name").unwrap_or_default();
        if !name.eq_ignore_ascii_case("QUERY_STATUS") {
            return;
        }
        let status = match place.rank {
            None => &mut self.at_root,
            Some(Rank::Results) => &mut self.results,
            Some(Rank::Unmarked) => &mut self.unmarked,
            Some(Rank::Not) => return,
        };
        // Further within, as behind a table's data, only a failure counts.
        let told = QueryStatus::read(said, text);
        if place.speaks || matches!(told, QueryStatus::Error(_)) {
            status.add(told);
        }
    }

    /// Takes in a `PARAM`, which is how Simple Cone Search may say it, too.
    pub fn note_param(&mut self, attributes: &Attributes) {
        if is_error(attributes) {
            self.note_error(value(attributes, "value").unwrap_or_default());
        }
    }

    fn note_error(&mut self, text: &str) {
        let text = head(text.trim(), LONGEST_TEXT).to_owned();
        self.error.get_or_insert(text);
    }

    /// What it all comes to at the end of the document.
    pub fn conclude(&mut self, summary: &mut TableSummary) {
        let within = if self.has_results { &mut self.results } else { &mut self.unmarked };
        let mut status = std::mem::replace(&mut self.at_root, QueryStatus::Missing);
        status.add(std::mem::replace(within, QueryStatus::Missing));
        summary.status = status;
        summary.error = self.error.take();
    }
}

/// What `Simple Cone Search` calls an error.
fn is_error(attributes: &Attributes) -> bool {
    let named =
        |attribute: &str| value(attributes, attribute).is_some_and(|name| name.eq_ignore_ascii_case("Error"));
    named("name") || named("ID")
}
