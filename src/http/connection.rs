//! A connection on which every wait has the same deadline and ends with an
//! interrupt, and which keeps note of what came when.

use crate::sync::Mutex;
use std::fmt;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::{ClientConnection, StreamOwned};
use ureq::unversioned::transport::{Buffers, LazyBuffers, NextTimeout, Transport};

use super::chunks::Framing;
use super::{HttpError, HttpErrorKind, Phase, Phases};
use crate::process::{Interest, Interrupt, Waited};

/// An answer's head has to fit into it; the body streams through.
const INPUT: usize = 16 << 10;

/// A request's head has to fit into it.
const OUTPUT: usize = 8 << 10;

/// How long there is, and what ends it early.
#[derive(Clone, Debug)]
pub struct Deadline {
    /// When it is over.
    pub at: Instant,
    /// What ends it at once.
    pub interrupt: Interrupt,
}

impl Deadline {
    /// So long from now.
    pub fn lasting(time: Duration, interrupt: Interrupt) -> Self {
        Self { at: Instant::now() + time, interrupt }
    }

    /// How long it lasts yet.
    pub fn left(&self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    /// Waits until `fd` is ready, but no longer than there is time for `phase`.
    pub(super) fn wait(
        &self,
        fd: BorrowedFd<'_>,
        interest: Interest,
        phase: Phase,
    ) -> io::Result<Result<(), HttpError>> {
        Ok(match self.interrupt.wait_until(fd, interest, self.at)? {
            Waited::Ready => Ok(()),
            Waited::TimedOut => Err(HttpError::timed_out(phase)),
            Waited::Interrupted => Err(HttpError::interrupted()),
        })
    }
}

/// What happened on a connection, shared with who asked for it: ureq passes
/// errors on in other words.
#[derive(Clone, Debug, Default)]
pub(super) struct Timings(Arc<Mutex<ExchangeNotes>>);

#[derive(Clone, Debug, Default)]
pub(super) struct ExchangeNotes {
    pub(super) phases: Phases,
    /// What is done now.
    phase: Phase,
    /// What broke the connection.
    pub(super) error: Option<HttpError>,
    /// Whether it has said anything.
    pub(super) answered: bool,
    /// When the last of the request left.
    sent: Option<Instant>,
}

impl Timings {
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut ExchangeNotes) -> T) -> T {
        work(&mut self.0.lock())
    }

    /// What an error means: the connection's own notes know better than ureq.
    pub(super) fn understood(&self, error: &ureq::Error) -> HttpError {
        if let Some(error) = self.with(|noted| noted.error.clone()) {
            return error;
        }
        match error {
            ureq::Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                let answered = self.with(|noted| noted.answered);
                let when = if answered { "in the middle of the answer" } else { "without an answer" };
                HttpError::new(HttpErrorKind::Closed, format!("closed {when}"))
            }
            ureq::Error::Io(error)
                if error
                    .get_ref()
                    .is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>) =>
            {
                HttpError::new(HttpErrorKind::Tls, error.to_string())
            }
            ureq::Error::Protocol(error) => HttpError::protocol(format!("not HTTP: {error}")),
            ureq::Error::LargeResponseHeader(..) => HttpError::protocol("a head that is too large"),
            other => HttpError::protocol(other.to_string()),
        }
    }

    fn enter(&self, phase: Phase) {
        self.with(|noted| noted.phase = phase);
    }

    /// Does `work`, whose time is that of `phase`.
    pub(super) fn during<T>(&self, phase: Phase, work: impl FnOnce() -> T) -> T {
        self.enter(phase);
        let started = Instant::now();
        let result = work();
        self.with(|noted| noted.phases.add(phase, started.elapsed()));
        result
    }
}

/// Plain bytes both ways; blocks as long as there is time.
#[derive(Debug)]
pub(super) struct DeadlineStream {
    stream: TcpStream,
    deadline: Deadline,
    timings: Timings,
}

impl DeadlineStream {
    pub(super) fn new(stream: TcpStream, deadline: Deadline, timings: Timings) -> Self {
        Self { stream, deadline, timings }
    }

    /// Tries until it works or the time is over.
    fn persist(
        &mut self,
        interest: Interest,
        mut work: impl FnMut(&mut TcpStream) -> io::Result<usize>,
    ) -> io::Result<usize> {
        let phase = self.timings.with(|noted| noted.phase);
        loop {
            let error = match work(&mut self.stream) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    acknowledge_at_once(&self.stream);
                    match self.deadline.wait(self.stream.as_fd(), interest, phase)? {
                        Ok(()) => continue,
                        Err(error) => error,
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => HttpError::of_socket(&error),
                // A flood never lets a wait come up.
                Ok(_) if Instant::now() >= self.deadline.at => HttpError::timed_out(phase),
                Ok(count) => return Ok(count),
            };
            self.timings.with(|noted| _ = noted.error.get_or_insert_with(|| error.clone()));
            return Err(io::Error::other(error));
        }
    }
}

/// Some servers send the second piece of an answer only when the first was acknowledged
/// (RFC 896), which a system that expects to send something itself does 40 ms later (RFC 1122,
/// 4.2.3.2); on a connection that is used again it expects that.
fn acknowledge_at_once(stream: &TcpStream) {
    #[cfg(target_os = "linux")]
    let _ = socket2::SockRef::from(stream).set_tcp_quickack(true);
    #[cfg(not(target_os = "linux"))]
    let _ = stream;
}

