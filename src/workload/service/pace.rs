//! How often a host is asked, and when it is left alone: requests leave evenly spaced, a
//! host that refuses them is given a pause, and one that goes on refusing is asked no more.
//!
//! [`HostPace`] is the state, kept by the process that began the run and asked from
//! wherever tasks run: every question has its answer at once, and who is to wait waits by
//! himself. [`TaskPacer`] does that for the requests of one task.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use anyhow::ensure;
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::http::{HttpError, Pacer, Url, UrlHost};
use crate::process::Interrupt;
use crate::sync::Mutex;
use crate::text::printable;

/// Requests a second that no public service minds (SIMBAD's limit is between 6 and 10).
const USUAL_RATE: f64 = 5.0;

/// A request may leave so much of an interval early or late: the grid is kept over small
/// delays, and no request catches up on a large one.
const SLACK: f64 = 0.02;

/// The first pause, doubled each time, where the host does not say how long.
const FIRST_PAUSE: Duration = Duration::from_secs(2);

/// A host that wants to be left alone for longer is not waited for.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What can be chosen of it.
#[derive(Args, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PaceOptions {
    /// Send at most R requests a second to one host, evenly spaced [default: 5, no limit on this machine's own services]
    #[arg(long, value_name = "R", allow_hyphen_values = true)]
    #[serde(default)]
    pub rate: Option<f64>,
}

impl PaceOptions {
    /// How many requests a second are sent to `host`; `None`: as many as there are.
    pub fn rate_of(&self, host: &UrlHost) -> Option<f64> {
        self.rate.or_else(|| (!host.is_loopback()).then_some(USUAL_RATE))
    }
}

/// The hosts that are asked, and how each takes it.
#[derive(Debug)]
pub struct HostPace {
    options: PaceOptions,
    /// So many pauses in a row a host is given.
    most_pauses: u32,
    began: Instant,
    hosts: Mutex<HashMap<String, HostState>>,
}

#[derive(Debug, Default)]
struct HostState {
    /// By ticket: who waits, and until when.
    due: HashMap<u64, Duration>,
    next_ticket: u64,
    /// When the next that comes may leave.
    next: Duration,
    /// When the last one left.
    left: Option<Duration>,
    /// When the last pause is over.
    paused_until: Duration,
    /// Whoever has an earlier ticket left before that pause.
    first_after_pause: u64,
    /// How many pauses it was given since it last answered.
    n_pauses: u32,
    /// What of it has answered, without queries.
    answered: HashSet<String>,
    /// Why it is asked no more.
    closed: Option<String>,
}

/// What is asked of it.
#[derive(Debug, Serialize, Deserialize)]
struct PaceQuestion {
    host: String,
    ticket: Option<u64>,
    about: PaceTopic,
}

#[derive(Debug, Serialize, Deserialize)]
enum PaceTopic {
    /// May a request leave? Its ticket comes along when it is asked again.
    Leave {
        /// The interval of the host, in seconds.
        interval: f64,
    },
    /// The request with that ticket came to this.
    Came(Reception, String),
}

/// How a host took a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reception {
    /// It answered.
    Answered,
    /// It says that it is asked too often, and perhaps for how long to leave it alone.
    Denied(Option<Duration>),
    /// No answer, or a page for people: a refusal if that place had answered before.
    Broken,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum PaceAnswer {
    /// The request may leave, with this ticket.
    Go(u64),
    /// Ask again after this time, with this ticket.
    Wait(Duration, u64),
    /// Do not ask it, for this reason.
    No(String),
    /// That was a refusal, for which the host is left alone.
    Refused,
    /// It was none.
    Noted,
}

impl HostPace {
    /// A host that refuses is given `most_pauses` in a row.
    ///
    /// # Errors
    /// When an option makes no sense.
    pub fn new(options: &PaceOptions, most_pauses: u32) -> anyhow::Result<Self> {
        if let Some(rate) = options.rate {
            ensure!(rate > 0.0 && rate <= 1e6, "--rate {rate}: give more than 0 requests a second");
        }
        let (options, hosts) = (options.clone(), Mutex::default());
        Ok(Self { options, most_pauses, began: Instant::now(), hosts })
    }

