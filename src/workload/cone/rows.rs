//! The rows of one cone: taken as they come, checked against the cone, sorted so that a
//! server's order does not matter, and written as CSV.

use serde::{Deserialize, Serialize};

use crate::sky::separation;
use crate::vo::cone::ConeColumns;
use crate::vo::votable::{ArraySize, Datatype, Field, TableRow};

/// A row so far beyond the radius is outside, in degrees: servers compute with less care, up
/// to 2 milliarcseconds.
const SLACK: f64 = 6e-7;

/// Names of the columns before the service's own.
pub const OWN_COLUMNS: [&str; 3] = ["id", "target", "separation"];

/// Which rows of a cone are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Find {
    /// Every one
    #[default]
    All,
    /// The nearest
    Best,
    /// The nearest, and an empty row for a target without any
    Each,
}

/// A column, as much as is told of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowColumn {
    /// Its name.
    pub name: String,
    /// The type of its values.
    pub datatype: String,
    /// How many a cell holds; empty: one.
    pub arraysize: String,
    /// The unit.
    pub unit: Option<String>,
    /// What they are.
    pub ucd: Option<String>,
}

impl RowColumn {
    /// What is told of `field`.
    pub fn of(field: &Field) -> Self {
        Self {
            name: field.name.clone(),
            datatype: field.datatype.name().to_owned(),
            arraysize: field.arraysize.to_string(),
            unit: field.unit.clone(),
            ucd: field.ucd.clone(),
        }
    }

    /// The same as a field of this name.
    pub fn field(&self, name: &str) -> Field {
        Field {
            name: name.to_owned(),
            datatype: Datatype::named(&self.datatype),
            arraysize: ArraySize::read(&self.arraysize),
            unit: self.unit.clone(),
            ucd: self.ucd.clone(),
            ..Field::default()
        }
    }
}

/// The rows around one place.
#[derive(Clone, Debug)]
pub struct ConeRows {
    centre: (f64, f64),
    radius: f64,
    find: Find,
    /// The cells of all rows, one behind the other as CSV.
    text: String,
    rows: Vec<KeptRow>,
    n_outside: u64,
}

/// A row that is kept.
#[derive(Clone, Copy, Debug)]
struct KeptRow {
    /// In degrees; more than any where it is not known.
    separation: f64,
    start: usize,
    end: usize,
}

impl ConeRows {
    /// None yet, of the cone of `radius` degrees around `centre`.
    pub fn new(centre: (f64, f64), radius: f64, find: Find) -> Self {
        Self { centre, radius, find, text: String::new(), rows: Vec::new(), n_outside: 0 }
    }

    /// Forgets those that came.
    pub fn clear(&mut self) {
        self.text.clear();
        self.rows.clear();
        self.n_outside = 0;
    }

    /// Takes a row, without the first `skipped` cells.
    pub fn add(&mut self, row: &TableRow<'_>, columns: &ConeColumns, skipped: usize) {
        let place = columns.position.and_then(|(ra, dec)| row.number(ra).zip(row.number(dec)));
        let place = place.filter(|(_, dec)| dec.abs() <= 90.0);
        let separation = place.map_or(f64::INFINITY, |place| separation(self.centre, place));
        if separation.is_finite() && separation > self.radius + SLACK {
            self.n_outside += 1;
            return;
        }
        let start = self.text.len();
        for (at, cell) in row.texts().skip(skipped).enumerate() {
            if at > 0 {
                self.text.push(',');
            }
            csv_cell(cell.unwrap_or_default(), &mut self.text);
        }
        let new = KeptRow { separation, start, end: self.text.len() };
        if self.find == Find::All {
            return self.rows.push(new);
        }
        match self.rows.first().copied() {
            Some(best) if self.is_before(&best, &new) => self.text.truncate(start),
            _ => self.rows = vec![new],
        }
    }

    fn cells(&self, row: &KeptRow) -> &str {
        &self.text[row.start..row.end]
    }

    fn is_before(&self, one: &KeptRow, other: &KeptRow) -> bool {
        one.separation
            .total_cmp(&other.separation)
            .then_with(|| self.cells(one).cmp(self.cells(other)))
            .is_le()
    }

    /// How many rows are kept.
    pub fn len(&self) -> u64 {
        self.rows.len() as u64
    }

    /// How many lay outside of the cone.
    pub fn n_outside(&self) -> u64 {
        self.n_outside
    }

    /// Hands all rows to `write`, sorted, a few of them at a time, each behind the `id` and
    /// the `target` that they belong to.
    ///
    /// # Errors
    /// Those of `write`.
    pub fn write<E>(
        mut self,
        id: &str,
        target: &str,
        n_columns: usize,
        mut write: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut rows = std::mem::take(&mut self.rows);
        rows.sort_by(|one, other| {
            one.separation.total_cmp(&other.separation).then_with(|| self.cells(one).cmp(self.cells(other)))
        });
        let mut head = String::new();
        csv_cell(id, &mut head);
        head.push(',');
        csv_cell(target, &mut head);
        let mut lines = String::new();
        for row in &rows {
            lines += &head;
            lines.push(',');
            if row.separation.is_finite() {
                lines += &format!("{:.9}", row.separation);
            }
            lines.push(',');
            lines += self.cells(row);
            lines.push('\n');
            if lines.len() > PIECE {
                write(lines.as_bytes())?;
                lines.clear();
            }
        }
        if rows.is_empty() && self.find == Find::Each {
            lines = format!("{head},{}\n", ",".repeat(n_columns));
        }
        if lines.is_empty() { Ok(()) } else { write(lines.as_bytes()) }
    }
}

/// Rows are written in pieces of about so many bytes.
const PIECE: usize = 32 << 10;

/// Appends a cell of CSV (RFC 4180).
pub fn csv_cell(text: &str, out: &mut String) {
    if !text.contains([',', '"', '\n', '\r']) {
        return out.push_str(text);
    }
    out.push('"');
    for (at, part) in text.split('"').enumerate() {
        if at > 0 {
            out.push_str("\"\"");
        }
        out.push_str(part);
    }
    out.push('"');
}
