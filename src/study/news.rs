//! What is known of services from check to check, and what is new in one: which verdict
//! and since when, why there is none, what will break before long, standards, latency
//! beyond what is usual.
//!
//! Does not know where that is kept, nor who hears of it.

mod earlier;

use std::borrow::Cow;
use std::io::Read;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use self::earlier::EarlierServices;
use super::median;
use crate::moment::Moment;
use crate::numbers;
use crate::task::{ErrorClass, Finding, ServiceVerdict, SharedText, Warning};

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
    #[expect(clippy::vec_box, reason = "they are put in another order, in which they are not there twice")]
    services: Vec<Box<KnownService>>,
    /// What runs found and have not handed on yet, or never will, since they were killed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    untold: Vec<UntoldNews>,
}

/// News that one run is about to hand on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct UntoldNews {
    /// Which run.
    run: String,
    time: Moment,
    news: Vec<ServiceNews>,
}

/// What is known of one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct KnownService {
    url: SharedText,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<SharedText>,
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
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    capabilities: Box<[SharedText]>,
    /// What an operator has to act on, and has been told of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Warning>,
}

/// A service as one check found it.
#[derive(Clone, Debug)]
pub struct Observation<'a> {
    /// What was found out.
    pub finding: Cow<'a, Finding>,
    /// How long that took.
    pub total: Duration,
}

/// Something that is new about a service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceNews {
    /// The service.
    pub url: SharedText,
    /// What to call it, where its list says so.
    pub name: Option<SharedText>,
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
    /// What an operator has to act on before long, or no longer has to.
    Warning,
    /// Standards that it follows, and their versions.
    Capabilities,
    /// How long a check takes.
    Latency,
    /// It is checked for the first time, or no longer.
    List,
}

impl Default for KnownServices {
    fn default() -> Self {
        Self { schema: SCHEMA.to_owned(), services: Vec::new(), untold: Vec::new() }
    }
}

impl KnownServices {
    /// Reads the kept form, as it comes: it is not held twice.
    ///
    /// # Errors
    /// When it is another one, or cannot be read.
    pub fn read(source: impl Read) -> anyhow::Result<Self> {
        let read: Self = serde_json::from_reader(source)?;
        anyhow::ensure!(read.schema == SCHEMA, "{:?} is not {SCHEMA:?}", read.schema);
        Ok(read)
    }

    /// Takes in what a whole run found; what is new about it. Where nothing was known
    /// before, nothing is news.
    pub fn take<'a>(&mut self, found: impl Iterator<Item = Observation<'a>>) -> Vec<ServiceNews> {
        let is_first = self.services.is_empty();
        let mut known = EarlierServices::of(std::mem::take(&mut self.services));
        let mut news = Vec::new();
        for it in found {
            let Some(mut service) = known.take(&it.finding) else {
                let service = Box::new(KnownService::new(&it));
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
                service.take(&it, &mut news);
            }
            self.services.push(service);
        }
        news.extend(known.left().map(|gone| {
            let before = state(&gone.verdict, gone.class.as_ref());
            let text = format!("no longer checked, was {before}");
            gone.news(NewsKind::List, &before, "", text)
        }));
        news
    }

    /// Notes that `run` is going to hand on `news`, which it does until `told_by`.
    pub fn note_untold(&mut self, run: &str, news: &[ServiceNews]) {
        if !news.is_empty() {
            self.untold.push(UntoldNews { run: run.to_owned(), time: Moment::now(), news: news.to_vec() });
        }
    }

    /// `run` has handed on what it found.
    pub fn told_by(&mut self, run: &str) {
        self.untold.retain(|it| it.run != run);
    }

    /// Takes over the news of runs that noted them longer than `age` ago, and so were killed.
    pub fn take_untold(&mut self, age: Duration) -> Vec<ServiceNews> {
        let now = Moment::now();
        let (left, kept) =
            std::mem::take(&mut self.untold).into_iter().partition(|it| now.since(it.time) > age);
        self.untold = kept;
        let left: Vec<UntoldNews> = left;
        left.into_iter().flat_map(|it| it.news).collect()
    }
}

impl Observation<'_> {
    fn time(&self) -> Moment {
        self.finding.time.unwrap_or_default()
    }
}

impl KnownService {
    fn new(found: &Observation<'_>) -> Self {
        let finding = &found.finding;
        let mut service = Self {
            url: finding.url.clone(),
            name: finding.name.clone(),
            verdict: finding.verdict.clone(),
            class: finding.class.clone(),
            since: found.time(),
            checked: found.time(),
            changes: Vec::new(),
            latencies: Vec::new(),
            is_slow: is_over_limit(finding),
            against: 0,
            capabilities: finding.capabilities.clone(),
            warnings: pressing(finding),
        };
        service.remember(found);
        service
    }