    /// Answers a question of a [`TaskPacer`].
    pub fn answer(&self, question: Value) -> Value {
        let Ok(question) = serde_json::from_value::<PaceQuestion>(question) else { return Value::Null };
        json!(self.answer_at(question, self.began.elapsed()))
    }

    fn answer_at(&self, question: PaceQuestion, now: Duration) -> PaceAnswer {
        let mut hosts = self.hosts.lock();
        let PaceQuestion { host, ticket, about } = question;
        let state = hosts.entry(host).or_default();
        match about {
            PaceTopic::Leave { interval } => state.leave(ticket, interval, now),
            PaceTopic::Came(reception, place) => {
                state.came(ticket.unwrap_or_default(), reception, place, self.most_pauses, now)
            }
        }
    }

    /// The interval between requests to `host`, in seconds.
    fn interval(&self, host: &UrlHost) -> f64 {
        self.options.rate_of(host).map_or(0.0, f64::recip)
    }
}

impl HostState {
    fn leave(&mut self, ticket: Option<u64>, interval: f64, now: Duration) -> PaceAnswer {
        if let Some(why) = &self.closed {
            return PaceAnswer::No(why.clone());
        }
        let whole = Duration::from_secs_f64(interval);
        let due = ticket.and_then(|ticket| self.due.remove(&ticket).map(|due| (ticket, due)));
        // Who was to leave within a pause gets a new place behind it.
        let (ticket, due) = due.filter(|(_, due)| *due >= self.paused_until).unwrap_or_else(|| {
            let due = self.next.max(now).max(self.paused_until);
            self.next = due + whole;
            self.next_ticket += 1;
            (self.next_ticket - 1, due)
        });
        let nearest = self.left.map_or(Duration::ZERO, |left| left + whole.mul_f64(1.0 - SLACK));
        let due = if nearest > due.max(now) { nearest } else { due };
        let wait = due.saturating_sub(now);
        if !wait.is_zero() {
            self.due.insert(ticket, due);
            return PaceAnswer::Wait(wait, ticket);
        }
        self.left = Some(now);
        self.next = self.next.max(due + whole);
        PaceAnswer::Go(ticket)
    }

    fn came(
        &mut self,
        ticket: u64,
        reception: Reception,
        place: String,
        most_pauses: u32,
        now: Duration,
    ) -> PaceAnswer {
        let is_news = ticket >= self.first_after_pause;
        let wanted = match reception {
            Reception::Answered => {
                self.answered.insert(place);
                if is_news {
                    self.n_pauses = 0;
                }
                return PaceAnswer::Noted;
            }
            Reception::Broken if !self.answered.contains(&place) => return PaceAnswer::Noted,
            Reception::Broken => None,
            Reception::Denied(wanted) => wanted,
        };
        // Those who left before are refused for the same reason.
        if is_news && self.closed.is_none() {
            self.n_pauses += 1;
            self.first_after_pause = self.next_ticket;
            let pause = wanted.unwrap_or(FIRST_PAUSE * 2_u32.saturating_pow(self.n_pauses - 1));
            self.paused_until = now + pause;
            if pause > LONGEST_PAUSE {
                self.closed = Some(format!("it wants to be left alone for {} s", pause.as_secs()));
            } else if self.n_pauses > most_pauses {
                self.closed = Some("it went on refusing requests after pauses".to_owned());
            }
        }
        PaceAnswer::Refused
    }
}

/// Whom the requests of a task ask before they leave.
pub struct TaskPacer<'a> {
    pace: &'a HostPace,
    /// The way to the one that counts.
    ask: &'a dyn Fn(Value) -> Option<Value>,
    interrupt: &'a Interrupt,
    /// The last request that left: where to, and its ticket.
    last: RefCell<Option<(Url, u64)>>,
}

impl<'a> TaskPacer<'a> {
    /// Asks by `ask`, wherever `pace` itself is; this one knows the options.
    pub fn new(
        pace: &'a HostPace,
        ask: &'a dyn Fn(Value) -> Option<Value>,
        interrupt: &'a Interrupt,
    ) -> Self {
        Self { pace, ask, interrupt, last: RefCell::default() }
    }

