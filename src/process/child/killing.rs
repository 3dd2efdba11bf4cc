//! A kill sequence: its steps, which signal and how long to wait for it to work; and one on
//! its way: who has been sent what, when the next step is due, and whether anybody is left
//! in the group of a dead leader, which is not reaped, so that its number still means this
//! group.
//!
//! Does not wait: the loop that does asks for the time and says what happened.

use std::fmt;
use std::os::fd::{AsFd as _, OwnedFd};
use std::str::FromStr;
use std::time::{Duration, Instant};

use signal_hook::low_level;

use super::job::Cause;
use super::running::RunningJob;
use crate::process::poll::PollEntry;

/// Signals to be sent one after the other until nobody is left, written as GNU
/// parallel does: `TERM,200,TERM,100,TERM,50,KILL,25`, which is the default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TermSequence {
    /// Each signal, and how long the next waits for it.
    steps: Vec<(i32, Duration)>,
}

impl TermSequence {
    /// Sends each signal and waits so long for it. Whatever the steps are,
    /// those who survive them all are sent KILL.
    pub fn new(steps: Vec<(i32, Duration)>) -> Self {
        Self { steps }
    }

    /// Each signal, and how long the next waits for it.
    pub(super) fn steps(&self) -> &[(i32, Duration)] {
        &self.steps
    }

    /// How long all of it takes.
    pub fn length(&self) -> Duration {
        self.steps.iter().map(|(_, wait)| *wait).sum()
    }
}

impl Default for TermSequence {
    fn default() -> Self {
        let step = |signal, millis| (signal, Duration::from_millis(millis));
        Self::new(vec![
            step(libc::SIGTERM, 200),
            step(libc::SIGTERM, 100),
            step(libc::SIGTERM, 50),
            step(libc::SIGKILL, 25),
        ])
    }
}

impl FromStr for TermSequence {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.split(',').map(str::trim);
        let mut steps = Vec::new();
        while let Some(name) = parts.next() {
            let signal = signal_number(name).ok_or_else(|| format!("{name:?} is not a signal"))?;
            let millis = match parts.next() {
                None => 0,
                Some(text) => {
                    text.parse().map_err(|_| format!("{text:?} is not a number of milliseconds"))?
                }
            };
            steps.push((signal, Duration::from_millis(millis)));
        }
        Ok(Self::new(steps))
    }
}

impl fmt::Display for TermSequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (number, wait)) in self.steps.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            let name = signal_name(*number).map_or_else(|| number.to_string(), str::to_owned);
            write!(f, "{comma}{name},{}", wait.as_millis())?;
        }
        Ok(())
    }
}

/// The number of a signal given as "TERM", "SIGTERM" or "15".
fn signal_number(name: &str) -> Option<i32> {
    if let Ok(number) = name.parse::<i32>() {
        return (1..=64).contains(&number).then_some(number);
    }
    let upper = name.to_ascii_uppercase();
    let bare = upper.strip_prefix("SIG").unwrap_or(&upper);
    (1..=64).find(|&number| signal_name(number) == Some(bare))
}

/// The name of a signal without its SIG.
fn signal_name(number: i32) -> Option<&'static str> {
    low_level::signal_name(number)?.strip_prefix("SIG")
}

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
    /// Nothing was sent yet.
    pub(super) fn new(cause: Cause, sequence: &'a TermSequence) -> Self {
        Self { cause, sequence, next: 0, killed: false, due: None, survivor: None }
    }

    /// Kills, without the steps that are left.
    pub(super) fn hurry(&mut self, running_job: &RunningJob) {
        if !self.killed {
            self.kill(running_job);
        }
    }

    /// Sends the next signal; KILL once more where that was the last one.
    pub(super) fn step(&mut self, running_job: &RunningJob) {
        // After the last step those who are left are sent KILL in any case.
        let step = if self.killed { None } else { self.sequence.steps.get(self.next) };
        let Some((signal, wait)) = step.filter(|(signal, _)| *signal != libc::SIGKILL) else {
            self.kill(running_job);
            return;
        };
        self.next += 1;
        running_job.send(*signal);
        // Those who are stopped have to run for the signal to do anything.
        running_job.send(libc::SIGCONT);
        self.due = Instant::now().checked_add(*wait);
    }

    fn kill(&mut self, running_job: &RunningJob) {
        running_job.send(libc::SIGKILL);
        (self.killed, self.due) = (true, Instant::now().checked_add(AGAIN));
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

/// Who is left in a group beside its leader.
#[derive(Debug)]
pub(super) enum Members {
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
pub(super) fn members(leader: i32) -> Members {
    // Who was not reaped yet is no error for some kernels, and then nobody is known to be gone.
    match crate::process::signal::send_to_group(leader, 0) {
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Members::Nobody,
        _ => Members::Some(None),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_goes_by_name_with_and_without_sig_and_by_signal_number() {
        assert_eq!(signal_number("TERM"), Some(libc::SIGTERM));
        assert_eq!(signal_number("sigint"), Some(libc::SIGINT));
        assert_eq!(signal_number("9"), Some(libc::SIGKILL));
        assert_eq!((signal_number("0"), signal_number("TREM"), signal_number("")), (None, None, None));
        assert_eq!(signal_name(libc::SIGUSR1), Some("USR1"));
    }

    #[test]
    fn the_default_is_gnu_parallels_and_reads_back() {
        let text = "TERM,200,TERM,100,TERM,50,KILL,25";
        assert_eq!(TermSequence::default().to_string(), text);
        assert_eq!(text.parse(), Ok(TermSequence::default()));
    }

    #[test]
    fn a_last_signal_needs_no_time_and_nonsense_is_named() {
        assert_eq!("INT,1000,9".parse::<TermSequence>().unwrap().to_string(), "INT,1000,KILL,0");
        assert_eq!("TERM,x".parse::<TermSequence>().unwrap_err(), "\"x\" is not a number of milliseconds");
        assert_eq!("".parse::<TermSequence>().unwrap_err(), "\"\" is not a signal");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_group_is_read_behind_any_name_and_the_dead_have_none() {
        assert_eq!(living_group("71 (sh) S 70 42 42 0"), Some(42));
        assert_eq!(living_group("71 (a) Z 1 (b)) R 70 43 42 0"), Some(43));
        assert_eq!(living_group("71 (sh) Z 70 42 42 0"), None);
        assert_eq!(living_group(""), None);
    }
}
