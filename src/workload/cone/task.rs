//! One cone: what a task is told, and what its answer comes to as rows and as a finding.

use serde::{Deserialize, Serialize};

use super::columns::column_names;
use super::outlet::heading;
use super::rows::{ConeRows, RowColumn};
use super::search::RowTaker;
use crate::numbers;
use crate::task::{ConeFinding, ConeStatus, ErrorClass, Finding, Outcome, ServiceVerdict, Warning};
use crate::text::printable;
use crate::vo::cone::ConeColumns;
use crate::vo::votable::{Field, TableRow};
use crate::vo::{ParseError, RowCount};
use crate::workload::Cx;

/// A task as it is passed to whoever does it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ConeTask {
    pub id: String,
    pub target: String,
    pub kind: String,
    pub position: Option<(f64, f64)>,
    pub radius: f64,
    #[serde(default)]
    pub is_coarse: bool,
    /// What is wrong with the target.
    #[serde(default)]
    pub fault: Option<(ErrorClass, String)>,
}

impl ConeTask {
    /// Puts what came of it into its finding, and writes its rows; `cure`: what to do where the
    /// service cut them, unless fewer than there are were asked for.
    pub fn settle(
        &self,
        mut finding: Finding,
        found: Option<Found>,
        cure: Option<&str>,
        cx: &mut Cx<'_>,
    ) -> Outcome {
        let status = match &found {
            None => ConeStatus::Error,
            // It answered, and yet it counts as failed: it took too long, say. Rows are kept.
            Some(_) if !finding.verdict.is_up() => ConeStatus::Error,
            Some(found) if !found.is_whole => ConeStatus::Incomplete,
            Some(found) if found.rows.len() == 0 => ConeStatus::Empty,
            Some(_) => ConeStatus::Ok,
        };
        if self.is_coarse {
            finding.warn(Warning::Coarse);
        }
        let mut written = Ok(());
        if let Some(found) = found {
            finding.rows = Some(RowCount::Counted(found.rows.len()));
            if found.rows.n_outside() > 0 {
                finding.warn(Warning::Outside);
            }
            if !found.has_position {
                finding.warn(Warning::NoPosition);
            }
            if let Some(cure) = cure.filter(|_| status == ConeStatus::Incomplete) {
                finding.verdict = ServiceVerdict::Error;
                let rows = numbers::plural(found.rows.len(), "row");
                finding.reason = format!("the service cut its answer after {rows}: {cure}").into();
            }
            written = cx.write_uncompared(&heading(&found.columns));
            cx.judged(column_names(&found.columns).join(",").as_bytes());
            let n_columns = found.columns.len();
            written = written
                .and_then(|()| found.rows.write(&self.id, &self.target, n_columns, |bytes| cx.write(bytes)));
        }
        finding.cone = Some(Box::new(ConeFinding {
            id: printable(&self.id),
            target: printable(&self.target),
            kind: self.kind.clone(),
            position: self.position,
            radius: self.radius,
            status,
        }));
        cx.judged(finding.essence().as_bytes());
        let outcome = finding.outcome();
        cx.found(finding);
        if outcome.is_success() { Outcome::from(written) } else { outcome }
    }
}

/// What a search found.
#[derive(Debug)]
pub struct Found {
    pub columns: Vec<RowColumn>,
    pub has_position: bool,
    pub rows: ConeRows,
    pub is_whole: bool,
}

/// Takes the rows of one cone.
pub struct OneCone<'a> {
    pub rows: ConeRows,
    pub columns: ConeColumns,
    /// The columns of the position, as they were asked for.
    pub asked: Option<(&'a str, &'a str)>,
}

impl RowTaker for OneCone<'_> {
    fn begin(&mut self, fields: &[Field]) {
        self.rows.clear();
        self.columns = ConeColumns::of(fields, self.asked);
    }

    fn row(&mut self, row: &TableRow<'_>) -> Result<(), ParseError> {
        self.rows.add(row, &self.columns, 0);
        Ok(())
    }
}
