//! A request and what comes back, over as many redirects as there are.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use ureq::http::{self, HeaderMap, header};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{ConnectionDetails, Connector, NextTimeout};

use super::decoded::{Packing, read_up_to, too_large, unpack};
use super::line::{Line, Notes, Wire, connect};
use super::resolve::resolve;
use super::{Answer, Budget, Fetched, Hop, Phase, RetryAfter, Trouble, TroubleKind, Trust, Url};

/// More redirects than this lead nowhere.
const MOST_HOPS: usize = 10;

/// A body announced as so many times longer than the limit is not read at all.
const MOST_TIMES: u64 = 8;

/// Asks, one fresh connection at a time.
#[derive(Clone, Debug)]
pub struct Client {
    /// Who is trusted.
    pub trust: Trust,
    /// What is told about who asks.
    pub user_agent: String,
    /// The most bytes that a body may have, unpacked.
    pub limit: usize,
}

/// What is asked.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// Of whom.
    pub url: Url,
    /// What is welcome.
    pub accept: &'a str,
    /// A form to be sent with POST; GET without.
    pub form: Option<&'a [(&'static str, String)]>,
}

impl Client {
    /// Asks, and follows redirects as far as they lead.
    #[must_use]
    pub fn fetch(&self, request: &Request<'_>, budget: &Budget) -> Fetched {
        let mut request = request.clone();
        let mut fetched = Fetched {
            hops: Vec::new(),
            phases: super::Phases::default(),
            expires: None,
            answer: Err(Trouble::interrupted()),
        };
        loop {
            let notes = Notes::default();
            let asked = self.ask(&request, budget, &notes, &mut fetched.expires);
            fetched.phases.add_all(&notes.with(|noted| noted.phases));
            fetched.answer = match asked {
                Ok(Heard::Moved { status, to }) => match next(&fetched.hops, &request, status, &to) {
                    Ok(hop) => {
                        // As browsers do it: only 307 and 308 send the form again.
                        if !matches!(status, 307 | 308) {
                            request.form = None;
                        }
                        request.url = hop.to.clone();
                        fetched.hops.push(hop);
                        continue;
                    }
                    Err(trouble) => Err(trouble),
                },
                Ok(Heard::Answer(answer)) => Ok(*answer),
                Err(trouble) => Err(trouble),
            };
            return fetched;
        }
    }

    /// One request on one connection.
    fn ask(
        &self,
        request: &Request<'_>,
        budget: &Budget,
        notes: &Notes,
        expires: &mut Option<i64>,
    ) -> Result<Heard, Trouble> {
        let url = &request.url;
        let addresses = timed(notes, Phase::Resolve, || resolve(&url.host, url.port, budget))?;
        let stream = timed(notes, Phase::Connect, || connect(&addresses, budget))?;
        let wire = Wire::new(stream, budget.clone(), notes.clone());
        let line = if url.secure {
            let (stream, not_after) = timed(notes, Phase::Tls, || self.trust.greet(&url.host, wire, notes))?;
            *expires = expires.map_or(not_after, |known| Some(not_after.map_or(known, |new| known.min(new))));
            Line::secure(stream, notes.clone())
        } else {
            Line::plain(wire, notes.clone())
        };
        let agent = ureq::Agent::with_parts(config(), Ready(Mutex::new(Some(line))), NoLookup);
        let response = self.send(&agent, request).map_err(|error| understood(&error, notes))?;
        let (head, body) = response.into_parts();
        let status = head.status.as_u16();
        check_head(status, &head.headers)?;
        if matches!(status, 301 | 302 | 303 | 307 | 308) {
            let place = head.headers.get_all(header::LOCATION).iter().next_back();
            let place = place.map(|place| String::from_utf8_lossy(place.as_bytes()).into_owned());
            let to = place.ok_or_else(|| {
                Trouble::new(TroubleKind::Redirect, format!("a redirect ({status}) without a place to go to"))
            })?;
            return Ok(Heard::Moved { status, to });
        }
        let started = Instant::now();
        let (body, rest) = match self.body(&head.headers, body.into_reader(), notes) {
            Ok(body) => (Ok(body), Vec::new()),
            Err((trouble, rest)) => (Err(trouble), rest),
        };
        notes.with(|noted| noted.phases.add(Phase::Body, started.elapsed()));
        let (media_type, charset) = media_type(text(&head.headers, &header::CONTENT_TYPE).as_deref());
        Ok(Heard::Answer(Box::new(Answer {
            url: url.clone(),
            status,
            media_type,
            charset,
            retry_after: text(&head.headers, &header::RETRY_AFTER).as_deref().and_then(RetryAfter::parse),
            odd_framing: head.headers.contains_key(header::TRANSFER_ENCODING)
                && head.headers.contains_key(header::CONTENT_LENGTH),
            body,
            head: rest,
        })))
    }

