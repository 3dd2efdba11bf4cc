//! What is known of services from check to check, and what is new in one: which verdict
//! and since when, why there is none, standards, latency beyond what is usual.
//!
//! Does not know where that is kept, nor who hears of it.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::median;
use crate::moment::Moment;
use crate::numbers;
use crate::task::{ErrorClass, Finding, ServiceVerdict};

/// The version of the kept form.
const SCHEMA: &str = "parsim-services/1";

/// So many changes of a verdict are remembered.
const CHANGES: usize = 20;

/// So many changes within [`FLAPPING_WITHIN`] are flapping.
const FLAPPING: usize = 4;

const FLAPPING_WITHIN: Duration = Duration::from_secs(86_400);

/// The latency of so many checks is remembered.
const LATENCIES: usize = 50;

/// With fewer, nobody knows what is usual.
const FEWEST_LATENCIES: usize = 8;

/// So many checks in a row have to be slow, or usual again, until it is told: one alone is
/// weather.
const IN_A_ROW: u32 = 2;

/// What is known of every service that was checked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KnownServices {
    schema: String,
    /// In the order in which they were checked last.
    services: Vec<KnownService>,
}

/// What is known of one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct KnownService {
    url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    verdict: ServiceVerdict,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    class: Option<ErrorClass>,
    /// When the verdict was first found so.
    since: Moment,
    /// When it was checked last.
    checked: Moment,
    /// When its verdict changed, latest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    changes: Vec<Moment>,
    /// How long checks took that found it up, in seconds, latest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    latencies: Vec<f64>,
    /// Whether it has been told that it is slower than usual.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_slow: bool,
    /// How many checks in a row speak against that.
    #[serde(default)]
    against: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    capabilities: Vec<String>,
}

/// A service as one check found it.
#[derive(Clone, Copy, Debug)]
pub struct Observation<'a> {
    /// What was found out.
    pub finding: &'a Finding,
    /// How long that took.
    pub total: Duration,
}

/// Something that is new about a service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceNews {
    /// The service.
    pub url: String,
    /// What to call it, where its list says so.
    pub name: Option<String>,
    /// When it was found.
    pub time: Moment,
    /// What it is about.
    pub kind: NewsKind,
    /// How it was before; empty where nothing was known.
    pub before: String,
    /// How it is now.
    pub now: String,
    /// How long it had been as before, in seconds, where that is known.
    pub lasted: Option<f64>,
    /// Whether it has changed often of late.
    pub flapping: bool,
    /// Whether it is nothing to be glad of.
    pub is_bad: bool,
    /// All of it in words, without the service's name.
    pub text: String,
}

/// What news are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NewsKind {
    /// Whether it is up.
    Verdict,
    /// Why there is no verdict.
    Class,
    /// Standards that it follows, and their versions.
    Capabilities,
    /// How long a check takes.
    Latency,
    /// It is checked for the first time, or no longer.
    List,
}

impl Default for KnownServices {
    fn default() -> Self {
        Self { schema: SCHEMA.to_owned(), services: Vec::new() }
    }
}

impl KnownServices {
    /// Reads the kept form.
    ///
    /// # Errors
    /// When it is another one.
    pub fn read(text: &str) -> anyhow::Result<Self> {
        let read: Self = serde_json::from_str(text)?;
        anyhow::ensure!(read.schema == SCHEMA, "{:?} is not {SCHEMA:?}", read.schema);
        Ok(read)
    }

