//! A request and what comes back, over as many redirects as there are.

use crate::sync::Mutex;
use std::io::Read as _;
use std::time::Duration;

use ureq::http::{self, HeaderMap, header};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{ConnectionDetails, Connector, NextTimeout};

use super::body::BodyReader;
use super::connect::Route;
use super::connection::Timings;
use super::form::RequestBody;
use super::pool::{ConnectionPool, PooledConnection};
use super::response::{is_gzip, media_type, text};
use super::{
    Deadline, Fetched, Hop, HttpError, HttpErrorKind, Phase, Proxies, Response, RetryAfter, Trust, Url,
};
use crate::text::without_login;

/// More redirects than this lead nowhere.
const MOST_HOPS: usize = 10;

/// Asks, each time on a fresh connection, or on one that was kept.
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
    /// Connections for further requests; none is kept where there is no such place.
    pub pool: Option<ConnectionPool>,
}

/// What is asked.
#[derive(Clone)]
pub struct Request<'a> {
    /// Of whom.
    pub url: Url,
    /// What is welcome.
    pub accept: &'a str,
    /// What is sent with POST; GET without.
    pub body: Option<RequestBody<'a>>,
    /// Who says when a request may leave; each at once where nobody does.
    pub pacer: Option<&'a dyn Pacer>,
}

/// Says when requests may leave, each of the hops of a redirect by itself.
pub trait Pacer {
    /// Waits until a request to `url` may leave, and tells how long that was, which is not
    /// taken from the time that the request has.
    ///
    /// # Errors
    /// When it is not to be sent at all.
    fn wait(&self, url: &Url) -> Result<Duration, HttpError>;
}

impl Client {
    /// Asks, follows redirects as far as they lead, and reads the answer whole.
    pub fn fetch(&self, request: &Request<'_>, deadline: &Deadline) -> Fetched {
        let Fetched { hops, mut phases, expires, proxy, paced, answer } = self.open(request, deadline);
        let answer = answer.map(|answer| {
            let (answer, mut body) = answer.with_body(());
            let mut bytes = Vec::new();
            let read = body.read_to_end(&mut bytes);
            phases.add(Phase::Body, body.took());
            let failure = body.into_failure().or_else(|| Some(HttpError::of_socket(read.as_ref().err()?)));
            match failure {
                Some(error) => Response { head: bytes, ..answer.with_body(Err(error)).0 },
                None => answer.with_body(Ok(bytes)).0,
            }
        });
        Fetched { hops, phases, expires, proxy, paced, answer }
    }