impl Read for DeadlineStream {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.persist(Interest::Read, |stream| stream.read(bytes))
    }
}

impl Write for DeadlineStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.persist(Interest::Write, |stream| stream.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Bytes both ways, plain or not.
pub(super) trait Duplex: Read + Write + Send + Sync {
    /// Whether it stands, and nothing came that was not asked for.
    fn is_idle(&mut self) -> bool;

    /// What comes next has another deadline, and is noted elsewhere.
    fn rebind(&mut self, deadline: &Deadline, timings: &Timings);
}

impl Duplex for DeadlineStream {
    fn is_idle(&mut self) -> bool {
        // It never blocks.
        let seen = self.stream.peek(&mut [0]);
        seen.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    fn rebind(&mut self, deadline: &Deadline, timings: &Timings) {
        (self.deadline, self.timings) = (deadline.clone(), timings.clone());
    }
}

impl Duplex for StreamOwned<ClientConnection, DeadlineStream> {
    fn is_idle(&mut self) -> bool {
        let is_read = |state: rustls::IoState| state.plaintext_bytes_to_read() == 0;
        self.conn.process_new_packets().is_ok_and(is_read) && self.sock.is_idle()
    }

    fn rebind(&mut self, deadline: &Deadline, timings: &Timings) {
        self.sock.rebind(deadline, timings);
    }
}

/// A connection that is ready to be asked.
pub(super) struct Connection {
    stream: Box<dyn Duplex>,
    is_tls: bool,
    /// What is to stand before the path of the request, for a proxy.
    origin: Option<String>,
    buffers: LazyBuffers,
    framing: Framing,
    timings: Timings,
}

impl Connection {
    /// What is asked is told with its `origin`, if any, as a proxy wants it (RFC 9112,
    /// 3.2.2).
    pub(super) fn plain(stream: DeadlineStream, origin: Option<String>, timings: Timings) -> Self {
        Self::new(Box::new(stream), false, origin, timings)
    }

    pub(super) fn secure(stream: StreamOwned<ClientConnection, DeadlineStream>, timings: Timings) -> Self {
        Self::new(Box::new(stream), true, None, timings)
    }

    fn new(stream: Box<dyn Duplex>, is_tls: bool, origin: Option<String>, timings: Timings) -> Self {
        let buffers = LazyBuffers::new(INPUT, OUTPUT);
        Self { stream, is_tls, origin, buffers, framing: Framing::default(), timings }
    }

    /// Whether it can be asked again, now that the answer to the last request was read whole.
    pub(super) fn is_idle(&mut self) -> bool {
        self.origin.is_none() && self.buffers.input().is_empty() && self.stream.is_idle()
    }

    /// It is asked again.
    pub(super) fn renew(&mut self, deadline: &Deadline, timings: &Timings) {
        self.stream.rebind(deadline, timings);
        self.framing = Framing::default();
        self.timings = timings.clone();
    }

    /// Reads what comes next to where it is to be appended; so many bytes.
    fn receive(&mut self) -> Result<usize, ureq::Error> {
        let bytes = self.buffers.input_append_buf();
        if bytes.is_empty() {
            let text = format!("a head or a chunk's head of more than {INPUT} bytes");
            return Err(broken(&self.timings, HttpError::protocol(text)));
        }
        match self.stream.read(bytes) {
            // Many servers close without the TLS good-bye; what they sent is judged by
            // its own length and form.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
            result => Ok(result?),
        }
    }

    /// Notes that so many bytes came, or the end.
    fn received(&self, count: usize) {
        self.timings.with(|noted| {
            if count > 0 && !noted.answered {
                noted.answered = true;
                let waited = noted.sent.map_or_else(Default::default, |sent| sent.elapsed());
                noted.phases.add(Phase::FirstByte, waited);
                noted.phase = Phase::Body;
            }
        });
    }
}

/// The error of a connection that is of no more use for this reason.
fn broken(timings: &Timings, error: HttpError) -> ureq::Error {
    timings.with(|noted| noted.error = Some(error.clone()));
    io::Error::other(error).into()
}

impl Transport for Connection {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), ureq::Error> {
        self.timings.enter(Phase::FirstByte);
        let mut bytes = &self.buffers.output()[..amount];
        let with_origin;
        if let Some(origin) = self.origin.take() {
            // The method, a blank, the path.
            let path = bytes.iter().position(|byte| *byte == b' ').map_or(0, |blank| blank + 1);
            with_origin = [&bytes[..path], origin.as_bytes(), &bytes[path..]].concat();
            bytes = &with_origin;
        }
        self.stream.write_all(bytes).and_then(|()| self.stream.flush())?;
        self.timings.with(|noted| noted.sent = Some(Instant::now()));
        Ok(())
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, ureq::Error> {
        loop {
            let count = self.receive()?;
            self.received(count);
            let bytes = &mut self.buffers.input_append_buf()[..count];
            let n_kept = self.framing.follow(bytes).map_err(|error| broken(&self.timings, error))?;
            self.buffers.input_appended(n_kept);
            if n_kept > 0 || count == 0 {
                return Ok(count > 0);
            }
        }
    }

    fn is_open(&mut self) -> bool {
        // ureq keeps none: see `pool`.
        false
    }

    fn is_tls(&self) -> bool {
        self.is_tls
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}
