//! A request and what comes back, over as many redirects as there are.

use crate::sync::Mutex;
use std::io;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use ureq::http::{self, HeaderMap, header};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{ConnectionDetails, Connector, NextTimeout};

use super::connect::Route;
use super::connection::{Connection, Timings};
use super::response::{PartialBody, is_gzip, media_type, read_up_to, text, too_large, unpack, within};
use super::{
    Deadline, Fetched, Hop, HttpError, HttpErrorKind, Phase, Proxies, Response, RetryAfter, Trust, Url,
};
use crate::text::without_login;

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
    /// Through whom is asked.
    pub proxies: Proxies,
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
    pub fn fetch(&self, request: &Request<'_>, deadline: &Deadline) -> Fetched {
        let mut request = request.clone();
        let mut fetched = Fetched {
            hops: Vec::new(),
            phases: super::Phases::default(),
            expires: None,
            proxy: None,
            answer: Err(HttpError::interrupted()),
        };
        let mut asked = Vec::new();
        loop {
            let timings = Timings::default();
            let heard = self.ask(&request, deadline, &timings, &mut fetched);
            fetched.phases.add_all(&timings.with(|noted| noted.phases));
            asked.push((request.url.clone(), request.form.is_some()));
            let hop = match heard {
                Ok(Reply::Moved { status, to }) => next(&asked, &mut request, status, &to),
                Ok(Reply::Response(answer)) => return Fetched { answer: Ok(*answer), ..fetched },
                Err(error) => Err(error),
            };
            match hop {
                Ok(hop) => fetched.hops.push(hop),
                Err(error) => return Fetched { answer: Err(error), ..fetched },
            }
        }
    }

    /// One request on one connection.
    fn ask(
        &self,
        request: &Request<'_>,
        deadline: &Deadline,
        timings: &Timings,
        fetched: &mut Fetched,
    ) -> Result<Reply, HttpError> {
        let url = &request.url;
        let proxy = self.proxies.of(url)?;
        if let Some(proxy) = &proxy {
            fetched.proxy = Some(proxy.to_string());
        }
        let (trust, user_agent) = (&self.trust, &*self.user_agent);
        let route = Route { url, proxy: proxy.as_ref(), trust, user_agent, deadline, timings };
        let (connection, expires) = route.connect()?;
        fetched.expires = fetched.expires.into_iter().chain(expires).min();
        let agent =
            ureq::Agent::with_parts(config(), ReadyConnection(Mutex::new(Some(connection))), NoLookup);
        // A proxy of https has seen who asks when it was told to connect.
        let plainly = proxy.filter(|_| !url.secure).and_then(|proxy| proxy.authorization());
        let response = self.send(&agent, request, plainly).map_err(|error| understood(&error, timings))?;
        let (head, body) = response.into_parts();
        let status = head.status.as_u16();
        check_head(status, &head.headers)?;
        let value = |name| text(&head.headers, &name);
        if matches!(status, 301 | 302 | 303 | 307 | 308) {
            let lost = format!("a redirect ({status}) without a place to go to");
            let to = value(header::LOCATION).ok_or(HttpError::new(HttpErrorKind::Redirect, lost))?;
            return Ok(Reply::Moved { status, to });
        }
        let read = timings.during(Phase::Body, || self.body(&head.headers, body.into_reader(), timings));
        let (body, rest) =
            read.map_or_else(|PartialBody { error, head }| (Err(error), head), |body| (Ok(body), Vec::new()));
        let (media_type, charset) = media_type(value(header::CONTENT_TYPE).as_deref());
        Ok(Reply::Response(Box::new(Response {
            url: url.clone(),
            status,
            media_type,
            charset,
            retry_after: value(header::RETRY_AFTER).as_deref().and_then(RetryAfter::parse),
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
        proxy_authorization: Option<String>,
    ) -> Result<http::Response<ureq::Body>, ureq::Error> {
        let mut builder = http::Request::builder()
            .uri(request.url.asked())
            .header(header::USER_AGENT, &self.user_agent)
            .header(header::ACCEPT, request.accept)
            .header(header::ACCEPT_ENCODING, "identity")
            .header(header::CONNECTION, "close");
        if let Some(login) = request.url.login() {
            builder = builder.header(header::AUTHORIZATION, login.basic());
        }
        if let Some(authorization) = proxy_authorization {
            builder = builder.header(header::PROXY_AUTHORIZATION, authorization);
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
        timings: &Timings,
    ) -> Result<Vec<u8>, PartialBody> {
        let is_gzip = is_gzip(text(headers, &header::CONTENT_ENCODING).as_deref())?;
        let announced =
            text(headers, &header::CONTENT_LENGTH).and_then(|length| length.trim().parse::<u64>().ok());
        let chunked = headers.contains_key(header::TRANSFER_ENCODING);
        // What is a little too long is looked into: it may be worse than long.
        if !chunked && announced.is_some_and(|length| length > (self.limit as u64).saturating_mul(MOST_TIMES))
        {
            return Err(too_large(self.limit).into());
        }
        let packed =
            read_up_to(self.limit, reader).map_err(|error| understood(&ureq::Error::from(error), timings))?;
        // ureq takes a broken connection for the end where no length was told.
        if let Some(error) = timings.with(|noted| noted.error.clone()) {
            return Err(error.into());
        }
        let packed = within(self.limit, packed)?;
        if is_gzip { within(self.limit, unpack(&packed, self.limit)?) } else { Ok(packed) }
    }
}

/// What one request came to.
enum Reply {
    Moved { status: u16, to: String },
    Response(Box<Response>),
}

/// Where a redirect leads, if that is somewhere new: `request` is then the one to go
/// on with. `asked` is what was asked so far, and whether with a form.
fn next(asked: &[(Url, bool)], request: &mut Request<'_>, status: u16, to: &str) -> Result<Hop, HttpError> {
    let lost = |text: String| Err(HttpError::new(HttpErrorKind::Redirect, text));
    let from = request.url.clone();
    let to = match from.join(to) {
        Ok(to) => to,
        Err(bad) => return lost(format!("redirected to {:?}: {bad}", without_login(to))),
    };
    if asked.len() > MOST_HOPS {
        return lost(format!("more than {MOST_HOPS} redirects"));
    }
    // 303 says that the answer to the form lies there; after the others it is yet to
    // be given, and a form that became a bare GET would only be complained of.
    let form = request.form.filter(|_| status != 303);
    if form.is_some() && from.secure && !to.secure {
        return lost(format!("redirected from https to http, where no form is sent: {to}"));
    }
    if asked.iter().any(|(url, with_form)| *url == to && *with_form == form.is_some()) {
        return lost(format!("redirected in a circle, to {to}"));
    }
    (request.url, request.form) = (to.clone(), form);
    Ok(Hop { status, from, to })
}

/// What ureq leaves to us: statuses that are none, and unknown codings.
fn check_head(status: u16, headers: &HeaderMap) -> Result<(), HttpError> {
    if !(200..600).contains(&status) {
        return Err(HttpError::protocol(format!("status {status}, which is none of HTTP's")));
    }
    let codings = headers.get_all(header::TRANSFER_ENCODING);
    for coding in codings {
        let coding = String::from_utf8_lossy(coding.as_bytes()).trim().to_ascii_lowercase();
        if coding != "chunked" && coding != "identity" {
            return Err(HttpError::protocol(format!("transfer coding {coding:.40?}, which nobody knows")));
        }
    }
    Ok(())
}

/// What an error means: the connection's own notes know better than ureq.
fn understood(error: &ureq::Error, timings: &Timings) -> HttpError {
    if let Some(error) = timings.with(|noted| noted.error.clone()) {
        return error;
    }
    match error {
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            let answered = timings.with(|noted| noted.answered);
            let when = if answered { "in the middle of the answer" } else { "without an answer" };
            HttpError::new(HttpErrorKind::Closed, format!("closed {when}"))
        }
        ureq::Error::Io(error)
            if error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>) =>
        {
            HttpError::new(HttpErrorKind::Tls, error.to_string())
        }
        ureq::Error::Protocol(error) => HttpError::protocol(format!("not HTTP: {error}")),
        ureq::Error::LargeResponseHeader(..) => HttpError::protocol("a head that is too large"),
        other => HttpError::protocol(other.to_string()),
    }
}

/// What stands in a form as it is (the `application/x-www-form-urlencoded` of the URL
/// standard); blanks become `+`.
const IN_FORMS: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'*').remove(b' ');

/// A form as its bytes are sent.
fn encoded(form: &[(&'static str, String)]) -> Vec<u8> {
    let quote = |text: &str| utf8_percent_encode(text, IN_FORMS).to_string().replace(' ', "+");
    let pairs: Vec<String> =
        form.iter().map(|(name, value)| format!("{}={}", quote(name), quote(value))).collect();
    pairs.join("&").into_bytes()
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
struct ReadyConnection(Mutex<Option<Connection>>);

impl Connector<()> for ReadyConnection {
    type Out = Connection;

    fn connect(&self, _: &ConnectionDetails<'_>, _: Option<()>) -> Result<Option<Connection>, ureq::Error> {
        Ok(self.0.lock().take())
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
    fn a_form_is_encoded_as_its_standard_has_it() {
        let form = [("QUERY", "SELECT 'é' & 1+1 ~*".to_owned()), ("MAXREC", "1".to_owned())];
        assert_eq!(encoded(&form), b"QUERY=SELECT+%27%C3%A9%27+%26+1%2B1+%7E*&MAXREC=1");
    }
}
