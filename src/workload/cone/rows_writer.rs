//! Writes the rows of all targets in one form, under the columns that any of them has: where
//! later ones bring more, what was written before is written again.

use std::io::{self, BufWriter, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::columns::{AllColumns, Place};
use super::rows::{RowColumn, csv_cell};
use super::votable_out::TableOut;
use crate::process;
use crate::text::printable;
use crate::whole_file::OutputFile;

/// Writes rows in a form.
#[derive(Debug)]
pub struct RowsWriter {
    form: RowsForm,
    path: PathBuf,
    columns: AllColumns,
    /// Whether their names stand at the head already.
    is_headed: bool,
    /// Those of the first target, which had no rows.
    of_empty: Option<Vec<RowColumn>>,
    target: CurrentTarget,
}

/// The target whose rows come.
#[derive(Debug, Default)]
struct CurrentTarget {
    /// Its columns, until a row of it comes.
    columns: Option<Vec<RowColumn>>,
    /// Where its cells go, unless rows can be passed on as they are.
    places: Option<Vec<usize>>,
    /// The rows that cannot, as they came: CSV, cut anywhere.
    held: Vec<u8>,
    /// Whether there is no room for its columns.
    is_refused: bool,
}

#[derive(Debug)]
enum RowsForm {
    /// CSV; on a terminal, the beginning of a character that was cut waits for its end.
    Stdout {
        shown: Option<Vec<u8>>,
        is_gone: bool,
    },
    Csv(BufWriter<OutputFile>),
    Table(Box<TableOut>),
    /// There is no file, for this reason.
    Broken(Option<io::Error>),
}

impl RowsWriter {
    /// To stdout; `is_shown`: a terminal.
    pub fn to_stdout(is_shown: bool) -> Self {
        let form = RowsForm::Stdout { shown: is_shown.then(Vec::new), is_gone: false };
        Self::new(form, Path::new("standard output"))
    }

    /// To `file`, which was opened as `path`: its ending tells the form.
    pub fn to_file(path: &Path, file: io::Result<Option<OutputFile>>) -> Self {
        let is_table = path.extension().is_some_and(|ending| {
            ["vot", "votable", "xml"].iter().any(|known| ending.eq_ignore_ascii_case(known))
        });
        let form = match file {
            Ok(Some(file)) if is_table => RowsForm::Table(Box::new(TableOut::new(file))),
            Ok(Some(file)) => RowsForm::Csv(buffered(file)),
            Ok(None) => RowsForm::Broken(None),
            Err(error) => RowsForm::Broken(Some(error)),
        };
        Self::new(form, path)
    }

    fn new(form: RowsForm, path: &Path) -> Self {
        let (columns, target) = (AllColumns::default(), CurrentTarget::default());
        Self { form, path: path.to_owned(), columns, is_headed: false, of_empty: None, target }
    }

    /// The rows of a target come, under these columns. That it has none binds nobody.
    pub fn begin(&mut self, columns: &[RowColumn]) {
        self.target = CurrentTarget { columns: Some(columns.to_vec()), ..CurrentTarget::default() };
    }

    /// Takes rows of it: CSV, cut anywhere.
    ///
    /// # Errors
    /// When they cannot be written, or have columns that there is no room for.
    pub fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() || self.target.is_refused {
            return Ok(());
        }
        if let Some(columns) = self.target.columns.take() {
            let taken = self.take_in(&columns);
            self.target.is_refused = taken.is_err();
            taken?;
        }
        if self.target.places.is_some() || matches!(self.form, RowsForm::Table(_)) {
            self.target.held.extend_from_slice(bytes);
            return Ok(());
        }
        self.form.write(bytes)
    }

    /// The rows of a target are whole.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        let CurrentTarget { columns, places, held, .. } = std::mem::take(&mut self.target);
        self.of_empty = self.of_empty.take().or(columns);
        let n_columns = self.columns.names().len();
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&*held);
        let mut row = csv::StringRecord::new();
        let mut text = String::new();
        while reader.read_record(&mut row)? {
            let mut cells = vec![""; n_columns];
            for (at, cell) in row.iter().enumerate() {
                let place = places.as_ref().map_or(Some(at), |places| places.get(at).copied());
                if let Some(place) = place.and_then(|place| cells.get_mut(place)) {
                    *place = cell;
                }
            }
            match &mut self.form {
                RowsForm::Table(table) => table.row(cells)?,
                other => {
                    text.clear();
                    csv_line(cells, &mut text);
                    other.write(text.as_bytes())?;
                }
            }
        }
        Ok(())
    }

    /// Makes room for the columns of the target.
    fn take_in(&mut self, columns: &[RowColumn]) -> io::Result<()> {
        let is_stream = match &self.form {
            RowsForm::Stdout { .. } => true,
            RowsForm::Csv(file) => matches!(file.get_ref(), OutputFile::Stream(_)),
            RowsForm::Table(table) => table.is_stream(),
            RowsForm::Broken(_) => return Ok(()),
        };
        let Place { columns, places, new, is_changed } = self.columns.with(columns);
        if self.is_headed && is_stream && !(new.is_empty() && self.form.keeps_no_types(is_changed)) {
            let what = if new.is_empty() { "columns of other types".to_owned() } else { new.join(", ") };
            return Err(io::Error::other(format!(
                "the service sent {what:.200}, which targets before it had not: --out FILE has room for that"
            )));
        }
        let is_wider = !new.is_empty();
        self.columns = columns;
        self.target.places = places;
        if !self.is_headed {
            self.is_headed = true;
            return self.form.head(&self.columns);
        }
        let again = match &mut self.form {
            RowsForm::Csv(file) if is_wider => widened(file, &self.columns),
            RowsForm::Table(table) if is_wider || is_changed => table.widen(&self.columns),
            _ => return Ok(()),
        };
        if let Err(error) = &again {
            // What was written so far cannot be had under the new columns, nor these under the old.
            self.form = RowsForm::Broken(Some(io::Error::new(error.kind(), error.to_string())));
        }
        again
    }

    /// All rows have come; `is_complete`: there are no more than these.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn finish(mut self, is_complete: bool) -> anyhow::Result<()> {
        let headed = if self.is_headed {
            Ok(())
        } else {
            let columns = self.columns.with(&self.of_empty.take().unwrap_or_default()).columns;
            self.form.head(&columns)
        };
        let ended = headed.and_then(|()| match self.form {
            RowsForm::Stdout { .. } | RowsForm::Broken(None) => Ok(()),
            RowsForm::Csv(file) => file.into_inner().map_err(io::IntoInnerError::into_error)?.commit(),
            RowsForm::Table(table) => table.finish(is_complete),
            RowsForm::Broken(Some(error)) => Err(error),
        });
        ended.with_context(|| format!("cannot write {}", self.path.display()))
    }
}

