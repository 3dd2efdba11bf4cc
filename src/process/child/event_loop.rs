//! The loop that attends to one job: one `poll` for its output, its input, its
//! end, the waker, and what is due by the clock.
//!
//! Does not know how the job was started.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::time::Instant;

use super::job::{Broken, Cause, JobStream, Listener, Report};
use super::killing::Killing;
use super::pipes::{Fed, InputPipe, Ours, OutputPipe, unread};
use super::reap::{ChildUsage, ProcessEnd};
use super::running::{Allowance, KillOrder, RunningJob, RunningJobs};
use super::spawn::Child;
use super::stops::{Foreground, Stops};
use super::witness::{EndSight, Witness};
use crate::process::poll::{PollEntry, poll};

/// A job while it runs and until its output is read. When it is dropped before
/// that, the job is killed.
pub(super) struct Supervision<'a> {
    running: &'a RunningJobs,
    running_job: &'a RunningJob,
    pid: i32,
    /// Becomes readable, or is closed at the other end, when the process ends.
    end: OwnedFd,
    state: JobState,
    killing: Option<Killing<'a>>,
    feed: Option<InputPipe<'a>>,
    /// How many bytes the job left unread of its input; None where nobody wants to know.
    unread: Option<u64>,
    /// The input pipe's end, kept for that since nothing more was written.
    fed: Option<File>,
    outputs: [OutputPipe; 2],
    allowance: Allowance,
    wake: Option<BorrowedFd<'a>>,
    /// The terminal, where the job has it.
    foreground: Option<Foreground<'a>>,
    /// Whether it was stopped, where it does not have it.
    stops: Stops,
    /// Who looks what it waits for, until it has ended.
    witness: Option<Witness>,
    seen: Option<EndSight>,
    /// What went wrong on this side.
    broken: Option<Broken>,
    /// Output of a job that had ended was left unread by order.
    cut: Option<Cause>,
}

#[derive(Clone, Copy)]
enum JobState {
    Alive,
    /// Not reaped as long as others of its group are being killed.
    Dead,
    Reaped {
        ended: ProcessEnd,
        usage: ChildUsage,
    },
}

impl<'a> Supervision<'a> {
    pub(super) fn new(
        running: &'a RunningJobs,
        running_job: &'a RunningJob,
        child: Child,
        ours: Ours<'a>,
        allowance: Allowance,
        wake: Option<BorrowedFd<'a>>,
        counts_unread: bool,
    ) -> Self {
        running.begin_job(running_job, child.pid);
        let Child { pid, end, writers: [to_stdout, to_stderr] } = child;
        Self {
            running,
            running_job,
            pid,
            end,
            state: JobState::Alive,
            killing: None,
            feed: ours.stdin,
            unread: counts_unread.then_some(0),
            fed: None,
            outputs: [
                OutputPipe::new(JobStream::Out, ours.stdout, to_stdout),
                OutputPipe::new(JobStream::Err, ours.stderr, to_stderr),
            ],
            allowance,
            wake,
            foreground: None,
            stops: Stops::new(running.has_terminal),
            witness: None,
            seen: None,
            broken: None,
            cut: None,
        }
    }

    /// Lets the job have `terminal` as long as it lives.
    ///
    /// # Errors
    /// When nobody would tell of its stops.
    pub(super) fn hand_over(&mut self, terminal: BorrowedFd<'a>) -> io::Result<()> {
        self.foreground = Some(Foreground::give(terminal, self.pid, self.running_job.waker.clone())?);
        self.stops = Stops::new(false);
        Ok(())
    }

    /// It is looked at what the job waits for.
    pub(super) fn witness(&mut self) {
        self.witness = Some(Witness::new());
    }

