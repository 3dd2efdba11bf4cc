//! What a document says of the query that it answers (DALI 1.1, 4.4).

use super::super::sniff::head;

/// So many characters of what a service says of an error are kept.
const LONGEST_TEXT: usize = 2000;

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

    /// Why a query of this status cannot be called answered; nothing where it can.
    #[must_use]
    pub fn flaw(&self) -> Option<String> {
        match self {
            Self::Ok | Self::Overflow => None,
            Self::Error(text) if text.is_empty() => Some("QUERY_STATUS is ERROR".to_owned()),
            Self::Error(text) => Some(format!("QUERY_STATUS is ERROR: {}", head(text, LONGEST_TEXT))),
            Self::Unknown(word) => Some(format!("QUERY_STATUS is {:?}, which means nothing", head(word, 40))),
            Self::Missing => Some("the answer has no QUERY_STATUS".to_owned()),
        }
    }
}