    /// Takes in what a whole run found; what is new about it. Where nothing was known
    /// before, nothing is news.
    pub fn take(&mut self, found: &[Observation<'_>]) -> Vec<ServiceNews> {
        let is_first = self.services.is_empty();
        let mut known: Vec<_> = std::mem::take(&mut self.services).into_iter().map(Some).collect();
        // One that is listed twice is known twice.
        let mut places: HashMap<_, VecDeque<usize>> = HashMap::new();
        for (it, place) in known.iter().flatten().zip(0..) {
            places.entry((it.url.clone(), it.name.clone())).or_default().push_back(place);
        }
        let mut news = Vec::new();
        for it in found {
            let key = (it.finding.url.clone(), it.finding.name.clone());
            let place = places.get_mut(&key).and_then(VecDeque::pop_front);
            let service = place.and_then(|place| known[place].take());
            let Some(mut service) = service else {
                let service = KnownService::new(it);
                if !is_first {
                    let now = state(&service.verdict, service.class.as_ref());
                    let text = format!("new in the list, {now}");
                    let is_bad = !service.verdict.is_up();
                    news.push(ServiceNews { is_bad, ..service.news(NewsKind::List, "", &now, text) });
                }
                self.services.push(service);
                continue;
            };
            // Another run may have asked later, and been here earlier.
            if it.time() > service.checked {
                service.take(it, &mut news);
            }
            self.services.push(service);
        }
        let gone = |service: &KnownService| {
            let before = state(&service.verdict, service.class.as_ref());
            let text = format!("no longer checked, was {before}");
            service.news(NewsKind::List, &before, "", text)
        };
        news.extend(known.iter().flatten().map(gone));
        news
    }
}

impl Observation<'_> {
    fn time(&self) -> Moment {
        self.finding.time.unwrap_or_default()
    }
}

impl KnownService {
    fn new(found: &Observation<'_>) -> Self {
        let finding = found.finding;
        let mut service = Self {
            url: finding.url.clone(),
            name: finding.name.clone(),
            verdict: finding.verdict.clone(),
            class: finding.class.clone(),
            since: found.time(),
            checked: found.time(),
            changes: Vec::new(),
            latencies: Vec::new(),
            is_slow: false,
            against: 0,
            capabilities: finding.capabilities.clone(),
        };
        service.remember(found);
        service
    }

    fn take(&mut self, found: &Observation<'_>, news: &mut Vec<ServiceNews>) {
        self.checked = found.time();
        let finding = found.finding;
        if self.verdict != finding.verdict {
            news.push(self.turn(finding));
        } else if self.class != finding.class {
            let (before, now) = (class(self.class.as_ref()), class(finding.class.as_ref()));
            let text = format!("{now}{}, was {before}", because(finding));
            news.push(ServiceNews { is_bad: true, ..self.news(NewsKind::Class, before, now, text) });
            self.class.clone_from(&finding.class);
        }
        // Nobody asked, or nobody answered: that is no change.
        if !finding.capabilities.is_empty() {
            if !self.capabilities.is_empty() && self.capabilities != finding.capabilities {
                news.push(self.other_capabilities(&finding.capabilities));
            }
            self.capabilities.clone_from(&finding.capabilities);
        }
        if finding.verdict.is_up() {
            news.extend(self.other_latency(found.total));
        }
        self.remember(found);
    }

    /// Its verdict is another one.
    fn turn(&mut self, finding: &Finding) -> ServiceNews {
        let before = state(&self.verdict, self.class.as_ref());
        let now = state(&finding.verdict, finding.class.as_ref());
        let lasted = self.checked.since(self.since);
        self.changes.push(self.checked);
        let surplus = self.changes.len().saturating_sub(CHANGES);
        self.changes.drain(..surplus);
        let recent = |then: &&Moment| self.checked.since(**then) <= FLAPPING_WITHIN;
        let n_recent = self.changes.iter().filter(recent).count();
        let flapping = n_recent >= FLAPPING;
        (self.verdict, self.class) = (finding.verdict.clone(), finding.class.clone());
        self.since = self.checked;
        let again = if finding.verdict.is_up() { " again" } else { "" };
        let mut text = format!(
            "{now}{again} since {}, was {before} {}{}",
            self.since.minute(),
            numbers::age(lasted),
            because(finding)
        );
        if flapping {
            text += &format!("; flapping: {n_recent} changes in 24 h");
        }
        ServiceNews {
            lasted: Some(lasted.as_secs_f64()),
            flapping,
            is_bad: !finding.verdict.is_up(),
            ..self.news(NewsKind::Verdict, &before, &now, text)
        }
    }

