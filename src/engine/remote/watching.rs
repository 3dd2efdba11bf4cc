//! Waiting for what links have to say, all of them in one `poll`, and saying what is to be
//! said: until all are ready, while tasks are done, and until all are gone.
//!
//! Knows nothing of what is said.

use std::io::{self, ErrorKind};
use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};

use super::dispatcher::Dispatcher;
use super::protocol::BEAT;
use super::worker_link::{LinkStage, PATIENCE, WorkerLink};
use crate::process::{PollEntry, poll};

/// A worker far away that was not heard of for so many beats is gone. One of this machine
/// that says nothing is not: the end of its stream would be seen, and who stopped it, as a
/// user may stop a job, continues it.
const SILENT_BEATS: u32 = 6;

/// The same of one that answered and is not ready: it has no beat yet, and the program may
/// have to be copied to it first.
const SILENT_BEATS_AT_FIRST: u32 = 60;

impl Dispatcher<'_, '_> {
    /// Waits until all links have come as far as `stage`, or further.
    ///
    /// # Errors
    /// When one of them cannot, or parsim is to end.
    pub(super) fn wait_for_all(&mut self, stage: LinkStage) -> anyhow::Result<()> {
        while self.links.iter().any(|link| link.stage < stage) {
            if self.run.interrupt.is_set() {
                bail!("interrupted");
            }
            self.flush()?;
            self.look_for_silent();
            self.wait_and_hear()?;
        }
        Ok(())
    }

    /// Whoever is far away and is silent is given up.
    pub(super) fn look_for_silent(&mut self) {
        if Instant::now() < self.next_beat {
            return;
        }
        self.next_beat = Instant::now() + BEAT;
        for index in 0..self.links.len() {
            let link = &mut self.links[index];
            link.silent_beats += 1;
            let is_ready = matches!(link.stage, LinkStage::Ready | LinkStage::Leaving);
            let is_connected = is_ready || !link.is_connecting();
            let most = if is_ready || !is_connected { SILENT_BEATS } else { SILENT_BEATS_AT_FIRST };
            if link.is_far() && link.has_worker() && link.silent_beats > most {
                let silence = format!("did not answer for {} s", (BEAT * most).as_secs());
                // One that was to get ready is told of by itself.
                let _ = self.not_understood(index, &silence, || anyhow!("{silence}"));
            }
        }
    }

    /// Says what is to be said, as far as can be without waiting. Says whether all links
    /// are still there.
    pub(super) fn flush(&mut self) -> anyhow::Result<bool> {
        let mut are_there = true;
        for index in 0..self.links.len() {
            if let Err(error) = self.links[index].flush() {
                are_there = false;
                let name = self.links[index].name();
                self.not_understood(index, &format!("cannot be written to: {error}"), || {
                    anyhow!(error).context(format!("cannot write to the worker ({name})"))
                })?;
            }
        }
        Ok(are_there)
    }

    /// Waits until something happens, and hears what workers say.
    pub(super) fn wait_and_hear(&mut self) -> anyhow::Result<()> {
        let until = self.ending.until.filter(|_| !self.ending.is_over_time());
        let until = [self.waiting.due(), until, self.beat_due(), self.reconnect_due()];
        // That nothing more is to begin means nothing before anything could, and nothing new
        // once it is known.
        let minds_drain = self.is_driving && !self.ending.drains;
        let deadline = self.run.interrupt.until_deadline().filter(|_| minds_drain);
        let left = until.into_iter().flatten().min().map(|due| due.saturating_duration_since(Instant::now()));
        let timeout = left.into_iter().chain(deadline).min();
        // Those that are set stay readable, and say nothing more.
        let unless = |is_known: bool, entry| if is_known { PollEntry::NOTHING } else { entry };
        let mut entries = Vec::with_capacity(3 + 2 * self.links.len());
        let interrupt = self.run.interrupt;
        entries.push(unless(self.ending.is_stopped, PollEntry::readable(interrupt.wake_fd())));
        entries.push(unless(!minds_drain, PollEntry::readable(interrupt.drain_fd())));
        entries.push(PollEntry::readable(self.waker.as_fd()));
        let listens = !self.has_too_much();
        if !listens {
            // Nobody is silent who is not listened to.
            self.next_beat = Instant::now() + BEAT;
        }
        entries.extend(self.links.iter().flat_map(|link| link.watched(listens)));
        poll(&mut entries, timeout).context("cannot wait for workers")?;
        let readable = entries[3..].chunks(2).map(|entries| entries[0].is_ready());
        let readable: Vec<bool> = readable.collect();
        let mut result = Ok(());
        for (index, _) in readable.into_iter().enumerate().filter(|(_, is_ready)| *is_ready) {
            result = result.and(self.hear(index));
        }
        result
    }

    /// When silent workers are to be looked for, where there are such.
    fn beat_due(&self) -> Option<Instant> {
        self.links.iter().any(WorkerLink::is_far).then_some(self.next_beat)
    }

    /// When a host is to be tried again, where there is something to do.
    fn reconnect_due(&self) -> Option<Instant> {
        let vacant = self.links.iter().filter(|link| link.stage == LinkStage::Vacant);
        let due = vacant.filter(|link| link.failures.is_first || !self.ready.is_empty());
        // One whose time has come and that nobody needs is not waited for.
        let now = Instant::now();
        due.filter_map(|link| link.failures.until).filter(|due| *due > now).min()
    }

    /// Reads what a worker says. An error means that it could not be made ready.
    fn hear(&mut self, index: usize) -> anyhow::Result<()> {
        match self.links[index].read() {
            Ok(true) => {}
            Ok(false) => return self.ended(index),
            // In the middle of a word it is the end all the same: how the worker ended says more.
            Err(error) if is_end(&error) => return self.ended(index),
            Err(error) => return self.no_words(index, error),
        }
        loop {
            match self.links[index].next_frame() {
                Ok(Some(frame)) => self.handle(index, &frame)?,
                Ok(None) => return Ok(()),
                Err(error) => return self.no_words(index, error),
            }
        }
    }

    fn no_words(&mut self, index: usize, error: io::Error) -> anyhow::Result<()> {
        let name = self.links[index].name();
        self.not_understood(index, &format!("cannot be read from: {error}"), || {
            anyhow!(error).context(format!("cannot read from the worker ({name})"))
        })
    }

    /// Sends all of them home, and waits until they are gone.
    pub(super) fn dismiss_all(&mut self) {
        self.links.iter_mut().for_each(WorkerLink::dismiss);
        let end = Instant::now() + PATIENCE;
        while self.links.iter().any(WorkerLink::has_worker) && Instant::now() < end {
            let mut entries: Vec<_> = self.links.iter().flat_map(|link| link.watched(true)).collect();
            let left = end.saturating_duration_since(Instant::now());
            if poll(&mut entries, Some(left)).is_err() {
                break;
            }
            let readable: Vec<bool> = entries.chunks(2).map(|entries| entries[0].is_ready()).collect();
            for (index, _) in readable.into_iter().enumerate().filter(|(_, is_ready)| *is_ready) {
                // What it says is of no use any more.
                let _ = self.hear(index);
            }
        }
        for link in &mut self.links {
            link.reap(Duration::ZERO);
        }
    }
}

/// Whether the other end is gone.
fn is_end(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)
}
