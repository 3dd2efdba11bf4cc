//! What came back: its head, and its body up to a limit, unpacked.

use std::time::Duration;

use ureq::http::{HeaderMap, header};

use super::{HttpError, Phases, Url};

/// What became of a request.
#[derive(Clone, Debug)]
pub struct Fetched<A = Response> {
    /// The redirects that were followed, in order.
    pub hops: Vec<Hop>,
    /// How long each phase took, over all hops.
    pub phases: Phases,
    /// When the first certificate expires that was shown, in seconds since 1970.
    pub expires: Option<i64>,
    /// The host and port of the proxy that was asked last, if one was.
    pub proxy: Option<String>,
    /// How long it was waited until requests might leave.
    pub paced: Duration,
    /// The answer, or why there is none.
    pub answer: Result<A, HttpError>,
}

/// One redirect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// The status that told of it.
    pub status: u16,
    /// Who told.
    pub from: Url,
    /// Where to.
    pub to: Url,
}

/// An answer with its head and body.
#[derive(Clone, Debug)]
pub struct Response<B = Result<Vec<u8>, HttpError>> {
    /// Who gave it, after redirects.
    pub url: Url,
    /// The status.
    pub status: u16,
    /// The media type in lower case, without parameters.
    pub media_type: Option<String>,
    /// The `charset` parameter of it.
    pub charset: Option<String>,
    /// When to come back, if the answer says so.
    pub retry_after: Option<RetryAfter>,
    /// Whether it had both a length and chunks, of which the chunks counted.
    pub odd_framing: bool,
    /// The decoded body, or why it is not whole.
    pub body: B,
    /// What there is of a body that was too large.
    pub head: Vec<u8>,
}

impl<B> Response<B> {
    /// The same with another body, and the body that it had.
    pub fn with_body<C>(self, new: C) -> (Response<C>, B) {
        let Self { url, status, media_type, charset, retry_after, odd_framing, body, head } = self;
        let answer = Response { url, status, media_type, charset, retry_after, odd_framing, body: new, head };
        (answer, body)
    }

    /// What the status means, as its RFC has it.
    pub fn status_words(&self) -> Option<&'static str> {
        status_words(self.status)
    }
}

pub(super) fn status_words(status: u16) -> Option<&'static str> {
    ureq::http::StatusCode::from_u16(status).ok()?.canonical_reason()
}

/// When to come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// After so long.
    In(Duration),
    /// At a date, seconds since 1970.
    At(i64),
}

impl RetryAfter {
    /// How long that is from `now` on, seconds since 1970.
    pub fn after(self, now: i64) -> Duration {
        match self {
            Self::In(time) => time,
            Self::At(date) => Duration::from_secs(u64::try_from(date - now).unwrap_or(0)),
        }
    }

    /// Reads the header of RFC 9110, 10.2.3: seconds, or a date.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(seconds) = text.parse::<u32>() {
            return Some(Self::In(Duration::from_secs(seconds.into())));
        }
        // `Fri, 01 Jan 2038 00:00:00 GMT`; the old forms have not been sent for decades.
        let mut words = text.split_once(", ")?.1.split(' ');
        let (day, month, year, time) = (words.next()?, words.next()?, words.next()?, words.next()?);
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let month = months.iter().position(|name| *name == month)? + 1;
        crate::vo::read_datetime(&format!("{year}-{month:02}-{day}T{time}Z")).map(Self::At)
    }
}

/// A header as text; the last one where there are several.
pub(super) fn text(headers: &HeaderMap, name: &header::HeaderName) -> Option<String> {
    let value = headers.get_all(name).iter().next_back()?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// Media type and charset of a `Content-Type`.
pub(super) fn media_type(value: Option<&str>) -> (Option<String>, Option<String>) {
    let Some(value) = value else { return (None, None) };
    let mut parts = value.split(';').map(str::trim);
    let media_type = parts.next().map(str::to_ascii_lowercase).filter(|kind| !kind.is_empty());
    let charset = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches(['"', '\'']).to_owned())
    });
    (media_type, charset)
}

/// Whether a body is packed, by its `Content-Encoding`.
pub(super) fn is_gzip(coding: Option<&str>) -> Result<bool, HttpError> {
    match coding.unwrap_or("").trim().to_ascii_lowercase().as_str() {
        "" | "identity" => Ok(false),
        "gzip" | "x-gzip" => Ok(true),
        other => Err(HttpError::protocol(format!("packed as {other:.20?}, which nobody asked for"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_retry_after_are_read() {
        assert_eq!(RetryAfter::parse(" 7"), Some(RetryAfter::In(Duration::from_secs(7))));
        let date = "Fri, 02 Jan 2026 03:04:05 GMT";
        assert_eq!(RetryAfter::parse(date), Some(RetryAfter::At(1_767_323_045)));
        for text in ["", "-1", "soon", "Fri, 99 Jan 2026 03:04:05 GMT"] {
            assert_eq!(RetryAfter::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_parameters_of_a_media_type_are_found() {
        let read = |text: &str| media_type(Some(text));
        assert_eq!(read("Text/XML"), (Some("text/xml".to_owned()), None));
        assert_eq!(read("text/xml; q=1; Charset=\"UTF-8\"").1.as_deref(), Some("UTF-8"));
        assert_eq!(read("").0, None);
    }
}
