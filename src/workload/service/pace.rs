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

/// The rates that make sense: one request in a day or so, and more than any host answers.
const RATES: std::ops::RangeInclusive<f64> = 1e-5..=1e6;

/// The first pause, doubled each time, where the host does not say how long.
const FIRST_PAUSE: Duration = Duration::from_secs(2);

/// A pause is never longer, and a host that wants to be left alone for longer is not waited for.
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
            let (least, most) = (RATES.start(), RATES.end());
            ensure!(RATES.contains(&rate), "--rate {rate}: give {least} to {most} requests a second");
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
            let usual = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(self.n_pauses - 1));
            self.paused_until = now.saturating_add(wanted.unwrap_or(usual).min(LONGEST_PAUSE));
            if let Some(wanted) = wanted.filter(|wanted| *wanted > LONGEST_PAUSE) {
                self.closed = Some(format!("it wants to be left alone for {} s", wanted.as_secs()));
            } else if self.n_pauses > most_pauses {
                self.closed = Some(match most_pauses {
                    0 => "it refused a request, and --retries 0 leaves no other try".to_owned(),
                    1 => "it went on refusing requests after a pause".to_owned(),
                    most => format!("it went on refusing requests after {most} pauses"),
                });
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
mod tests;
