//! From an answer to a verdict: what its status, its head and its document say
//! about a service. Asks nobody.

use super::finding::{Class, Finding, Verdict, Warning};
use crate::http::{Fetched, HttpError, HttpErrorKind, Response, RetryAfter};
use crate::text::{printable, without_login, without_passwords};
use crate::vo::{self, Availability, FlawKind, Moment, Oddity, ParseError};

/// Clocks differ by so many seconds without anybody being wrong.
const CLOCK_SKEW: i64 = 300;

/// A certificate that expires within so many seconds is told: two weeks.
const SOON: i64 = 14 * 86_400;

/// So many characters of notes are kept.
const MOST_NOTES: usize = 16 << 10;

/// So many characters are kept of a text that should be short.
const LONGEST: usize = 300;

/// Judges what asking for the availability came to. `now` is in seconds since
/// 1970, `limit` the time there was in words.
pub(super) fn judge(fetched: &Fetched, now: i64, limit: &str, finding: &mut Finding) {
    travelled(fetched, now, finding);
    let answer = match &fetched.answer {
        Ok(answer) => answer,
        Err(trouble) => return failed(finding, class_of(trouble), &told(trouble, limit)),
    };
    finding.status = Some(answer.status);
    if let Some(why) = kept_by_proxy(fetched) {
        return failed(finding, Class::Proxy, &why);
    }
    if !is_success(answer) {
        return unsuccessful(answer, now, finding);
    }
    match read(answer, vo::read_availability) {
        Ok(availability) => {
            if !answer.media_type.as_deref().is_some_and(is_xml) {
                finding.warn(Warning::ContentType);
            }
            said(&availability, now, finding);
        }
        Err(Unread::HttpError(trouble)) => failed(finding, class_of(&trouble), &told(&trouble, limit)),
        Err(Unread::ParseError(flaw)) => failed(finding, class_of_flaw(&flaw), &flaw.text),
    }
}

/// What can be said of any exchange: redirects, certificates, framing.
pub(super) fn travelled(fetched: &Fetched, now: i64, finding: &mut Finding) {
    for hop in &fetched.hops {
        finding.warn(Warning::Redirected);
        if hop.from.host != hop.to.host {
            finding.warn(Warning::CrossHost);
        }
        if hop.from.secure && !hop.to.secure {
            finding.warn(Warning::Downgraded);
        }
        finding.hops.push(format!("{} {}", hop.status, without_login(&hop.to.to_string())));
    }
    if fetched.proxy.is_some() {
        finding.proxy.clone_from(&fetched.proxy);
    }
    if let Some(expires) = fetched.expires {
        finding.cert_expires = Some(expires);
        if expires - now < SOON {
            finding.warn(Warning::CertExpires);
        }
    }
    if fetched.answer.as_ref().is_ok_and(|answer| answer.odd_framing) {
        finding.warn(Warning::Framing);
    }
}

/// No verdict, for this reason.
pub(super) fn failed(finding: &mut Finding, class: Class, reason: &str) {
    Verdict::Error.name().clone_into(&mut finding.verdict);
    class.name().clone_into(&mut finding.class);
    if !matches!(class, Class::Probe | Class::Login) {
        // The hops tell of it; there is no verdict that it could be held against.
        finding.warnings.retain(|warning| warning != Warning::Redirected.name());
    }
    finding.reason = short(reason);
}

/// A document came, or did not.
pub(super) enum Unread {
    HttpError(HttpError),
    ParseError(ParseError),
}

/// Reads the body of an answer as a document.
pub(super) fn read<T>(
    answer: &Response,
    reader: impl FnOnce(&[u8], Option<&str>) -> Result<T, ParseError>,
) -> Result<T, Unread> {
    match &answer.body {
        Ok(body) => reader(body, answer.charset.as_deref()).map_err(Unread::ParseError),
        // Too long, and it can be worse than that.
        Err(trouble) if trouble.kind == HttpErrorKind::TooLarge && !answer.head.is_empty() => {
            match vo::refuse_unsafe(&String::from_utf8_lossy(&answer.head)) {
                Err(flaw) if flaw.kind == FlawKind::UnsafeXml => Err(Unread::ParseError(flaw)),
                Ok(()) | Err(_) => Err(Unread::HttpError(trouble.clone())),
            }
        }
        Err(trouble) => Err(Unread::HttpError(trouble.clone())),
    }
}

/// Whether the status promises what was asked for.
pub(super) fn is_success(answer: &Response) -> bool {
    matches!(answer.status, 200 | 203)
}

/// Whether the status says that only who logs in is answered.
pub(super) fn asks_for_login(answer: &Response) -> bool {
    matches!(answer.status, 401 | 403)
}

/// What a proxy has against the request, if it was one that kept it from the service.
pub(super) fn kept_by_proxy(fetched: &Fetched) -> Option<String> {
    match &fetched.answer {
        Ok(answer) if answer.status == 407 && fetched.proxy.is_some() => {
            Some(format!("the proxy {}", status_line(answer)))
        }
        Err(trouble) if trouble.kind == HttpErrorKind::Proxy => Some(trouble.text.clone()),
        Ok(_) | Err(_) => None,
    }
}

