//! What an executor and a worker in another process say to each other.
//!
//! Bytes both ways, over anything that keeps their order: a pair of pipes, a
//! socket, the standard streams of a remote shell. A message is a frame:
//!
//! ```text
//! length of the payload: 4 bytes, little-endian | kind: 1 byte | payload
//! ```
//!
//! | kind | to the worker | payload |
//! |---|---|---|
//! | `H` | who is spoken to, and what it is to be ([`Hello`]) | JSON |
//! | `S` | what tasks share, as the workload made bytes of it | raw |
//! | `P` | make by yourself what tasks share | none |
//! | `T` | do this task ([`TaskRequest`]) | JSON |
//! | `C` | the answer to a question | JSON |
//! | `X` | give up the task and end | none |
//!
//! | kind | from the worker | payload |
//! |---|---|---|
//! | `R` | ready for what comes next | none |
//! | `O`, `E` | what the task wrote to its output, to its errors | raw |
//! | `A` | so many more bytes were produced | 8 bytes, little-endian |
//! | `N` | what the task is called turned out | text |
//! | `I` | something happened to the task ([`Incident`]) | JSON |
//! | `C` | what the task asks whoever began the run | JSON |
//! | `D` | the task is over ([`TaskReport`]) | JSON |
//! | `F` | it cannot go on, and why | text |
//! | `B` | nothing more will be done ([`Bye`]) | JSON |
//!
//! `H` is answered by `R`; then `S` or `P`, answered by `R`; then each `T` by any
//! number of `O`, `E`, `A`, `N`, `I`, of `C`, which are answered by a `C` each, and one `D`. Whoever hears the other's stream end
//! ends as well, a worker after `B`. A `B` or the end of the stream in the place of
//! a `D`: the first says that the task was not begun, the second that nobody knows.
//!
//! [`PROTOCOL`] names the version; whatever changes here changes it. Frames and the
//! `protocol` of an `H` stay what they are in all versions, so that a worker of
//! another one can say so. Knows nothing of what carries the bytes.

use std::borrow::Cow;
use std::io::{self, ErrorKind, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::task::{Column, Record, Task};

/// The version of the protocol.
pub(super) const PROTOCOL: &str = "parsim-worker/3";

/// A frame is not longer: more than this is no frame but somebody else's bytes.
const LONGEST: u32 = 1 << 30;

/// What the bytes of a frame mean; the table above.
pub(super) mod kind {
    pub(in super::super) const HELLO: u8 = b'H';
    pub(in super::super) const SHARED: u8 = b'S';
    pub(in super::super) const PREPARE: u8 = b'P';
    pub(in super::super) const TASK: u8 = b'T';
    /// Both ways: a question, and its answer.
    pub(in super::super) const CONSULT: u8 = b'C';
    pub(in super::super) const STOP: u8 = b'X';
    pub(in super::super) const READY: u8 = b'R';
    pub(in super::super) const OUT: u8 = b'O';
    pub(in super::super) const ERR: u8 = b'E';
    pub(in super::super) const ADVANCED: u8 = b'A';
    pub(in super::super) const NAMED: u8 = b'N';
    pub(in super::super) const INCIDENT: u8 = b'I';
    pub(in super::super) const DONE: u8 = b'D';
    pub(in super::super) const FAILED: u8 = b'F';
    pub(in super::super) const BYE: u8 = b'B';
}

/// The first message: what the worker is to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Hello {
    /// [`PROTOCOL`].
    pub(super) protocol: String,
    /// The version of the program that asks.
    pub(super) version: String,
    /// The workload's name.
    pub(super) workload: String,
    /// What it is built from.
    pub(super) blueprint: serde_json::Value,
    /// How the batch is run.
    pub(super) column: Column,
    /// Whether what tasks write is digested, for a comparison of ways.
    pub(super) digested: bool,
}

/// As much of a [`Hello`] as every version understands.
#[derive(Deserialize)]
pub(super) struct Greeting {
    pub(super) protocol: String,
}

/// A task to be tried once: whether it is tried again is for the reader of its record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TaskRequest<'a> {
    /// What to do.
    pub(super) task: Cow<'a, Task>,
    /// The slot it has in the batch, from 0.
    pub(super) slot: u32,
    /// Which try this is, from 1.
    pub(super) attempt: u32,
}

/// What happened to a task, for whoever watches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Incident {
    /// [`Event::TaskStopped`].
    Stopped { signal: i32, group: i32, is_news: bool },
    /// [`Event::TaskContinued`].
    Continued,
    /// [`Event::TaskWaitsToStart`].
    WaitsToStart { why: String, is_news: bool },
}

impl Incident {
    /// What `event` tells of the one task that a worker does.
    pub(super) fn of(event: &Event<'_>) -> Option<Self> {
        Some(match *event {
            Event::TaskStopped { signal, group, is_news, .. } => Self::Stopped { signal, group, is_news },
            Event::TaskContinued { .. } => Self::Continued,
            Event::TaskWaitsToStart { why, is_news } => Self::WaitsToStart { why: why.to_owned(), is_news },
            _ => return None,
        })
    }

