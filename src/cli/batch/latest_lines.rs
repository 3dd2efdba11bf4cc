//! The latest line of each job, for the display that shows one for each slot.
//!
//! Knows what a line is, in how many pieces it may come; does not know how it is drawn.

use std::collections::BTreeMap;
use std::io;

use super::streams::Beside;
use crate::output::{Channel, Destination};
use crate::task::{Outcome, Task};

/// So much of a line is shown: nobody reads more of one on a terminal.
const LONGEST: usize = 64 << 10;

/// What jobs write where the display shows the latest line of each. A terminal gets no more
/// of it than the last line of a job that is over; what goes elsewhere goes there whole.
pub(super) struct LatestLines<D> {
    inner: Beside<D>,
    /// By turn of the job.
    written: BTreeMap<u64, LatestLine>,
}

/// What a job wrote last.
#[derive(Default)]
struct LatestLine {
    /// By channel: the beginning of a line whose end has not come.
    begun: [Vec<u8>; 2],
    /// The last line on a terminal.
    last: Option<(Channel, Vec<u8>)>,
}

impl<D> LatestLines<D> {
    pub(super) fn new(inner: Beside<D>) -> Self {
        Self { inner, written: BTreeMap::new() }
    }
}

impl<D: Destination> Destination for LatestLines<D> {
    fn write(&mut self, task: &Task, channel: Channel, bytes: &[u8]) -> io::Result<()> {
        let is_on_terminal = self.inner.on_terminal[channel as usize];
        let latest = self.written.entry(task.turn).or_default();
        if let Some(line) = latest.ended_by(channel, bytes) {
            self.inner.display.show_latest(task.slot, &line);
            if is_on_terminal {
                latest.last = Some((channel, line));
            }
        }
        if is_on_terminal { Ok(()) } else { self.inner.write(task, channel, bytes) }
    }

    fn close(&mut self, task: &Task, outcome: &Outcome) -> io::Result<()> {
        let last = self.written.remove(&task.turn).and_then(|latest| latest.last(self.inner.on_terminal));
        let written = last.map_or(Ok(()), |(channel, line)| self.inner.write(task, channel, &line));
        written.and(self.inner.close(task, outcome))
    }
}

impl LatestLine {
    /// The last line that ends in `bytes`, which a job wrote, if one does that is not blank.
    fn ended_by(&mut self, channel: Channel, bytes: &[u8]) -> Option<Vec<u8>> {
        let is_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
        let begun = &mut self.begun[channel as usize];
        let Some(end) = bytes.iter().position(is_end) else {
            put(begun, bytes);
            return None;
        };
        let (rest_of_first, others) = (&bytes[..end], &bytes[end + 1..]);
        let (others, next) = others.split_at(others.iter().rposition(is_end).map_or(0, |at| at + 1));
        put(begun, rest_of_first);
        let first = std::mem::take(begun);
        put(begun, next);
        let mut lines = others.rsplit(is_end).chain([&*first]);
        let mut line = Vec::new();
        put(&mut line, lines.find(|line| !is_blank(line))?);
        Some(line)
    }

    /// The last line of a job that is over, if it went to a terminal. A line that never
    /// ended is one.
    fn last(self, on_terminal: [bool; 2]) -> Option<(Channel, Vec<u8>)> {
        let [out, err] = self.begun;
        let mut unended = [(Channel::Err, err), (Channel::Out, out)].into_iter();
        let unended = unended.find(|(channel, line)| on_terminal[*channel as usize] && !is_blank(line));
        let (channel, mut line) = unended.or(self.last)?;
        line.push(b'\n');
        Some((channel, line))
    }
}

fn put(line: &mut Vec<u8>, piece: &[u8]) {
    let room = LONGEST.saturating_sub(line.len());
    line.extend_from_slice(&piece[..piece.len().min(room)]);
}

fn is_blank(line: &[u8]) -> bool {
    line.trim_ascii().is_empty()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::progress::{ProgressDisplay, ProgressState, Show};
    use crate::sync::Mutex;

    /// What is seen of both channels.
    #[derive(Clone, Default)]
    struct BothChannels(Arc<Mutex<Vec<u8>>>);

    impl Destination for BothChannels {
        fn write(&mut self, _task: &Task, _channel: Channel, bytes: &[u8]) -> io::Result<()> {
            self.0.lock().extend_from_slice(bytes);
            Ok(())
        }

        fn close(&mut self, _task: &Task, _outcome: &Outcome) -> io::Result<()> {
            Ok(())
        }
    }

    fn left(pieces: &[(Channel, &str)], on_terminal: [bool; 2]) -> String {
        let seen = BothChannels::default();
        let state = Arc::new(ProgressState::default());
        let display = Arc::new(ProgressDisplay::new(state, Show::Slots, true));
        let mut lines = LatestLines::new(Beside::on(seen.clone(), display, on_terminal));
        let task = Task::numbered(0, "");
        for (channel, piece) in pieces {
            lines.write(&task, *channel, piece.as_bytes()).unwrap();
        }
        lines.close(&task, &Outcome::Success).unwrap();
        let seen = seen.0.lock().clone();
        String::from_utf8(seen).unwrap()
    }

    #[test]
    fn a_line_is_whole_in_however_many_pieces_it_comes() {
        use Channel::{Err, Out};
        for (pieces, last) in [
            (&[(Out, "one"), (Out, " and two\n")][..], "one and two\n"),
            (&[(Out, "a\nb"), (Out, "c"), (Out, "d\n\n")], "bcd\n"),
            (&[(Out, "10 %\r2"), (Out, "0 %\r"), (Out, "\n")], "20 %\n"),
            (&[(Out, "o"), (Err, "e"), (Out, "ut\n"), (Err, "rr\n")], "err\n"),
            (&[(Out, "a\n"), (Out, "no "), (Out, "end")], "no end\n"),
            (&[(Out, "a\nb\n  \n")], "b\n"),
            (&[(Out, " \n")], ""),
        ] {
            assert_eq!(left(pieces, [true; 2]), last, "{pieces:?}");
        }
        let pieces = [(Out, "o"), (Out, "ut\n"), (Err, "e"), (Err, "rr\n")];
        assert_eq!(left(&pieces, [false, true]), "out\nerr\n", "stdout goes elsewhere");
    }

    #[test]
    fn of_a_line_without_an_end_no_more_is_kept_than_a_terminal_shows() {
        let block = "x".repeat(LONGEST / 2 + 1);
        let pieces = [(Channel::Out, &*block), (Channel::Out, &block), (Channel::Out, &block)];
        assert_eq!(left(&pieces, [true; 2]).len(), LONGEST + 1);
    }
}
