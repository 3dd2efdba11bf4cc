//! Findings as studies of `parsim-study/1` have them: as texts among the facts of a
//! record, lists with a line for each.

use std::borrow::Cow;

use super::finding::{Finding, Redirect, SelfReport};
use crate::vo::RowCount;

/// What a finding was made of.
const NAMES: [&str; 21] = [
    "url",
    "verdict",
    "name",
    "class",
    "reason",
    "warnings",
    "available",
    "up_since",
    "up_since_seconds",
    "down_at",
    "back_at",
    "notes",
    "more_notes",
    "status",
    "asked",
    "hops",
    "proxy",
    "attempts",
    "cert_expires",
    "rows",
    "tables",
];

/// The finding that stands among `facts`, which then are the others; `None` for the
/// facts of something else.
pub(super) fn take_finding(facts: &mut Vec<(Cow<'static, str>, String)>) -> Option<Finding> {
    let get = |name: &str| facts.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let list = |name: &str| -> Vec<String> {
        get(name).map(|text| text.split('\n').map(str::to_owned).collect()).unwrap_or_default()
    };
    let says = get("available").and_then(|text| text.parse().ok()).map(|available| SelfReport {
        available,
        up_since: get("up_since").map(Into::into),
        up_since_seconds: get("up_since_seconds").and_then(|text| text.parse().ok()),
        down_at: get("down_at").map(Into::into),
        back_at: get("back_at").map(Into::into),
        notes: list("notes"),
        more_notes: get("more_notes").and_then(|text| text.parse().ok()).unwrap_or(0),
    });
    let redirect = |hop: &String| {
        let (status, to) = hop.split_once(' ')?;
        Some(Redirect { status: status.parse().ok()?, to: to.to_owned() })
    };
    let rows = |text: String| text.parse().map_or(RowCount::Some, RowCount::Counted);
    let finding = Finding {
        url: get("url")?.into(),
        name: get("name").map(Into::into),
        verdict: get("verdict")?.into(),
        class: get("class").map(Into::into),
        reason: get("reason").unwrap_or_default().into(),
        warnings: list("warnings").into_iter().map(Into::into).collect(),
        says: says.map(Box::new),
        status: get("status").and_then(|text| text.parse().ok()),
        asked: get("asked").map(|text| text.as_str().into()),
        redirects: list("hops").iter().filter_map(redirect).collect(),
        proxy: get("proxy").map(Into::into),
        attempts: get("attempts").and_then(|text| text.parse().ok()).unwrap_or(1),
        cert_expires: get("cert_expires").and_then(|text| text.parse().ok()),
        rows: get("rows").map(rows),
        tables: get("tables").and_then(|text| text.parse().ok()),
        ..Finding::default()
    };
    facts.retain(|(name, _)| !NAMES.contains(&&**name));
    Some(finding)
}

#[cfg(test)]
mod tests {
    use super::super::finding::tests::full;
    use super::*;

    #[test]
    fn a_finding_is_taken_from_the_facts_of_an_old_record() {
        let facts = [
            ("url", "http://h/"),
            ("verdict", "up"),
            ("name", "n"),
            ("class", "probe"),
            ("reason", "r"),
            ("warnings", "tables\nodd"),
            ("available", "true"),
            ("up_since", "2026-01-01T00:00:00Z"),
            ("up_since_seconds", "1767225600"),
            ("down_at", "x"),
            ("back_at", "y"),
            ("notes", "one\n\ntwo"),
            ("more_notes", "3"),
            ("status", "200"),
            ("asked", "z"),
            ("hops", "302 http://h/ x"),
            ("proxy", "p:1"),
            ("attempts", "2"),
            ("cert_expires", "7"),
            ("rows", "some"),
            ("tables", "0"),
        ];
        let others = [(Cow::Borrowed("killed"), "memory".to_owned())];
        let mut facts: Vec<_> = facts
            .into_iter()
            .map(|(name, value)| (Cow::Borrowed(name), value.to_owned()))
            .chain(others.clone())
            .collect();
        // Nobody searched the sky then.
        assert_eq!(take_finding(&mut facts), Some(Finding { cone: None, ..full() }));
        assert_eq!(facts, others);
        assert_eq!(take_finding(&mut facts), None);
    }
}
