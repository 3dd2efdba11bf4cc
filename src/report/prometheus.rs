//! A study for Prometheus, in its text format: for the textfile collector of
//! the node exporter, which reads what is there at its own times.

use std::collections::BTreeSet;
use std::io::Write;

use super::Row;
use super::services::{Service, quantile, services, span, total};
use crate::study::{ColumnResult, Study};

/// The row of the table of formats.
pub const ROW: Row =
    Row { option: "export-prometheus", about: "gauges for Prometheus", render, between: None };

/// A figure of a column.
type Figure = fn(&ColumnResult) -> f64;

/// Draws `study`.
fn render(study: &Study, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut text = String::new();
    runs(study, &mut text);
    let mut all = services(study);
    // Two series of the same labels make the whole file unreadable.
    let mut known = BTreeSet::new();
    all.retain(|service| known.insert((service.finding.url.clone(), service.finding.name.clone())));
    if !all.is_empty() {
        checks(&all, &mut text);
    }
    Ok(out.write_all(text.as_bytes())?)
}

/// What there is to say of every study.
fn runs(study: &Study, text: &mut String) {
    gauge(text, "parsim_started_timestamp_seconds", "When the work began.");
    text.push_str(&format!("parsim_started_timestamp_seconds {}\n", study.started));
    let figures: [(&str, &str, Figure); 4] = [
        ("parsim_wall_seconds", "Wall time of the batch, median over the runs.", |column| column.wall()),
        ("parsim_cpu_seconds", "CPU time of the batch, median over the runs.", |column| column.cpu()),
        ("parsim_tasks", "Tasks of the batch.", |column| column.median(|run| run.tasks as f64)),
        ("parsim_tasks_failed", "Tasks that failed.", |column| column.median(|run| run.failed as f64)),
    ];
    for (name, help, figure) in figures {
        gauge(text, name, help);
        for column in study.columns.iter().filter(|column| !column.runs.is_empty()) {
            let labels = [("workload", study.workload.as_str()), ("way", column.way())];
            let jobs = column.width.to_string();
            let labels = labelled(labels.into_iter().chain([("jobs", jobs.as_str())]));
            text.push_str(&format!("{name}{labels} {}\n", figure(column)));
        }
    }
}

/// What there is to say of each service.
fn checks(all: &[Service<'_>], text: &mut String) {
    let mut each = |name: &str, help: &str, value: &dyn Fn(&Service<'_>) -> Option<f64>| {
        gauge(text, name, help);
        for service in all {
            if let Some(value) = value(service) {
                text.push_str(&format!("{name}{} {value}\n", labels(service, &[])));
            }
        }
    };
    each("parsim_tap_up", "Whether the service is up: 1, or 0.", &|service| {
        Some(f64::from(u8::from(service.finding.verdict == "up")))
    });
    each("parsim_tap_available", "What the service itself says.", &|service| {
        service.finding.available.map(|available| f64::from(u8::from(available)))
    });
    each("parsim_tap_duration_seconds", "How long the check took.", &|service| {
        Some(total(service.record).as_secs_f64())
    });
    each("parsim_tap_up_since_timestamp_seconds", "Since when the service says it is up.", &|service| {
        service.finding.up_since_seconds.map(|seconds| seconds as f64)
    });
    each("parsim_tap_http_status", "The last status of HTTP.", &|service| {
        service.finding.status.map(f64::from)
    });
    each("parsim_tap_redirects", "Redirects that were followed.", &|service| {
        Some(service.finding.hops.len() as f64)
    });
    each("parsim_tap_cert_expiry_timestamp_seconds", "When the certificate expires.", &|service| {
        service.finding.cert_expires.map(|seconds| seconds as f64)
    });
    several(all, text);
}

/// Gauges with a further label.
fn several(all: &[Service<'_>], text: &mut String) {
    gauge(text, "parsim_tap_phase_seconds", "How long a phase of the check took.");
    for service in all {
        for phase in ["resolve", "connect", "tls", "first_byte", "body", "query", "deep"] {
            if let Some(time) = span(service.record, phase) {
                let labels = labels(service, &[("phase", phase)]);
                text.push_str(&format!("parsim_tap_phase_seconds{labels} {}\n", time.as_secs_f64()));
            }
        }
    }
    gauge(text, "parsim_tap_class", "Why a service is not up: 1 for its class of error.");
    for service in all.iter().filter(|service| !service.finding.class.is_empty()) {
        let labels = labels(service, &[("class", &service.finding.class)]);
        text.push_str(&format!("parsim_tap_class{labels} 1\n"));
    }
    gauge(text, "parsim_tap_warning", "What else is to be known: 1 for each warning.");
    for service in all {
        for warning in &service.finding.warnings {
            let labels = labels(service, &[("warning", warning)]);
            text.push_str(&format!("parsim_tap_warning{labels} 1\n"));
        }
    }
    if all.iter().any(|service| service.totals.len() > 1) {
        gauge(text, "parsim_tap_duration_quantile_seconds", "How long the checks took, by quantile.");
        for service in all {
            for (quantile_name, per_cent) in [("0.5", 50), ("0.95", 95), ("0.99", 99)] {
                let labels = labels(service, &[("quantile", quantile_name)]);
                let time = quantile(&service.totals, per_cent).as_secs_f64();
                text.push_str(&format!("parsim_tap_duration_quantile_seconds{labels} {time}\n"));
            }
        }
    }
}

fn gauge(text: &mut String, name: &str, help: &str) {
    text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} gauge\n"));
}

fn labels(service: &Service<'_>, more: &[(&str, &str)]) -> String {
    let own = [("url", service.finding.url.as_str()), ("service", service.finding.label())];
    labelled(own.into_iter().chain(more.iter().copied()))
}

/// `{name="value",...}`, with what the format asks to be escaped.
fn labelled<'a>(labels: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let escaped = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let labels: Vec<String> = labels.map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
    format!("{{{}}}", labels.join(","))
}
