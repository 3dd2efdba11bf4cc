//! The worker for machines where no parsim runs: a text in python3, which is sent there and
//! needs nothing but that.
//!
//! It speaks this protocol and runs commands alone, as far as its files say. It cannot read
//! templates: it asks for [lines](super::protocol::WorkerHost::takes_lines). Knows nothing of
//! how it gets there.

/// All of it, in one piece.
pub(super) const PROGRAM: &str = concat!(
    include_str!("python3/guard.py"),
    include_str!("python3/files.py"),
    include_str!("python3/spawn.py"),
    include_str!("python3/job.py"),
    include_str!("python3/batch.py"),
    include_str!("python3/worker.py"),
);

#[cfg(test)]
mod tests {
    use super::super::protocol::{BEAT, PROTOCOL};
    use super::*;

    #[test]
    fn it_speaks_this_protocol_and_nothing_but_ascii() {
        assert!(PROGRAM.contains(&format!("PROTOCOL = \"{PROTOCOL}\"\n")));
        assert!(PROGRAM.contains(&format!("BEAT = {:.1}\n", BEAT.as_secs_f64())));
        // Whatever python3 takes for the encoding of a text that it is handed.
        assert!(PROGRAM.is_ascii());
    }
}
