//! Starting a process, whichever way the system offers, and telling when it has
//! ended.
//!
//! Does not know what is done with its output.

use std::os::fd::OwnedFd;

use super::command::Command;
use super::error::StartError;
use super::portable;
use super::streams::Theirs;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
use super::vfork::Stack;
use crate::byte_list::ByteList;

/// A process that was started and not yet reaped.
#[derive(Debug)]
pub(super) struct Child {
    /// Its number, which is its process group's, too.
    pub(super) pid: i32,
    /// Becomes readable, or is closed at the other end, when the process ends.
    pub(super) end: OwnedFd,
}

/// What is to be executed.
pub(super) struct Program<'a> {
    pub(super) command: &'a Command,
    pub(super) argv: &'a ByteList,
    pub(super) variables: &'a ByteList,
    /// Signals that have a handler here, as bit `signal - 1`.
    #[cfg_attr(
        not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))),
        expect(dead_code, reason = "std takes care of them")
    )]
    pub(super) caught: u64,
}

/// A way to start a process; belongs to one thread.
pub(super) enum Spawner {
    /// The parent's memory is borrowed until the program is loaded: several
    /// times cheaper than a copy of its page tables.
    #[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
    Vfork(Stack),
    /// What std offers.
    Portable,
}

impl Spawner {
    /// The fastest way there is.
    #[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
    pub(super) fn fastest() -> Self {
        if super::descriptor::process(std::process::id().cast_signed()).is_err() {
            // A kernel before 5.3, or a sandbox that does not know the call.
            return Self::Portable;
        }
        Self::Vfork(Stack::new())
    }

    /// The fastest way there is.
    #[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
    pub(super) fn fastest() -> Self {
        Self::Portable
    }

    /// Starts a process in a group of its own. All signal dispositions are the
    /// default, except that what was ignored when this process was started
    /// stays so; no signal is blocked.
    pub(super) fn spawn(&mut self, program: &Program<'_>, theirs: Theirs<'_>) -> Result<Child, StartError> {
        match self {
            #[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
            Self::Vfork(stack) => super::vfork::spawn(stack, program, &theirs),
            Self::Portable => portable::spawn(program, theirs),
        }
    }
}
