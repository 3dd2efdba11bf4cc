//! Where rows go, and the line of each target beside them: the first run that is over
//! leaves them, whole files or none; other runs are only compared with it.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context as _, ensure};

use super::charts::{ChartPlaces, TargetRows, chart_of};
use super::rows::{OWN_COLUMNS, RowColumn, column_names, csv_cell};
use super::votable_out::TableOut;
use crate::output::{Acknowledge, Channel, Destination, Ordered, Sink, TaskOutput, TaskRef, WAITING_OUTPUT};
use crate::process;
use crate::sync::Mutex;
use crate::task::{Column, ConeChart, ConeFinding, Finding, Outcome, Record, Task, Warning};
use crate::text::printable;
use crate::whole_file::{WholeFile, behind_links};
use crate::workload::Outlet;

/// What a task writes before its rows: what its columns are, on a line.
pub fn heading(columns: &[RowColumn]) -> Vec<u8> {
    let mut line = serde_json::to_vec(columns).unwrap_or_default();
    line.push(b'\n');
    line
}

/// Takes what the tasks of a run write.
#[derive(Debug, Default)]
pub struct RowsOutlet {
    /// Where rows are asked to go: a file, whose name tells the form, or `-`.
    out: Option<PathBuf>,
    /// Whether that is stdout, and whether it is a terminal, where nothing but text may come.
    stdout: OnceLock<bool>,
    status: Option<PathBuf>,
    charts: ChartPlaces,
    /// The columns of the position, as they are asked for.
    asked: (String, String),
    state: Mutex<OutletState>,
}

/// The name of stdout.
const STDOUT: &str = "-";

/// Of so many targets charts are kept for the report, whoever asks for files.
const CHARTS: usize = 12;

/// More rows are not kept for that, in bytes.
const CHART_ROWS: usize = 1 << 20;

/// So many sources of a chart are kept for that, the brightest.
const CHART_SOURCES: usize = 500;

#[derive(Debug, Default)]
struct OutletState {
    /// The files as they were opened first, to see whether they can be.
    opened: (Option<WholeFile>, Option<WholeFile>),
    /// What the run that goes on leaves; `None`: nothing.
    run: Option<RunOutput>,
    is_done: bool,
    /// The first charts, for the report.
    kept: Vec<ConeChart>,
}

/// What one run leaves.
#[derive(Debug)]
struct RunOutput {
    rows: Option<RowsWriter>,
    status: Option<WholeFile>,
    /// A line of each target that is over.
    lines: BTreeMap<u64, String>,
    n_over: u64,
    /// By the number of the target: what it was, and its rows where there is to be a chart.
    cones: BTreeMap<u64, ConeFinding>,
    found: BTreeMap<u64, TargetRows>,
}

impl RowsOutlet {
    /// Rows to `out`, what became of each target into the file `status`, and charts of what
    /// is at the columns `asked`. All are opened, so that a bad path is told before anybody is
    /// asked.
    ///
    /// # Errors
    /// When one cannot be written.
    pub fn new(
        out: Option<&Path>,
        status: Option<&Path>,
        charts: ChartPlaces,
        asked: (String, String),
    ) -> anyhow::Result<Self> {
        charts.check()?;
        let open = |path: &Path| create(path).with_context(|| format!("cannot write {}", path.display()));
        let file = out.filter(|out| *out != Path::new(STDOUT));
        let opened = (file.map(open).transpose()?, status.map(open).transpose()?);
        let state = OutletState { opened, ..OutletState::default() };
        let [out, status] = [out, status].map(|path| path.map(Path::to_owned));
        Ok(Self { out, stdout: OnceLock::new(), status, charts, asked, state: Mutex::new(state) })
    }

