//! What was found out about a service, and how it travels in a record's facts.
//!
//! Knows neither how it was found out nor how it is shown.

use std::borrow::Cow;

/// What can be said of a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verdict {
    /// It says so itself, and nothing that was asked speaks against it.
    Up,
    /// It says that it is not.
    Down,
    /// Nothing can be said, or it contradicts itself.
    #[default]
    Error,
}

impl Verdict {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Error => "error",
        }
    }
}

/// Why there is no verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Nobody listens there.
    Refused,
    /// The connection was broken off.
    Reset,
    /// The connection was closed before the answer was whole.
    Closed,
    /// The time ran out.
    Timeout,
    /// The other side could not show who it is.
    Tls,
    /// A status that is no answer.
    Http,
    /// A redirect that leads nowhere.
    Redirect,
    /// It does not speak HTTP as it should.
    Protocol,
    /// The answer is too long.
    TooLarge,
    /// The answer is no XML.
    NotXml,
    /// The answer is XML that is not well-formed.
    BadXml,
    /// The answer is XML that asks for too much.
    UnsafeXml,
    /// The answer is another document.
    WrongDoc,
    /// The answer does not say clearly whether the service is up.
    BadValue,
    /// The name has no address.
    Dns,
    /// It says it is up, and does not do what it should.
    Probe,
    /// It answers queries only to who logs in.
    Login,
    /// The proxy cannot be asked, or does not let through.
    Proxy,
}

impl Class {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Reset => "reset",
            Self::Closed => "closed",
            Self::Timeout => "timeout",
            Self::Tls => "tls",
            Self::Http => "http",
            Self::Redirect => "redirect",
            Self::Protocol => "protocol",
            Self::TooLarge => "too-large",
            Self::NotXml => "not-xml",
            Self::BadXml => "bad-xml",
            Self::UnsafeXml => "unsafe-xml",
            Self::WrongDoc => "wrong-doc",
            Self::BadValue => "bad-value",
            Self::Dns => "dns",
            Self::Probe => "probe",
            Self::Login => "login",
            Self::Proxy => "proxy",
        }
    }
}

/// What a person should know though the verdict stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warning {
    /// Another place was asked in the end.
    Redirected,
    /// That place belongs to another host.
    CrossHost,
    /// It led from https to http.
    Downgraded,
    /// An answer with a length and chunks.
    Framing,
    /// The media type is not XML's.
    ContentType,
    /// The availability resource is not below the service.
    Location,
    /// There is none, and the query decided.
    NoAvailability,
    /// The namespace is another one of this document.
    Namespace,
    /// `TRUE` where the schema has `true`.
    NonschemaBoolean,
    /// An element came twice.
    Repeated,
    /// upSince is no time.
    BadUpsince,
    /// upSince is yet to come.
    FutureUpsince,
    /// downAt is no time.
    BadDownat,
    /// backAt is no time.
    BadBackat,
    /// It is to go down, or should be down now.
    Maintenance,
    /// It was to go down, and no end of that is known.
    StaleDownat,
    /// The document came with a status of failure.
    HttpStatus,
    /// The certificate expires soon.
    CertExpires,
    /// It answered only after failures.
    Retried,
    /// The list of tables cannot be had.
    Tables,
}

impl Warning {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Redirected => "redirected",
            Self::CrossHost => "cross-host",
            Self::Downgraded => "https-to-http",
            Self::Framing => "framing",
            Self::ContentType => "content-type",
            Self::Location => "location",
            Self::NoAvailability => "no-availability",
            Self::Namespace => "namespace",
            Self::NonschemaBoolean => "nonschema-boolean",
            Self::Repeated => "repeated",
            Self::BadUpsince => "bad-upsince",
            Self::FutureUpsince => "future-upsince",
            Self::BadDownat => "bad-downat",
            Self::BadBackat => "bad-backat",
            Self::Maintenance => "maintenance",
            Self::StaleDownat => "stale-downat",
            Self::HttpStatus => "http-status",
            Self::CertExpires => "cert-expires",
            Self::Retried => "retried",
            Self::Tables => "tables",
        }
    }

    /// The warnings that an operator has to act on before long.
    #[must_use]
    pub fn needs_attention(name: &str) -> bool {
        [Self::Maintenance, Self::CertExpires, Self::Downgraded].iter().any(|warning| warning.name() == name)
    }
}

/// What was found out about a service. Every text in it may come from the
/// service, and has been made printable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finding {
    /// The service's URL as it was given, without a password.
    pub url: String,
    /// What to call it, where the list says so.
    pub name: Option<String>,
    /// `up`, `down` or `error`.
    pub verdict: String,
    /// Why there is no verdict; empty where there is one.
    pub class: String,
    /// The same in words, or what else is to be said.
    pub reason: String,
    /// What a person should know though the verdict stands.
    pub warnings: Vec<String>,
    /// Its own word on whether it is available, if it had one.
    pub available: Option<bool>,
    /// Since when, as it says it.
    pub up_since: Option<String>,
    /// That, in seconds since 1970, where it is a time.
    pub up_since_seconds: Option<i64>,
    /// When it is to go down.
    pub down_at: Option<String>,
    /// When it is to be back.
    pub back_at: Option<String>,
    /// What its operator has to say.
    pub notes: Vec<String>,
    /// How many more notes there are.
    pub more_notes: usize,
    /// The last status of HTTP.
    pub status: Option<u16>,
    /// Where its availability was asked for in the end.
    pub asked: Option<String>,
    /// Redirects on the way there: `302 http://...`.
    pub hops: Vec<String>,
    /// The host and port of the proxy that it was asked through, if one was.
    pub proxy: Option<String>,
    /// How often it was asked.
    pub attempts: u32,
    /// When its certificate expires, in seconds since 1970.
    pub cert_expires: Option<i64>,
    /// The rows that the query brought, if there was one: a number or `some`.
    pub rows: Option<String>,
    /// How many tables it lists, if they were asked for.
    pub tables: Option<usize>,
}

