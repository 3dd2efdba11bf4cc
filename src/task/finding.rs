//! What was found out about a service that was asked: plain data, the same for every
//! workload that asks services.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Outcome, SharedText};
use crate::moment::Moment;
use crate::vo::RowCount;

/// An enum of words, which is written and read as these. One that is not known, as
/// another version of parsim may have it, is kept as it is.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$meaning:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(from = "String", into = "String")]
        pub enum $name {
            $($(#[$meaning])* $variant,)*
            /// A word of another version of parsim.
            Other(Box<SharedText>),
        }

        impl $name {
            /// The word for it.
            #[must_use]
            pub fn name(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)*
                    Self::Other(word) => word,
                }
            }
        }

        impl From<String> for $name {
            fn from(word: String) -> Self {
                match word.as_str() {
                    $($word => Self::$variant,)*
                    _ => Self::Other(Box::new(word.into())),
                }
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.name().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.name())
            }
        }
    };
}

words! {
    /// What can be said of a service.
    ServiceVerdict {
        /// It says so itself, and nothing that was asked speaks against it.
        Up = "up",
        /// It says that it is not.
        Down = "down",
        /// Nothing can be said, or it contradicts itself.
        Error = "error",
    }
}

words! {
    /// Why there is no verdict.
    ErrorClass {
        /// Nobody listens there.
        Refused = "refused",
        /// The connection was broken off.
        Reset = "reset",
        /// The connection was closed before the answer was whole.
        Closed = "closed",
        /// The time ran out.
        Timeout = "timeout",
        /// The other side could not show who it is.
        Tls = "tls",
        /// A status that is no answer.
        Http = "http",
        /// A redirect that leads nowhere.
        Redirect = "redirect",
        /// It does not speak HTTP as it should.
        Protocol = "protocol",
        /// The answer is too long.
        TooLarge = "too-large",
        /// The answer is no XML.
        NotXml = "not-xml",
        /// The answer is XML that is not well-formed.
        BadXml = "bad-xml",
        /// The answer is XML that asks for too much.
        UnsafeXml = "unsafe-xml",
        /// The answer is another document.
        WrongDoc = "wrong-doc",
        /// The answer does not say clearly whether the service is up.
        BadValue = "bad-value",
        /// The name has no address.
        Dns = "dns",
        /// It says it is up, and does not do what it should.
        Probe = "probe",
        /// It answers queries only to who logs in.
        Login = "login",
        /// The proxy cannot be asked, or does not let through.
        Proxy = "proxy",
        /// It works, and took longer than the user lets it.
        Slow = "slow",
        /// It works, and its certificate expires sooner than the user lets it.
        Expiring = "expiring",
        /// It wants to be left alone for a while.
        Rate = "rate",
        /// The service says that the query failed.
        Query = "query",
        /// No object of that name is known.
        UnknownName = "unknown-name",
        /// The target is no position.
        BadPosition = "bad-position",
        /// What was found out cannot be read back.
        Lost = "lost",
    }
}

words! {
    /// What a person should know though the verdict stands.
    Warning {
        /// Another place was asked in the end.
        Redirected = "redirected",
        /// That place belongs to another host.
        CrossHost = "cross-host",
        /// It led from https to http.
        Downgraded = "https-to-http",
        /// An answer with a length and chunks.
        Framing = "framing",
        /// The media type is not XML's.
        ContentType = "content-type",
        /// The availability resource is not below the service.
        Location = "location",
        /// There is none, and the query decided.
        NoAvailability = "no-availability",
        /// The namespace is another one of this document.
        Namespace = "namespace",
        /// `TRUE` where the schema has `true`.
        NonschemaBoolean = "nonschema-boolean",
        /// An element came twice.
        Repeated = "repeated",
        /// upSince is no time.
        BadUpsince = "bad-upsince",
        /// upSince is yet to come.
        FutureUpsince = "future-upsince",
        /// downAt is no time.
        BadDownat = "bad-downat",
        /// backAt is no time.
        BadBackat = "bad-backat",
        /// It is to go down, or should be down now.
        Maintenance = "maintenance",
        /// It was to go down, and no end of that is known.
        StaleDownat = "stale-downat",
        /// The document came with a status of failure.
        HttpStatus = "http-status",
        /// The certificate expires soon.
        CertExpires = "cert-expires",
        /// It took longer than the user wants.
        Slow = "slow",
        /// It answered only after failures.
        Retried = "retried",
        /// The list of tables cannot be had.
        Tables = "tables",
        /// A limit cut the answer.
        Overflow = "overflow",
        /// The answer does not say whether the query succeeded.
        NoStatus = "no-status",
        /// Rows were left out that lie outside of the cone.
        Outside = "outside",
        /// The rows have no position that could be checked.
        NoPosition = "no-position",
        /// The target's position is good to a minute only.
        Coarse = "coarse",
    }
}

