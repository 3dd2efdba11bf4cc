//! Named shares of a task's time. There are as many lists of them as tasks, so one of usual
//! names is small: a number for each share.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::measure::seconds;

/// A named share of a task's time: `draw`, `text`, `write`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// What was done.
    #[serde(deserialize_with = "usual")]
    pub name: Cow<'static, str>,
    /// Wall time spent on it, summed over the task.
    #[serde(with = "seconds")]
    pub wall: Duration,
}

/// Names that shares of time usually have. Any other name does as well.
const USUAL: [&str; 16] = [
    "draw",
    "text",
    "write",
    "turn",
    "resolve",
    "connect",
    "tls",
    "first_byte",
    "body",
    "query",
    "deep",
    "fetch",
    "host_wait",
    "retry_wait",
    "rate_wait",
    "earlier tries",
];

/// So many bits of a number are the time, in nanoseconds: years. Those above are the name.
const TIME_BITS: u32 = 60;

/// The shares of a task's time, in the order in which they were first spent.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Spans(KeptSpans);

#[derive(Clone, PartialEq, Eq)]
enum KeptSpans {
    /// All have usual names and times.
    Usual(Vec<u64>),
    /// One at least has not.
    Any(Vec<Span>),
}

impl Default for KeptSpans {
    fn default() -> Self {
        Self::Usual(Vec::new())
    }
}

/// The share in one number, if that is possible.
fn packed(name: &str, wall: Duration) -> Option<u64> {
    let name = USUAL.iter().position(|usual| *usual == name)? as u64;
    let time = u64::try_from(wall.as_nanos()).ok().filter(|time| time >> TIME_BITS == 0)?;
    Some((name << TIME_BITS) | time)
}

fn unpacked(number: u64) -> (&'static str, Duration) {
    let name = USUAL[(number >> TIME_BITS) as usize];
    (name, Duration::from_nanos(number & ((1 << TIME_BITS) - 1)))
}

impl Spans {
    /// Each with its name and its wall time.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, Duration)> {
        let (usual, any) = match &self.0 {
            KeptSpans::Usual(usual) => (&usual[..], &[][..]),
            KeptSpans::Any(any) => (&[][..], &any[..]),
        };
        usual.iter().map(|number| unpacked(*number)).chain(any.iter().map(|span| (&*span.name, span.wall)))
    }

    /// The time of that name, if there is one.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Duration> {
        self.iter().find(|(known, _)| *known == name).map(|(_, wall)| wall)
    }

    /// Adds `wall` to the time of that name.
    pub fn add(&mut self, name: &'static str, wall: Duration) {
        let Some(before) = self.get(name) else { return self.push(Cow::Borrowed(name), wall) };
        let spans: Vec<Span> = std::mem::take(self).into();
        for Span { name: known, wall: so_far } in spans {
            let wall = if known == name { before + wall } else { so_far };
            self.push(known, wall);
        }
    }

    /// Puts a share behind the others.
    pub fn push(&mut self, name: Cow<'static, str>, wall: Duration) {
        let packed = packed(&name, wall);
        match (&mut self.0, packed) {
            (KeptSpans::Usual(usual), Some(number)) => usual.push(number),
            (KeptSpans::Any(any), _) => any.push(Span { name, wall }),
            (KeptSpans::Usual(_), None) => {
                let mut any: Vec<Span> = std::mem::take(self).into();
                any.push(Span { name, wall });
                self.0 = KeptSpans::Any(any);
            }
        }
    }

    /// Takes no more memory than it needs. In a new place, so that the old one serves the next
    /// task: cut where it is, it would leave a hole.
    pub(crate) fn shrink(&mut self) {
        if let KeptSpans::Usual(usual) = &mut self.0
            && usual.capacity() > usual.len()
        {
            *usual = usual.as_slice().to_vec();
        }
    }

    /// About how many bytes it takes in memory beside itself.
    pub(crate) fn size(&self) -> usize {
        match &self.0 {
            KeptSpans::Usual(usual) => size_of_val(&**usual),
            KeptSpans::Any(any) => size_of_val(&**any),
        }
    }

    fn is_empty(&self) -> bool {
        self.size() == 0
    }

    /// For serde.
    pub(super) fn are_none(spans: &Self) -> bool {
        spans.is_empty()
    }
}