    fn other_capabilities(&self, now: &[String]) -> ServiceNews {
        let without = |all: &[String], others: &[String]| {
            all.iter().filter(|it| !others.contains(it)).cloned().collect::<Vec<_>>().join(", ")
        };
        let (gone, came) = (without(&self.capabilities, now), without(now, &self.capabilities));
        let text = match (came.as_str(), gone.as_str()) {
            ("", "") => "its capabilities are in another order".to_owned(),
            (came, "") => format!("its capabilities now have {came}"),
            ("", gone) => format!("its capabilities no longer have {gone}"),
            (came, gone) => format!("its capabilities now have {came}, and no longer {gone}"),
        };
        let is_bad = !gone.is_empty() && came.is_empty();
        ServiceNews { is_bad, ..self.news(NewsKind::Capabilities, &gone, &came, text) }
    }

    /// Whether it is slower than it used to be, or no longer.
    fn other_latency(&mut self, total: Duration) -> Option<ServiceNews> {
        if self.latencies.len() < FEWEST_LATENCIES {
            return None;
        }
        let (took, usual) = (total.as_secs_f64(), median(&self.latencies));
        let off: Vec<f64> = self.latencies.iter().map(|it| (it - usual).abs()).collect();
        // 1.4826 times the median deviation estimates a normal spread's sigma.
        let spread = 1.4826 * median(&off);
        let is_beyond = took > usual + 6.0 * spread && took > 1.5 * usual && took > usual + 0.05;
        self.against = if is_beyond == self.is_slow { 0 } else { self.against + 1 };
        if self.against < IN_A_ROW {
            return None;
        }
        (self.is_slow, self.against) = (is_beyond, 0);
        let (took, usual) = (numbers::duration(total), numbers::seconds(usual));
        let text = if is_beyond {
            format!("slower than usual: took {took}, mostly {usual}")
        } else {
            format!("as fast as usual again: took {took}, mostly {usual}")
        };
        Some(ServiceNews { is_bad: is_beyond, ..self.news(NewsKind::Latency, &usual, &took, text) })
    }

    fn remember(&mut self, found: &Observation<'_>) {
        // What is beyond the usual does not become usual at once.
        if found.finding.verdict.is_up() && self.against == 0 {
            self.latencies.push(numbers::nanos(found.total.as_secs_f64()));
            let surplus = self.latencies.len().saturating_sub(LATENCIES);
            self.latencies.drain(..surplus);
        }
    }

    fn news(&self, kind: NewsKind, before: &str, now: &str, text: String) -> ServiceNews {
        ServiceNews {
            url: self.url.clone(),
            name: self.name.clone(),
            time: self.checked,
            kind,
            before: before.to_owned(),
            now: now.to_owned(),
            lasted: None,
            flapping: false,
            is_bad: false,
            text,
        }
    }
}

impl ServiceNews {
    /// What a person calls the service.
    #[must_use]
    pub fn label(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.url)
    }
}

/// `up`, `down`, `error/timeout`.
fn state(verdict: &ServiceVerdict, class: Option<&ErrorClass>) -> String {
    class.map_or_else(|| verdict.to_string(), |class| format!("{verdict}/{class}"))
}

fn class(class: Option<&ErrorClass>) -> &str {
    class.map_or("without a class", ErrorClass::name)
}