    fn send(
        &self,
        agent: &ureq::Agent,
        request: &Request<'_>,
    ) -> Result<http::Response<ureq::Body>, ureq::Error> {
        let mut builder = http::Request::builder()
            .uri(request.url.asked())
            .header(header::USER_AGENT, &self.user_agent)
            .header(header::ACCEPT, request.accept)
            .header(header::ACCEPT_ENCODING, "identity")
            .header(header::CONNECTION, "close");
        if let Some((user, password)) = request.url.credentials() {
            let basic = base64(format!("{user}:{password}").as_bytes());
            builder = builder.header(header::AUTHORIZATION, format!("Basic {basic}"));
        }
        match request.form {
            None => agent.run(builder.method("GET").body(())?),
            Some(form) => {
                let builder = builder.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
                agent.run(builder.method("POST").body(encoded(form))?)
            }
        }
    }

    fn body(
        &self,
        headers: &HeaderMap,
        reader: impl io::Read,
        notes: &Notes,
    ) -> Result<Vec<u8>, (Trouble, Vec<u8>)> {
        let bare = |trouble| (trouble, Vec::new());
        let packing = Packing::of(text(headers, &header::CONTENT_ENCODING).as_deref()).map_err(bare)?;
        let announced =
            text(headers, &header::CONTENT_LENGTH).and_then(|length| length.trim().parse::<u64>().ok());
        let chunked = headers.contains_key(header::TRANSFER_ENCODING);
        // What is a little too long is looked into: it may be worse than long.
        if !chunked && announced.is_some_and(|length| length > (self.limit as u64).saturating_mul(MOST_TIMES))
        {
            return Err(bare(too_large(self.limit)));
        }
        let packed = read_up_to(self.limit, reader)
            .map_err(|error| bare(understood(&ureq::Error::from(error), notes)))?;
        // ureq takes a broken connection for the end where no length was told.
        if let Some(trouble) = notes.with(|noted| noted.trouble.clone()) {
            return Err(bare(trouble));
        }
        if packed.len() > self.limit {
            return Err((too_large(self.limit), packed));
        }
        unpack(packing, packed, self.limit)
    }
}

/// What one request came to.
enum Heard {
    Moved { status: u16, to: String },
    Answer(Box<Answer>),
}

/// Where a redirect leads, if that is somewhere new.
fn next(hops: &[Hop], request: &Request<'_>, status: u16, to: &str) -> Result<Hop, Trouble> {
    let lost = |text: String| Trouble::new(TroubleKind::Redirect, text);
    let from = request.url.clone();
    let to = from.join(to).map_err(|bad| lost(format!("redirected to {to:.200?}: {bad}")))?;
    if hops.len() >= MOST_HOPS {
        return Err(lost(format!("more than {MOST_HOPS} redirects")));
    }
    let is_known = to == from || hops.iter().any(|hop| hop.from == to);
    // A form that becomes a GET of the same place is no loop.
    let asks_the_same = request.form.is_none() || matches!(status, 307 | 308);
    if is_known && asks_the_same {
        return Err(lost(format!("redirected in a circle, to {to}")));
    }
    Ok(Hop { status, from, to })
}

fn timed<T>(notes: &Notes, phase: Phase, work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let result = work();
    notes.with(|noted| noted.phases.add(phase, started.elapsed()));
    result
}