impl Finding {
    /// Notes `warning` once.
    pub fn warn(&mut self, warning: Warning) {
        if self.warnings.iter().all(|known| known != warning.name()) {
            self.warnings.push(warning.name().to_owned());
        }
    }

    /// What is compared between ways.
    #[must_use]
    pub fn essence(&self) -> String {
        format!("{}\n{}\n{:?}\n{:?}", self.verdict, self.class, self.available, self.up_since)
    }

    /// What a person calls it.
    #[must_use]
    pub fn label(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.url)
    }

    /// Everything known, by name; lists have a line for each.
    #[must_use]
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        let mut facts = vec![("url", self.url.clone()), ("verdict", self.verdict.clone())];
        let mut add =
            |name: &'static str, value: Option<String>| facts.extend(value.map(|value| (name, value)));
        let text = |text: &String| (!text.is_empty()).then(|| text.clone());
        let list = |list: &Vec<String>| (!list.is_empty()).then(|| list.join("\n"));
        add("name", self.name.clone());
        add("class", text(&self.class));
        add("reason", text(&self.reason));
        add("warnings", list(&self.warnings));
        add("available", self.available.map(|available| available.to_string()));
        add("up_since", self.up_since.clone());
        add("up_since_seconds", self.up_since_seconds.map(|seconds| seconds.to_string()));
        add("down_at", self.down_at.clone());
        add("back_at", self.back_at.clone());
        add("notes", list(&self.notes));
        add("more_notes", (self.more_notes > 0).then(|| self.more_notes.to_string()));
        add("status", self.status.map(|status| status.to_string()));
        add("asked", self.asked.clone());
        add("hops", list(&self.hops));
        add("proxy", self.proxy.clone());
        add("attempts", (self.attempts > 1).then(|| self.attempts.to_string()));
        add("cert_expires", self.cert_expires.map(|seconds| seconds.to_string()));
        add("rows", self.rows.clone());
        add("tables", self.tables.map(|tables| tables.to_string()));
        facts
    }

    /// What [`facts`](Self::facts) told; `None` for the facts of something else.
    #[must_use]
    pub fn from_facts(facts: &[(Cow<'static, str>, String)]) -> Option<Self> {
        let get = |name: &str| facts.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        let list = |name: &str| -> Vec<String> {
            get(name).map(|text| text.split('\n').map(str::to_owned).collect()).unwrap_or_default()
        };
        Some(Self {
            url: get("url")?,
            verdict: get("verdict")?,
            name: get("name"),
            class: get("class").unwrap_or_default(),
            reason: get("reason").unwrap_or_default(),
            warnings: list("warnings"),
            available: get("available").and_then(|text| text.parse().ok()),
            up_since: get("up_since"),
            up_since_seconds: get("up_since_seconds").and_then(|text| text.parse().ok()),
            down_at: get("down_at"),
            back_at: get("back_at"),
            notes: list("notes"),
            more_notes: get("more_notes").and_then(|text| text.parse().ok()).unwrap_or(0),
            status: get("status").and_then(|text| text.parse().ok()),
            asked: get("asked"),
            hops: list("hops"),
            proxy: get("proxy"),
            attempts: get("attempts").and_then(|text| text.parse().ok()).unwrap_or(1),
            cert_expires: get("cert_expires").and_then(|text| text.parse().ok()),
            rows: get("rows"),
            tables: get("tables").and_then(|text| text.parse().ok()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_is_read_back_from_the_facts_of_a_record() {
        let bare = Finding {
            url: "http://h/".to_owned(),
            verdict: "up".to_owned(),
            attempts: 1,
            ..Finding::default()
        };
        let full = Finding {
            name: Some("n".to_owned()),
            class: "probe".to_owned(),
            reason: "r".to_owned(),
            warnings: vec!["a".to_owned(), "b".to_owned()],
            available: Some(true),
            up_since: Some(String::new()),
            up_since_seconds: Some(-1),
            down_at: Some("x".to_owned()),
            back_at: Some("y".to_owned()),
            notes: vec!["one".to_owned(), String::new(), "two".to_owned()],
            more_notes: 3,
            status: Some(200),
            asked: Some("z".to_owned()),
            hops: vec!["302 http://h/".to_owned()],
            proxy: Some("p:1".to_owned()),
            attempts: 2,
            cert_expires: Some(7),
            rows: Some("some".to_owned()),
            tables: Some(0),
            ..bare.clone()
        };
        for finding in [bare, full] {
            let facts: Vec<_> =
                finding.facts().into_iter().map(|(name, value)| (name.into(), value)).collect();
            assert_eq!(Finding::from_facts(&facts), Some(finding));
        }
        assert_eq!(Finding::from_facts(&[]), None);
    }
}
