//! One HTTP request at a time, fresh from the name to the last byte, with the
//! time that each phase took: for asking a service how it is.
//!
//! [`Client::fetch`] looks the name up, connects, greets, asks and reads within
//! one deadline, follows redirects by hand and tells of each, never reads more
//! than a limit, and uses a connection twice only where the caller wants it
//! [kept](ConnectionPool). An interrupt ends it at once. What is long is read as it comes
//! ([`Client::open`]). HTTP itself is ureq's business. Where the caller knows of proxies, they are asked, and a name behind one is
//! not looked up here.
//!
//! Knows nothing of services or of what the bytes mean.

mod body;
mod chunks;
mod client;
mod connect;
mod connection;
mod form;
mod pool;
mod proxy;
mod response;
mod tls;
mod url;

pub use body::BodyReader;
pub use client::{Client, Pacer, Request};
pub use connection::Deadline;
pub use form::RequestBody;
pub use pool::ConnectionPool;
pub use proxy::Proxies;
pub use response::{Fetched, Hop, Response, RetryAfter};
pub use tls::{Roots, Trust};
pub use url::{Url, UrlHost};

use std::io;
use std::time::Duration;

/// A part of a request, in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// Looking the name up.
    #[default]
    Resolve,
    /// Until the connection stands.
    Connect,
    /// Until the other side has shown who it is.
    Tls,
    /// From the request's last byte to the answer's first.
    FirstByte,
    /// Reading the answer.
    Body,
}

impl Phase {
    /// All of them, in order.
    pub const ALL: [Self; 5] = [Self::Resolve, Self::Connect, Self::Tls, Self::FirstByte, Self::Body];

    /// The name, as in reports.
    pub const fn name(self) -> &'static str {
        self.words().0
    }

    /// What it waits for, in words.
    pub const fn waits_for(self) -> &'static str {
        self.words().1
    }

    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Resolve => ("resolve", "looking up the name"),
            Self::Connect => ("connect", "connecting"),
            Self::Tls => ("tls", "in the TLS handshake"),
            Self::FirstByte => ("first_byte", "waiting for the first byte"),
            Self::Body => ("body", "reading the answer"),
        }
    }
}

/// How long each phase took, added up over redirects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Phases([Duration; 5]);

impl Phases {
    /// The time of one phase.
    pub fn of(&self, phase: Phase) -> Duration {
        self.0[phase as usize]
    }

    /// Adds to one phase.
    pub fn add(&mut self, phase: Phase, time: Duration) {
        self.0[phase as usize] += time;
    }

    /// Adds all phases of another request.
    pub fn add_all(&mut self, other: &Self) {
        for phase in Phase::ALL {
            self.add(phase, other.of(phase));
        }
    }
}

/// Why there is no answer, or not all of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
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
    /// It was not asked, for whoever paces requests said no.
    NotAsked,
}

impl HttpError {
    fn new(kind: HttpErrorKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }

    fn protocol(text: impl Into<String>) -> Self {
        Self::new(HttpErrorKind::Protocol, text)
    }

    fn timed_out(phase: Phase) -> Self {
        Self::new(HttpErrorKind::TimedOut(phase), format!("no more time while {}", phase.waits_for()))
    }

    /// Whoever paces requests says that this one is not to be sent.
    pub fn not_asked(text: impl Into<String>) -> Self {
        Self::new(HttpErrorKind::NotAsked, text)
    }

    /// The interrupt was set.
    pub fn interrupted() -> Self {
        Self::new(HttpErrorKind::Interrupted, "interrupted")
    }

    /// What an error of a socket means.
    fn of_socket(error: &io::Error) -> Self {
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
