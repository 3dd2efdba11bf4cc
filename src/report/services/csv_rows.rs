//! Checks of services, or cones, as CSV: a row for each, with what its object has.

use std::io::Write;

use serde_json::Value;

use super::{WAITS, object};
use crate::study::Study;
use crate::task::PHASES;

/// What stands first, of services and of cones, and what both have.
const OF_SERVICES: [&str; 3] = ["name", "verdict", "class"];
const OF_CONES: [&str; 8] = ["id", "target", "kind", "ra", "dec", "radius", "status", "class"];
const OF_BOTH: [&str; 5] = ["reason", "warnings", "rows", "url", "asked"];
const LAST_OF_SERVICES: [&str; 5] = ["available", "up_since", "down_at", "back_at", "notes"];
const LAST_OF_BOTH: [&str; 8] =
    ["time", "seq", "way", "attempts", "hops", "proxy", "cert_expires", "http_status"];

/// Writes a row for each check of `study`.
pub(in crate::report) fn write(study: &Study, out: &mut dyn Write) -> anyhow::Result<()> {
    let runs = study.columns.iter().flat_map(|column| column.runs.iter().map(|run| (column.way(), run)));
    let checks = runs.flat_map(|(way, run)| run.records.iter().filter_map(|it| object(&it, way)));
    let mut checks = checks.peekable();
    let is_of_cones = checks.peek().is_some_and(|check| check.get("target").is_some());
    let mut names: Vec<&str> = Vec::new();
    names.extend(if is_of_cones { &OF_CONES[..] } else { &OF_SERVICES[..] });
    names.extend(OF_BOTH);
    names.extend(if is_of_cones { &[][..] } else { &LAST_OF_SERVICES[..] });
    names.extend(LAST_OF_BOTH);
    let spans: Vec<&str> = PHASES.into_iter().chain(WAITS).chain(["total"]).collect();
    let mut writer = ::csv::Writer::from_writer(out);
    writer.write_record(names.iter().chain(&spans))?;
    for check in checks {
        let own = names.iter().map(|name| match *name {
            // An object about a service has it under the name that a cone's own status has.
            "http_status" if !is_of_cones => cell(&check["status"]),
            name => cell(&check[name]),
        });
        writer.write_record(own.chain(spans.iter().map(|name| cell(&check["spans"][name]))))?;
    }
    Ok(writer.flush()?)
}

/// A value as a cell; nothing where there is none.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(cell).collect::<Vec<_>>().join("; "),
        other => other.to_string(),
    }
}
