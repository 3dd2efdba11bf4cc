//! Names to addresses, within a deadline.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::sync::mpsc;

use super::connection::Deadline;
use super::{Host, HttpError, HttpErrorKind, Phase};
use crate::process::{Interest, Waited};

/// More addresses than this are not tried.
const MOST_ADDRESSES: usize = 8;

/// The addresses of `host`, those first that the system prefers.
pub(super) fn resolve(host: &Host, port: u16, budget: &Deadline) -> Result<Vec<SocketAddr>, HttpError> {
    let name = match host {
        Host::Address(address) => return Ok(vec![SocketAddr::new(*address, port)]),
        Host::Name(name) => name,
    };
    let unknown = |why: &str| HttpError::new(HttpErrorKind::Dns, format!("no address for {name}: {why}"));
    // RFC 6761: there is none, and nobody need be asked.
    if name.trim_end_matches('.').rsplit('.').next() == Some("invalid") {
        return Err(unknown("names under .invalid have none"));
    }
    let found = look_up(name.clone(), port, budget)?;
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
fn look_up(name: String, port: u16, budget: &Deadline) -> Result<Result<Vec<SocketAddr>, String>, HttpError> {
    let own = |error: std::io::Error| HttpError::new(HttpErrorKind::Dns, format!("start a lookup: {error}"));
    let (bell, ringer) = UnixStream::pair().map_err(own)?;
    let (sender, receiver) = mpsc::channel();
    let lookup = move || {
        let found = (name.as_str(), port).to_socket_addrs().map(Iterator::collect);
        // Nobody listens any more when the time is over.
        let _ = sender.send(found.map_err(|error| error.to_string()));
        drop(ringer);
    };
    std::thread::Builder::new().name("lookup".to_owned()).spawn(lookup).map_err(own)?;
    match budget.wait(bell.as_fd(), Interest::Read).map_err(own)? {
        Waited::Ready => {}
        Waited::TimedOut => return Err(HttpError::timed_out(Phase::Resolve)),
        Waited::Interrupted => return Err(HttpError::interrupted()),
    }
    Ok(receiver.recv().unwrap_or_else(|_| Err("the lookup failed".to_owned())))
}
