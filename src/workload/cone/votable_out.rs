//! Rows as a `VOTable`: what `--out x.vot` writes, for TOPCAT and its like.

use std::io::{self, BufWriter};

use super::rows::{OWN_COLUMNS, RowColumn};
use crate::vo::votable::{Field, TableWriter};
use crate::whole_file::OutputFile;

/// A table that is being written.
#[derive(Debug)]
pub struct TableOut {
    /// Until the columns are known.
    file: Option<OutputFile>,
    table: Option<TableWriter<BufWriter<OutputFile>>>,
    /// The rows of the target whose turn it is, as CSV.
    rows: Vec<u8>,
}

impl TableOut {
    /// Into `file`.
    pub fn new(file: OutputFile) -> Self {
        Self { file: Some(file), table: None, rows: Vec::new() }
    }

    /// The columns are these, called so: the own ones, and those of the service.
    pub fn begin(&mut self, names: &[String], columns: &[RowColumn]) -> io::Result<()> {
        let Some(file) = self.file.take() else { return Ok(()) };
        let own = OWN_COLUMNS.map(|name| {
            let text = RowColumn {
                datatype: "unicodeChar".to_owned(),
                arraysize: "*".to_owned(),
                ..RowColumn::default()
            };
            match name {
                "separation" => RowColumn {
                    datatype: "double".to_owned(),
                    unit: Some("deg".to_owned()),
                    ucd: Some("pos.angDistance".to_owned()),
                    ..RowColumn::default()
                },
                _ => text,
            }
        });
        let fields: Vec<Field> =
            own.iter().chain(columns).zip(names).map(|(column, name)| column.field(name)).collect();
        let out = BufWriter::with_capacity(64 << 10, file);
        self.table = Some(TableWriter::begin(out, "Cone searches by parsim", &fields)?);
        Ok(())
    }

    /// Takes rows as CSV, cut anywhere.
    pub fn put(&mut self, bytes: &[u8]) {
        self.rows.extend_from_slice(bytes);
    }

    /// The rows of a target are whole.
    pub fn flush(&mut self) -> io::Result<()> {
        let rows = std::mem::take(&mut self.rows);
        let Some(table) = &mut self.table else { return Ok(()) };
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&*rows);
        let mut record = csv::StringRecord::new();
        while reader.read_record(&mut record)? {
            table.row(record.iter().map(|cell| Some(cell).filter(|cell| !cell.is_empty())))?;
        }
        Ok(())
    }

    /// Ends the table, and gives the file its name.
    pub fn finish(self) -> io::Result<()> {
        let Some(table) = self.table else { return Ok(()) };
        table.end(true)?.into_inner().map_err(io::IntoInnerError::into_error)?.commit()
    }
}
