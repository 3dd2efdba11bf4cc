//! What the services of a study come to, counted in one go over all of them.

use std::collections::BTreeMap;

use super::table::cut;
use super::{CheckedService, CheckedServices, span};
use crate::numbers;
use crate::task::{ConeStatus, ServiceVerdict};
use crate::vo::RowCount;

/// Phases as the table calls them, and as records do.
pub(super) const PHASES: [(&str, &str); 5] = [
    ("resolve", "resolve"),
    ("connect", "connect"),
    ("TLS", "tls"),
    ("first byte", "first_byte"),
    ("query", "query"),
];

/// What services come to.
#[derive(Default)]
pub(super) struct ServiceTally {
    /// How many there are.
    pub(super) n_all: usize,
    /// How many of them are up.
    pub(super) n_up: usize,
    n_down: usize,
    n_errors: usize,
    /// How many are places in the sky that somebody was asked about.
    n_cones: usize,
    /// How many of these were answered, whole.
    pub(super) n_answered: usize,
    n_empty: usize,
    n_incomplete: usize,
    n_failed: usize,
    rows: u64,
    /// Which of [`PHASES`] are worth a column.
    pub(super) phases: [bool; PHASES.len()],
    /// How many were found different from one check to the next.
    pub(super) n_changed: usize,
    /// What the first of these is called.
    pub(super) first_changed: Option<String>,
    /// How many were asked through each proxy.
    proxies: BTreeMap<String, usize>,
}

impl ServiceTally {
    /// That of `services`.
    pub(super) fn of(services: &CheckedServices<'_>) -> Self {
        let mut tally = Self::default();
        for service in services.iter() {
            tally.add(&service);
        }
        tally
    }

    fn add(&mut self, service: &CheckedService<'_>) {
        let finding = service.finding();
        self.n_all += 1;
        match &finding.verdict {
            ServiceVerdict::Up => self.n_up += 1,
            ServiceVerdict::Down => self.n_down += 1,
            ServiceVerdict::Error => self.n_errors += 1,
            ServiceVerdict::Other(_) => {}
        }
        if let Some(cone) = &finding.cone {
            self.n_cones += 1;
            self.n_answered += usize::from(matches!(cone.status, ConeStatus::Ok | ConeStatus::Empty));
            match &cone.status {
                ConeStatus::Empty => self.n_empty += 1,
                ConeStatus::Incomplete => self.n_incomplete += 1,
                ConeStatus::Error => self.n_failed += 1,
                ConeStatus::Ok | ConeStatus::Other(_) => {}
            }
        }
        if let Some(RowCount::Counted(rows)) = finding.rows {
            self.rows = self.rows.saturating_add(rows);
        }
        for (is_told, (_, phase)) in self.phases.iter_mut().zip(PHASES) {
            *is_told |= is_worth_telling(service, phase);
        }
        if service.changed {
            self.n_changed += 1;
            self.first_changed.get_or_insert_with(|| service.name().to_owned());
        }
        if let Some(proxy) = finding.proxy.as_deref() {
            *self.proxies.entry(proxy.to_owned()).or_default() += 1;
        }
    }

    /// Whether all are places in the sky.
    pub(super) fn is_of_cones(&self) -> bool {
        self.n_cones == self.n_all
    }

    /// `3 of 5 services up, 1 error, 1 not checked; 2 through proxy p:3128`.
    pub(super) fn in_words(&self, n_asked_for: usize) -> String {
        let text =
            if self.is_of_cones() { self.of_cones(n_asked_for) } else { self.of_services(n_asked_for) };
        text + &self.through_proxies()
    }

    fn of_services(&self, n_asked_for: usize) -> String {
        let n_up = numbers::count(self.n_up as u64);
        let mut text = format!("{n_up} of {} up", numbers::plural(n_asked_for as u64, "service"));
        let left = n_asked_for.saturating_sub(self.n_all);
        for (number, what) in [(self.n_down, "down"), (self.n_errors, "error"), (left, "not checked")] {
            if number > 0 {
                text += &format!(", {} {what}", numbers::count(number as u64));
            }
        }
        text
    }

    /// `32 of 35 cones answered: 902 rows, 1 incomplete, 1 not searched, 1 error`.
    fn of_cones(&self, n_asked_for: usize) -> String {
        let mut text = format!(
            "{} of {} answered: {}",
            numbers::count(self.n_answered as u64),
            numbers::plural(n_asked_for as u64, "cone"),
            numbers::plural(self.rows, "row")
        );
        let left = n_asked_for.saturating_sub(self.n_all);
        let told = [(self.n_empty, "empty"), (self.n_incomplete, "incomplete"), (left, "not searched")];
        for (number, what) in told {
            if number > 0 {
                text += &format!(", {} {what}", numbers::count(number as u64));
            }
        }
        if self.n_failed > 0 {
            text += &format!(", {}", numbers::plural(self.n_failed as u64, "error"));
        }
        text
    }

    /// Through which proxies services were asked: what such a one says is not always
    /// the service's own word.
    pub(super) fn through_proxies(&self) -> String {
        let told = self.proxies.iter().map(|(proxy, &count)| {
            let some =
                if count < self.n_all { format!("{} ", numbers::count(count as u64)) } else { String::new() };
            format!("; {some}through proxy {}", cut(proxy))
        });
        told.collect()
    }
}

/// What no service needed is no column; nor is a lookup of what is an address.
fn is_worth_telling(service: &CheckedService<'_>, phase: &str) -> bool {
    span(service.record(), phase).is_some_and(|time| match phase {
        "resolve" => time.as_nanos() > 20_000,
        "query" => true,
        _ => !time.is_zero(),
    })
}
