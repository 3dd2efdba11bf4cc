//! The loop that attends to one job: one `poll` for its output, its input, its
//! end, the bell, and what is due by the clock.
//!
//! Does not know how the job was started.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::{Duration, Instant};

use super::clock::Allowance;
use super::descriptor::{Watch, poll};
use super::feed::{Fed, Feed, unread};
use super::foreground::Foreground;
use super::killing::{Cause, Killing};
use super::listener::{Channel, Listener, Woken};
use super::output::Output;
use super::reap::{Ended, Usage};
use super::running::Running;
use super::running_job::{Order, RunningJob};
use super::spawn::Child;
use super::stops::Stops;
use super::streams::Ours;

/// A job while it runs and until its output is read. When it is dropped before
/// that, the job is killed.
pub(super) struct Supervision<'a> {
    running: &'a Running,
    running_job: &'a RunningJob,
    child: Child,
    state: State,
    killing: Option<Killing<'a>>,
    feed: Option<Feed<'a>>,
    unread: Unread,
    outputs: [Output; 2],
    allowance: Allowance,
    wake: Option<BorrowedFd<'a>>,
    /// The terminal, where the job has it.
    foreground: Option<Foreground<'a>>,
    /// Whether it was stopped, where it does not have it.
    stops: Stops,
    /// What went wrong on this side.
    broken: Option<Broken>,
    /// Output of a job that had ended was left unread by order.
    cut: Option<Cause>,
}

#[derive(Clone, Copy)]
enum State {
    Alive,
    /// Not reaped as long as others of its group are being killed.
    Dead {
        lasted: Duration,
    },
    Reaped {
        lasted: Duration,
        ended: Ended,
        usage: Usage,
    },
}

/// What the job left unread of its input.
enum Unread {
    /// Nobody wants to know.
    Uncounted,
    Counted {
        /// The pipe's end, kept since nothing more was written.
        pipe: Option<File>,
        bytes: u64,
    },
}

/// What went wrong between a job and this process.
#[derive(Debug)]
pub enum Broken {
    /// Its input could not be read for it, or not be written to it.
    Input(io::Error),
    /// Its output could not be read, or not be handed on.
    Output(io::Error),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(error) => write!(f, "cannot pass on its input: {error}"),
            Self::Output(error) => write!(f, "cannot write its output: {error}"),
        }
    }
}

/// What was learned of a job.
pub(super) struct Attended {
    pub(super) ended: Ended,
    pub(super) usage: Usage,
    pub(super) lasted: Duration,
    pub(super) cause: Option<Cause>,
    pub(super) broken: Option<Broken>,
    pub(super) unread: u64,
}

impl<'a> Supervision<'a> {
    pub(super) fn new(
        running: &'a Running,
        running_job: &'a RunningJob,
        child: Child,
        ours: Ours<'a>,
        allowance: Allowance,
        wake: Option<BorrowedFd<'a>>,
    ) -> Self {
        running.set_job(running_job, child.pid);
        Self {
            running,
            running_job,
            child,
            state: State::Alive,
            killing: None,
            feed: ours.stdin,
            unread: Unread::Uncounted,
            outputs: [Output::new(Channel::Out, ours.stdout), Output::new(Channel::Err, ours.stderr)],
            allowance,
            wake,
            foreground: None,
            stops: Stops::new(running.has_terminal),
            broken: None,
            cut: None,
        }
    }

    /// Lets the job have `terminal` as long as it lives.
    ///
    /// # Errors
    /// When nobody would tell of its stops.
    pub(super) fn hand_over(&mut self, terminal: BorrowedFd<'a>) -> io::Result<()> {
        self.foreground = Some(Foreground::give(terminal, self.child.pid, self.running_job.waker.clone())?);
        self.stops = Stops::new(false);
        Ok(())
    }

    /// What the job never reads is counted.
    pub(super) fn count_unread(&mut self) {
        self.unread = Unread::Counted { pipe: None, bytes: 0 };
    }

