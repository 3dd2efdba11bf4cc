//! The check of services as a Nagios plugin tells it: one line with performance data, and
//! a state. Does not know when that is asked for.

use std::collections::HashMap;

use serde::Deserialize as _;

use super::table::cut;
use super::tally::ServiceTally;
use super::{CheckedService, kind, n_asked_for, services, total};
use crate::study::{Parameters, Study};
use crate::task::{ErrorClass, Finding, LatencyLimit};
use crate::text::printable;

/// So many services are named.
const NAMED: usize = 5;

/// So many characters of a reason stand in that line.
const LONGEST_REASON: usize = 80;

/// So many bytes that line has at most: Nagios Core reads 8 KiB of a plugin.
const LONGEST_LINE: usize = 8000;

/// No data of a service have fewer bytes.
const SHORTEST_DATA: usize = " ''=0.000s;;;0".len();

/// The states of a Nagios plugin, as exit statuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// Every service is up, and nothing is to be done.
    Ok = 0,
    /// Every service is up, and something is to be done.
    Warning = 1,
    /// A service is not up.
    Critical = 2,
    /// Nothing can be said.
    Unknown = 3,
}

/// The line of a Nagios plugin, with performance data, and its state.
pub fn nagios(study: &Study) -> (String, Health) {
    let all = services(study);
    let tally = ServiceTally::of(&all);
    let up = tally.n_up;
    // How many there are, and the names of the first.
    let with_why = |why: fn(&Finding) -> Option<String>| -> (usize, String) {
        let told =
            |it: CheckedService<'_>| Some(format!("{} ({})", cut(it.finding().label()), why(it.finding())?));
        let mut told = all.iter().filter_map(told);
        let named: Vec<String> = told.by_ref().take(NAMED).collect();
        let more = told.count();
        let n_all = named.len() + more;
        let more = (more > 0).then(|| format!("and {more} more"));
        (n_all, named.into_iter().chain(more).collect::<Vec<_>>().join(", "))
    };
    let (n_not_up, not_up) = with_why(why_not_up);
    let (n_warned, warned) = with_why(|finding| {
        finding.warnings.iter().find(|warning| warning.needs_attention()).map(ToString::to_string)
    });
    let n_all = n_asked_for(study, tally.n_all);
    let (word, health, text) = if let Some(cut) = &study.cut {
        let tasks = cut.tasks.unwrap_or(n_all as u64);
        ("UNKNOWN", Health::Unknown, format!("interrupted after {} of {tasks}", cut.finished))
    } else if n_not_up > 0 {
        ("CRITICAL", Health::Critical, format!("{n_not_up} of {n_all} not up: {not_up}"))
    } else if n_warned > 0 {
        ("WARNING", Health::Warning, format!("{up} of {n_all} up: {warned}"))
    } else if all.is_empty() {
        ("UNKNOWN", Health::Unknown, "no service to check".to_owned())
    } else {
        ("OK", Health::Ok, format!("{up} of {n_all} up"))
    };
    let text = text + &tally.through_proxies();
    // The bar divides text from data; a plugin may not use it otherwise.
    let text = printable(&text).replace('|', "/");
    let mut line =
        format!("{} {word} - {text} | up={up};;;0;{n_all}", kind(&study.workload).to_ascii_uppercase());
    let limits = Limits::of(&study.parameters);
    let mut labels = Labels::default();
    for service in all.iter() {
        if line.len() + SHORTEST_DATA >= LONGEST_LINE {
            break;
        }
        for data in limits.performance(&service, study.started, &mut labels) {
            if line.len() + data.len() < LONGEST_LINE {
                line += &data;
            }
        }
    }
    (line + "\n", health)
}

/// The labels of data so far. What graphs are drawn by has to be told apart.
struct Labels(HashMap<String, u32>);

impl Default for Labels {
    fn default() -> Self {
        Self(HashMap::from([("up".to_owned(), 1)]))
    }
}

