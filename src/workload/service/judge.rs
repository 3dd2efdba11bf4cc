//! What any answer says of itself, whatever was asked: how it came here, its status,
//! why it cannot be read. Asks nobody.

use crate::http::{Fetched, HttpError, HttpErrorKind, Response};
use crate::task::{ErrorClass, Finding, Redirect, ServiceVerdict, Warning};
use crate::text::{printable, without_login, without_passwords};
use crate::vo::{self, ParseError, ParseErrorKind};

/// So many characters are kept of a text that should be short.
const LONGEST: usize = 300;

/// What can be said of any exchange: redirects, certificates, framing.
pub fn note_travel<B>(fetched: &Fetched<Response<B>>, finding: &mut Finding) {
    for hop in &fetched.hops {
        finding.warn(Warning::Redirected);
        if hop.from.host != hop.to.host {
            finding.warn(Warning::CrossHost);
        }
        if hop.from.secure && !hop.to.secure {
            finding.warn(Warning::Downgraded);
        }
        let to = without_login(&hop.to.to_string());
        finding.redirects.push(Redirect { status: hop.status, to });
    }
    if fetched.proxy.is_some() {
        finding.proxy = fetched.proxy.as_deref().map(Into::into);
    }
    if let Some(expires) = fetched.expires {
        finding.cert_expires = Some(finding.cert_expires.map_or(expires, |known| known.min(expires)));
    }
    if fetched.answer.as_ref().is_ok_and(|answer| answer.odd_framing) {
        finding.warn(Warning::Framing);
    }
}

/// No verdict, for this reason.
pub fn fail(finding: &mut Finding, class: ErrorClass, reason: &str) {
    finding.verdict = ServiceVerdict::Error;
    if !matches!(class, ErrorClass::Probe | ErrorClass::Login) {
        // The hops tell of it; there is no verdict that it could be held against.
        finding.warnings.retain(|warning| *warning != Warning::Redirected);
    }
    finding.class = Some(class);
    finding.reason = short(reason).into();
}

/// Reads the body of an answer as a document. Why it is none: the class of the trouble,
/// and the trouble in words; `limit` is the time there was.
pub fn read<T>(
    answer: &Response,
    limit: &str,
    reader: impl FnOnce(&[u8], Option<&str>) -> Result<T, ParseError>,
) -> Result<T, (ErrorClass, String)> {
    let unread = |error: &HttpError| (class_of(error), in_words(error, limit));
    match &answer.body {
        Ok(body) => reader(body, answer.charset.as_deref()).map_err(no_document),
        // Too long, and it can be worse than that.
        Err(error) if error.kind == HttpErrorKind::TooLarge && !answer.head.is_empty() => {
            match vo::refuse_unsafe(&String::from_utf8_lossy(&answer.head)) {
                Err(error) if error.kind == ParseErrorKind::UnsafeXml => Err(no_document(error)),
                Ok(()) | Err(_) => Err(unread(error)),
            }
        }
        Err(error) => Err(unread(error)),
    }
}

/// Why a document says nothing: the class of the trouble, and the trouble in words.
pub fn no_document(error: ParseError) -> (ErrorClass, String) {
    let class = match error.kind {
        ParseErrorKind::NotXml => ErrorClass::NotXml,
        ParseErrorKind::BadXml => ErrorClass::BadXml,
        ParseErrorKind::UnsafeXml => ErrorClass::UnsafeXml,
        ParseErrorKind::WrongDocument => ErrorClass::WrongDoc,
        ParseErrorKind::BadValue => ErrorClass::BadValue,
    };
    (class, error.text)
}

/// Whether the status promises what was asked for.
pub fn is_success<B>(answer: &Response<B>) -> bool {
    matches!(answer.status, 200 | 203)
}

/// Whether there is no such resource, as far as statuses go.
pub fn is_missing(fetched: &Fetched) -> bool {
    fetched.answer.as_ref().is_ok_and(|answer| matches!(answer.status, 404 | 405 | 410 | 501))
}

/// Whether the status says that only who logs in is answered.
pub fn asks_for_login(answer: &Response) -> bool {
    matches!(answer.status, 401 | 403)
}

/// What a proxy has against the request, if it was one that kept it from the service.
pub fn kept_by_proxy(fetched: &Fetched) -> Option<String> {
    match &fetched.answer {
        Ok(answer) if answer.status == 407 && fetched.proxy.is_some() => {
            Some(format!("the proxy {}", status_line(answer)))
        }
        Err(error) if error.kind == HttpErrorKind::Proxy => Some(error.text.clone()),
        Ok(_) | Err(_) => None,
    }
}

/// `HTTP 503 Service Unavailable`, and what the page says.
pub fn status_line(answer: &Response) -> String {
    let who = if matches!(answer.status, 401 | 403 | 407) { "asks for a login: " } else { "" };
    format!("{who}{}", bare_status_line(answer))
}

/// The same without what it means.
pub fn bare_status_line(answer: &Response) -> String {
    let mut line = format!("HTTP {}", answer.status);
    if let Some(words) = answer.status_words() {
        line += &format!(" {words}");
    }
    if let Ok(body) = &answer.body
        && let Some(title) = vo::page_title(&String::from_utf8_lossy(body))
    {
        line += &format!(", a page titled {:.80?}", without_passwords(&title));
    }
    line
}

/// The class that an error belongs to.
pub fn class_of(error: &HttpError) -> ErrorClass {
    match error.kind {
        HttpErrorKind::Dns => ErrorClass::Dns,
        HttpErrorKind::Refused => ErrorClass::Refused,
        HttpErrorKind::Reset => ErrorClass::Reset,
        HttpErrorKind::Closed | HttpErrorKind::Interrupted => ErrorClass::Closed,
        HttpErrorKind::TimedOut(_) | HttpErrorKind::GivenUp => ErrorClass::Timeout,
        HttpErrorKind::NotAsked => ErrorClass::Rate,
        HttpErrorKind::Proxy => ErrorClass::Proxy,
        HttpErrorKind::Tls => ErrorClass::Tls,
        HttpErrorKind::Redirect => ErrorClass::Redirect,
        HttpErrorKind::Protocol => ErrorClass::Protocol,
        HttpErrorKind::TooLarge => ErrorClass::TooLarge,
    }
}

/// An error in words; `limit` is the time there was.
pub fn in_words(error: &HttpError, limit: &str) -> String {
    match error.kind {
        HttpErrorKind::TimedOut(phase) => format!("timeout after {limit} {}", phase.waits_for()),
        _ => error.text.clone(),
    }
}

/// Printable, without passwords, blanks run together: a text from elsewhere for one
/// line.
pub fn one_line(text: &str) -> String {
    printable(&without_passwords(text).split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The same, cut where it is long.
pub fn short(text: &str) -> String {
    let line = one_line(text);
    if line.chars().count() <= LONGEST {
        return line;
    }
    line.chars().take(LONGEST).chain("...".chars()).collect()
}