fn because(finding: &Finding) -> String {
    if finding.reason.is_empty() { String::new() } else { format!(" ({})", finding.reason) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(verdict: ServiceVerdict, at: i64) -> Finding {
        let class = (verdict == ServiceVerdict::Error).then_some(ErrorClass::Refused);
        let time = Some(Moment::of_seconds(at));
        Finding { url: "http://h/".to_owned(), verdict, class, time, ..Finding::default() }
    }

    fn take(known: &mut KnownServices, finding: &Finding, millis: u64) -> Vec<String> {
        let total = Duration::from_millis(millis);
        known.take(&[Observation { finding, total }]).into_iter().map(|it| it.text).collect()
    }

    #[test]
    fn a_change_is_told_once_with_how_it_was_and_how_long() {
        let mut known = KnownServices::default();
        let day = 86_400;
        let up = |at| finding(ServiceVerdict::Up, at);
        let refused = |at| finding(ServiceVerdict::Error, at);
        assert!(take(&mut known, &up(0), 100).is_empty(), "nothing was known before");
        assert!(take(&mut known, &up(day), 100).is_empty());
        assert_eq!(
            take(&mut known, &refused(12 * day), 1),
            ["error/refused since 1970-01-13 00:00, was up 12 d"]
        );
        assert!(take(&mut known, &refused(12 * day + 300), 1).is_empty());
        assert!(take(&mut known, &up(12 * day), 1).is_empty(), "that was found out earlier");
        let timeout = Finding { class: Some(ErrorClass::Timeout), ..refused(12 * day + 600) };
        assert_eq!(take(&mut known, &timeout, 1), ["timeout, was refused"]);
        let again = take(&mut known, &up(12 * day + 3000), 1);
        assert_eq!(again, ["up again since 1970-01-13 00:50, was error/timeout 50 min"]);
        for (at, verdict) in [(1, ServiceVerdict::Down), (2, ServiceVerdict::Up)] {
            let told = take(&mut known, &finding(verdict, 12 * day + 3000 + at), 1);
            assert_eq!(told[0].contains("; flapping: 4 changes in 24 h"), at == 2, "{told:?}");
        }
    }

    #[test]
    fn what_joins_or_leaves_the_list_is_told() {
        let mut known = KnownServices::default();
        take(&mut known, &finding(ServiceVerdict::Up, 1), 1);
        let other = Finding { url: "http://i/".to_owned(), ..finding(ServiceVerdict::Down, 2) };
        assert_eq!(take(&mut known, &other, 0), ["new in the list, down", "no longer checked, was up"]);
        assert!(take(&mut known, &other, 0).is_empty());
    }

    #[test]
    fn a_service_that_is_listed_twice_is_no_news() {
        let mut known = KnownServices::default();
        let findings = [1, 2, 3, 4].map(|at| finding(ServiceVerdict::Up, at));
        let total = Duration::ZERO;
        for pair in findings.chunks(2) {
            let found = [&pair[0], &pair[1]].map(|finding| Observation { finding, total });
            assert!(known.take(&found).is_empty());
        }
    }

    #[test]
    fn two_slow_checks_in_a_row_are_news_and_then_two_fast_ones() {
        let mut known = KnownServices::default();
        let mut at = 0;
        let mut check = |millis| {
            at += 1;
            take(&mut known, &finding(ServiceVerdict::Up, at), millis)
        };
        for millis in [100, 110, 90, 105, 95, 120, 100, 100] {
            assert!(check(millis).is_empty());
        }
        assert!(check(900).is_empty());
        assert_eq!(check(900), ["slower than usual: took 900.0 ms, mostly 100.0 ms"]);
        assert!(check(900).is_empty(), "told already");
        assert!(check(100).is_empty());
        assert_eq!(check(100), ["as fast as usual again: took 100.0 ms, mostly 102.5 ms"]);
    }

    #[test]
    fn other_standards_are_news_where_both_checks_asked_for_them() {
        let mut known = KnownServices::default();
        let with = |at, words: &[&str]| Finding {
            capabilities: words.iter().map(ToString::to_string).collect(),
            ..finding(ServiceVerdict::Up, at)
        };
        take(&mut known, &with(1, &["TAP 1.0"]), 1);
        assert!(take(&mut known, &with(2, &[]), 1).is_empty());
        let told = take(&mut known, &with(3, &["TAP 1.1"]), 1);
        assert_eq!(told, ["its capabilities now have TAP 1.1, and no longer TAP 1.0"]);
    }

    #[test]
    fn what_is_known_is_read_back_as_it_was() {
        let mut known = KnownServices::default();
        take(&mut known, &finding(ServiceVerdict::Up, 1), 100);
        take(&mut known, &finding(ServiceVerdict::Error, 2), 100);
        let text = serde_json::to_string(&known).unwrap();
        assert_eq!(KnownServices::read(&text).unwrap(), known);
        assert!(KnownServices::read(&text.replace("services/1", "services/9")).is_err());
    }
}
