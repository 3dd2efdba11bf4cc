//! parsim's own options.

use super::super::option::Does::{Flag as On, Refused, Text, Word};
use super::super::option::Row;
use super::super::typed::{Export, Flag};
use super::super::values::{self, When};
use super::running::{number, set};

macro_rules! export {
    ($option:literal, $format:literal) => {
        Row {
            names: &[$option],
            does: Word(|t, v| {
                t.output.exports.push(Export { format: $format, path: v.into() });
                Ok(())
            }),
        }
    };
}

#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    Row { names: &["threads-per-job"], does: Text(|t, v| set(&mut t.run.threads_per_job, at_least_one(v))) },
    Row { names: &["workers"], does: Text(|t, v| { t.run.workers = Some(v.to_owned()); Ok(()) }) },
    Row { names: &["max-time"], does: Text(|t, v| set(&mut t.run.max_time, values::duration(v))) },
    Row { names: &["retry-delay"], does: Text(|t, v| set(&mut t.run.retry_delay, values::duration(v))) },
    Row { names: &["backoff"], does: Text(|t, v| set(&mut t.run.backoff, factor(v))) },
    Row { names: &["shell"], does: Word(|t, v| { t.run.shell = Some(v.into()); Ok(()) }) },
    Row { names: &["no-shell"], does: On(|t| t.flags.set(Flag::NoShell)) },
    Row { names: &["summary"], does: Text(|t, v| set(&mut t.output.summary, When::parse(v))) },
    Row { names: &["records"], does: Word(|t, v| { t.output.records = Some(v.into()); Ok(()) }) },
    export!("export-json", "json"),
    export!("export-csv", "csv"),
    export!("export-markdown", "markdown"),
    export!("export-html", "html"),
    export!("export-trace", "trace"),
    export!("export-junit", "junit"),
    export!("export-prometheus", "prometheus"),
    Row { names: &["runs"], does: Text(|t, v| { t.study.runs = Some(at_least_one(v)? as u64); Ok(()) }) },
    Row { names: &["warmup"], does: Text(|t, v| set(&mut t.study.warmup, number(v))) },
    Row { names: &["prepare"], does: Word(|t, v| { t.study.prepare = Some(v.to_owned()); Ok(()) }) },
    // GNU parallel's flag of this name tidies up other machines.
    Row { names: &["cleanup"], does: Word(|t, v| { t.study.cleanup = Some(v.to_owned()); Ok(()) }) },
    Row { names: &["outputs"], does: Word(|t, v| { t.study.outputs.push(v.to_owned()); Ok(()) }) },
    Row { names: &["sample"], does: Text(|t, v| { t.study.sample = Some(at_least_one(v)? as u64); Ok(()) }) },
    Row { names: &["min-speedup"], does: Text(|t, v| set(&mut t.study.min_speedup, values::at_least_nothing(v))) },
    Row { names: &["fail-if-slower"], does: Text(|t, v| set(&mut t.study.fail_if_slower, values::at_least_nothing(v))) },
    Row { names: &["lanes"], does: On(|t| t.flags.set(Flag::Lanes)) },
    Row { names: &["ascii"], does: On(|t| t.flags.set(Flag::Ascii)) },
    Row { names: &["show-output"], does: On(|t| t.flags.set(Flag::ShowOutput)) },
    Row { names: &["serial"], does: Refused("one task at a time is a subcommand: parsim serial") },
    Row { names: &["parallel"], does: Refused("on all cores is a subcommand: parsim parallel") },
    Row { names: &["compare"], does: Refused("both ways is a subcommand: parsim compare") },
];

fn at_least_one(text: &str) -> Result<usize, String> {
    match values::count(text)? {
        0 => Err("must be at least 1".to_owned()),
        n => Ok(n),
    }
}

fn factor(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(factor) if factor.is_finite() && factor >= 1.0 => Ok(factor),
        _ => Err("is no factor of at least 1".to_owned()),
    }
}