impl RowsForm {
    /// Whether it does not matter to what is written that types have changed.
    fn keeps_no_types(&self, is_changed: bool) -> bool {
        !is_changed || !matches!(self, Self::Table(_))
    }

    /// Writes what stands before the first row.
    fn head(&mut self, columns: &AllColumns) -> io::Result<()> {
        if let Self::Table(table) = self {
            return table.begin(columns);
        }
        let mut line = String::new();
        csv_line(columns.names().iter().map(String::as_str), &mut line);
        self.write(line.as_bytes())
    }

    /// Writes CSV.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Csv(file) => file.write_all(bytes),
            Self::Stdout { is_gone: true, .. } | Self::Broken(_) | Self::Table(_) => Ok(()),
            Self::Stdout { shown, is_gone } => {
                let text = shown.as_mut().map(|cut| fit_to_show(cut, bytes));
                let bytes = text.as_ref().map_or(bytes, |text| text.as_bytes());
                match process::stdout().write_all(bytes) {
                    // That nobody reads on is no error.
                    Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                        *is_gone = true;
                        Ok(())
                    }
                    written => written,
                }
            }
        }
    }
}

/// `bytes` behind those that were `cut` from the end of the ones before, as a terminal may have
/// them; what is cut of these is kept.
fn fit_to_show(cut: &mut Vec<u8>, bytes: &[u8]) -> String {
    cut.extend_from_slice(bytes);
    let whole = match std::str::from_utf8(cut) {
        // It lacks nothing but its end.
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        Ok(_) | Err(_) => cut.len(),
    };
    let rest = cut.split_off(whole);
    let text = String::from_utf8_lossy(cut).split('\n').map(printable).collect::<Vec<_>>().join("\n");
    *cut = rest;
    text
}

fn buffered(file: OutputFile) -> BufWriter<OutputFile> {
    BufWriter::with_capacity(64 << 10, file)
}

/// Appends a line of CSV.
fn csv_line<'a>(cells: impl IntoIterator<Item = &'a str>, out: &mut String) {
    for (at, cell) in cells.into_iter().enumerate() {
        out.push_str(if at > 0 { "," } else { "" });
        csv_cell(cell, out);
    }
    out.push('\n');
}

/// Puts into the place of `file` another one for the same rows under more columns.
fn widened(file: &mut BufWriter<OutputFile>, columns: &AllColumns) -> io::Result<()> {
    file.flush()?;
    let (written, new) = file.get_ref().again()?;
    let mut new = buffered(new);
    let mut line = String::new();
    csv_line(columns.names().iter().map(String::as_str), &mut line);
    new.write_all(line.as_bytes())?;
    let mut reader = csv::Reader::from_reader(written);
    let mut row = csv::StringRecord::new();
    while reader.read_record(&mut row)? {
        line.clear();
        let missing = columns.names().len().saturating_sub(row.len());
        csv_line(row.iter().chain(std::iter::repeat_n("", missing)), &mut line);
        new.write_all(line.as_bytes())?;
    }
    *file = new;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_that_is_cut_between_pieces_is_shown_whole() {
        let text = "α,\"β\"\nγ\u{1b}[2J\n".as_bytes();
        for size in 1..text.len() {
            let mut cut = Vec::new();
            let shown: String = text.chunks(size).map(|piece| fit_to_show(&mut cut, piece)).collect();
            assert_eq!(shown, "α,\"β\"\nγ\\u{1b}[2J\n", "{size} bytes at a time");
        }
        let mut cut = Vec::new();
        assert_eq!(
            fit_to_show(&mut cut, b"a\xffb\xce") + &fit_to_show(&mut cut, b"x"),
            "a\u{fffd}b\u{fffd}x"
        );
    }
}