    /// A run begins: its sink.
    fn begin(&self) -> Box<dyn Sink + '_> {
        let mut state = self.state.lock();
        state.run = None;
        if !state.is_done {
            let (rows, status) = std::mem::take(&mut state.opened);
            let again = |file: Option<WholeFile>, path: Option<&Path>| {
                file.map_or_else(|| path.map(create).transpose(), |file| Ok(Some(file)))
            };
            let rows = match (self.stdout.get(), &self.out) {
                (Some(is_shown), _) => Some(RowsWriter::to_stdout(*is_shown)),
                (None, Some(path)) if path != Path::new(STDOUT) => {
                    Some(RowsWriter::to_file(path, again(rows, Some(path))))
                }
                (None, _) => None,
            };
            // What cannot be opened again is told when the run is over.
            let status = again(status, self.status.as_deref()).ok().flatten();
            let (lines, cones, found) = Default::default();
            state.run = Some(RunOutput { rows, status, lines, n_over: 0, cones, found });
        }
        let all_charts = self.charts.any();
        let heading = Vec::new();
        let rows = RowsDestination { state: &self.state, heading, is_headed: false, all_charts };
        Box::new(RunSink { state: &self.state, rows: Ordered::new(rows, WAITING_OUTPUT) })
    }

    /// The run is over: what it left takes its place, unless nothing was done.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn finish(&self) -> anyhow::Result<()> {
        let mut state = self.state.lock();
        let Some(run) = state.run.take().filter(|run| run.n_over > 0) else { return Ok(()) };
        state.is_done = true;
        let asked = (self.asked.0.as_str(), self.asked.1.as_str());
        let chart = |(number, cone)| chart_of(cone, run.found.get(number)?, asked);
        let charts: Vec<ConeChart> = run.cones.iter().filter_map(chart).collect();
        let drawn = if self.charts.any() { self.charts.write(&charts) } else { Ok(()) };
        state.kept = charts.into_iter().take(CHARTS).map(brightest).collect();
        drop(state);
        let rows = run.rows.map_or(Ok(()), RowsWriter::finish);
        let status = match (run.status, &self.status) {
            (Some(mut file), Some(path)) => {
                let lines: String = run.lines.into_values().collect();
                let written = file.write_all(format!("{STATUS_HEADER}\n{lines}").as_bytes());
                written
                    .and_then(|()| file.commit())
                    .with_context(|| format!("cannot write {}", path.display()))
            }
            (None, Some(path)) => Err(anyhow::anyhow!("cannot write {}", path.display())),
            (_, None) => Ok(()),
        };
        rows.and(status).and(drawn)
    }
}

fn create(path: &Path) -> io::Result<WholeFile> {
    WholeFile::create(&behind_links(path))
}

impl Outlet for RowsOutlet {
    fn open(&self, _: &Column) -> Option<Box<dyn Sink + '_>> {
        Some(self.begin())
    }

    fn places(&self) -> Vec<(&'static str, &Path)> {
        let out = self.out.as_deref().filter(|out| *out != Path::new(STDOUT));
        let places = [
            ("out", out),
            ("status", self.status.as_deref()),
            ("chart", self.charts.folder.as_deref()),
            ("sky", self.charts.page.as_deref()),
        ];
        places.into_iter().filter_map(|(option, path)| Some((option, path?))).collect()
    }

    fn claim_stdout(&self, is_free: bool, is_terminal: bool) -> anyhow::Result<bool> {
        let is_asked_for = self.out.as_deref() == Some(Path::new(STDOUT));
        ensure!(is_free || !is_asked_for, "stdout is taken: give --out a file for the rows");
        let takes = is_free && (is_asked_for || self.out.is_none());
        if takes {
            self.stdout.get_or_init(|| is_terminal);
        }
        Ok(takes)
    }

    /// The charts of the first targets, of the first run that was over.
    fn charts(&self) -> Vec<ConeChart> {
        std::mem::take(&mut self.state.lock().kept)
    }
}

/// `chart` with no more sources than a report needs.
fn brightest(mut chart: ConeChart) -> ConeChart {
    let dimness = |magnitude: Option<f64>| magnitude.unwrap_or(f64::INFINITY);
    chart.sources.sort_by(|one, other| dimness(one.magnitude).total_cmp(&dimness(other.magnitude)));
    chart.sources.truncate(CHART_SOURCES);
    chart
}