words! {
    /// What came of a search around a target.
    ConeStatus {
        /// There are rows.
        Ok = "ok",
        /// There is nothing in the cone.
        Empty = "empty",
        /// A limit cut the rows.
        Incomplete = "incomplete",
        /// It failed.
        Error = "error",
    }
}

impl Default for ConeStatus {
    /// It has not been searched.
    fn default() -> Self {
        Self::Error
    }
}

impl Default for ServiceVerdict {
    /// Nobody has said anything yet.
    fn default() -> Self {
        Self::Error
    }
}

impl ServiceVerdict {
    /// Whether the service works.
    #[must_use]
    pub fn is_up(&self) -> bool {
        *self == Self::Up
    }
}

impl Warning {
    /// Whether an operator has to act on it before long.
    #[must_use]
    pub fn needs_attention(&self) -> bool {
        matches!(self, Self::Maintenance | Self::CertExpires | Self::Downgraded | Self::Slow)
    }
}

/// What was found out about a service. Every text in it may come from the
/// service, and has been made printable.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The service's URL as it was given, without a password.
    pub url: SharedText,
    /// What to call it, where the list says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<SharedText>,
    /// What can be said of it.
    pub verdict: ServiceVerdict,
    /// Why there is no verdict; `None` where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<ErrorClass>,
    /// The same in words, or what else is to be said.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub reason: SharedText,
    /// What a person should know though the verdict stands.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
    /// What the service says of itself, if it does. Aside, for where something is wrong most
    /// say nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub says: Option<Box<SelfReport>>,
    /// The last status of HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Where it was asked in the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<SharedText>,
    /// Redirects on the way there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redirects: Vec<Redirect>,
    /// The host and port of the proxy that it was asked through, if one was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<Box<str>>,
    /// When it began to be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Moment>,
    /// How often it was asked.
    #[serde(default)]
    pub attempts: u32,
    /// When its certificate expires, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cert_expires: Option<i64>,
    /// The rows that a query brought, if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<RowCount>,
    /// How many tables it lists, if they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tables: Option<usize>,
    /// The standards that it follows, each with its version where it tells one, if its
    /// capabilities were asked for: `ivo://ivoa.net/std/TAP 1.1`.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub capabilities: Box<[SharedText]>,
    /// What it was asked about, where that is something in the sky.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cone: Option<Box<ConeFinding>>,
}

/// A target that was searched around, and what came of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ConeFinding {
    /// What its rows are told by.
    pub id: String,
    /// What was given.
    pub target: String,
    /// What kind of text that is: `name`, `position`, `blank`.
    pub kind: String,
    /// Right ascension and declination (ICRS) in degrees, where they are known.
    pub position: Option<(f64, f64)>,
    /// The radius in degrees.
    pub radius: f64,
    /// What came of it.
    pub status: ConeStatus,
}

