//! A connection on which every wait has the same deadline and ends with an
//! interrupt, and which keeps note of what came when.

use crate::sync::Mutex;
use std::fmt;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::{ClientConnection, StreamOwned};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
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
    pub deadline: Instant,
    /// What ends it at once.
    pub interrupt: Interrupt,
}

impl Deadline {
    /// So long from now.
    #[must_use]
    pub fn lasting(time: Duration, interrupt: Interrupt) -> Self {
        Self { deadline: Instant::now() + time, interrupt }
    }

    /// How long it lasts yet.
    #[must_use]
    pub fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Waits until `fd` is ready, but no longer than the budget lasts.
    pub(super) fn wait(&self, fd: BorrowedFd<'_>, interest: Interest) -> io::Result<Waited> {
        self.interrupt.wait_until(fd, interest, self.deadline)
    }
}

/// What happened on a connection, shared with who asked for it: ureq passes
/// errors on in other words.
#[derive(Clone, Debug, Default)]
pub(super) struct Notes(Arc<Mutex<Noted>>);

#[derive(Clone, Debug, Default)]
pub(super) struct Noted {
    pub(super) phases: Phases,
    /// What broke the connection.
    pub(super) trouble: Option<HttpError>,
    /// Whether the other side has said all it will.
    pub(super) ended: bool,
    /// Whether it has said anything.
    pub(super) answered: bool,
    /// When the last of the request left.
    sent: Option<Instant>,
}

impl Notes {
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Noted) -> T) -> T {
        work(&mut self.0.lock())
    }
}

/// Connects to the first of `addresses` that answers. A later one gets its turn
/// when the one before has used up its share of the time.
pub(super) fn connect(addresses: &[SocketAddr], budget: &Deadline) -> Result<TcpStream, HttpError> {
    let mut last = HttpError::new(HttpErrorKind::Refused, "there is no address to connect to");
    for (tried, address) in addresses.iter().enumerate() {
        let left = budget.deadline.saturating_duration_since(Instant::now());
        // Half of what is left, but all of it for the last one.
        let share = if tried + 1 < addresses.len() { left / 2 } else { left };
        let share = Deadline { deadline: Instant::now() + share, interrupt: budget.interrupt.clone() };
        match connect_to(*address, &share) {
            Ok(stream) => return Ok(stream),
            Err(trouble) if trouble.kind == HttpErrorKind::Interrupted => return Err(trouble),
            Err(trouble) => last = trouble,
        }
    }
    Err(last)
}

fn connect_to(address: SocketAddr, budget: &Deadline) -> Result<TcpStream, HttpError> {
    let failed = |error: io::Error| HttpError::of_socket(&error);
    let socket =
        Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP)).map_err(failed)?;
    socket.set_nonblocking(true).map_err(failed)?;
    // A request is two small pieces: neither is to wait for the other.
    socket.set_tcp_nodelay(true).map_err(failed)?;
    match socket.connect(&SockAddr::from(address)) {
        Ok(()) => {}
        Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => {
            match budget.wait(socket.as_fd(), Interest::Write).map_err(failed)? {
                Waited::Ready => {}
                Waited::TimedOut => return Err(HttpError::timed_out(Phase::Connect)),
                Waited::Interrupted => return Err(HttpError::interrupted()),
            }
            if let Some(error) = socket.take_error().map_err(failed)? {
                return Err(failed(error));
            }
        }
        Err(error) => return Err(failed(error)),
    }
    Ok(socket.into())
}

/// Plain bytes both ways; blocks as long as the budget lasts.
#[derive(Debug)]
pub(super) struct Wire {
    stream: TcpStream,
    budget: Deadline,
    /// What is done on it now.
    phase: Phase,
    notes: Notes,
}

impl Wire {
    /// What is done on it first is `phase`.
    pub(super) fn new(stream: TcpStream, budget: Deadline, phase: Phase, notes: Notes) -> Self {
        Self { stream, budget, phase, notes }
    }

    pub(super) fn enter(&mut self, phase: Phase) {
        self.phase = phase;
    }

    /// Tries until it works or the time is over.
    fn persist(
        &mut self,
        interest: Interest,
        mut work: impl FnMut(&mut TcpStream) -> io::Result<usize>,
    ) -> io::Result<usize> {
        loop {
            let trouble = match work(&mut self.stream) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    match self.budget.wait(self.stream.as_fd(), interest)? {
                        Waited::Ready => continue,
                        Waited::TimedOut => HttpError::timed_out(self.phase),
                        Waited::Interrupted => HttpError::interrupted(),
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => HttpError::of_socket(&error),
                // A flood never lets a wait come up.
                Ok(_) if Instant::now() >= self.budget.deadline => HttpError::timed_out(self.phase),
                Ok(count) => return Ok(count),
            };
            self.notes.with(|noted| noted.trouble.get_or_insert_with(|| trouble.clone()).clone());
            return Err(io::Error::other(trouble));
        }
    }
}