/// The columns of the file of `--status`.
const STATUS_HEADER: &str = "id,target,kind,ra,dec,status,class,rows,warnings,attempts,seconds";

fn status_line(finding: &Finding, cone: &ConeFinding, seconds: f64) -> String {
    let (ra, dec) =
        cone.position.map_or_else(Default::default, |(ra, dec)| (ra.to_string(), dec.to_string()));
    let warnings: Vec<&str> = finding.warnings.iter().map(Warning::name).collect();
    let cells = [
        cone.id.clone(),
        cone.target.clone(),
        cone.kind.clone(),
        ra,
        dec,
        cone.status.to_string(),
        finding.class_name().to_owned(),
        finding.rows.map_or_else(String::new, |rows| rows.to_string()),
        warnings.join(" "),
        finding.attempts.to_string(),
        format!("{seconds:.3}"),
    ];
    let mut line = String::new();
    for (at, cell) in cells.iter().enumerate() {
        line.push_str(if at > 0 { "," } else { "" });
        csv_cell(cell, &mut line);
    }
    line + "\n"
}

/// Puts rows in order, and notes what became of each target.
struct RunSink<'a> {
    state: &'a Mutex<OutletState>,
    rows: Ordered<RowsDestination<'a>>,
}

impl Sink for RunSink<'_> {
    fn open<'a>(&'a self, task: TaskRef<'a>) -> Box<dyn TaskOutput + 'a> {
        Box::new(TargetOutput { state: self.state, rows: self.rows.open(task) })
    }
}

struct TargetOutput<'a> {
    state: &'a Mutex<OutletState>,
    rows: Box<dyn TaskOutput + 'a>,
}

impl TaskOutput for TargetOutput<'_> {
    fn write(&mut self, channel: Channel, bytes: &[u8]) -> io::Result<()> {
        self.rows.write(channel, bytes)
    }

    fn close(self: Box<Self>, record: Record, acknowledge: &dyn Acknowledge) {
        if let (Some(run), Some(finding)) = (&mut self.state.lock().run, record.finding.as_deref())
            && let Some(cone) = finding.cone.as_deref()
        {
            run.n_over += 1;
            run.cones.insert(record.seq, cone.clone());
            if run.status.is_some() {
                run.lines.insert(record.seq, status_line(finding, cone, record.wall.as_secs_f64()));
            }
        }
        self.rows.close(record, acknowledge);
    }
}

/// Takes the rows of one target after the other.
struct RowsDestination<'a> {
    state: &'a Mutex<OutletState>,
    heading: Vec<u8>,
    is_headed: bool,
    /// Whether there is to be a chart of every target.
    all_charts: bool,
}

impl Destination for RowsDestination<'_> {
    fn write(&mut self, task: &Task, channel: Channel, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state.lock();
        let Some(run) = state.run.as_mut().filter(|_| channel == Channel::Out) else { return Ok(()) };
        let mut bytes = bytes;
        if !self.is_headed {
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let (head, rest) = bytes.split_at(end.map_or(bytes.len(), |end| end + 1));
            self.heading.extend_from_slice(head);
            if end.is_none() {
                return Ok(());
            }
            self.is_headed = true;
            let columns = serde_json::from_slice::<Vec<RowColumn>>(&self.heading)?;
            if let Some(rows) = &mut run.rows {
                rows.begin(&columns)?;
            }
            if self.all_charts || task.seq < CHARTS as u64 {
                run.found.insert(task.seq, TargetRows { columns, rows: Vec::new() });
            }
            bytes = rest;
        }
        if let Some(found) = run.found.get_mut(&task.seq)
            && (self.all_charts || found.rows.len() + bytes.len() <= CHART_ROWS)
        {
            found.rows.extend_from_slice(bytes);
        }
        run.rows.as_mut().map_or(Ok(()), |rows| rows.put(bytes))
    }

    fn close(&mut self, _task: &Task, _outcome: &Outcome) -> io::Result<()> {
        self.is_headed = false;
        self.heading.clear();
        let mut state = self.state.lock();
        state.run.as_mut().and_then(|run| run.rows.as_mut()).map_or(Ok(()), RowsWriter::flush)
    }
}

