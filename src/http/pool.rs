//! Connections that are kept for further requests to the same place: a request then takes one
//! way there and back, where a fresh connection takes two, and three with TLS.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ureq::unversioned::transport::{Buffers, NextTimeout, Transport};

use super::Url;
use super::connection::{Connection, Deadline, Timings};
use crate::sync::Mutex;

/// Servers close sooner.
const LONGEST_IDLE: Duration = Duration::from_secs(60);

/// More than so many are not kept for one place.
const MOST: usize = 64;

/// Those that nobody uses now.
#[derive(Clone, Default)]
pub struct ConnectionPool(Arc<Mutex<HashMap<Place, Vec<IdleConnection>>>>);

/// Where connections go: whether with TLS, and the host with its port.
type Place = (bool, String);

struct IdleConnection {
    connection: Connection,
    expires: Option<i64>,
    since: Instant,
}

impl ConnectionPool {
    /// Closes all.
    pub fn clear(&self) {
        self.0.lock().clear();
    }

    /// One to where `url` is that can be asked, if there is one, and when the certificate
    /// expires that was shown on it.
    pub(super) fn take(
        &self,
        url: &Url,
        deadline: &Deadline,
        timings: &Timings,
    ) -> Option<(Connection, Option<i64>)> {
        let mut places = self.0.lock();
        let idle = places.get_mut(&place(url))?;
        while let Some(IdleConnection { mut connection, expires, since }) = idle.pop() {
            if since.elapsed() < LONGEST_IDLE && connection.is_idle() {
                connection.renew(deadline, timings);
                return Some((connection, expires));
            }
        }
        None
    }

    /// `connection` as ureq has it, which comes back here when its answer was read whole and
    /// both sides keep it.
    pub(super) fn lend(&self, connection: Connection, url: &Url, expires: Option<i64>) -> PooledConnection {
        let home = Some((self.clone(), place(url), expires));
        PooledConnection { connection: Some(connection), home }
    }
}

impl fmt::Debug for ConnectionPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionPool").finish_non_exhaustive()
    }
}

fn place(url: &Url) -> Place {
    (url.secure, url.authority())
}

/// A connection on which one request is sent.
pub(super) struct PooledConnection {
    /// Until it has gone back.
    connection: Option<Connection>,
    home: Option<(ConnectionPool, Place, Option<i64>)>,
}

impl PooledConnection {
    /// One that is used once.
    pub(super) fn once(connection: Connection) -> Self {
        Self { connection: Some(connection), home: None }
    }

    fn lent(&mut self) -> Result<&mut Connection, ureq::Error> {
        self.connection.as_mut().ok_or(ureq::Error::ConnectionFailed)
    }
}

impl Transport for PooledConnection {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.connection.as_mut().expect("nobody asks on a connection that was given back").buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.lent()?.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.lent()?.await_input(timeout)
    }

    /// ureq asks when the answer was read whole and nobody wants the connection closed, and
    /// closes it itself: so that is when it goes back.
    fn is_open(&mut self) -> bool {
        if let Some((home, place, expires)) = self.home.take()
            && let Some(mut connection) = self.connection.take()
            && connection.is_idle()
        {
            let mut places = home.0.lock();
            let idle = places.entry(place).or_default();
            if idle.len() < MOST {
                idle.push(IdleConnection { connection, expires, since: Instant::now() });
            }
        }
        false
    }

    fn is_tls(&self) -> bool {
        self.connection.as_ref().is_some_and(Connection::is_tls)
    }
}

impl fmt::Debug for PooledConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PooledConnection").finish_non_exhaustive()
    }
}
