//! The way to who is asked: a name to addresses, connections, proxies and greetings, up
//! to where a request can be sent.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::sync::mpsc;
use std::time::Instant;

use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use super::connection::{Connection, Deadline, DeadlineStream, Timings};
use super::proxy::Proxy;
use super::response::status_words;
use super::{HttpError, HttpErrorKind, Phase, Trust, Url, UrlHost};
use crate::process::Interest;

/// What a proxy answers has no longer a head than this.
const LONGEST_HEAD: usize = 16 << 10;

/// More addresses than this are not tried.
const MOST_ADDRESSES: usize = 8;

/// The way to where a URL is.
pub(super) struct Route<'a> {
    pub(super) url: &'a Url,
    /// Through whom, if through somebody.
    pub(super) proxy: Option<&'a Proxy>,
    pub(super) trust: &'a Trust,
    /// What is told about who asks.
    pub(super) user_agent: &'a str,
    pub(super) deadline: &'a Deadline,
    pub(super) timings: &'a Timings,
}

impl Route<'_> {
    /// A connection, and when the certificate expires that was shown.
    pub(super) fn connect(&self) -> Result<(Connection, Option<i64>), HttpError> {
        let Self { url, proxy, deadline, timings, .. } = *self;
        // Who has a proxy looks no name up but the proxy's.
        let (host, port) = proxy.map_or((&url.host, url.port), |proxy| (&proxy.host, proxy.port));
        let of_proxy = |error: HttpError| match (proxy, error.kind) {
            (None, _)
            | (_, HttpErrorKind::TimedOut(_) | HttpErrorKind::GivenUp | HttpErrorKind::Interrupted) => error,
            (Some(proxy), _) => proxy.error(&error.text),
        };
        let addresses = timings.during(Phase::Resolve, || resolve(host, port, deadline)).map_err(of_proxy)?;
        let stream = timings.during(Phase::Connect, || connect(&addresses, deadline)).map_err(of_proxy)?;
        let mut stream = DeadlineStream::new(stream, deadline.clone(), timings.clone());
        if !url.secure {
            let origin = proxy.map(|_| format!("http://{}", url.authority()));
            return Ok((Connection::plain(stream, origin, timings.clone()), None));
        }
        if let Some(proxy) = proxy {
            timings.during(Phase::Connect, || self.tunnel(&mut stream, proxy)).map_err(of_proxy)?;
        }
        let (stream, expires) =
            timings.during(Phase::Tls, || self.trust.greet(&url.host, stream, timings))?;
        Ok((Connection::secure(stream, timings.clone()), expires))
    }

    /// Has `proxy` connect `stream` to where the URL is (RFC 9110, 9.3.6).
    fn tunnel(&self, stream: &mut DeadlineStream, proxy: &Proxy) -> Result<(), HttpError> {
        let place = format!("{}:{}", self.url.host, self.url.port);
        let authorization = proxy.authorization();
        let login = authorization.map_or_else(String::new, |it| format!("Proxy-Authorization: {it}\r\n"));
        let request = format!(
            "CONNECT {place} HTTP/1.1\r\nHost: {place}\r\nUser-Agent: {}\r\n{login}\r\n",
            self.user_agent
        );
        // What the stream knows is what happened.
        let broke = |_| self.timings.with(|noted| noted.error.clone()).unwrap_or_else(HttpError::interrupted);
        stream.write_all(request.as_bytes()).map_err(broke)?;
        loop {
            let head = head(stream, broke)?;
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
    let words = status_words(status).map_or_else(String::new, |words| format!(" {words}"));
    HttpError::protocol(format!("{text}: HTTP {status}{words}"))
}

/// Reads a head, and not a byte more: what follows it is no longer the proxy's.
fn head(stream: &mut DeadlineStream, broke: impl Fn(io::Error) -> HttpError) -> Result<String, HttpError> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && !head.ends_with(b"\n\n") {
        if head.len() >= LONGEST_HEAD {
            return Err(HttpError::protocol("an answer with a head that is too large"));
        }
        match stream.read(&mut byte).map_err(&broke)? {
            0 => return Err(HttpError::protocol("closed without an answer")),
            _ => head.push(byte[0]),
        }
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// The addresses of `host`, those first that the system prefers.
fn resolve(host: &UrlHost, port: u16, deadline: &Deadline) -> Result<Vec<SocketAddr>, HttpError> {
    let name = match host {
        UrlHost::Address(address) => return Ok(vec![SocketAddr::new(*address, port)]),
        UrlHost::Name(name) => name,
    };
    let unknown = |why: &str| HttpError::new(HttpErrorKind::Dns, format!("no address for {name}: {why}"));
    // RFC 6761: there is none, and nobody need be asked.
    if name.trim_end_matches('.').rsplit('.').next() == Some("invalid") {
        return Err(unknown("names under .invalid have none"));
    }
    let found = look_up(name.clone(), port, deadline)?;
    let mut addresses: Vec<SocketAddr> = found.map_err(|error| unknown(&error))?;
    addresses.truncate(MOST_ADDRESSES);
    if addresses.is_empty() {
        return Err(unknown("the name is known, and has none"));
    }
    Ok(addresses)
}

/// The system's own lookup cannot be given a deadline nor be ended, so it has a
/// thread of its own that is left behind when the time is over. Nothing else is
/// done meanwhile: the tasks of a serial run stay one at a time.
fn look_up(
    name: String,
    port: u16,
    deadline: &Deadline,
) -> Result<Result<Vec<SocketAddr>, String>, HttpError> {
    let own = |error: io::Error| HttpError::new(HttpErrorKind::Dns, format!("start a lookup: {error}"));
    let (woken, waker) = UnixStream::pair().map_err(own)?;
    let (sender, receiver) = mpsc::channel();
    let lookup = move || {
        let found = (name.as_str(), port).to_socket_addrs().map(Iterator::collect);
        // Nobody listens any more when the time is over.
        let _ = sender.send(found.map_err(|error| error.to_string()));
        drop(waker);
    };
    std::thread::Builder::new().name("lookup".to_owned()).spawn(lookup).map_err(own)?;
    deadline.wait(woken.as_fd(), Interest::Read, Phase::Resolve).map_err(own)??;
    Ok(receiver.recv().unwrap_or_else(|_| Err("the lookup failed".to_owned())))
}

/// Connects to the first of `addresses` that answers. A later one gets its turn
/// when the one before has used up its share of the time.
fn connect(addresses: &[SocketAddr], deadline: &Deadline) -> Result<TcpStream, HttpError> {
    let mut last = HttpError::new(HttpErrorKind::Refused, "there is no address to connect to");
    for (tried, address) in addresses.iter().enumerate() {
        let left = deadline.at.saturating_duration_since(Instant::now());
        // Half of what is left, but all of it for the last one.
        let share = if tried + 1 < addresses.len() { left / 2 } else { left };
        let share = Deadline { at: Instant::now() + share, interrupt: deadline.interrupt.clone() };
        match connect_to(*address, &share) {
            Ok(stream) => return Ok(stream),
            Err(error) if error.kind == HttpErrorKind::Interrupted => return Err(error),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn connect_to(address: SocketAddr, deadline: &Deadline) -> Result<TcpStream, HttpError> {
    let failed = |error: io::Error| HttpError::of_socket(&error);
    let socket =
        Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP)).map_err(failed)?;
    socket.set_nonblocking(true).map_err(failed)?;
    // A request is two small pieces: neither is to wait for the other.
    socket.set_tcp_nodelay(true).map_err(failed)?;
    match socket.connect(&SockAddr::from(address)) {
        Ok(()) => {}
        Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => {
            deadline.wait(socket.as_fd(), Interest::Write, Phase::Connect).map_err(failed)??;
            if let Some(error) = socket.take_error().map_err(failed)? {
                return Err(failed(error));
            }
        }
        Err(error) => return Err(failed(error)),
    }
    Ok(socket.into())
}
