//! What a person is to hear at once, whatever is shown of progress: why nothing
//! happens, and what helps.

use std::io::Write as _;

use crate::event::Event;
use crate::{process, text};

/// What is to be said of `event`, if anything is.
pub(super) fn notice(event: &Event<'_>) -> Option<String> {
    match *event {
        Event::StartsHeldUp { why, is_news: true } => Some(format!("waiting to start jobs: {why}")),
        Event::FewerSlots { slots, wanted, why } => Some(fewer_slots(slots, wanted, why)),
        Event::TaskWaitsToStart { why, is_news: true } => Some(format!(
            "{why}: jobs wait until others have ended (a smaller -j needs less; see ulimit -u and -n)"
        )),
        Event::TaskStopped { seq, signal, group, is_news: true, .. } => {
            let job = seq + 1;
            Some(if [libc::SIGTTIN, libc::SIGTTOU].contains(&signal) {
                format!(
                    "job {job} has stopped: it asks for the terminal; parsim parallel --tty lends it \
                     to one job at a time"
                )
            } else {
                format!("job {job} was stopped by signal {signal}; kill -CONT -- -{group} lets it go on")
            })
        }
        _ => None,
    }
}

/// Why, where files cannot be opened.
pub const NO_DESCRIPTORS: &str = "there are no descriptors for more: raise the limit (ulimit -n)";

/// That fewer slots run than were wanted.
#[must_use]
pub fn fewer_slots(slots: usize, wanted: usize, why: &str) -> String {
    format!("running {slots} at a time, not {wanted}: {why}")
}

/// Says it on stderr.
pub(super) fn tell(text: &str) {
    // What cannot be told is no reason to stop the work.
    let _ = writeln!(process::stderr(), "parsim: {}", text::printable(text));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_that_asks_for_the_terminal_is_told_of_once_and_with_what_helps() {
        let of = |signal, is_news| {
            notice(&Event::TaskStopped { seq: 2, slot: 0, signal, group: 4711, is_news }).unwrap_or_default()
        };
        for signal in [libc::SIGTTIN, libc::SIGTTOU] {
            let text = of(signal, true);
            assert!(text.starts_with("job 3 has stopped: it asks for the terminal;"), "{text}");
            assert!(text.contains("--tty"), "{text}");
        }
        assert_eq!(of(19, true), "job 3 was stopped by signal 19; kill -CONT -- -4711 lets it go on");
        assert_eq!(of(libc::SIGTTIN, false), "");
    }
}
