//! Services for programs: an object for each, and the one line of a Nagios
//! plugin.

use serde_json::{Value, json};

use super::table::through_proxies;
use super::{Service, n_asked_for, services, span, total};
use crate::format;
use crate::study::Study;
use crate::task::Record;
use crate::workload::tap::{Finding, Warning};

/// So many services are named in a monitor's line.
const NAMED: usize = 5;

/// Spans of an object, `null` where there was none.
const SPANS: [&str; 9] =
    ["resolve", "connect", "tls", "first_byte", "body", "query", "deep", "retry_wait", "host_wait"];

/// What was found out in one check as JSON on one line; `None` where the record
/// is about something else.
#[must_use]
pub fn json_line(record: &Record, way: &str) -> Option<String> {
    let Finding {
        url,
        name,
        verdict,
        class,
        reason,
        warnings,
        available,
        up_since,
        up_since_seconds: _,
        down_at,
        back_at,
        notes,
        more_notes,
        status,
        asked,
        hops,
        proxy,
        attempts,
        cert_expires,
        rows,
        tables,
    } = Finding::from_facts(&record.facts)?;
    let mut spans: serde_json::Map<String, Value> = SPANS
        .iter()
        .map(|name| ((*name).to_owned(), json!(span(record, name).map(|time| time.as_secs_f64()))))
        .collect();
    spans.insert("total".to_owned(), json!(total(record).as_secs_f64()));
    let object = json!({
        "seq": record.seq, "way": way, "url": url, "name": name, "verdict": verdict, "class": class,
        "reason": reason, "warnings": warnings, "available": available, "up_since": up_since,
        "down_at": down_at, "back_at": back_at, "notes": notes, "more_notes": more_notes, "status": status,
        "asked": asked, "hops": hops, "proxy": proxy, "attempts": attempts, "cert_expires": cert_expires, "rows": rows,
        "tables": tables, "spans": spans,
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
    let up = all.iter().filter(|service| service.finding.verdict == "up").count();
    let told = |services: Vec<(&Service<'_>, String)>| {
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
        .filter(|service| service.finding.verdict != "up")
        .map(|service| (service, why(&service.finding)))
        .collect();
    let warned: Vec<_> = all
        .iter()
        .filter_map(|service| {
            let urgent = service.finding.warnings.iter().find(|name| Warning::needs_attention(name))?;
            Some((service, urgent.clone()))
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
    (format!("TAP {word} - {text} | {data}\n"), health)
}

fn why(finding: &Finding) -> String {
    let short: String = finding.reason.chars().take(80).collect();
    match finding.class.as_str() {
        "" => format!("{}: {short}", finding.verdict),
        class => format!("{class}: {short}"),
    }
}