    /// The same up to the body, which is yet to be read: what is read of it comes as it
    /// arrives.
    pub fn open(&self, request: &Request<'_>, deadline: &Deadline) -> Fetched<Response<BodyReader>> {
        let (mut request, mut deadline) = (request.clone(), deadline.clone());
        let mut fetched = Fetched {
            hops: Vec::new(),
            phases: super::Phases::default(),
            expires: None,
            proxy: None,
            paced: Duration::ZERO,
            answer: Err(HttpError::interrupted()),
        };
        let mut asked = Vec::new();
        let mut is_fresh = false;
        loop {
            match request.pacer.map_or(Ok(Duration::ZERO), |pacer| pacer.wait(&request.url)) {
                Ok(waited) => {
                    fetched.paced += waited;
                    deadline.at += waited;
                }
                Err(error) => return Fetched { answer: Err(error), ..fetched },
            }
            let timings = Timings::default();
            let heard = self.ask(&request, is_fresh, &deadline, &timings, &mut fetched);
            let heard = heard.transpose();
            fetched.phases.add_all(&timings.with(|noted| noted.phases));
            let Some(heard) = heard else {
                is_fresh = true;
                continue;
            };
            asked.push((request.url.clone(), request.body.is_some()));
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

    /// One request on one connection, which `is_fresh`, or may have been kept: then there may be
    /// no reply, and it is to be asked again on a fresh one.
    fn ask(
        &self,
        request: &Request<'_>,
        is_fresh: bool,
        deadline: &Deadline,
        timings: &Timings,
        fetched: &mut Fetched<Response<BodyReader>>,
    ) -> Result<Option<Reply>, HttpError> {
        let url = &request.url;
        let proxy = self.proxies.of(url)?;
        if let Some(proxy) = &proxy {
            fetched.proxy = Some(proxy.to_string());
        }
        // A proxy may mix up who asks.
        let pool = self.pool.as_ref().filter(|_| proxy.is_none());
        let idle = pool.filter(|_| !is_fresh).and_then(|pool| pool.take(url, deadline, timings));
        let is_reused = idle.is_some();
        let (trust, user_agent) = (&self.trust, &*self.user_agent);
        let route = Route { url, proxy: proxy.as_ref(), trust, user_agent, deadline, timings };
        let (connection, expires) = idle.map_or_else(|| route.connect(), Ok)?;
        fetched.expires = fetched.expires.into_iter().chain(expires).min();
        let connection = match pool {
            Some(pool) => pool.lend(connection, url, expires),
            None => PooledConnection::once(connection),
        };
        let agent =
            ureq::Agent::with_parts(config(), ReadyConnection(Mutex::new(Some(connection))), NoLookup);
        // A proxy of https has seen who asks when it was told to connect.
        let plainly = proxy.filter(|_| !url.secure).and_then(|proxy| proxy.authorization());
        let response = match self.send(&agent, request, pool.is_some(), plainly) {
            Ok(response) => response,
            Err(error) => {
                let error = timings.understood(&error);
                // The other side closed it just when it was asked.
                let is_stale = is_reused
                    && matches!(error.kind, HttpErrorKind::Closed | HttpErrorKind::Reset)
                    && !timings.with(|noted| noted.answered);
                return if is_stale { Ok(None) } else { Err(error) };
            }
        };
        let (head, body) = response.into_parts();
        let status = head.status.as_u16();
        check_head(status, &head.headers)?;
        let value = |name| text(&head.headers, &name);
        if matches!(status, 301 | 302 | 303 | 307 | 308) {
            let lost = format!("a redirect ({status}) without a place to go to");
            let to = value(header::LOCATION).ok_or(HttpError::new(HttpErrorKind::Redirect, lost))?;
            return Ok(Some(Reply::Moved { status, to }));
        }
        let (media_type, charset) = media_type(value(header::CONTENT_TYPE).as_deref());
        Ok(Some(Reply::Response(Box::new(Response {
            url: url.clone(),
            status,
            media_type,
            charset,
            retry_after: value(header::RETRY_AFTER).as_deref().and_then(RetryAfter::parse),
            odd_framing: head.headers.contains_key(header::TRANSFER_ENCODING)
                && head.headers.contains_key(header::CONTENT_LENGTH),
            body: self.body(&head.headers, body, timings),
            head: Vec::new(),
        }))))
    }

    fn send(
        &self,
        agent: &ureq::Agent,
        request: &Request<'_>,
        is_kept: bool,
        proxy_authorization: Option<String>,
    ) -> Result<http::Response<ureq::Body>, ureq::Error> {
        let mut builder = http::Request::builder()
            .uri(request.url.asked())
            .header(header::USER_AGENT, &self.user_agent)
            .header(header::ACCEPT, request.accept)
            .header(header::ACCEPT_ENCODING, "identity");
        if !is_kept {
            builder = builder.header(header::CONNECTION, "close");
        }
        if let Some(login) = request.url.login() {
            builder = builder.header(header::AUTHORIZATION, login.basic());
        }
        if let Some(authorization) = proxy_authorization {
            builder = builder.header(header::PROXY_AUTHORIZATION, authorization);
        }
        match request.body {
            None => agent.run(builder.method("GET").body(())?),
            Some(body) => {
                let (kind, bytes) = body.encoded();
                agent.run(builder.header(header::CONTENT_TYPE, kind).method("POST").body(bytes)?)
            }
        }
    }

    fn body(&self, headers: &HeaderMap, body: ureq::Body, timings: &Timings) -> BodyReader {
        let is_gzip = match is_gzip(text(headers, &header::CONTENT_ENCODING).as_deref()) {
            Ok(is_gzip) => is_gzip,
            Err(error) => return BodyReader::failed(error),
        };
        let length = text(headers, &header::CONTENT_LENGTH).and_then(|length| length.trim().parse().ok());
        let announced = length.filter(|_| !headers.contains_key(header::TRANSFER_ENCODING));
        BodyReader::new(body, is_gzip, announced, self.limit, timings.clone())
    }
}

/// What one request came to.
enum Reply {
    Moved { status: u16, to: String },
    Response(Box<Response<BodyReader>>),
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
    let body = request.body.filter(|_| status != 303);
    if body.is_some() && from.secure && !to.secure {
        return lost(format!("redirected from https to http, where no form is sent: {to}"));
    }
    if asked.iter().any(|(url, with_form)| *url == to && *with_form == body.is_some()) {
        return lost(format!("redirected in a circle, to {to}"));
    }
    (request.url, request.body) = (to.clone(), body);
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
struct ReadyConnection(Mutex<Option<PooledConnection>>);

impl Connector<()> for ReadyConnection {
    type Out = PooledConnection;

    fn connect(
        &self,
        _: &ConnectionDetails<'_>,
        _: Option<()>,
    ) -> Result<Option<PooledConnection>, ureq::Error> {
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
