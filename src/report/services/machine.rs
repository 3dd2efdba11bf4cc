//! Services for programs: an object for each, and the one line of a Nagios
//! plugin.

use serde_json::{Value, json};

use super::table::through_proxies;
use super::{CheckedService, kind, n_asked_for, services, span, total};
use crate::format;
use crate::study::Study;
use crate::task::{ErrorClass, Finding, Record, SelfReport};

/// So many services are named in a monitor's line.
const NAMED: usize = 5;

/// Spans of an object, `null` where there was none.
const SPANS: [&str; 9] =
    ["resolve", "connect", "tls", "first_byte", "body", "query", "deep", "retry_wait", "host_wait"];

/// What was found out in one check as JSON on one line; `None` where the record
/// is about something else.
#[must_use]
pub fn json_line(record: &Record, way: &str) -> Option<String> {
    let finding = record.finding.as_deref()?;
    let Finding {
        url,
        name,
        verdict,
        class: _,
        reason,
        warnings,
        says,
        status,
        asked,
        redirects,
        proxy,
        attempts,
        cert_expires,
        rows,
        tables,
    } = finding;
    let says = says.as_ref();
    let text = |pick: fn(&SelfReport) -> &Option<String>| says.and_then(|says| pick(says).as_ref());
    let notes = says.map_or(&[][..], |says| &says.notes);
    let hops: Vec<String> = redirects.iter().map(ToString::to_string).collect();
    let mut spans: serde_json::Map<String, Value> = SPANS
        .iter()
        .map(|name| ((*name).to_owned(), json!(span(record, name).map(|time| time.as_secs_f64()))))
        .collect();
    spans.insert("total".to_owned(), json!(total(record).as_secs_f64()));
    let object = json!({
        "seq": record.seq, "way": way, "url": url, "name": name, "verdict": verdict,
        "class": finding.class_name(), "reason": reason, "warnings": warnings,
        "available": says.map(|says| says.available), "up_since": text(|says| &says.up_since),
        "down_at": text(|says| &says.down_at), "back_at": text(|says| &says.back_at), "notes": notes,
        "more_notes": says.map_or(0, |says| says.more_notes), "status": status, "asked": asked, "hops": hops,
        "proxy": proxy, "attempts": attempts, "cert_expires": cert_expires,
        "rows": rows.map(|rows| rows.to_string()), "tables": tables, "spans": spans,
    });
    Some(object.to_string())
}

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
#[must_use]
pub fn nagios(study: &Study) -> (String, Health) {
    let all = services(study);
    let up = all.iter().filter(|service| service.finding.verdict.is_up()).count();
    let told = |services: Vec<(&CheckedService<'_>, String)>| {
        let mut told: Vec<String> = services
            .iter()
            .take(NAMED)
            .map(|(service, why)| format!("{} ({why})", service.finding.label()))
            .collect();
        if services.len() > NAMED {
            told.push(format!("and {} more", services.len() - NAMED));
        }
        told.join(", ")
    };
    let not_up: Vec<_> = all
        .iter()
        .filter(|service| !service.finding.verdict.is_up())
        .map(|service| (service, why(service.finding)))
        .collect();
    let warned: Vec<_> = all
        .iter()
        .filter_map(|service| {
            let urgent = service.finding.warnings.iter().find(|warning| warning.needs_attention())?;
            Some((service, urgent.to_string()))
        })
        .collect();
    let n_all = n_asked_for(study, &all);
    let (word, health, text) = if let Some(cut) = &study.cut {
        let tasks = cut.tasks.unwrap_or(n_all as u64);
        ("UNKNOWN", Health::Unknown, format!("interrupted after {} of {tasks}", cut.finished))
    } else if !not_up.is_empty() {
        ("CRITICAL", Health::Critical, format!("{} of {n_all} not up: {}", not_up.len(), told(not_up)))
    } else if !warned.is_empty() {
        ("WARNING", Health::Warning, format!("{up} of {n_all} up: {}", told(warned)))
    } else if all.is_empty() {
        ("UNKNOWN", Health::Unknown, "no service to check".to_owned())
    } else {
        ("OK", Health::Ok, format!("{up} of {n_all} up"))
    };
    let text = text + &through_proxies(&all);
    // The bar divides text from data; a plugin may not use it otherwise.
    let text = format::printable(&text).replace('|', "/");
    let mut data = format!("up={up};;;0;{n_all}");
    for service in all.iter().take(100) {
        let label: String = service.finding.label().chars().filter(|c| !"'=|".contains(*c)).collect();
        data += &format!(" '{}'={:.3}s;;;0", format::printable(&label), total(service.record).as_secs_f64());
    }
    (format!("{} {word} - {text} | {data}\n", kind(&study.workload).to_ascii_uppercase()), health)
}

/// The same where the check of `workload` could not even be begun, for the reason in
/// `text`.
#[must_use]
pub fn unknown(workload: &str, text: &str) -> String {
    format!("{} UNKNOWN - {text}\n", kind(workload).to_ascii_uppercase())
}

fn why(finding: &Finding) -> String {
    let short: String = finding.reason.chars().take(80).collect();
    let class = finding.class.as_ref().map_or(finding.verdict.name(), ErrorClass::name);
    format!("{class}: {short}")
}
