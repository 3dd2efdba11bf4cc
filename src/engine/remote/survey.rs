//! What a machine offers to whoever would run tasks there: it is connected with, asked where
//! it is and what its clock shows, and left.
//!
//! Knows nothing of tasks.

use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use super::frame::{FrameQueue, FrameReader, LONGEST_ANSWER};
use super::protocol::{Hello, NOTHING, PROTOCOL, WorkerHost, kind, nanoseconds};
use super::transport::Transport;
use super::worker_link::{PATIENCE, text_of};
use crate::host::STACK;
use crate::process::{Interrupt, PollEntry, poll};
use crate::task::Column;

/// So often the way there and back is measured.
const ROUND_TRIPS: u32 = 5;

/// What a machine offers.
#[derive(Clone, Debug)]
pub struct HostOffer {
    /// The version of parsim there.
    pub version: String,
    /// What the machine calls itself.
    pub name: String,
    /// How many logical cores tasks may use.
    pub cores: usize,
    /// How many bytes of memory can be had, where the system tells.
    pub memory: Option<u64>,
    /// How many processes ran or wanted to, on average over the last minute, where the
    /// system tells.
    pub load: Option<f64>,
    /// The shortest time of a question and its answer.
    pub round_trip: Duration,
    /// How long it took until there was a worker.
    pub startup: Duration,
}

/// Asks the machines at the other ends of `transports` what they offer, all at once, for each
/// takes its time.
pub fn survey(
    transports: &[&dyn Transport],
    patience: Duration,
    interrupt: &Interrupt,
) -> Vec<anyhow::Result<HostOffer>> {
    std::thread::scope(|scope| {
        let asked = transports.iter().map(|transport| {
            let ask = move || offered(*transport, patience, interrupt);
            std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, ask)
        });
        let asked: Vec<_> = asked.collect();
        let heard = |thread: io::Result<std::thread::ScopedJoinHandle<'_, _>>| {
            thread?.join().unwrap_or_else(|_| Err(anyhow::anyhow!("what asks it panicked")))
        };
        asked.into_iter().map(heard).collect()
    })
}

/// What the machine at the other end of `transport` offers.
///
/// # Errors
/// When there is no worker to be had there within `patience`, or parsim is to end.
fn offered(
    transport: &dyn Transport,
    patience: Duration,
    interrupt: &Interrupt,
) -> anyhow::Result<HostOffer> {
    let begun = Instant::now();
    let end = begun + patience;
    let mut stream = transport.open()?;
    let (mut out, mut reader) = (FrameQueue::default(), FrameReader::new(LONGEST_ANSWER));
    let hello = Hello {
        protocol: PROTOCOL.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        workload: NOTHING.to_owned(),
        blueprint: serde_json::Value::Null,
        column: Column::PARALLEL,
        digested: false,
        node: transport.node().cloned(),
    };
    out.put(kind::HELLO, &[&serde_json::to_vec(&hello)?])?;
    let mut told: Option<(WorkerHost, Duration)> = None;
    let mut asked = Instant::now();
    let mut shortest: Option<Duration> = None;
    let mut n_heard = 0;
    loop {
        while let Some(frame) = reader.next()? {
            match frame.kind {
                kind::READY => {
                    let host = WorkerHost::decoded(&frame.payload).context("it does not say where it is")?;
                    told = Some((host, begun.elapsed()));
                }
                kind::TIME_IS => {
                    n_heard += 1;
                    shortest = Some(shortest.map_or(asked.elapsed(), |best| best.min(asked.elapsed())));
                }
                kind::FAILED => bail!("{}", text_of(&frame.payload)),
                kind::BEAT => continue,
                _ => bail!("what is there is no worker of parsim's"),
            }
            if let (Some((host, startup)), Some(round_trip)) = (&told, shortest)
                && n_heard == ROUND_TRIPS
            {
                let WorkerHost { version, host: name, cores, memory, load, .. } = host.clone();
                stream.hang_up();
                stream.reap(PATIENCE);
                return Ok(HostOffer { version, name, cores, memory, load, round_trip, startup: *startup });
            }
            asked = Instant::now();
            out.put(kind::TIME, &[&nanoseconds(begun.elapsed())])?;
        }
        // Who cannot be written to ends, which will be heard.
        let _ = out.write_to(&mut *stream);
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            bail!("does not answer within {} s", patience.as_secs());
        }
        if interrupt.is_set() {
            bail!("interrupted");
        }
        let reads = stream.descriptor().map_or(PollEntry::NOTHING, PollEntry::readable);
        let writes = stream.write_descriptor().filter(|_| !out.is_empty());
        let writes = writes.map_or(PollEntry::NOTHING, PollEntry::writable);
        poll(&mut [reads, writes, PollEntry::readable(interrupt.wake_fd())], Some(left))?;
        match reader.fill(&mut *stream) {
            Ok(0) => bail!("{}", stream.reap(PATIENCE).unwrap_or_else(|| "ended".to_owned())),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
    }
}