    /// Attends until the job has ended and its output was taken.
    ///
    /// # Errors
    /// When the job's end cannot be learned.
    pub(super) fn attend(mut self, buffer: &mut Vec<u8>, listener: &mut dyn Listener) -> io::Result<Report> {
        self.pump();
        loop {
            if let JobState::Reaped { ended, usage } = self.state {
                let cause = self.killing.as_ref().map(|killing| killing.cause).or(self.cut);
                if matches!(cause, Some(Cause::Terminated | Cause::Killed)) {
                    // Nobody waits for the output of a job that was to go.
                    self.outputs.iter_mut().for_each(OutputPipe::close_if_paused);
                }
                if !self.outputs.iter().any(OutputPipe::is_open) {
                    let unread = self.unread.unwrap_or(0);
                    let broken = self.broken.take();
                    let seen = self.seen.take().map(|seen| seen.of_all(usage.user + usage.sys));
                    return Ok(Report { ended, usage, seen, cause, broken, unread, out_of_memory: None });
                }
            }
            let ready = self.wait()?;
            // What the job wrote comes before what became of it.
            for index in [OUT, ERR] {
                match ready[index] {
                    Readiness::None => {}
                    Readiness::End => self.outputs[index].close(),
                    Readiness::Some => {
                        let read = self.outputs[index].read(buffer, listener);
                        read.unwrap_or_else(|error| self.break_off(Broken::Output(error)));
                    }
                }
            }
            if ready[FEED] != Readiness::None {
                // It is not watched for room while its source has nothing.
                if self.feed.as_ref().is_some_and(InputPipe::is_waiting) {
                    self.close_feed();
                }
                self.pump();
            }
            if ready[WAKER] != Readiness::None {
                self.answer_waker(listener);
            }
            if ready[WAKE] != Readiness::None {
                // It stays readable, and says nothing more.
                self.wake = None;
                self.obey(KillOrder::Terminate);
            }
            if ready[END] != Readiness::None {
                self.leader_died()?;
            }
            if [SURVIVOR, WAKER, WAKE].iter().any(|&place| ready[place] != Readiness::None) {
                self.reap_if_over()?;
            }
            if let (JobState::Alive, Some(witness)) = (self.state, &mut self.witness) {
                witness.look(self.pid);
            }
            if let (JobState::Alive, Some(foreground)) = (self.state, &mut self.foreground) {
                foreground.look();
            }
            if self.may_be_stopped() {
                let is_paused = self.running.clock.lock().is_paused();
                if let Some(stop) = self.stops.look(self.pid, is_paused) {
                    listener.stopped(self.pid, stop);
                }
            }
            self.look_at_clock()?;
        }
    }

    fn wait(&self) -> io::Result<[Readiness; PLACES]> {
        let mut entries = [const { PollEntry::NOTHING }; PLACES];
        entries[OUT] = self.outputs[OUT].watch();
        entries[ERR] = self.outputs[ERR].watch();
        entries[FEED] = self.feed.as_ref().map_or(PollEntry::NOTHING, InputPipe::watch);
        if let JobState::Alive = self.state {
            entries[END] = PollEntry::readable(self.end.as_fd());
        }
        entries[WAKER] = PollEntry::readable(self.running_job.waker.as_fd());
        entries[WAKE] = self.wake.map_or(PollEntry::NOTHING, PollEntry::readable);
        entries[SURVIVOR] = self.killing.as_ref().map_or(PollEntry::NOTHING, Killing::watch);
        let look = self.foreground.as_ref().filter(|_| matches!(self.state, JobState::Alive));
        let stop = if self.may_be_stopped() { self.stops.due() } else { None };
        let witness = self.witness.as_ref().filter(|_| matches!(self.state, JobState::Alive));
        let due = self.due().into_iter().chain(look.and_then(Foreground::due)).chain(stop);
        let due = due.chain(witness.map(Witness::due)).min();
        let timeout = due.map(|due| due.saturating_duration_since(Instant::now()));
        poll(&mut entries, timeout)?;
        Ok(entries.each_ref().map(|entry| match entry {
            entry if entry.is_at_end() => Readiness::End,
            entry if entry.is_ready() => Readiness::Some,
            _ => Readiness::None,
        }))
    }

    /// Whether a stop would be one for ever: who is killed is continued for that.
    fn may_be_stopped(&self) -> bool {
        matches!(self.state, JobState::Alive) && self.killing.is_none()
    }

    /// When there is something to do even if nothing is ready.
    fn due(&self) -> Option<Instant> {
        match (&self.killing, self.state) {
            (_, JobState::Reaped { .. }) => None,
            (Some(killing), _) => killing.due(),
            (None, _) => self.allowance.end(&self.running.clock.lock()),
        }
    }