impl Labels {
    /// A label for `name` that no other service has.
    fn own(&mut self, name: &str) -> String {
        // Neither ends the label, and the bar divides text from data.
        let plain: String = name.chars().filter(|c| !"'=|".contains(*c)).collect();
        let plain = printable(&plain);
        let mut label = plain.clone();
        while let Some(times) = self.0.get_mut(&label) {
            *times += 1;
            label = format!("{plain} {times}");
        }
        self.0.insert(label.clone(), 1);
        label
    }
}

/// What services were held against, as a monitor reads it.
struct Limits<'a> {
    parameters: &'a Parameters,
}

impl<'a> Limits<'a> {
    fn of(parameters: &'a Parameters) -> Self {
        Self { parameters }
    }

    /// The limit of a whole check, in seconds; empty where there is none.
    fn latency(&self, option: &str) -> String {
        let limits = Vec::<LatencyLimit>::deserialize(&self.parameters[option]).unwrap_or_default();
        let whole = limits.into_iter().find(|limit| limit.phase.is_none());
        whole.map(|limit| limit.most.as_secs_f64().to_string()).unwrap_or_default()
    }

    /// The range of seconds until a certificate expires that is not good; empty where there is none.
    fn expiry(&self, option: &str) -> String {
        self.parameters[option].as_f64().map(|seconds| format!("{seconds}:")).unwrap_or_default()
    }

    /// The data of `service`: how long its check took, and how long its certificate was good
    /// for when the checks began.
    fn performance(&self, service: &CheckedService<'_>, began: u64, labels: &mut Labels) -> Vec<String> {
        let label = labels.own(service.finding().label());
        let took = total(service.record()).as_secs_f64();
        let (warn, crit) = (self.latency("warn_latency"), self.latency("crit_latency"));
        let time = format!(" '{label}'={took:.3}s;{warn};{crit};0");
        let certificate = service.finding().cert_expires.map(|expires| {
            let left = expires.saturating_sub_unsigned(began);
            let (warn, crit) = (self.expiry("warn_expiry"), self.expiry("crit_expiry"));
            format!(" '{label} certificate'={left}s;{warn};{crit}")
        });
        std::iter::once(time).chain(certificate).collect()
    }
}

/// The same where the check of `workload` could not even be begun, for the reason in
/// `text`.
pub fn unknown(workload: &str, text: &str) -> String {
    format!("{} UNKNOWN - {text}\n", kind(workload).to_ascii_uppercase())
}

/// The class of what is wrong with a service that is not up, and the first words of why.
pub(super) fn why_not_up(finding: &Finding) -> Option<String> {
    let short = cut_at_word(&finding.reason, LONGEST_REASON);
    let class = finding.class.as_ref().map_or(finding.verdict.name(), ErrorClass::name);
    (!finding.verdict.is_up()).then(|| format!("{class}: {short}"))
}

/// As many words of `text` as have room in `most` characters.
fn cut_at_word(text: &str, most: usize) -> String {
    let blanks = text.char_indices().filter(|(_, c)| *c == ' ').map(|(at, _)| at);
    let fits = |end: &usize| text[..*end].chars().count() <= most;
    match blanks.chain([text.len()]).take_while(fits).last() {
        Some(end) if end == text.len() => text.to_owned(),
        Some(end) => format!("{} ...", &text[..end]),
        // One word longer than that.
        None => text.chars().take(most).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_cut_between_words() {
        assert_eq!(cut_at_word("it is down", 10), "it is down");
        assert_eq!(cut_at_word("it is down", 9), "it is ...");
        assert_eq!(cut_at_word("äöü down", 5), "äöü ...");
        assert_eq!(cut_at_word("down", 3), "dow");
    }

    #[test]
    fn no_two_labels_are_alike_and_none_ends_early() {
        let mut labels = Labels::default();
        let own = ["a", "a", "a 2", "'a=|", "up", "b"].map(|name| labels.own(name));
        assert_eq!(own, ["a", "a 2", "a 2 2", "a 3", "up 2", "b"]);
    }
}