    fn take(&mut self, found: &Observation<'_>, news: &mut Vec<ServiceNews>) {
        self.checked = found.time();
        let finding = &*found.finding;
        let is_turn = self.verdict != finding.verdict;
        if is_turn {
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
            self.other_warnings(finding, is_turn, news);
            news.extend(self.other_latency(found));
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

    fn other_capabilities(&self, now: &[SharedText]) -> ServiceNews {
        let without = |all: &[SharedText], others: &[SharedText]| {
            let left = all.iter().filter(|it| !others.contains(it));
            left.map(SharedText::as_str).collect::<Vec<_>>().join(", ")
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

    /// What has come that an operator has to act on, and what has gone of it; where it `is_turn`
    /// that tells of the end of what went before.
    fn other_warnings(&mut self, finding: &Finding, is_turn: bool, news: &mut Vec<ServiceNews>) {
        let now = pressing(finding);
        for came in now.iter().filter(|it| !self.warnings.contains(it)) {
            let text = in_words(came, finding);
            news.push(ServiceNews { is_bad: true, ..self.news(NewsKind::Warning, "", came.name(), text) });
        }
        for gone in self.warnings.iter().filter(|it| !is_turn && !now.contains(it)) {
            let text = format!("no longer: warning: {gone}");
            news.push(self.news(NewsKind::Warning, gone.name(), "", text));
        }
        self.warnings = now;
    }

    /// Whether it is slower than it used to be, or than the user wants it, or no longer.
    fn other_latency(&mut self, found: &Observation<'_>) -> Option<ServiceNews> {
        let took = found.total.as_secs_f64();
        let usual = (self.latencies.len() >= FEWEST_LATENCIES).then(|| median(&self.latencies));
        let is_unusual = usual.is_some_and(|usual| {
            let off: Vec<f64> = self.latencies.iter().map(|it| (it - usual).abs()).collect();
            // 1.4826 times the median deviation estimates a normal spread's sigma.
            let spread = 1.4826 * median(&off);
            took > usual + 6.0 * spread && took > 1.5 * usual && took > usual + 0.05
        });
        let is_beyond = is_unusual || is_over_limit(&found.finding);
        self.against = if is_beyond == self.is_slow { 0 } else { self.against + 1 };
        if self.against < IN_A_ROW {
            return None;
        }
        (self.is_slow, self.against) = (is_beyond, 0);
        let what = match (is_beyond, is_unusual, usual) {
            (true, true, _) => "slower than usual",
            (true, false, _) => "slower than it should be",
            (false, _, Some(_)) => "as fast as usual again",
            (false, _, None) => "no longer slow",
        };
        let took = numbers::duration(found.total);
        let usual = usual.map_or_else(String::new, numbers::seconds);
        let mostly = if usual.is_empty() { String::new() } else { format!(", mostly {usual}") };
        let text = format!("{what}: took {took}{mostly}");
        Some(ServiceNews { is_bad: is_beyond, ..self.news(NewsKind::Latency, &usual, &took, text) })
    }

    fn remember(&mut self, found: &Observation<'_>) {
        // What is beyond the usual does not become usual at once.
        if found.finding.verdict.is_up() && self.against == 0 {
            let surplus = (self.latencies.len() + 1).saturating_sub(LATENCIES);
            self.latencies.drain(..surplus);
            self.latencies.push(numbers::nanos(found.total.as_secs_f64()));
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

/// What an operator has to act on before long. That it is slow is told as latency.
fn pressing(finding: &Finding) -> Vec<Warning> {
    let is_pressing = |it: &&Warning| it.needs_attention() && **it != Warning::Slow;
    finding.warnings.iter().filter(is_pressing).cloned().collect()
}

/// Whether it took longer than the user wants.
fn is_over_limit(finding: &Finding) -> bool {
    finding.warnings.contains(&Warning::Slow)
}

fn in_words(warning: &Warning, finding: &Finding) -> String {
    let says = finding.says.as_ref();
    match (warning, finding.cert_expires, says.and_then(|says| says.down_at.as_ref())) {
        (Warning::CertExpires, Some(expires), _) => {
            format!("warning: {warning}: on {}", Moment::of_seconds(expires).minute())
        }
        (Warning::Maintenance, _, Some(down_at)) => {
            let back_at = says.and_then(|says| says.back_at.as_ref());
            let back = back_at.map_or_else(String::new, |back_at| format!(", back at {back_at}"));
            format!("warning: {warning}: down at {down_at}{back}")
        }
        _ => format!("warning: {warning}"),
    }
}

fn because(finding: &Finding) -> String {
    if finding.reason.is_empty() { String::new() } else { format!(" ({})", finding.reason) }
}

#[cfg(test)]
mod tests;