/// `HTTP 503 Service Unavailable`, and what the page says.
pub(super) fn status_line(answer: &Response) -> String {
    let who = if matches!(answer.status, 401 | 403 | 407) { "asks for a login: " } else { "" };
    let mut line = format!("{who}HTTP {}", answer.status);
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

fn unsuccessful(answer: &Response, now: i64, finding: &mut Finding) {
    // A document that says "down" is believed whatever the status.
    if let Ok(availability) = read(answer, vo::read_availability)
        && !availability.available
    {
        finding.warn(Warning::HttpStatus);
        return said(&availability, now, finding);
    }
    let mut reason = status_line(answer);
    match answer.retry_after {
        Some(RetryAfter::In(time)) => {
            reason += &format!(", asks to come back in {}", crate::numbers::duration(time));
        }
        Some(RetryAfter::At(_)) => reason += ", names a date to come back",
        None => {}
    }
    failed(finding, Class::Http, &reason);
}

/// What an availability document says.
fn said(availability: &Availability, now: i64, finding: &mut Finding) {
    let verdict = if availability.available { Verdict::Up } else { Verdict::Down };
    verdict.name().clone_into(&mut finding.verdict);
    finding.available = Some(availability.available);
    for oddity in &availability.oddities {
        finding.warn(match oddity {
            Oddity::Namespace => Warning::Namespace,
            Oddity::NonSchemaBoolean => Warning::NonschemaBoolean,
            Oddity::Repeated => Warning::Repeated,
        });
    }
    let text = |moment: &Option<Moment>| moment.as_ref().map(|moment| one_line(&moment.text));
    finding.up_since = text(&availability.up_since);
    finding.down_at = text(&availability.down_at);
    finding.back_at = text(&availability.back_at);
    if let Some(since) = &availability.up_since {
        finding.up_since_seconds = since.seconds;
        match since.seconds {
            None => finding.warn(Warning::BadUpsince),
            Some(seconds) if seconds > now.saturating_add(CLOCK_SKEW) => finding.warn(Warning::FutureUpsince),
            Some(_) => {}
        }
    }
    announced(availability, now, finding);
    let mut kept = 0;
    for note in &availability.notes {
        let note = one_line(note);
        kept += note.len();
        if kept > MOST_NOTES && !finding.notes.is_empty() {
            finding.more_notes += 1;
            continue;
        }
        finding.notes.push(note.chars().take(MOST_NOTES).collect());
    }
    if !availability.available && finding.reason.is_empty() {
        let note = finding.notes.first().map_or_else(String::new, |note| format!(": {note}"));
        let back = finding.back_at.as_ref().map_or_else(String::new, |back| format!(", back at {back}"));
        finding.reason = short(&format!("it says that it is not available{back}{note}"));
    }
}

/// Maintenance that an available service announces.
fn announced(availability: &Availability, now: i64, finding: &mut Finding) {
    let seconds = |moment: &Option<Moment>| moment.as_ref().map(|moment| moment.seconds);
    let (down, back) = (seconds(&availability.down_at), seconds(&availability.back_at));
    if down == Some(None) {
        finding.warn(Warning::BadDownat);
    }
    if back == Some(None) {
        finding.warn(Warning::BadBackat);
    }
    if !availability.available {
        return;
    }
    match (down.flatten(), back.flatten()) {
        (Some(down), _) if down > now => finding.warn(Warning::Maintenance),
        // Announced for now, and up all the same: it may go any moment.
        (Some(_), Some(back)) if back > now => finding.warn(Warning::Maintenance),
        (Some(_), None) => finding.warn(Warning::StaleDownat),
        (Some(_), Some(_)) | (None, _) => {}
    }
}

/// The class that a trouble belongs to.
pub(super) fn class_of(trouble: &HttpError) -> Class {
    match trouble.kind {
        HttpErrorKind::Dns => Class::Dns,
        HttpErrorKind::Refused => Class::Refused,
        HttpErrorKind::Reset => Class::Reset,
        HttpErrorKind::Closed | HttpErrorKind::Interrupted => Class::Closed,
        HttpErrorKind::TimedOut(_) | HttpErrorKind::GivenUp => Class::Timeout,
        HttpErrorKind::Proxy => Class::Proxy,
        HttpErrorKind::Tls => Class::Tls,
        HttpErrorKind::Redirect => Class::Redirect,
        HttpErrorKind::Protocol => Class::Protocol,
        HttpErrorKind::TooLarge => Class::TooLarge,
    }
}

fn class_of_flaw(flaw: &ParseError) -> Class {
    match flaw.kind {
        FlawKind::NotXml => Class::NotXml,
        FlawKind::BadXml => Class::BadXml,
        FlawKind::UnsafeXml => Class::UnsafeXml,
        FlawKind::WrongDocument => Class::WrongDoc,
        FlawKind::BadValue => Class::BadValue,
    }
}

/// A trouble in words.
pub(super) fn told(trouble: &HttpError, limit: &str) -> String {
    match trouble.kind {
        HttpErrorKind::TimedOut(phase) => format!("timeout after {limit} {}", phase.waits_for()),
        _ => trouble.text.clone(),
    }
}

fn is_xml(media_type: &str) -> bool {
    matches!(media_type, "text/xml" | "application/xml") || media_type.ends_with("+xml")
}

/// Printable, without passwords, blanks run together: a text from elsewhere for one
/// line.
pub(super) fn one_line(text: &str) -> String {
    printable(&without_passwords(text).split_whitespace().collect::<Vec<_>>().join(" "))
}

fn short(text: &str) -> String {
    let line = one_line(text);
    if line.chars().count() <= LONGEST {
        return line;
    }
    line.chars().take(LONGEST).chain("...".chars()).collect()
}