/// Writes rows in a form.
#[derive(Debug)]
struct RowsWriter {
    form: RowsForm,
    /// The columns of the first target that had some, which are those of all.
    columns: Option<Vec<RowColumn>>,
    path: PathBuf,
}

#[derive(Debug)]
enum RowsForm {
    /// CSV; `is_shown`: on a terminal.
    Stdout {
        is_shown: bool,
        is_gone: bool,
    },
    Csv(BufWriter<WholeFile>),
    Table(Box<TableOut>),
    /// There is no file, for this reason.
    Broken(Option<io::Error>),
}

impl RowsWriter {
    fn to_stdout(is_shown: bool) -> Self {
        let form = RowsForm::Stdout { is_shown, is_gone: false };
        Self { form, columns: None, path: "standard output".into() }
    }

    fn to_file(path: &Path, file: io::Result<Option<WholeFile>>) -> Self {
        let is_table = path.extension().is_some_and(|ending| {
            ["vot", "votable", "xml"].iter().any(|known| ending.eq_ignore_ascii_case(known))
        });
        let form = match file {
            Ok(Some(file)) if is_table => RowsForm::Table(Box::new(TableOut::new(file))),
            Ok(Some(file)) => RowsForm::Csv(BufWriter::with_capacity(64 << 10, file)),
            Ok(None) => RowsForm::Broken(None),
            Err(error) => RowsForm::Broken(Some(error)),
        };
        Self { form, columns: None, path: path.to_owned() }
    }

    /// The rows of a target come, under these columns.
    fn begin(&mut self, columns: &[RowColumn]) -> io::Result<()> {
        let names = column_names(columns);
        match &self.columns {
            Some(known) if column_names(known) == names => return Ok(()),
            Some(_) => return Err(io::Error::other("its columns are not those of the targets before it")),
            None => self.columns = Some(columns.to_vec()),
        }
        if let RowsForm::Table(table) = &mut self.form {
            return table.begin(&names, columns);
        }
        self.header(&names)
    }

    fn header(&mut self, names: &[String]) -> io::Result<()> {
        let mut line = String::new();
        for (at, name) in names.iter().enumerate() {
            line.push_str(if at > 0 { "," } else { "" });
            csv_cell(name, &mut line);
        }
        self.put((line + "\n").as_bytes())
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.form {
            RowsForm::Csv(file) => file.write_all(bytes),
            RowsForm::Table(table) => {
                table.put(bytes);
                Ok(())
            }
            RowsForm::Stdout { is_gone: true, .. } | RowsForm::Broken(_) => Ok(()),
            RowsForm::Stdout { is_shown, is_gone } => {
                let shown = is_shown.then(|| {
                    let text = String::from_utf8_lossy(bytes).into_owned();
                    text.split('\n').map(printable).collect::<Vec<_>>().join("\n")
                });
                let bytes = shown.as_ref().map_or(bytes, |text| text.as_bytes());
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

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.form {
            RowsForm::Table(table) => table.flush(),
            RowsForm::Csv(_) | RowsForm::Stdout { .. } | RowsForm::Broken(_) => Ok(()),
        }
    }

    fn finish(mut self) -> anyhow::Result<()> {
        let headed = if self.columns.is_some() {
            Ok(())
        } else if let RowsForm::Table(table) = &mut self.form {
            table.begin(&OWN_COLUMNS.map(str::to_owned), &[])
        } else {
            self.header(&OWN_COLUMNS.map(str::to_owned))
        };
        let ended = headed.and_then(|()| match self.form {
            RowsForm::Stdout { .. } | RowsForm::Broken(None) => Ok(()),
            RowsForm::Csv(file) => file.into_inner().map_err(io::IntoInnerError::into_error)?.commit(),
            RowsForm::Table(table) => table.finish(),
            RowsForm::Broken(Some(error)) => Err(error),
        });
        ended.with_context(|| format!("cannot write {}", self.path.display()))
    }
}