    fn look_at_clock(&mut self) -> io::Result<()> {
        if self.due().is_none_or(|due| due > Instant::now()) {
            return Ok(());
        }
        let Some(killing) = &mut self.killing else {
            self.begin_killing(Cause::TimedOut);
            return Ok(());
        };
        let dead = matches!(self.state, JobState::Dead);
        if !(dead && killing.is_over(self.pid, self.running_job)) {
            killing.step(self.running_job);
        }
        self.reap_if_over()
    }

    fn leader_died(&mut self) -> io::Result<()> {
        // Who killed it may not have woken us yet.
        self.obey(self.running_job.asked());
        self.state = JobState::Dead;
        if let Some(bytes) = &mut self.unread {
            let kept = self.fed.take().map(|pipe| unread(pipe.as_fd()));
            *bytes = kept.or(self.feed.as_ref().map(InputPipe::unread)).unwrap_or(0);
        }
        self.feed = None;
        self.reap_if_over()
    }

    fn reap_if_over(&mut self) -> io::Result<()> {
        let JobState::Dead = self.state else { return Ok(()) };
        if let Some(killing) = &mut self.killing
            && !killing.is_over(self.pid, self.running_job)
        {
            return Ok(());
        }
        // As long as its number is taken: who waits for that to be free writes later.
        let counted = self.outputs.iter_mut().try_for_each(OutputPipe::drain);
        self.seen = self.witness.take().map(|witness| witness.look_at_end(self.pid));
        let (ended, usage) = self.running_job.reap(self.pid)?;
        self.state = JobState::Reaped { ended, usage };
        counted
    }

    fn answer_waker(&mut self, listener: &mut dyn Listener) {
        // Cleared first: what it is woken for from now on is looked at next time.
        self.running_job.waker.clear();
        self.obey(self.running_job.asked());
        for output in &mut self.outputs {
            output.ask_again(listener);
        }
        if let Some(feed) = &mut self.feed {
            feed.ask_again();
            self.pump();
        }
    }

    fn obey(&mut self, order: KillOrder) {
        let cause = match order {
            KillOrder::None => return,
            KillOrder::Terminate => Cause::Terminated,
            KillOrder::Kill => Cause::Killed,
        };
        if let JobState::Reaped { .. } = self.state {
            self.cut = Some(cause);
            self.outputs.iter_mut().for_each(OutputPipe::close);
            return;
        }
        if order == KillOrder::Kill {
            let killing = self.killing.get_or_insert_with(|| Killing::new(cause, &self.running.sequence));
            killing.hurry(self.running_job);
        } else {
            self.begin_killing(cause);
        }
    }

    /// Takes the first step of the kill sequence, unless it was taken.
    fn begin_killing(&mut self, cause: Cause) {
        if self.killing.is_none() {
            let killing = self.killing.insert(Killing::new(cause, &self.running.sequence));
            killing.step(self.running_job);
        }
    }

    fn pump(&mut self) {
        match self.feed.as_mut().map(InputPipe::pump) {
            None | Some(Ok(Fed::Some)) => {}
            Some(Ok(Fed::All)) => self.close_feed(),
            Some(Err(error)) => self.break_off(Broken::Input(error)),
        }
    }

    /// Nothing more is written.
    fn close_feed(&mut self) {
        let feed = self.feed.take();
        if self.unread.is_some() {
            self.fed = feed.as_ref().and_then(InputPipe::other_end);
        }
    }

    /// The job has nobody to listen to it any more.
    fn break_off(&mut self, broken: Broken) {
        self.broken.get_or_insert(broken);
        self.feed = None;
        self.outputs.iter_mut().for_each(OutputPipe::close);
        if let JobState::Alive = self.state {
            self.begin_killing(Cause::Broken);
        }
    }
}

impl Drop for Supervision<'_> {
    fn drop(&mut self) {
        self.running_job.abandon();
    }
}

/// What a `poll` said of one place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Readiness {
    None,
    Some,
    /// The other end closed, and nothing is left to read.
    End,
}

// The places in a `poll`; the first two are those in `outputs`, too.
const OUT: usize = 0;
const ERR: usize = 1;
const FEED: usize = 2;
const END: usize = 3;
const WAKER: usize = 4;
const WAKE: usize = 5;
const SURVIVOR: usize = 6;
const PLACES: usize = 7;