impl Read for Wire {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.persist(Interest::Read, |stream| stream.read(bytes))
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.persist(Interest::Write, |stream| stream.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A connection that is ready to be asked.
pub(super) struct Line {
    stream: Stream,
    buffers: LazyBuffers,
    framing: Framing,
    /// What is to stand before the path of the request, for a proxy.
    origin: Option<String>,
    notes: Notes,
}

enum Stream {
    Plain(Wire),
    Secure(Box<StreamOwned<ClientConnection, Wire>>),
}

impl Line {
    pub(super) fn plain(wire: Wire, notes: Notes) -> Self {
        Self::new(Stream::Plain(wire), notes)
    }

    pub(super) fn secure(stream: StreamOwned<ClientConnection, Wire>, notes: Notes) -> Self {
        Self::new(Stream::Secure(Box::new(stream)), notes)
    }

    fn new(stream: Stream, notes: Notes) -> Self {
        let buffers = LazyBuffers::new(INPUT, OUTPUT);
        Self { stream, buffers, framing: Framing::default(), origin: None, notes }
    }

    /// What is asked is told with its `origin`, as a proxy wants it (RFC 9112, 3.2.2).
    pub(super) fn asking_with(mut self, origin: String) -> Self {
        self.origin = Some(origin);
        self
    }

    /// Reads what comes next to where it is to be appended; so many bytes.
    fn receive(&mut self) -> Result<usize, ureq::Error> {
        let bytes = self.buffers.input_append_buf();
        if bytes.is_empty() {
            let text = format!("a head or a chunk's head of more than {INPUT} bytes");
            return Err(broken(&self.notes, HttpError::protocol(text)));
        }
        Ok(match &mut self.stream {
            Stream::Plain(wire) => wire.read(bytes)?,
            Stream::Secure(stream) => match stream.read(bytes) {
                // Many servers close without the TLS good-bye; what they sent is
                // judged by its own length and form.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => 0,
                result => result?,
            },
        })
    }

    /// Notes that so many bytes came, or the end.
    fn received(&mut self, count: usize) {
        let is_first = self.notes.with(|noted| {
            noted.ended = count == 0;
            let is_first = count > 0 && !noted.answered;
            if is_first {
                noted.answered = true;
                let waited = noted.sent.map_or_else(Default::default, |sent| sent.elapsed());
                noted.phases.add(Phase::FirstByte, waited);
            }
            is_first
        });
        if is_first {
            self.set_phase(Phase::Body);
        }
    }

    fn set_phase(&mut self, phase: Phase) {
        match &mut self.stream {
            Stream::Plain(wire) => wire.enter(phase),
            Stream::Secure(stream) => stream.sock.enter(phase),
        }
    }
}

/// The error of a connection that is of no more use for this reason.
fn broken(notes: &Notes, trouble: HttpError) -> ureq::Error {
    notes.with(|noted| noted.trouble = Some(trouble.clone()));
    io::Error::other(trouble).into()
}

impl Transport for Line {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), ureq::Error> {
        self.set_phase(Phase::FirstByte);
        let mut bytes = &self.buffers.output()[..amount];
        let with_origin;
        if let Some(origin) = self.origin.take() {
            // The method, a blank, the path.
            let path = bytes.iter().position(|byte| *byte == b' ').map_or(0, |blank| blank + 1);
            with_origin = [&bytes[..path], origin.as_bytes(), &bytes[path..]].concat();
            bytes = &with_origin;
        }
        match &mut self.stream {
            Stream::Plain(wire) => wire.write_all(bytes)?,
            Stream::Secure(stream) => stream.write_all(bytes).and_then(|()| stream.flush())?,
        }
        self.notes.with(|noted| noted.sent = Some(Instant::now()));
        Ok(())
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, ureq::Error> {
        loop {
            let count = self.receive()?;
            self.received(count);
            let bytes = &mut self.buffers.input_append_buf()[..count];
            let n_kept = match self.framing.follow(bytes) {
                Ok(n_kept) => n_kept,
                Err(trouble) => return Err(broken(&self.notes, trouble)),
            };
            self.buffers.input_appended(n_kept);
            if n_kept > 0 || count == 0 {
                return Ok(count > 0);
            }
        }
    }

    fn is_open(&mut self) -> bool {
        // It is never used for a second request.
        false
    }

    fn is_tls(&self) -> bool {
        matches!(self.stream, Stream::Secure(_))
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").finish_non_exhaustive()
    }
}