    /// Tells how the request that left last was taken; whether the host is left alone for
    /// it, so that asking again will wait.
    pub fn came(&self, reception: Reception) -> bool {
        let Some((url, ticket)) = self.last.take() else { return false };
        let place = format!("{}{}", url.authority(), url.path);
        let topic = PaceTopic::Came(reception, place);
        self.put(url.host.to_string(), Some(ticket), topic) == Some(PaceAnswer::Refused)
    }

    fn put(&self, host: String, ticket: Option<u64>, about: PaceTopic) -> Option<PaceAnswer> {
        let answer = (self.ask)(json!(PaceQuestion { host, ticket, about }))?;
        serde_json::from_value(answer).ok()
    }
}

impl Pacer for TaskPacer<'_> {
    fn wait(&self, url: &Url) -> Result<Duration, HttpError> {
        let interval = self.pace.interval(&url.host);
        let host = url.host.to_string();
        let begun = Instant::now();
        let mut has_waited = false;
        let mut ticket = None;
        loop {
            match self.put(host.clone(), ticket, PaceTopic::Leave { interval }) {
                Some(PaceAnswer::Go(ticket)) => {
                    self.last.replace(Some((url.clone(), ticket)));
                    return Ok(if has_waited { begun.elapsed() } else { Duration::ZERO });
                }
                Some(PaceAnswer::Wait(time, again)) => {
                    (ticket, has_waited) = (Some(again), true);
                    if !self.interrupt.sleep(time) {
                        return Err(HttpError::interrupted());
                    }
                }
                Some(PaceAnswer::No(why)) => {
                    return Err(HttpError::not_asked(format!("{} was not asked: {why}", printable(&host))));
                }
                // Whoever counts is gone, so the task is to end.
                None | Some(PaceAnswer::Refused | PaceAnswer::Noted) => return Err(HttpError::interrupted()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pace(most_pauses: u32) -> HostPace {
        HostPace::new(&PaceOptions { rate: Some(5.0) }, most_pauses).unwrap()
    }

    fn put(pace: &HostPace, host: &str, ticket: Option<u64>, about: PaceTopic, now: Duration) -> PaceAnswer {
        pace.answer_at(PaceQuestion { host: host.to_owned(), ticket, about }, now)
    }

    fn leave(pace: &HostPace, ticket: Option<u64>, now: u64) -> PaceAnswer {
        put(pace, "h", ticket, PaceTopic::Leave { interval: 0.2 }, millis(now))
    }

    fn came(pace: &HostPace, ticket: u64, reception: Reception, now: u64) -> PaceAnswer {
        put(pace, "h", Some(ticket), PaceTopic::Came(reception, "h/tap".to_owned()), millis(now))
    }

    fn millis(time: u64) -> Duration {
        Duration::from_millis(time)
    }

    const DENIED: Reception = Reception::Denied(None);

    #[test]
    fn requests_to_a_host_leave_evenly_spaced_whoever_comes_first() {
        let pace = pace(2);
        assert_eq!(leave(&pace, None, 0), PaceAnswer::Go(0));
        assert_eq!(leave(&pace, None, 0), PaceAnswer::Wait(millis(200), 1));
        assert_eq!(leave(&pace, None, 50), PaceAnswer::Wait(millis(350), 2));
        assert_eq!(
            put(&pace, "other", None, PaceTopic::Leave { interval: 0.2 }, millis(60)),
            PaceAnswer::Go(0)
        );
        assert_eq!(leave(&pace, Some(1), 200), PaceAnswer::Go(1));
        // Late by a little, the grid is kept as far as that can be; nobody catches up.
        assert_eq!(leave(&pace, Some(2), 415), PaceAnswer::Go(2));
        assert_eq!(leave(&pace, None, 500), PaceAnswer::Wait(millis(111), 3));
        assert_eq!(leave(&pace, None, 510), PaceAnswer::Wait(millis(290), 4));
        assert_eq!(leave(&pace, Some(3), 790), PaceAnswer::Go(3));
        assert_eq!(leave(&pace, Some(4), 800), PaceAnswer::Wait(millis(186), 4));
        assert_eq!(leave(&pace, Some(4), 986), PaceAnswer::Go(4));
    }

    #[test]
    fn a_host_that_refuses_is_given_pauses_and_then_left_alone() {
        let pace = pace(2);
        assert_eq!(leave(&pace, None, 0), PaceAnswer::Go(0));
        assert_eq!(came(&pace, 0, Reception::Answered, 100), PaceAnswer::Noted);
        assert_eq!(leave(&pace, None, 200), PaceAnswer::Go(1));
        assert_eq!(leave(&pace, None, 400), PaceAnswer::Go(2));
        assert_eq!(leave(&pace, None, 410), PaceAnswer::Wait(millis(190), 3));
        assert_eq!(came(&pace, 1, DENIED, 500), PaceAnswer::Refused);
        // It left before the pause: no news.
        assert_eq!(came(&pace, 2, Reception::Broken, 550), PaceAnswer::Refused);
        assert_eq!(leave(&pace, Some(3), 600), PaceAnswer::Wait(millis(1900), 4));
        assert_eq!(leave(&pace, Some(4), 2500), PaceAnswer::Go(4));
        assert_eq!(came(&pace, 4, DENIED, 2600), PaceAnswer::Refused);
        assert_eq!(leave(&pace, None, 2700), PaceAnswer::Wait(millis(3900), 5));
        assert_eq!(leave(&pace, Some(5), 6600), PaceAnswer::Go(5));
        assert_eq!(came(&pace, 5, DENIED, 6700), PaceAnswer::Refused);
        assert!(matches!(leave(&pace, None, 6800), PaceAnswer::No(_)));
    }

    #[test]
    fn a_pause_is_as_long_as_the_host_says_unless_that_is_too_long() {
        let pace = pace(2);
        let wanted = |seconds| Reception::Denied(Some(Duration::from_secs(seconds)));
        assert_eq!(leave(&pace, None, 0), PaceAnswer::Go(0));
        assert_eq!(came(&pace, 0, wanted(1), 0), PaceAnswer::Refused);
        assert_eq!(leave(&pace, None, 0), PaceAnswer::Wait(millis(1000), 1));
        assert_eq!(leave(&pace, Some(1), 1000), PaceAnswer::Go(1));
        assert_eq!(came(&pace, 1, Reception::Answered, 1100), PaceAnswer::Noted);
        assert_eq!(leave(&pace, None, 1200), PaceAnswer::Go(2));
        assert_eq!(came(&pace, 2, wanted(3600), 1300), PaceAnswer::Refused);
        let PaceAnswer::No(why) = leave(&pace, None, 1400) else { panic!("it is asked") };
        assert_eq!(why, "it wants to be left alone for 3600 s");
    }

    #[test]
    fn a_host_that_never_answered_does_not_refuse_by_being_away() {
        let pace = pace(2);
        assert_eq!(leave(&pace, None, 0), PaceAnswer::Go(0));
        assert_eq!(came(&pace, 0, Reception::Broken, 100), PaceAnswer::Noted);
        assert_eq!(leave(&pace, None, 200), PaceAnswer::Go(1));
    }

    proptest! {
        #[test]
        fn never_more_than_six_leave_in_a_second(comes in prop::collection::vec(0_u64..900, 1..60), late in prop::collection::vec(0_u64..150, 60)) {
            let pace = pace(2);
            let mut waiting: Vec<(u64, Option<u64>)> = Vec::new();
            let mut now = 0;
            waiting.extend(comes.iter().map(|gap| { now += gap / 3; (now, None) }));
            let (mut left, mut late) = (Vec::new(), late.into_iter().cycle());
            while let Some(next) = (0..waiting.len()).min_by_key(|&at| waiting[at].0) {
                let (at, ticket) = waiting.swap_remove(next);
                match leave(&pace, ticket, at) {
                    PaceAnswer::Go(_) => left.push(at),
                    PaceAnswer::Wait(time, ticket) => {
                        let wait = u64::try_from(time.as_millis()).unwrap() + 1;
                        waiting.push((at + wait + late.next().unwrap(), Some(ticket)));
                    }
                    other => prop_assert!(false, "{other:?}"),
                }
            }
            prop_assert_eq!(left.len(), comes.len());
            for (at, first) in left.iter().enumerate() {
                prop_assert!(left[at..].iter().filter(|other| **other <= first + 1000).count() <= 6, "{left:?}");
            }
        }
    }
}