/// What a service says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelfReport {
    /// Whether it is available.
    pub available: bool,
    /// Since when, as it writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub up_since: Option<Box<str>>,
    /// That, in seconds since 1970, where it is a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub up_since_seconds: Option<i64>,
    /// When it is to go down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub down_at: Option<Box<str>>,
    /// When it is to be back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub back_at: Option<Box<str>>,
    /// What its operator has to say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// How many more notes there are.
    #[serde(default, skip_serializing_if = "is_none")]
    pub more_notes: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_none(count: &usize) -> bool {
    *count == 0
}

/// A redirect that was followed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redirect {
    /// The status that told of it.
    pub status: u16,
    /// Where to, without a password.
    pub to: String,
}

impl Redirect {
    /// Whether the new place is to be used from now on.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        matches!(self.status, 301 | 308)
    }
}

impl fmt::Display for Redirect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.to)
    }
}

impl Finding {
    /// Notes `warning` once.
    pub fn warn(&mut self, warning: Warning) {
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// What is compared between ways.
    #[must_use]
    pub fn essence(&self) -> String {
        let (available, since) = match &self.says {
            Some(says) => (Some(says.available), says.up_since.as_ref()),
            None => (None, None),
        };
        format!("{}\n{}\n{available:?}\n{since:?}", self.verdict, self.class_name())
    }

    /// Why there is no verdict, in a word; empty where there is one.
    #[must_use]
    pub fn class_name(&self) -> &str {
        self.class.as_ref().map_or("", ErrorClass::name)
    }

    /// What a person calls it.
    #[must_use]
    pub fn label(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.url)
    }

    /// How the task ended that found it out: whatever does not work is a failure.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        if self.verdict.is_up() {
            return Outcome::Success;
        }
        let status = self.cone.as_ref().map_or(self.verdict.name(), |cone| cone.status.name());
        let class = self.class.as_ref().map_or(status, ErrorClass::name);
        Outcome::Failed(format!("{class}: {}", self.reason).into())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A finding with something of everything.
    pub(crate) fn full() -> Finding {
        Finding {
            url: "http://h/".into(),
            name: Some("n".into()),
            verdict: ServiceVerdict::Up,
            class: Some(ErrorClass::Probe),
            reason: "r".into(),
            warnings: vec![Warning::Tables, Warning::Other(Box::new("odd".into()))],
            says: Some(Box::new(SelfReport {
                available: true,
                up_since: Some("2026-01-01T00:00:00Z".into()),
                up_since_seconds: Some(1_767_225_600),
                down_at: Some("x".into()),
                back_at: Some("y".into()),
                notes: vec!["one".to_owned(), String::new(), "two".to_owned()],
                more_notes: 3,
            })),
            status: Some(200),
            asked: Some("z".into()),
            redirects: vec![Redirect { status: 302, to: "http://h/ x".to_owned() }],
            proxy: Some("p:1".into()),
            attempts: 2,
            cert_expires: Some(7),
            rows: Some(RowCount::Some),
            tables: Some(0),
            cone: Some(Box::new(ConeFinding { radius: 0.04, ..ConeFinding::default() })),
            ..Finding::default()
        }
    }

    #[test]
    fn a_finding_is_read_back_as_it_was_words_of_other_versions_and_all() {
        let bare = Finding { url: "http://h/".into(), attempts: 1, ..Finding::default() };
        let counted = Finding {
            rows: Some(RowCount::Counted(5)),
            time: Some(Moment::of_seconds(1_795_332_000)),
            capabilities: ["ivo://ivoa.net/std/TAP 1.1".into()].into(),
            ..full()
        };
        for finding in [bare, full(), counted] {
            let saved = serde_json::to_string(&finding).unwrap();
            assert_eq!(serde_json::from_str::<Finding>(&saved).unwrap(), finding, "{saved}");
        }
        let saved = serde_json::json!(full());
        assert_eq!((&saved["class"], &saved["rows"]), (&"probe".into(), &"some".into()));
        assert_eq!(saved["warnings"], serde_json::json!(["tables", "odd"]));
    }
}
