//! A study for Prometheus, in its text format: for the textfile collector of
//! the node exporter, which reads what is there at its own times.

use std::collections::BTreeSet;
use std::io::Write;

use super::Format;
use super::services::{CheckedService, kind, quantile, services, span, total};
use crate::study::{ColumnResult, Study};
use crate::task::SelfReport;

/// The row of the table of formats.
pub const ROW: Format = Format {
    option: "export-prometheus",
    about: "gauges for Prometheus",
    tells_half_a_run: true,
    render,
    between: None,
};

/// A figure of a column.
type Gauge = fn(&ColumnResult) -> f64;

/// Draws `study`.
fn render(study: &Study, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut text = String::new();
    runs(study, &mut text);
    let mut all = services(study);
    // Two series of the same labels make the whole file unreadable.
    let mut known = BTreeSet::new();
    all.retain(|service| known.insert((service.finding.url.clone(), service.finding.name.clone())));
    if !all.is_empty() {
        checks(&all, &kind(&study.workload), &mut text);
    }
    Ok(out.write_all(text.as_bytes())?)
}

/// What there is to say of every study.
fn runs(study: &Study, text: &mut String) {
    gauge(text, "parsim_started_timestamp_seconds", "When the work began.");
    text.push_str(&format!("parsim_started_timestamp_seconds {}\n", study.started));
    let figures: [(&str, &str, Gauge); 4] = [
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
fn checks(all: &[CheckedService<'_>], kind: &str, text: &mut String) {
    let of_self = |pick: fn(&SelfReport) -> Option<f64>| {
        move |service: &CheckedService<'_>| service.finding.says.as_ref().and_then(pick)
    };
    let mut each = |name: &str, help: &str, value: &dyn Fn(&CheckedService<'_>) -> Option<f64>| {
        let name = format!("parsim_{kind}_{name}");
        gauge(text, &name, help);
        for service in all {
            if let Some(value) = value(service) {
                text.push_str(&format!("{name}{} {value}\n", labels(service, &[])));
            }
        }
    };
    each("up", "Whether the service is up: 1, or 0.", &|service| {
        Some(f64::from(u8::from(service.finding.verdict.is_up())))
    });
    each(
        "available",
        "What the service itself says.",
        &of_self(|says| Some(f64::from(u8::from(says.available)))),
    );
    each("duration_seconds", "How long the check took.", &|service| {
        Some(total(service.record).as_secs_f64())
    });
    each(
        "up_since_timestamp_seconds",
        "Since when the service says it is up.",
        &of_self(|says| says.up_since_seconds.map(|seconds| seconds as f64)),
    );
    each("http_status", "The last status of HTTP.", &|service| service.finding.status.map(f64::from));
    each("redirects", "Redirects that were followed.", &|service| {
        Some(service.finding.redirects.len() as f64)
    });
    each("cert_expiry_timestamp_seconds", "When the certificate expires.", &|service| {
        service.finding.cert_expires.map(|seconds| seconds as f64)
    });
    several(all, kind, text);
}

/// The values of a gauge, by the word of a further label.
type Labelled<'a> = dyn for<'b> Fn(&'b CheckedService<'b>) -> Vec<(&'b str, f64)> + 'a;

/// Gauges with a further label.
fn several(all: &[CheckedService<'_>], kind: &str, text: &mut String) {
    let mut each = |name: &str, label: &str, help: &str, values: &Labelled<'_>| {
        let name = format!("parsim_{kind}_{name}");
        gauge(text, &name, help);
        for service in all {
            for (word, value) in values(service) {
                text.push_str(&format!("{name}{} {value}\n", labels(service, &[(label, word)])));
            }
        }
    };
    each("phase_seconds", "phase", "How long a phase of the check took.", &|service| {
        let seconds = |phase| Some((phase, span(service.record, phase)?.as_secs_f64()));
        ["resolve", "connect", "tls", "first_byte", "body", "query", "deep"]
            .into_iter()
            .filter_map(seconds)
            .collect()
    });
    each("class", "class", "Why a service is not up: 1 for its class of error.", &|service| {
        service.finding.class.as_ref().map(|class| (class.name(), 1.0)).into_iter().collect()
    });
    each("warning", "warning", "What else is to be known: 1 for each warning.", &|service| {
        service.finding.warnings.iter().map(|warning| (warning.name(), 1.0)).collect()
    });
    if all.iter().any(|service| service.totals.len() > 1) {
        each("duration_quantile_seconds", "quantile", "How long the checks took, by quantile.", &|service| {
            let seconds = |per_cent| quantile(&service.totals, per_cent).as_secs_f64();
            vec![("0.5", seconds(50)), ("0.95", seconds(95)), ("0.99", seconds(99))]
        });
    }
}

fn gauge(text: &mut String, name: &str, help: &str) {
    text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} gauge\n"));
}

fn labels(service: &CheckedService<'_>, more: &[(&str, &str)]) -> String {
    let own = [("url", service.finding.url.as_str()), ("service", service.finding.label())];
    labelled(own.into_iter().chain(more.iter().copied()))
}

/// `{name="value",...}`, with what the format asks to be escaped.
fn labelled<'a>(labels: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let escaped = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let labels: Vec<String> = labels.map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
    format!("{{{}}}", labels.join(","))
}