    /// The same of `task`.
    pub(super) fn event(&self, task: &Task) -> Event<'_> {
        let Task { seq, slot, .. } = *task;
        match self {
            &Self::Stopped { signal, group, is_news } => {
                Event::TaskStopped { seq, slot, signal, group, is_news }
            }
            Self::Continued => Event::TaskContinued { slot },
            Self::WaitsToStart { why, is_news } => Event::TaskWaitsToStart { why, is_news: *is_news },
        }
    }
}

/// A try that is over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct TaskReport {
    /// What was measured where it was done: its start is for the reader to know.
    pub(super) record: Record,
    /// The record's command line where it is no text, which records leave out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) line: Option<Vec<u8>>,
}

/// The last message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Bye {
    /// The most memory that the worker held, in bytes.
    pub(super) peak_memory: Option<u64>,
}

/// A message as it travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) payload: Vec<u8>,
}

impl Frame {
    /// How many bytes it takes on its way.
    pub(super) fn length(&self) -> u64 {
        HEAD as u64 + self.payload.len() as u64
    }

    /// The payload as what its kind says it is.
    pub(super) fn json<T: DeserializeOwned>(&self) -> io::Result<T> {
        Ok(serde_json::from_slice(&self.payload)?)
    }

    /// The payload as text, whatever it is.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.payload).into_owned()
    }
}

const HEAD: usize = 5;

/// Payloads up to here are copied behind their head, so that it takes one write.
const SMALL: usize = 64 << 10;

/// So much room is made for a payload before it comes, whatever its length says.
const BELIEVED: usize = 16 << 20;

/// Writes one frame, and tells how many bytes that were.
pub(super) fn send(target: &mut (impl Write + ?Sized), kind: u8, payload: &[u8]) -> io::Result<u64> {
    let length = u32::try_from(payload.len()).ok().filter(|length| *length <= LONGEST);
    let length = length.ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "too much for one message"))?;
    let mut frame = Vec::with_capacity(HEAD + payload.len().min(SMALL));
    frame.extend(length.to_le_bytes());
    frame.push(kind);
    if payload.len() <= SMALL {
        frame.extend(payload);
        target.write_all(&frame)?;
    } else {
        target.write_all(&frame)?;
        target.write_all(payload)?;
    }
    target.flush()?;
    Ok((HEAD + payload.len()) as u64)
}

/// The same of a message that is JSON.
pub(super) fn send_json(
    target: &mut (impl Write + ?Sized),
    kind: u8,
    message: &impl Serialize,
) -> io::Result<u64> {
    send(target, kind, &serde_json::to_vec(message)?)
}

/// Reads one frame; `None` at the end of the stream.
pub(super) fn receive(mut source: &mut (impl Read + ?Sized)) -> io::Result<Option<Frame>> {
    let mut head = [0; HEAD];
    let first = loop {
        match source.read(&mut head) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            other => break other?,
        }
    };
    if first == 0 {
        return Ok(None);
    }
    source.read_exact(&mut head[first..])?;
    let [a, b, c, d, kind] = head;
    let length = u32::from_le_bytes([a, b, c, d]);
    if length > LONGEST {
        return Err(io::Error::new(ErrorKind::InvalidData, "not what a parsim worker says"));
    }
    let mut payload = Vec::with_capacity((length as usize).min(BELIEVED));
    let n_read = Read::take(&mut source, length.into()).read_to_end(&mut payload)?;
    if n_read < length as usize {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(Frame { kind, payload }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_frame_arrives_as_it_was_sent(kind: u8, payload: Vec<u8>) {
            let mut wire = Vec::new();
            let sent = send(&mut wire, kind, &payload).unwrap();
            prop_assert_eq!(sent, wire.len() as u64);
            let frame = receive(&mut &wire[..]).unwrap().unwrap();
            prop_assert_eq!(frame.length(), sent);
            prop_assert_eq!((frame.kind, frame.payload), (kind, payload));
        }

        #[test]
        fn a_stream_that_is_cut_is_an_error_and_no_message(payload: Vec<u8>, cut in 1_usize..5) {
            let mut wire = Vec::new();
            send(&mut wire, kind::TASK, &payload).unwrap();
            let cut = cut.min(wire.len() - 1);
            prop_assert!(receive(&mut &wire[..wire.len() - cut]).is_err());
        }
    }

    #[test]
    fn a_payload_of_any_size_arrives() {
        for length in [0, SMALL, SMALL + 1, BELIEVED + 1] {
            let payload = vec![7; length];
            let mut wire = Vec::new();
            assert_eq!(send(&mut wire, kind::SHARED, &payload).unwrap(), wire.len() as u64);
            assert!(receive(&mut &wire[..]).unwrap().unwrap().payload == payload, "{length}");
        }
    }

    #[test]
    fn a_stream_that_ends_between_messages_has_ended() {
        assert_eq!(receive(&mut io::empty()).unwrap(), None);
    }

    #[test]
    fn what_is_no_message_is_refused_without_being_waited_for() {
        let error = receive(&mut &b"thread 'main' panicked"[..]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
    }

    #[test]
    fn a_greeting_is_understood_whatever_else_is_said() {
        let text = r#"{"protocol":"parsim-worker/99","wishes":[1,2]}"#;
        let frame = Frame { kind: kind::HELLO, payload: text.into() };
        assert_eq!(frame.json::<Greeting>().unwrap().protocol, "parsim-worker/99");
        assert!(frame.json::<Hello>().is_err());
    }
}