impl From<Spans> for Vec<Span> {
    fn from(spans: Spans) -> Self {
        match spans.0 {
            KeptSpans::Any(any) => any,
            KeptSpans::Usual(usual) => {
                let span = |number| {
                    let (name, wall) = unpacked(number);
                    Span { name: Cow::Borrowed(name), wall }
                };
                usual.into_iter().map(span).collect()
            }
        }
    }
}

impl FromIterator<Span> for Spans {
    fn from_iter<I: IntoIterator<Item = Span>>(all: I) -> Self {
        let mut spans = Self::default();
        for Span { name, wall } in all {
            spans.push(name, wall);
        }
        spans
    }
}

impl fmt::Debug for Spans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Serialize for Spans {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shown<'a> {
            name: &'a str,
            #[serde(with = "seconds")]
            wall: Duration,
        }
        serializer.collect_seq(self.iter().map(|(name, wall)| Shown { name, wall }))
    }
}

impl<'de> Deserialize<'de> for Spans {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Spans;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of spans")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Spans, A::Error> {
                let mut spans = Spans::default();
                while let Some(Span { name, wall }) = list.next_element()? {
                    spans.push(name, wall);
                }
                spans.shrink();
                Ok(spans)
            }
        }
        deserializer.deserialize_seq(List)
    }
}

/// Read back, a usual name takes no memory of its own.
fn usual<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Cow<'static, str>, D::Error> {
    struct SpanName;
    impl Visitor<'_> for SpanName {
        type Value = Cow<'static, str>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a name")
        }

        fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
            let known = USUAL.into_iter().find(|name| *name == text);
            Ok(known.map_or_else(|| Cow::Owned(text.to_owned()), Cow::Borrowed))
        }
    }
    deserializer.deserialize_str(SpanName)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(name: &str, nanos: u64) -> Span {
        Span { name: name.to_owned().into(), wall: Duration::from_nanos(nanos) }
    }

    #[test]
    fn spans_are_saved_as_a_list_and_read_back_whatever_their_names() {
        let usual = [span("write", 5), span("draw", 500_000_000_000_000_000)];
        let odd = [span("write", 5), span("write(2)", 6), span("draw", 7)];
        let long = [span("draw", 2_000_000_000_000_000_000)];
        for list in [&usual[..], &odd, &long, &[]] {
            let spans: Spans = list.iter().cloned().collect();
            let saved = serde_json::to_string(&spans).unwrap();
            assert_eq!(saved, serde_json::to_string(list).unwrap());
            assert_eq!(serde_json::from_str::<Spans>(&saved).unwrap(), spans);
            assert_eq!(Vec::from(spans), list);
        }
    }

    #[test]
    fn time_is_added_to_its_name_and_the_order_stays() {
        for (first, kept) in [("draw", 16), ("of my own", 2 * size_of::<Span>())] {
            let mut spans = Spans::default();
            spans.add(first, Duration::from_nanos(1));
            spans.add("write", Duration::from_nanos(2));
            spans.add(first, Duration::from_nanos(4));
            let nanos: Vec<_> = spans.iter().map(|(name, wall)| (name, wall.as_nanos())).collect();
            assert_eq!(nanos, [(first, 5), ("write", 2)]);
            assert_eq!((spans.get("write"), spans.get("text")), (Some(Duration::from_nanos(2)), None));
            assert_eq!(spans.size(), kept);
        }
    }

    #[test]
    fn a_name_of_a_span_is_read_back_and_a_usual_one_takes_no_memory() {
        for name in USUAL.into_iter().chain(["text\u{1b}", "own"]) {
            let span = Span { name: Cow::Owned(name.to_owned()), wall: Duration::from_millis(3) };
            let saved = serde_json::to_string(&span).unwrap();
            let read: Span = serde_json::from_reader(saved.as_bytes()).unwrap();
            assert_eq!(read, span);
            assert_eq!(matches!(read.name, Cow::Borrowed(_)), USUAL.contains(&name), "{name}");
        }
    }
}
