//! A kill sequence on its way: who has been sent what, when the next step is due, and
//! whether anybody is left in the group of a dead leader, which is not reaped, so that its
//! number still means this group.
//!
//! Does not wait: the loop that does asks for the time and says what happened.

use std::os::fd::{AsFd as _, OwnedFd};
use std::time::{Duration, Instant};

use super::job::Cause;
use super::running::RunningJob;
use super::term_sequence::TermSequence;
use crate::process::poll::PollEntry;

/// KILL is sent again to who has not gone by then: a signal that could not be sent must
/// not leave a job that nobody ends.
const AGAIN: Duration = Duration::from_secs(1);

/// A job that is being killed.
pub(super) struct Killing<'a> {
    pub(super) cause: Cause,
    sequence: &'a TermSequence,
    next: usize,
    /// KILL was sent, which nobody survives: there is no next step.
    killed: bool,
    due: Option<Instant>,
    /// One of those who outlived the leader.
    survivor: Option<OwnedFd>,
}

impl<'a> Killing<'a> {
    /// Takes the first step.
    pub(super) fn begin(cause: Cause, sequence: &'a TermSequence, running_job: &RunningJob) -> Self {
        let mut killing = Self { cause, sequence, next: 0, killed: false, due: None, survivor: None };
        killing.step(running_job);
        killing
    }

    /// Kills at once.
    pub(super) fn at_once(cause: Cause, sequence: &'a TermSequence, running_job: &RunningJob) -> Self {
        running_job.send(libc::SIGKILL);
        Self { cause, sequence, next: 0, killed: true, due: again(), survivor: None }
    }

    /// Leaves out the steps that are left.
    pub(super) fn hurry(&mut self, running_job: &RunningJob) {
        if !self.killed {
            running_job.send(libc::SIGKILL);
            (self.killed, self.due) = (true, again());
        }
    }

    /// Sends the next signal; KILL once more where that was the last one.
    pub(super) fn step(&mut self, running_job: &RunningJob) {
        // After the last step those who are left are sent KILL in any case.
        let step = if self.killed { None } else { self.sequence.step(self.next) };
        self.next += 1;
        let signal = step.map_or(libc::SIGKILL, |(signal, _)| signal);
        running_job.send(signal);
        if signal == libc::SIGKILL {
            (self.killed, self.due) = (true, again());
            return;
        }
        // Those who are stopped have to run for the signal to do anything.
        running_job.send(libc::SIGCONT);
        self.due = step.and_then(|(_, wait)| Instant::now().checked_add(wait));
    }

    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    pub(super) fn watch(&self) -> PollEntry<'_> {
        self.survivor.as_ref().map_or(PollEntry::NOTHING, |survivor| PollEntry::readable(survivor.as_fd()))
    }

    /// The leader is dead: whether the others are, too. After KILL they are, or
    /// will be before they can do anything.
    pub(super) fn is_over(&mut self, leader: i32, running_job: &RunningJob) -> bool {
        if self.killed {
            return true;
        }
        match members(leader) {
            Members::Some(survivor) => {
                self.survivor = survivor;
                false
            }
            Members::Nobody => {
                // Who was born while we looked is not to survive, either.
                running_job.send(libc::SIGKILL);
                true
            }
        }
    }
}

fn again() -> Option<Instant> {
    Instant::now().checked_add(AGAIN)
}

/// Who is left in a group beside its leader.
#[derive(Debug)]
pub(super) enum Members {
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "never known"))]
    Nobody,
    /// At least one; the descriptor becomes readable when that one ends, where
    /// the system offers that. Also when the system does not tell.
    Some(Option<OwnedFd>),
}

/// Looks who is left in the group of the dead `leader`.
#[cfg(target_os = "linux")]
pub(super) fn members(leader: i32) -> Members {
    use std::{fs, io};

    use crate::process::descriptor;

    let Ok(processes) = fs::read_dir("/proc") else { return Members::Some(None) };
    for entry in processes.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        if pid == leader {
            continue;
        }
        let Ok(stat) = fs::read(entry.path().join("stat")) else { continue };
        if living_group(&String::from_utf8_lossy(&stat)) != Some(leader) {
            continue;
        }
        match descriptor::process(pid) {
            Ok(member) => return Members::Some(Some(member)),
            // It is gone by now.
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => {}
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {}
            Err(_) => return Members::Some(None),
        }
    }
    Members::Nobody
}

/// Looks who is left in the group of the dead `leader`.
#[cfg(not(target_os = "linux"))]
pub(super) fn members(_leader: i32) -> Members {
    Members::Some(None)
}

/// The group of a living process, from its line in /proc: number, name in
/// parentheses, which may hold anything, state, parent, group.
#[cfg(target_os = "linux")]
fn living_group(stat: &str) -> Option<i32> {
    let (_, after_name) = stat.rsplit_once(") ")?;
    let mut fields = after_name.split(' ');
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    fields.nth(1)?.parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_group_is_read_behind_any_name_and_the_dead_have_none() {
        assert_eq!(living_group("71 (sh) S 70 42 42 0"), Some(42));
        assert_eq!(living_group("71 (a) Z 1 (b)) R 70 43 42 0"), Some(43));
        assert_eq!(living_group("71 (sh) Z 70 42 42 0"), None);
        assert_eq!(living_group(""), None);
    }
}
