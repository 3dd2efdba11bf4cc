//! A process that does nothing but be killed first. A batch system without control groups
//! ends a job's processes one after the other, the deepest of the oldest branch first, and
//! what others of them do meanwhile means nothing: a shell goes on when what it runs is
//! killed, and may call that a success. A child of the [guard](super::guard), which is older
//! than all jobs, is hit before them (Slurm 22.05, `proctrack/linuxproc/kill_tree.c`), but
//! where the numbers of processes began anew since.
//!
//! A signal shows at once in what the kernel tells of a process, also where it has not come
//! to run, and so to die, since then.

use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, Read as _, Write as _};
use std::os::unix::fs::FileExt as _;

use super::guard::{keep_apart, leave};
use crate::process::init::fork;
use crate::process::signal;

/// The canary of this process, as it sees it.
#[derive(Debug)]
pub(super) struct Canary {
    /// `/proc/PID/status`, of the process that it was when this was opened, and of no later one.
    status: File,
}

impl Canary {
    /// Watches the one whose number comes through `from`, if one does.
    pub(super) fn watch(mut from: PipeReader) -> Option<Self> {
        let mut number = [0; 4];
        from.read_exact(&mut number).ok()?;
        let status = File::open(format!("/proc/{}/status", u32::from_ne_bytes(number))).ok()?;
        Some(Self { status })
    }

    /// Whether it was sent what ends it.
    pub(super) fn is_hit(&self) -> bool {
        // What is looked for stands in the first thousand bytes.
        let mut text = [0; 4096];
        match self.status.read_at(&mut text, 0) {
            Ok(length) => is_hit(&text[..length]),
            // There is no such process any more.
            Err(error) => error.kind() != io::ErrorKind::Interrupted,
        }
    }
}

/// Whether a process of which this is told has ended, or is about to.
fn is_hit(status: &[u8]) -> bool {
    let endings = signal::ending_signals().chain([libc::SIGKILL]);
    let endings = endings.fold(0_u64, |mask, signal| mask | 1 << (signal - 1));
    let is_pending = |value: &str| u64::from_str_radix(value, 16).is_ok_and(|mask| mask & endings != 0);
    String::from_utf8_lossy(status).lines().any(|line| match line.split_once(":\t") {
        Some(("State", state)) => state.starts_with(['Z', 'X', 'x']),
        Some(("SigPnd" | "ShdPnd", mask)) => is_pending(mask),
        _ => false,
    })
}

/// In the guard: makes a canary, whose number goes through `to`.
pub(super) fn make(mut to: PipeWriter) {
    match fork() {
        Ok(Some(pid)) => {
            let _ = to.write_all(&pid.to_ne_bytes());
        }
        Ok(None) => {
            drop(to);
            sit();
        }
        // Things are as they would be without one.
        Err(_) => {}
    }
}

/// In the canary: waits to be killed, or for its guard to be gone.
#[expect(unsafe_code, reason = "std knows neither signals nor the death of parents")]
fn sit() -> ! {
    // SAFETY: all of it takes numbers.
    unsafe {
        let guard = libc::getppid();
        #[cfg(target_os = "linux")]
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL, 0, 0, 0);
        keep_apart(None, c"parsim-canary");
        while libc::getppid() == guard {
            libc::pause();
        }
    }
    leave()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_hit_when_it_has_ended_or_is_sent_what_ends_it() {
        let of = |state: &str, thread: &str, shared: &str| {
            let text =
                format!("Name:\tparsim-canary\nState:\t{state}\nSigPnd:\t{thread}\nShdPnd:\t{shared}\n");
            is_hit(text.as_bytes())
        };
        let none = "0000000000000000";
        assert!(!of("S (sleeping)", none, none));
        assert!(of("Z (zombie)", none, none));
        assert!(of("R (running)", "0000000000000100", none));
        assert!(of("R (running)", none, "0000000000004000"));
        // CONT and WINCH end nobody.
        assert!(!of("S (sleeping)", none, "0000000008020000"));
    }
}
