//! Rows as a `VOTable`: what `--out x.vot` writes, for TOPCAT and its like.

use std::io::{self, BufWriter};

use super::columns::AllColumns;
use super::rows::{OWN_COLUMNS, RowColumn};
use crate::vo::votable::{Field, TableItem, TableLimits, TableReader, TableWriter};
use crate::whole_file::OutputFile;

/// A table that is being written.
#[derive(Debug)]
pub struct TableOut {
    /// Until the columns are known.
    file: Option<OutputFile>,
    table: Option<TableWriter<BufWriter<OutputFile>>>,
    is_stream: bool,
}

impl TableOut {
    /// Into `file`.
    pub fn new(file: OutputFile) -> Self {
        let is_stream = matches!(file, OutputFile::Stream(_));
        Self { file: Some(file), table: None, is_stream }
    }

    /// Whether what is written is gone.
    pub fn is_stream(&self) -> bool {
        self.is_stream
    }

    /// The columns are these.
    pub fn begin(&mut self, columns: &AllColumns) -> io::Result<()> {
        let Some(file) = self.file.take() else { return Ok(()) };
        self.table = Some(headed(file, columns)?);
        Ok(())
    }

    /// Writes a row.
    pub fn row(&mut self, cells: Vec<&str>) -> io::Result<()> {
        let Some(table) = &mut self.table else { return Ok(()) };
        table.row(cells.into_iter().map(|cell| Some(cell).filter(|cell| !cell.is_empty())))
    }

    /// The columns are these now, which those before are the first of: what was written is
    /// written again.
    pub fn widen(&mut self, columns: &AllColumns) -> io::Result<()> {
        let Some(table) = self.table.take() else { return Ok(()) };
        let (written, new) = ended(table, true)?.again()?;
        let mut new = headed(new, columns)?;
        let limits = TableLimits { bytes: u64::MAX, cell: usize::MAX, fields: usize::MAX };
        let mut reader = TableReader::new(written, None, limits);
        loop {
            match reader.next().map_err(io::Error::other)? {
                TableItem::Table(_) => {}
                TableItem::Row(row) => {
                    let missing = columns.names().len().saturating_sub(row.texts().count());
                    new.row(row.texts().chain(std::iter::repeat_n(None, missing)))?;
                }
                TableItem::End(_) => break,
            }
        }
        self.table = Some(new);
        Ok(())
    }

    /// Ends the table, and gives the file its name; `is_complete`: there are no more rows.
    pub fn finish(self, is_complete: bool) -> io::Result<()> {
        let Some(table) = self.table else { return Ok(()) };
        ended(table, is_complete)?.commit()
    }
}

/// A table in `file` with these columns and no row yet.
fn headed(file: OutputFile, columns: &AllColumns) -> io::Result<TableWriter<BufWriter<OutputFile>>> {
    let own = OWN_COLUMNS.map(|name| match name {
        "separation" => RowColumn {
            datatype: "double".to_owned(),
            unit: Some("deg".to_owned()),
            ucd: Some("pos.angDistance".to_owned()),
            ..RowColumn::default()
        },
        _ => RowColumn {
            datatype: "unicodeChar".to_owned(),
            arraysize: "*".to_owned(),
            ..RowColumn::default()
        },
    });
    let all = own.iter().chain(columns.columns()).zip(columns.names());
    let fields: Vec<Field> = all.map(|(column, name)| column.field(name)).collect();
    let out = BufWriter::with_capacity(64 << 10, file);
    TableWriter::begin(out, "Cone searches by parsim", &fields)
}

fn ended(table: TableWriter<BufWriter<OutputFile>>, is_complete: bool) -> io::Result<OutputFile> {
    table.end(is_complete)?.into_inner().map_err(io::IntoInnerError::into_error)
}
