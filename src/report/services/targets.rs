//! What was found around each target of cone searches: the columns of their
//! table, and their objects for programs.

use serde_json::{Map, Value, json};

use crate::task::{ConeFinding, ConeStatus, Finding};
use crate::vo::RowCount;

/// Keys of an object that say nothing of a cone.
const OF_SERVICES: [&str; 8] =
    ["verdict", "name", "available", "up_since", "down_at", "back_at", "notes", "more_notes"];

/// The first cells of a row: the target, what came of it, how many rows.
pub(super) fn cells(finding: &Finding, cone: &ConeFinding) -> [String; 3] {
    let target = if cone.target.is_empty() { &cone.id } else { &cone.target };
    let status = match (&cone.status, finding.class_name()) {
        (ConeStatus::Error, class) if !class.is_empty() => format!("error/{class}"),
        (status, _) => status.to_string(),
    };
    [target.clone(), status, finding.rows.map_or_else(String::new, |rows| rows.to_string())]
}

fn counted(rows: Option<RowCount>) -> Option<u64> {
    match rows {
        Some(RowCount::Counted(rows)) => Some(rows),
        Some(RowCount::Some) | None => None,
    }
}

/// `object` of a finding about a service, made one about `cone`.
pub(super) fn in_object(cone: &ConeFinding, finding: &Finding, object: &mut Map<String, Value>) {
    for key in OF_SERVICES {
        object.remove(key);
    }
    let (ra, dec) = cone.position.unzip();
    let own = json!({
        "id": cone.id, "target": cone.target, "kind": cone.kind, "ra": ra, "dec": dec,
        "radius": cone.radius, "status": cone.status, "http_status": finding.status,
        "rows": counted(finding.rows),
    });
    if let Value::Object(own) = own {
        object.extend(own);
    }
    object.remove("tables");
}
