//! A study for Prometheus, in its text format: for the textfile collector of
//! the node exporter, which reads what is there at its own times.

use std::io::{self, Write};

use super::Format;
use super::services::{CheckedService, CheckedServices, kind, services, span, total};
use crate::study::{ColumnResult, Study};
use crate::task::PHASES;

/// The row of the table of formats.
pub const ROW: Format = Format {
    option: "export-prometheus",
    about: "gauges for Prometheus",
    tells_half_a_run: true,
    render,
    between: None,
    history: None,
};

/// A figure of a column.
type Gauge = fn(&ColumnResult) -> f64;

/// Draws `study`.
fn render(study: &Study, out: &mut dyn Write) -> anyhow::Result<()> {
    runs(study, out)?;
    // Two series of the same labels make the whole file unreadable.
    let all = services(study).without_twins();
    if !all.is_empty() {
        checks(&all, &kind(&study.workload), out)?;
    }
    Ok(())
}

/// What there is to say of every study.
fn runs(study: &Study, out: &mut dyn Write) -> io::Result<()> {
    gauge(out, "parsim_started_timestamp_seconds", "When the work began.")?;
    writeln!(out, "parsim_started_timestamp_seconds {}", study.started)?;
    let figures: [(&str, &str, Gauge); 4] = [
        ("parsim_wall_seconds", "Wall time of the batch, median over the runs.", |column| column.wall()),
        ("parsim_cpu_seconds", "CPU time of the batch, median over the runs.", |column| column.cpu()),
        ("parsim_tasks", "Tasks of the batch.", |column| column.median(|run| run.tasks as f64)),
        ("parsim_tasks_failed", "Tasks that failed.", |column| column.median(|run| run.failed as f64)),
    ];
    for (name, help, figure) in figures {
        gauge(out, name, help)?;
        for column in study.columns.iter().filter(|column| !column.runs.is_empty()) {
            let labels = [("workload", study.workload.as_str()), ("way", column.way())];
            let jobs = column.width.to_string();
            let labels = labelled(labels.into_iter().chain([("jobs", jobs.as_str())]));
            writeln!(out, "{name}{labels} {}", figure(column))?;
        }
    }
    Ok(())
}

/// The values of a gauge, each with the word of its further label; empty where it has
/// none.
type GaugeValues<'a> = dyn for<'b> Fn(&'b CheckedService<'b>) -> Vec<(&'b str, f64)> + 'a;

/// What there is to say of each service.
fn checks(all: &CheckedServices<'_>, kind: &str, out: &mut dyn Write) -> io::Result<()> {
    let mut each = |name: &str, label: &str, help: &str, values: &GaugeValues<'_>| {
        let name = format!("parsim_{kind}_{name}");
        gauge(out, &name, help)?;
        for service in all.iter() {
            let own = [("url", service.finding().url.as_str()), ("service", service.finding().label())];
            for (word, value) in values(&service) {
                let further = Some((label, word)).filter(|_| !label.is_empty());
                writeln!(out, "{name}{} {value}", labelled(own.into_iter().chain(further)))?;
            }
        }
        io::Result::Ok(())
    };
    each("up", "", "Whether the service is up: 1, or 0.", &|it| flag(Some(it.finding().verdict.is_up())))?;
    each("available", "", "What the service itself says.", &|it| {
        flag(it.finding().says.as_ref().map(|says| says.available))
    })?;
    each("duration_seconds", "", "How long the check took.", &|it| {
        one(Some(total(it.record()).as_secs_f64()))
    })?;
    each("up_since_timestamp_seconds", "", "Since when the service says it is up.", &|it| {
        one(it.finding().says.as_ref().and_then(|says| says.up_since_seconds).map(|seconds| seconds as f64))
    })?;
    each("http_status", "", "The last status of HTTP.", &|it| one(it.finding().status.map(f64::from)))?;
    each("redirects", "", "Redirects that were followed.", &|it| {
        one(Some(it.finding().redirects.len() as f64))
    })?;
    each("cert_expiry_timestamp_seconds", "", "When the certificate expires.", &|it| {
        one(it.finding().cert_expires.map(|seconds| seconds as f64))
    })?;
    each("phase_seconds", "phase", "How long a phase of the check took.", &|it| {
        PHASES
            .into_iter()
            .filter_map(|phase| Some((phase, span(it.record(), phase)?.as_secs_f64())))
            .collect()
    })?;
    each("class", "class", "Why a service is not up: 1 for its class of error.", &|it| {
        it.finding().class.iter().map(|class| (class.name(), 1.0)).collect()
    })?;
    each("warning", "warning", "What else is to be known: 1 for each warning.", &|it| {
        it.finding().warnings.iter().map(|warning| (warning.name(), 1.0)).collect()
    })?;
    if all.are_repeated() {
        each("duration_quantile_seconds", "quantile", "How long the checks took, by quantile.", &|it| {
            let seconds = |per_cent| it.quantile(per_cent).as_secs_f64();
            vec![("0.5", seconds(50)), ("0.95", seconds(95)), ("0.99", seconds(99))]
        })?;
    }
    Ok(())
}

fn one(value: Option<f64>) -> Vec<(&'static str, f64)> {
    value.map(|value| ("", value)).into_iter().collect()
}

fn flag(value: Option<bool>) -> Vec<(&'static str, f64)> {
    one(value.map(|value| f64::from(u8::from(value))))
}

fn gauge(out: &mut dyn Write, name: &str, help: &str) -> io::Result<()> {
    writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge")
}

/// `{name="value",...}`, with what the format asks to be escaped.
fn labelled<'a>(labels: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let escaped = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let labels: Vec<String> = labels.map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
    format!("{{{}}}", labels.join(","))
}