    /// Attends until the job has ended and its output was taken.
    ///
    /// # Errors
    /// When the job's end cannot be learned.
    pub(super) fn attend(
        mut self,
        buffer: &mut Vec<u8>,
        listener: &mut dyn Listener,
    ) -> io::Result<Attended> {
        self.pump();
        loop {
            if let State::Reaped { lasted, ended, usage } = self.state {
                let cause = self.killing.as_ref().map(|killing| killing.cause).or(self.cut);
                if matches!(cause, Some(Cause::Terminated | Cause::Killed)) {
                    // Nobody waits for the output of a job that was to go.
                    self.outputs.iter_mut().for_each(Output::close_if_paused);
                }
                if !self.outputs.iter().any(Output::is_open) {
                    let unread = match self.unread {
                        Unread::Counted { bytes, .. } => bytes,
                        Unread::Uncounted => 0,
                    };
                    return Ok(Attended { ended, usage, lasted, cause, broken: self.broken.take(), unread });
                }
            }
            let stirred = self.wait()?;
            // What the job wrote comes before what became of it.
            for index in [OUT, ERR] {
                match stirred[index] {
                    Stir::None => {}
                    Stir::End => self.outputs[index].close(),
                    Stir::Some => {
                        let read = self.outputs[index].read(buffer, listener);
                        read.unwrap_or_else(|error| self.break_off(Broken::Output(error)));
                    }
                }
            }
            if stirred[FEED] != Stir::None {
                // It is not watched for room while its source has nothing.
                if self.feed.as_ref().is_some_and(Feed::is_waiting) {
                    self.close_feed();
                }
                self.pump();
            }
            if stirred[BELL] != Stir::None {
                self.answer_bell(listener);
            }
            if stirred[WAKE] != Stir::None {
                self.ask_caller(listener);
            }
            if stirred[END] != Stir::None {
                self.leader_died()?;
            }
            if [SURVIVOR, BELL, WAKE].iter().any(|&place| stirred[place] != Stir::None) {
                self.reap_if_over()?;
            }
            if let (State::Alive, Some(foreground)) = (self.state, &mut self.foreground) {
                foreground.look();
            }
            if self.may_be_stopped()
                && let Some(stop) = self.stops.look(self.child.pid, self.running.clock.is_paused())
            {
                listener.stopped(self.child.pid, stop);
            }
            self.look_at_clock()?;
        }
    }

    fn wait(&self) -> io::Result<[Stir; PLACES]> {
        let mut watches = [const { Watch::NOTHING }; PLACES];
        watches[OUT] = self.outputs[OUT].watch();
        watches[ERR] = self.outputs[ERR].watch();
        watches[FEED] = self.feed.as_ref().map_or(Watch::NOTHING, Feed::watch);
        if let State::Alive = self.state {
            watches[END] = Watch::readable(self.child.end.as_fd());
        }
        watches[BELL] = Watch::readable(self.running_job.waker.as_fd());
        watches[WAKE] = self.wake.map_or(Watch::NOTHING, Watch::readable);
        watches[SURVIVOR] = self.killing.as_ref().map_or(Watch::NOTHING, Killing::watch);
        let look = self.foreground.as_ref().filter(|_| matches!(self.state, State::Alive));
        let stop = if self.may_be_stopped() { self.stops.due() } else { None };
        let due = self.due().into_iter().chain(look.and_then(Foreground::due)).chain(stop).min();
        let timeout = due.map(|due| due.saturating_duration_since(Instant::now()));
        poll(&mut watches, timeout)?;
        Ok(watches.each_ref().map(|watch| match watch {
            watch if watch.is_at_end() => Stir::End,
            watch if watch.stirred() => Stir::Some,
            _ => Stir::None,
        }))
    }

    /// Whether a stop would be one for ever: who is killed is continued for that.
    fn may_be_stopped(&self) -> bool {
        matches!(self.state, State::Alive) && self.killing.is_none()
    }

    /// When there is something to do even if nothing stirs.
    fn due(&self) -> Option<Instant> {
        match (&self.killing, self.state) {
            (_, State::Reaped { .. }) => None,
            (Some(killing), _) => killing.due(),
            (None, _) => self.allowance.end(&self.running.clock),
        }
    }

