//! How a job's bytes reach the caller, and how the caller says "not now".
//!
//! Does not know where the bytes go.

use std::io;

/// Which of a job's two streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobStream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// What becomes of a channel after some of its bytes were taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// More of it is welcome.
    Continue,
    /// The bytes were taken, but the pipe is not read again until the worker's
    /// [`Waker`](crate::process::Waker) woke it and [`Listener::resumes`] agrees. The job
    /// itself blocks once the pipe is full.
    Pause,
}

/// What was noticed of a job that a signal stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It does nothing until something continues it.
    Stopped {
        /// The signal's number.
        signal: i32,
        /// Whether it is for the first time.
        is_news: bool,
    },
    /// It runs again.
    Continued,
}

/// Whoever takes a job's output. A closure that takes every byte is one.
pub trait Listener {
    /// Takes all of `bytes`, as they come. An error kills the job.
    fn output(&mut self, channel: JobStream, bytes: &[u8]) -> io::Result<Flow>;

    /// The job is about to be started.
    fn starts(&mut self) {}

    /// The job, which leads the process group `leader`, was stopped or continued.
    fn stopped(&mut self, _leader: i32, _stop: Stop) {}

    /// Whether a paused channel may be read again; asked when the waker woke it.
    fn resumes(&mut self, _channel: JobStream) -> bool {
        true
    }
}

impl<F: FnMut(JobStream, &[u8]) -> io::Result<Flow>> Listener for F {
    fn output(&mut self, channel: JobStream, bytes: &[u8]) -> io::Result<Flow> {
        self(channel, bytes)
    }
}
