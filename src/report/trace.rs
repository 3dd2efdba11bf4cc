//! A study as Chrome trace events, which Perfetto, `chrome://tracing`
//! and Speedscope open: a process for each way, a thread for each slot, a slice for
//! each task, and the CPU use as a counter.
//!
//! Times in microseconds since the start of the run that is shown. A lane is a
//! slot, not a thread of the system: that is what the picture is about.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::Format;
use super::nodes::called;
use super::timeline::{self, Lane};
use crate::study::{ColumnResult, RunResult, Study};
use crate::task::Record;
use crate::text::printable;

/// The row of the table of formats.
pub const ROW: Format = Format {
    option: "export-trace",
    about: "a trace of every task for Perfetto",
    tells_half_a_run: false,
    render,
    between: None,
    history: None,
};

/// A counter changes at most this often over a run.
const MOST_STEPS: usize = 1000;

fn render(study: &Study, out: &mut dyn Write) -> anyhow::Result<()> {
    let about = json!({
        "command": printable(&shell_words::join(&study.command)),
        "parsim": study.version,
        "workload": study.workload,
    });
    write!(out, "{{\"displayTimeUnit\":\"ms\",\"otherData\":{about},\"traceEvents\":[")?;
    let mut events = Events { out: &mut *out, is_first: true };
    for (pid, column) in (1..).zip(&study.columns) {
        if let Some((number, run)) = timeline::shown(column) {
            name_lanes(&mut events, pid, &process(study, column, number, run), run)?;
            for record in &run.records {
                events.add(&slice(pid, &record))?;
            }
            counters(&mut events, pid, run)?;
        }
    }
    Ok(out.write_all(b"\n]}\n")?)
}

/// Puts events into the array, each on a line of its own.
struct Events<'a> {
    out: &'a mut dyn Write,
    is_first: bool,
}

impl Events<'_> {
    fn add(&mut self, event: &Value) -> io::Result<()> {
        let comma = if self.is_first { "" } else { "," };
        self.is_first = false;
        write!(self.out, "{comma}\n{event}")
    }
}

/// What the process of a column is called.
fn process(study: &Study, column: &ColumnResult, number: usize, run: &RunResult) -> String {
    let mut name = format!("{} {}", study.workload, study.name(column));
    if column.runs.len() > 1 {
        name += &format!(", run {number} of {}", column.runs.len());
    }
    if run.records.is_empty() {
        name += " (no records were kept)";
    }
    printable(&name)
}

fn name_lanes(events: &mut Events<'_>, pid: usize, process: &str, run: &RunResult) -> io::Result<()> {
    let mut name = |what: &str, tid: u32, args: Value| {
        events.add(&json!({"name": what, "ph": "M", "pid": pid, "tid": tid, "args": args}))
    };
    name("process_name", 0, json!({"name": process}))?;
    name("process_sort_index", 0, json!({"sort_index": pid}))?;
    for (at, Lane { node, slot, .. }) in timeline::lanes(&run.records).into_iter().enumerate() {
        let node = node.map_or_else(String::new, |node| called(&node) + " ");
        name("thread_name", lane(slot), json!({"name": format!("{node}slot {}", lane(slot))}))?;
        name("thread_sort_index", lane(slot), json!({"sort_index": at + 1}))?;
    }
    Ok(())
}

/// Slots are numbered from 1 for people, as GNU parallel's `{%}` is.
fn lane(slot: u32) -> u32 {
    slot.saturating_add(1)
}

fn slice(pid: usize, record: &Record) -> Value {
    let mut args = json!({
        "task": record.seq + 1,
        "outcome": printable(&record.outcome.to_string()),
        "cpu_ms": record.cpu.as_secs_f64() * 1e3,
        "bytes": record.bytes,
    });
    if record.attempt > 1 {
        args["attempt"] = json!(record.attempt);
    }
    if let Some(memory) = record.peak_memory {
        args["peak_memory"] = json!(memory);
        if record.peak_memory_is_bound {
            args["peak_memory_is_bound"] = json!(true);
        }
    }
    for (name, wall) in record.spans.iter() {
        args[format!("{name}_ms")] = json!(wall.as_secs_f64() * 1e3);
    }
    for (name, fact) in &record.facts {
        args[&**name] = json!(printable(fact));
    }
    if let Some(finding) = &record.finding {
        args["finding"] = json!(finding);
    }
    json!({
        "name": printable(&record.label),
        "cat": if record.outcome.is_failure() { "task,failed" } else { "task" },
        "ph": "X",
        "ts": microseconds(record.start),
        "dur": microseconds(record.wall),
        "pid": pid,
        "tid": lane(record.slot),
        "args": args,
    })
}

/// Exact to the nanosecond, so that slices of a lane never overlap by rounding.
fn microseconds(time: std::time::Duration) -> f64 {
    time.as_nanos() as f64 / 1e3
}

/// CPU use in per cent and the number of running tasks, a value where it changes.
fn counters(events: &mut Events<'_>, pid: usize, run: &RunResult) -> io::Result<()> {
    let wall = run.wall.as_secs_f64();
    let n_steps = (run.records.len() * 4).min(MOST_STEPS);
    if n_steps == 0 || wall <= 0.0 {
        return Ok(());
    }
    let series: [(&str, f64, Vec<f64>); 2] = [
        ("CPU %", 100.0, timeline::cpu(&run.records, wall, n_steps)),
        ("running tasks", 1.0, timeline::running(&run.records, wall, n_steps)),
    ];
    for (name, scale, levels) in series {
        let mut last = None;
        let levels = levels.iter().map(|level| (level * scale * 10.0).round() / 10.0);
        for (step, level) in levels.chain([0.0]).enumerate() {
            if last != Some(level) {
                let ts = (wall * 1e6 * step as f64 / n_steps as f64 * 1e3).round() / 1e3;
                events.add(&json!({"name": name, "ph": "C", "ts": ts, "pid": pid, "args": {name: level}}))?;
                last = Some(level);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::drawn;
    use crate::report::timeline::tests::record;
    use crate::task::Column;

    #[test]
    fn slices_of_a_lane_do_not_overlap() {
        let mut one = record(0, 0, 0, 0);
        let mut other = record(1, 0, 0, 0);
        one.wall = std::time::Duration::from_nanos(123_456_789_123);
        other.start = one.end();
        let end = slice(1, &one)["ts"].as_f64().unwrap() + slice(1, &one)["dur"].as_f64().unwrap();
        assert!(end <= slice(1, &other)["ts"].as_f64().unwrap());
    }

    #[test]
    fn a_column_without_records_says_so() {
        let column = ColumnResult::new(Column::SERIAL, 1, vec![RunResult::default()]);
        let study = Study { columns: vec![column], ..crate::study::tests::empty() };
        let trace: Value = serde_json::from_slice(&drawn(render, &study)).unwrap();
        assert_eq!(trace["traceEvents"][0]["args"]["name"], "made-up serial (no records were kept)");
    }
}
