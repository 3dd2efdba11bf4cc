//! A row: the texts of its cells, one behind the other.

use super::super::ParseError;
use super::super::sniff::head;
use super::field::Field;

/// One row of a table.
#[derive(Clone, Copy, Debug)]
pub struct TableRow<'a> {
    fields: &'a [Field],
    cells: &'a RowCells,
}

impl<'a> TableRow<'a> {
    pub(super) fn new(fields: &'a [Field], cells: &'a RowCells) -> Self {
        Self { fields, cells }
    }

    /// The table's fields, one a cell.
    #[must_use]
    pub fn fields(&self) -> &'a [Field] {
        self.fields
    }

    /// The text of a cell as it would stand in `CSV`: as it was written in `TABLEDATA`, of a
    /// binary value the shortest text that reads back as the same, an array's values with
    /// blanks between. `None` where there is no value, and behind the last cell.
    #[must_use]
    pub fn text(&self, column: usize) -> Option<&'a str> {
        let &(end, is_null) = self.cells.ends.get(column)?;
        let start = column.checked_sub(1).map_or(0, |before| self.cells.ends[before].0);
        (!is_null).then(|| &self.cells.text[start..end])
    }

    /// A cell's value as one finite number; `None` where it is none.
    #[must_use]
    pub fn number(&self, column: usize) -> Option<f64> {
        self.text(column)?.trim_ascii().parse().ok().filter(|number: &f64| number.is_finite())
    }

    /// The texts of all cells.
    pub fn texts(&self) -> impl ExactSizeIterator<Item = Option<&'a str>> + use<'a> {
        let row = *self;
        (0..self.fields.len()).map(move |column| row.text(column))
    }
}

/// Where a row's cells are put together.
#[derive(Debug, Default)]
pub(super) struct RowCells {
    pub(super) text: String,
    /// Of each cell, where it ends and whether it has no value.
    ends: Vec<(usize, bool)>,
}

impl RowCells {
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The text of the cell that is not ended.
    pub(super) fn open(&self) -> &str {
        &self.text[self.ends.last().map_or(0, |last| last.0)..]
    }

    /// Ends a cell.
    pub(super) fn end(&mut self, is_null: bool) {
        self.ends.push((self.text.len(), is_null));
    }

    /// Ends a cell whose text has to be a value of `field`; `row` counts from 1.
    pub(super) fn end_checked(&mut self, field: &Field, row: u64) -> Result<(), ParseError> {
        let Ok(is_null) = field.is_null(self.open()) else {
            let (text, name) = (head(self.open(), 40), head(&field.name, 60));
            let text =
                format!("row {row}: {text:?} in column {name:?} is not of type {}", field.datatype.name());
            return Err(ParseError::bad_value(text));
        };
        self.end(is_null);
        Ok(())
    }
}
