//! Services over days: lines that checks left one after another, folded into how often each
//! service was up, how long checks took, and when it was not up.
//!
//! Does not know where lines are kept, nor how days are drawn.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Observation, Sketch};
use crate::moment::Moment;
use crate::task::{ErrorClass, ServiceVerdict};

/// So many incidents of a service are remembered, the latest.
const INCIDENTS: usize = 100;

/// A service as one check found it, as a history keeps it: an object of JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HistoryLine<'a> {
    /// When it was asked.
    pub time: Moment,
    /// The service.
    #[serde(borrow)]
    pub url: Cow<'a, str>,
    /// What to call it, where its list says so.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Cow<'a, str>>,
    /// What was found.
    pub verdict: ServiceVerdict,
    /// Why there is no verdict, where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<ErrorClass>,
    /// How long the check took, in seconds.
    pub total: f64,
}

impl<'a> HistoryLine<'a> {
    /// What `found` leaves.
    #[must_use]
    pub fn of(found: &'a Observation<'_>) -> Self {
        let finding = &*found.finding;
        Self {
            time: finding.time.unwrap_or_default(),
            url: Cow::Borrowed(&finding.url),
            name: finding.name.as_deref().map(Cow::Borrowed),
            verdict: finding.verdict.clone(),
            class: finding.class.clone(),
            total: crate::numbers::nanos(found.total.as_secs_f64()),
        }
    }
}

/// Services over days.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// In the order in which they were first checked.
    pub services: Vec<ServiceHistory>,
    /// How many lines were no such line.
    pub unread: u64,
    /// The place of each service, by URL and name.
    places: HashMap<String, usize>,
}

/// One of them.
#[derive(Clone, Debug)]
pub struct ServiceHistory {
    /// The service.
    pub url: String,
    /// What to call it, where its list says so.
    pub name: Option<String>,
    /// By day, counted since 1970.
    pub days: BTreeMap<i64, ServiceDay>,
    /// How long checks took that found it up.
    pub latency: Sketch,
    /// When it was checked first and last.
    pub checked: (Moment, Moment),
    /// What the last check found.
    pub verdict: ServiceVerdict,
    /// Why, where that was no verdict.
    pub class: Option<ErrorClass>,
    /// When it was not up, the earliest first; of many the latest.
    pub incidents: Vec<Outage>,
    /// How many there were.
    pub n_incidents: u64,
}

/// A service on one day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServiceDay {
    /// How often it was checked.
    pub checks: u32,
    /// How often it was up.
    pub up: u32,
}

/// A time in which a service was not up.
#[derive(Clone, Debug, PartialEq)]
pub struct Outage {
    /// The first check that found it so.
    pub from: Moment,
    /// The first check that found it up again; `None` where none has yet.
    pub until: Option<Moment>,
    /// What the first check found: `down`, or why there was no verdict.
    pub what: String,
}

impl Outage {
    /// How long it lasted, or has until `now`.
    #[must_use]
    pub fn lasted(&self, now: Moment) -> Duration {
        self.until.unwrap_or(now).since(self.from)
    }
}

impl History {
    /// Takes in a line, without its newline; blank ones are none.
    pub fn add(&mut self, line: &[u8]) {
        if line.trim_ascii().is_empty() {
            return;
        }
        match serde_json::from_slice::<HistoryLine<'_>>(line) {
            Ok(line) => self.take(&line),
            Err(_) => self.unread += 1,
        }
    }

    fn take(&mut self, line: &HistoryLine<'_>) {
        let key = match &line.name {
            None => Cow::Borrowed(&*line.url),
            Some(name) => Cow::Owned(format!("{}\n{name}", line.url)),
        };
        let place = self.places.get(&*key).copied().unwrap_or_else(|| {
            self.places.insert(key.clone().into_owned(), self.services.len());
            self.services.push(ServiceHistory::new(line));
            self.services.len() - 1
        });
        self.services[place].take(line);
    }

    /// The first and the last check of all; `None` where there was none.
    #[must_use]
    pub fn checked(&self) -> Option<(Moment, Moment)> {
        let first = self.services.iter().map(|it| it.checked.0).min()?;
        let last = self.services.iter().map(|it| it.checked.1).max()?;
        Some((first, last))
    }
}