    fn look_at_clock(&mut self) -> io::Result<()> {
        if self.due().is_none_or(|due| due > Instant::now()) {
            return Ok(());
        }
        let Some(killing) = &mut self.killing else {
            self.killing = Some(Killing::begin(Cause::TimedOut, &self.running.sequence, self.running_job));
            return Ok(());
        };
        let dead = matches!(self.state, State::Dead { .. });
        if !(dead && killing.is_over(self.child.pid, self.running_job)) {
            killing.step(self.running_job);
        }
        self.reap_if_over()
    }

    fn leader_died(&mut self) -> io::Result<()> {
        let lasted = self.allowance.started.elapsed();
        // Who killed it may not have rung yet.
        self.obey(self.running_job.asked());
        self.state = State::Dead { lasted };
        if let Unread::Counted { pipe, bytes } = &mut self.unread {
            let kept = pipe.take().map(|pipe| unread(pipe.as_fd()));
            *bytes = kept.or(self.feed.as_ref().map(Feed::unread)).unwrap_or(0);
        }
        self.feed = None;
        self.reap_if_over()
    }

    fn reap_if_over(&mut self) -> io::Result<()> {
        let State::Dead { lasted } = self.state else { return Ok(()) };
        if let Some(killing) = &mut self.killing
            && !killing.is_over(self.child.pid, self.running_job)
        {
            return Ok(());
        }
        // As long as its number is taken: who waits for that to be free writes later.
        let counted = self.outputs.iter_mut().try_for_each(Output::drain);
        let (ended, usage) = self.running_job.reap(self.child.pid)?;
        self.state = State::Reaped { lasted, ended, usage };
        counted
    }

    fn answer_bell(&mut self, listener: &mut dyn Listener) {
        // Silent first: what is rung for from now on is looked at next time.
        self.running_job.waker.still();
        self.obey(self.running_job.asked());
        for output in &mut self.outputs {
            output.ask_again(listener);
        }
        if let Some(feed) = &mut self.feed {
            feed.ask_again();
            self.pump();
        }
    }

    fn ask_caller(&mut self, listener: &mut dyn Listener) {
        let order = match listener.woken() {
            Woken::Continue => return,
            Woken::Ignore => Order::None,
            Woken::Terminate => Order::Terminate,
            Woken::Kill => Order::Kill,
        };
        self.wake = None;
        self.obey(order);
    }

    fn obey(&mut self, order: Order) {
        let cause = match order {
            Order::None => return,
            Order::Terminate => Cause::Terminated,
            Order::Kill => Cause::Killed,
        };
        if let State::Reaped { .. } = self.state {
            self.cut = Some(cause);
            self.outputs.iter_mut().for_each(Output::close);
            return;
        }
        match (&mut self.killing, order) {
            (Some(killing), Order::Kill) => killing.hurry(self.running_job),
            (Some(_), _) => {}
            (none, Order::Kill) => {
                *none = Some(Killing::at_once(cause, &self.running.sequence, self.running_job));
            }
            (none, _) => *none = Some(Killing::begin(cause, &self.running.sequence, self.running_job)),
        }
    }

    fn pump(&mut self) {
        match self.feed.as_mut().map(Feed::pump) {
            None | Some(Ok(Fed::Some)) => {}
            Some(Ok(Fed::All)) => self.close_feed(),
            Some(Err(error)) => self.break_off(Broken::Input(error)),
        }
    }

    /// Nothing more is written.
    fn close_feed(&mut self) {
        let feed = self.feed.take();
        if let Unread::Counted { pipe, .. } = &mut self.unread {
            *pipe = feed.as_ref().and_then(Feed::other_end);
        }
    }

    /// The job has nobody to listen to it any more.
    fn break_off(&mut self, broken: Broken) {
        self.broken.get_or_insert(broken);
        self.feed = None;
        self.outputs.iter_mut().for_each(Output::close);
        if let (State::Alive, None) = (self.state, &self.killing) {
            self.killing = Some(Killing::begin(Cause::Broken, &self.running.sequence, self.running_job));
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
enum Stir {
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
const BELL: usize = 4;
const WAKE: usize = 5;
const SURVIVOR: usize = 6;
const PLACES: usize = 7;