/// What ureq leaves to us: statuses that are none, and unknown codings.
fn check_head(status: u16, headers: &HeaderMap) -> Result<(), Trouble> {
    if !(200..600).contains(&status) {
        return Err(Trouble::protocol(format!("status {status}, which is none of HTTP's")));
    }
    let codings = headers.get_all(header::TRANSFER_ENCODING);
    for coding in codings {
        let coding = String::from_utf8_lossy(coding.as_bytes()).trim().to_ascii_lowercase();
        if coding != "chunked" && coding != "identity" {
            return Err(Trouble::protocol(format!("transfer coding {coding:.40?}, which nobody knows")));
        }
    }
    Ok(())
}

/// What an error means: the connection's own notes know better than ureq.
fn understood(error: &ureq::Error, notes: &Notes) -> Trouble {
    if let Some(trouble) = notes.with(|noted| noted.trouble.clone()) {
        return trouble;
    }
    match error {
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            let answered = notes.with(|noted| noted.answered);
            let when = if answered { "in the middle of the answer" } else { "without an answer" };
            Trouble::new(TroubleKind::Closed, format!("closed {when}"))
        }
        ureq::Error::Io(error)
            if error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>) =>
        {
            Trouble::new(TroubleKind::Tls, error.to_string())
        }
        ureq::Error::Protocol(error) => Trouble::protocol(format!("not HTTP: {error}")),
        ureq::Error::LargeResponseHeader(..) => Trouble::protocol("a head that is too large"),
        other => Trouble::protocol(other.to_string()),
    }
}

/// A header as text; the last one where there are several.
fn text(headers: &HeaderMap, name: &header::HeaderName) -> Option<String> {
    let value = headers.get_all(name).iter().next_back()?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// Media type and charset of a `Content-Type`.
fn media_type(value: Option<&str>) -> (Option<String>, Option<String>) {
    let Some(value) = value else { return (None, None) };
    let mut parts = value.split(';').map(str::trim);
    let media_type = parts.next().map(str::to_ascii_lowercase).filter(|kind| !kind.is_empty());
    let charset = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches(['"', '\'']).to_owned())
    });
    (media_type, charset)
}

fn encoded(form: &[(&'static str, String)]) -> Vec<u8> {
    let quote = |text: &str| {
        text.bytes().fold(String::new(), |mut quoted, byte| {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'*' => {
                    quoted.push(char::from(byte));
                }
                b' ' => quoted.push('+'),
                _ => quoted.push_str(&format!("%{byte:02X}")),
            }
            quoted
        })
    };
    let pairs: Vec<String> =
        form.iter().map(|(name, value)| format!("{}={}", quote(name), quote(value))).collect();
    pairs.join("&").into_bytes()
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group =
            chunk.iter().fold(0, |group, &byte| group << 8 | usize::from(byte)) << (8 * (3 - chunk.len()));
        for digit in 0..4 {
            let shown = digit <= chunk.len();
            text.push(if shown { char::from(DIGITS[group >> (18 - 6 * digit) & 63]) } else { '=' });
        }
    }
    text
}

fn config() -> ureq::config::Config {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .max_idle_connections(0)
        .proxy(None)
        .build()
}

/// Hands out the connection that stands already.
#[derive(Debug)]
struct Ready(Mutex<Option<Line>>);

impl Connector<()> for Ready {
    type Out = Line;

    fn connect(&self, _: &ConnectionDetails<'_>, _: Option<()>) -> Result<Option<Line>, ureq::Error> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).take())
    }
}

/// Names are looked up before.
#[derive(Debug)]
struct NoLookup;

impl Resolver for NoLookup {
    fn resolve(
        &self,
        _: &http::Uri,
        _: &ureq::config::Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        Ok(self.empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_and_credentials_are_encoded_as_their_rfcs_have_it() {
        let form = [("QUERY", "SELECT 'é' & 1+1".to_owned()), ("MAXREC", "1".to_owned())];
        assert_eq!(encoded(&form), b"QUERY=SELECT+%27%C3%A9%27+%26+1%2B1&MAXREC=1");
        // RFC 4648, 10.
        for (plain, digits) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(plain.as_bytes()), digits);
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