impl ServiceHistory {
    fn new(line: &HistoryLine<'_>) -> Self {
        Self {
            url: line.url.to_string(),
            name: line.name.as_deref().map(str::to_owned),
            days: BTreeMap::new(),
            latency: Sketch::default(),
            checked: (line.time, line.time),
            verdict: ServiceVerdict::Up,
            class: None,
            incidents: Vec::new(),
            n_incidents: 0,
        }
    }

    fn take(&mut self, line: &HistoryLine<'_>) {
        let day = self.days.entry(line.time.day()).or_default();
        let is_up = line.verdict.is_up();
        day.checks += 1;
        day.up += u32::from(is_up);
        if is_up {
            self.latency.add(Duration::try_from_secs_f64(line.total).unwrap_or_default());
        }
        self.checked.0 = self.checked.0.min(line.time);
        // Of two runs at a time one may come behind what the other found later.
        if line.time < self.checked.1 {
            return;
        }
        self.checked.1 = line.time;
        match (self.verdict.is_up(), is_up) {
            (true, false) => {
                self.n_incidents += 1;
                if self.incidents.len() == INCIDENTS {
                    self.incidents.remove(0);
                }
                let what = line.class.as_ref().map_or_else(|| line.verdict.to_string(), ToString::to_string);
                self.incidents.push(Outage { from: line.time, until: None, what });
            }
            (false, true) => {
                if let Some(last) = self.incidents.last_mut() {
                    last.until = Some(line.time);
                }
            }
            (true, true) | (false, false) => {}
        }
        (self.verdict, self.class) = (line.verdict.clone(), line.class.clone());
    }

    /// What a person calls it.
    #[must_use]
    pub fn label(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.url)
    }

    /// How many checks found it up, and how many there were.
    #[must_use]
    pub fn checks(&self) -> (u64, u64) {
        self.days
            .values()
            .fold((0, 0), |(up, checks), day| (up + u64::from(day.up), checks + u64::from(day.checks)))
    }

    /// The share of checks that found it up.
    #[must_use]
    pub fn availability(&self) -> f64 {
        let (up, checks) = self.checks();
        up as f64 / (checks as f64).max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(time: &str, verdict: &str) -> String {
        format!("{{\"time\":\"{time}\",\"url\":\"http://h/\",\"verdict\":\"{verdict}\",\"total\":0.25}}")
    }

    #[test]
    fn days_and_incidents_come_of_lines_one_after_another() {
        let mut history = History::default();
        for (time, verdict) in [
            ("2026-11-27T23:50:00.000Z", "up"),
            ("2026-11-27T23:55:00.000Z", "down"),
            ("2026-11-28T00:00:00.000Z", "down"),
            ("2026-11-28T00:05:00.500Z", "up"),
            ("2026-11-28T00:10:00.000Z", "error"),
        ] {
            history.add(line(time, verdict).as_bytes());
        }
        history.add(b"");
        history.add(b"{\"time\":\"2026-11-28T00:1");
        assert_eq!(history.unread, 1);
        let [service] = &history.services[..] else { panic!("one service") };
        let days: Vec<ServiceDay> = service.days.values().copied().collect();
        assert_eq!(days, [ServiceDay { checks: 2, up: 1 }, ServiceDay { checks: 3, up: 1 }]);
        assert!((service.availability() - 0.4).abs() < 1e-9);
        let [first, last] = &service.incidents[..] else { panic!("two incidents") };
        assert_eq!(first.lasted(Moment::default()), Duration::from_millis(600_500));
        assert_eq!((first.what.as_str(), last.until), ("down", None));
    }

    #[test]
    fn what_comes_late_counts_for_its_day_and_changes_no_verdict() {
        let mut history = History::default();
        history.add(line("2026-11-28T00:05:00.000Z", "up").as_bytes());
        history.add(line("2026-11-28T00:04:00.000Z", "down").as_bytes());
        let service = &history.services[0];
        assert_eq!((service.n_incidents, service.verdict.is_up()), (0, true));
        assert_eq!(service.days.values().map(|day| day.checks).sum::<u32>(), 2);
    }
}
