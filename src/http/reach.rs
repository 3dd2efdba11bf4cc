//! The way to who is asked: names, connections, proxies and greetings, up to where a
//! request can be sent.

use std::io::{Read as _, Write as _};
use std::time::Instant;

use super::connection::{Line, Notes, Wire, connect};
use super::proxy::Proxy;
use super::resolve::resolve;
use super::{Client, Deadline, HttpError, HttpErrorKind, Phase, Url};

/// What a proxy answers has no longer a head than this.
const LONGEST_HEAD: usize = 16 << 10;

impl Client {
    /// A connection to where `url` is, through `proxy` if there is one. When a
    /// certificate expires that is shown is noted in `expires`.
    pub(super) fn reach(
        &self,
        url: &Url,
        proxy: Option<&Proxy>,
        budget: &Deadline,
        notes: &Notes,
        expires: &mut Option<i64>,
    ) -> Result<Line, HttpError> {
        // Who has a proxy looks no name up but the proxy's.
        let (host, port) = proxy.map_or((&url.host, url.port), |proxy| (&proxy.host, proxy.port));
        let of_proxy = |trouble: HttpError| match (proxy, trouble.kind) {
            (None, _)
            | (_, HttpErrorKind::TimedOut(_) | HttpErrorKind::GivenUp | HttpErrorKind::Interrupted) => {
                trouble
            }
            (Some(proxy), _) => proxy.trouble(&trouble.text),
        };
        let addresses = timed(notes, Phase::Resolve, || resolve(host, port, budget)).map_err(of_proxy)?;
        let stream = timed(notes, Phase::Connect, || connect(&addresses, budget)).map_err(of_proxy)?;
        let mut wire = Wire::new(stream, budget.clone(), Phase::Connect, notes.clone());
        if !url.secure {
            let line = Line::plain(wire, notes.clone());
            return Ok(match proxy {
                Some(_) => line.asking_with(format!("http://{}", url.authority())),
                None => line,
            });
        }
        if let Some(proxy) = proxy {
            let tunnelled = timed(notes, Phase::Connect, || self.tunnel(&mut wire, url, proxy, notes));
            tunnelled.map_err(of_proxy)?;
        }
        wire.enter(Phase::Tls);
        let (stream, not_after) = timed(notes, Phase::Tls, || self.trust.greet(&url.host, wire, notes))?;
        *expires = expires.map_or(not_after, |known| Some(not_after.map_or(known, |new| known.min(new))));
        Ok(Line::secure(stream, notes.clone()))
    }

    /// Has `proxy` connect `wire` to where `url` is (RFC 9110, 9.3.6).
    fn tunnel(&self, wire: &mut Wire, url: &Url, proxy: &Proxy, notes: &Notes) -> Result<(), HttpError> {
        let place = format!("{}:{}", url.host, url.port);
        let authorization = proxy.authorization();
        let login = authorization.map_or_else(String::new, |it| format!("Proxy-Authorization: {it}\r\n"));
        let request = format!(
            "CONNECT {place} HTTP/1.1\r\nHost: {place}\r\nUser-Agent: {}\r\n{login}\r\n",
            self.user_agent
        );
        // What the wire knows is what happened.
        let broke = |_| notes.with(|noted| noted.trouble.clone()).unwrap_or_else(HttpError::interrupted);
        wire.write_all(request.as_bytes()).map_err(broke)?;
        loop {
            let head = head(wire, broke)?;
            match status(&head) {
                Some(100..200) => {}
                Some(200..300) => return Ok(()),
                Some(407) => return Err(refused(407, "asks for a login")),
                Some(status) => return Err(refused(status, &format!("does not connect to {place}"))),
                None => return Err(HttpError::protocol("does not speak HTTP")),
            }
        }
    }
}

/// The status of a head that begins as one of HTTP does.
fn status(head: &str) -> Option<u16> {
    let (_, rest) = head.strip_prefix("HTTP/1.")?.split_once(' ')?;
    let digits = rest.split([' ', '\r', '\n']).next()?;
    digits.parse().ok().filter(|_| digits.len() == 3)
}

fn refused(status: u16, text: &str) -> HttpError {
    let words = ureq::http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let words = words.map_or_else(String::new, |words| format!(" {words}"));
    HttpError::protocol(format!("{text}: HTTP {status}{words}"))
}

/// Reads a head, and not a byte more: what follows it is no longer the proxy's.
fn head(wire: &mut Wire, broke: impl Fn(std::io::Error) -> HttpError) -> Result<String, HttpError> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && !head.ends_with(b"\n\n") {
        if head.len() >= LONGEST_HEAD {
            return Err(HttpError::protocol("an answer with a head that is too large"));
        }
        match wire.read(&mut byte).map_err(&broke)? {
            0 => return Err(HttpError::protocol("closed without an answer")),
            _ => head.push(byte[0]),
        }
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

fn timed<T>(notes: &Notes, phase: Phase, work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let result = work();
    notes.with(|noted| noted.phases.add(phase, started.elapsed()));
    result
}
