//! Whether two studies can be compared at all, and what else differs between
//! them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::host::Host;
use crate::numbers;
use crate::study::comparison::failure_guard;
use crate::study::{ColumnResult, RecordList, Study};
use crate::task::Record;

/// A parameter whose name ends so tells where, not what.
const PLACE: &str = "_dir";

/// Why the times are not those of the same work on the same machine, if so.
pub(super) fn unlike(before: &Study, after: &Study) -> Option<String> {
    other_work(before, after).or_else(|| other_machine(&before.host, &after.host))
}

fn other_work(before: &Study, after: &Study) -> Option<String> {
    if before.workload != after.workload {
        return Some(format!("the work was {} and is {}", before.workload, after.workload));
    }
    let options = other_options(&before.parameters.value(), &after.parameters.value());
    if !options.is_empty() {
        return Some(format!("the options of {} differ: {}", after.workload, options.join(", ")));
    }
    let [was, is] = [before, after].map(tasks);
    if was != is {
        return Some(format!("there were {} and are {}", numbers::plural(was, "task"), numbers::count(is)));
    }
    let failed = |study, when: &str| failure_guard(study).map(|why| format!("{why} {when}"));
    failed(before, "before").or_else(|| failed(after, "after"))
}

/// The most tasks of any run.
fn tasks(study: &Study) -> u64 {
    study.columns.iter().flat_map(|column| &column.runs).map(|run| run.tasks).max().unwrap_or(0)
}

/// `rows 1000 -> 10`, for each that differs.
fn other_options(before: &serde_json::Value, after: &serde_json::Value) -> Vec<String> {
    let (Some(before), Some(after)) = (before.as_object(), after.as_object()) else {
        return if before == after { Vec::new() } else { vec![format!("{before} -> {after}")] };
    };
    let names = before.keys().chain(after.keys().filter(|name| !before.contains_key(*name)));
    let shown = |value: Option<&serde_json::Value>| match value {
        None => "nothing".to_owned(),
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    };
    names
        .filter(|name| !name.ends_with(PLACE) && before.get(*name) != after.get(*name))
        .map(|name| format!("{name} {} -> {}", shown(before.get(name)), shown(after.get(name))))
        .collect()
}

/// A name alone makes no other machine: rented ones get a new one each time.
fn other_machine(before: &Host, after: &Host) -> Option<String> {
    let differs = |what: &str, was: Option<String>, is: Option<String>| {
        let (was, is) = was.zip(is)?;
        (was != is).then(|| format!("the {what} was {was} and is {is}"))
    };
    let text = |text: &String| Some(text.clone());
    differs("processor", before.cpu_model.clone(), after.cpu_model.clone())
        .or_else(|| differs("kind of machine", text(&before.arch), text(&after.arch)))
        .or_else(|| differs("system", text(&before.os), text(&after.os)))
        .or_else(|| {
            let usable = |host: &Host| Some(host.usable.to_string());
            differs("number of usable cores", usable(before), usable(after))
        })
}

/// What differs, but leaves the times comparable.
pub(super) fn notes(before: &Study, after: &Study) -> Vec<String> {
    let mut notes = Vec::new();
    let mut differ = |what: &str, was: Option<&String>, is: Option<&String>| {
        if let Some((was, is)) = was.zip(is)
            && was != is
        {
            notes.push(format!("the {what} was {was} and is {is}"));
        }
    };
    let (one, other) = (&before.host, &after.host);
    differ("host", one.hostname.as_ref(), other.hostname.as_ref());
    differ("kernel", one.kernel.as_ref(), other.kernel.as_ref());
    differ("version of parsim", Some(&before.version), Some(&after.version));
    notes
}

/// Tasks that are called something else.
pub(super) fn other_names(before: &Study, after: &Study) -> Option<String> {
    let known = by_seq(before, |record| record.label.clone());
    let renamed = |record: Cow<'_, Record>| {
        let was = known.get(&record.seq).filter(|was| **was != record.label)?;
        Some(format!("{was}: now {}", record.label))
    };
    let mut renamed = records(after)?.iter().filter_map(renamed);
    let first = renamed.next()?;
    let tasks = numbers::plural(1 + renamed.count() as u64, "task");
    Some(format!("{tasks} had another name, the first {first}"))
}

/// How many tasks gave the same results before and after, of those whose results
/// are known.
pub(super) fn results(before: &Study, after: &Study) -> Option<(u64, u64)> {
    let outside = |study: &Study| study.agreement.as_ref().is_some_and(|agreement| agreement.outside);
    if outside(before) || outside(after) {
        return None;
    }
    let known = by_seq(before, |record| record.digest);
    let digests = records(after)?.iter().filter_map(|record| {
        let before = known.get(&record.seq)?;
        Some((*before)? == record.digest?)
    });
    let (same, of) = digests.fold((0, 0), |(same, of), is_same| (same + u64::from(is_same), of + 1));
    (of > 0).then_some((same, of))
}

/// The records of the first run that has any.
fn records(study: &Study) -> Option<&RecordList> {
    let runs = study.columns.iter().flat_map(|column: &ColumnResult| &column.runs);
    runs.map(|run| &run.records).find(|records| !records.is_empty())
}

/// What `pick` takes of each of them, by sequence number.
fn by_seq<T>(study: &Study, pick: impl Fn(&Record) -> T) -> BTreeMap<u64, T> {
    records(study).into_iter().flatten().map(|record| (record.seq, pick(&record))).collect()
}
