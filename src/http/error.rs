//! Why a request got no answer.

use std::fmt;
use std::io;

use super::Phase;

/// Why there is no answer, or not all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpError {
    /// Which kind it is.
    pub kind: HttpErrorKind,
    /// In words; may quote the other side.
    pub text: String,
}

/// The kinds of error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpErrorKind {
    /// The name has no address.
    Dns,
    /// Nobody listens there, or there is no way there.
    Refused,
    /// The other side broke the connection off.
    Reset,
    /// The other side closed the connection before the answer was whole.
    Closed,
    /// The proxy cannot be asked, or does not let through.
    Proxy,
    /// The system waited as long as it does, and the deadline was yet to come.
    GivenUp,
    /// The deadline came in this phase.
    TimedOut(Phase),
    /// The other side could not show that it is who it should be.
    Tls,
    /// A redirect that leads nowhere: without end, without a place, or out of HTTP.
    Redirect,
    /// It is not HTTP as it should be.
    Protocol,
    /// The answer is longer than the limit.
    TooLarge,
    /// The interrupt was set.
    Interrupted,
}

impl HttpError {
    pub(super) fn new(kind: HttpErrorKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }

    pub(super) fn protocol(text: impl Into<String>) -> Self {
        Self::new(HttpErrorKind::Protocol, text)
    }

    pub(super) fn timed_out(phase: Phase) -> Self {
        Self::new(HttpErrorKind::TimedOut(phase), format!("no more time while {}", phase.waits_for()))
    }

    pub(super) fn interrupted() -> Self {
        Self::new(HttpErrorKind::Interrupted, "interrupted")
    }

    /// What an error of a socket means.
    pub(super) fn of_socket(error: &io::Error) -> Self {
        let kind = match error.kind() {
            io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
                HttpErrorKind::Reset
            }
            io::ErrorKind::UnexpectedEof => HttpErrorKind::Closed,
            io::ErrorKind::TimedOut => HttpErrorKind::GivenUp,
            _ => HttpErrorKind::Refused,
        };
        Self::new(kind, lower_first(&error.to_string()))
    }
}

/// System messages begin with a capital; ours go on in a sentence.
fn lower_first(text: &str) -> String {
    let text = text.split(" (os error").next().unwrap_or(text);
    let mut characters = text.chars();
    characters.next().map(|first| first.to_lowercase().chain(characters).collect()).unwrap_or_default()
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for HttpError {}
