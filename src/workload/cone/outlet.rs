//! Where rows go, and the line of each target beside them: the first run that is over
//! leaves them, whole files or none; other runs are only compared with it.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context as _, ensure};

use super::charts::{ChartPlaces, TargetRows};
use super::rows::{RowColumn, csv_cell};
use super::rows_writer::RowsWriter;
use crate::output::{Acknowledge, Channel, Destination, Ordered, Sink, TaskOutput, TaskRef, WAITING_OUTPUT};
use crate::sky::keep_brightest;
use crate::sync::Mutex;
use crate::task::{
    Column, ConeChart, ConeFinding, ConeStatus, Finding, Outcome, Record, ServiceVerdict, Task, Warning,
};
use crate::whole_file::{OutputFile, is_stdout};
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
    /// Where rows are asked to go: a file, whose name tells the form, or stdout.
    out: Option<PathBuf>,
    /// Whether they go to stdout, and whether it is a terminal, where nothing but text may come.
    stdout: OnceLock<bool>,
    status: Option<PathBuf>,
    charts: ChartPlaces,
    /// The columns of the position, where they are asked for by name.
    asked: Option<(String, String)>,
    state: Mutex<OutletState>,
}

/// Of so many targets charts are kept for the report, whoever asks for files.
const CHARTS: usize = 12;

/// More rows are condensed to those, in bytes.
const CHART_ROWS: usize = 1 << 20;

/// So many sources of a chart are kept for that, the brightest.
const CHART_SOURCES: usize = 500;

#[derive(Debug, Default)]
struct OutletState {
    /// The files as they were opened first, to see whether they can be: rows, status, page.
    opened: [Option<OutputFile>; 3],
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
    status: Option<OutputFile>,
    page: Option<OutputFile>,
    /// A line of each target that is over.
    lines: BTreeMap<u64, String>,
    n_over: u64,
    /// Whether a limit cut what any of them found.
    is_cut: bool,
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
        asked: Option<(String, String)>,
    ) -> anyhow::Result<Self> {
        charts.check()?;
        let file = out.filter(|out| !is_stdout(out));
        let paths = [file, status, charts.page.as_deref()];
        let open =
            |path: &Path| OutputFile::open(path).with_context(|| format!("cannot write {}", path.display()));
        let [rows, lines, page] = paths.map(|path| path.map(open).transpose());
        let state = OutletState { opened: [rows?, lines?, page?], ..OutletState::default() };
        let [out, status] = [out, status].map(|path| path.map(Path::to_owned));
        Ok(Self { out, stdout: OnceLock::new(), status, charts, asked, state: Mutex::new(state) })
    }

    /// A run begins: its sink.
    fn begin(&self) -> Box<dyn Sink + '_> {
        let mut state = self.state.lock();
        state.run = None;
        if !state.is_done {
            let [rows, status, page] = std::mem::take(&mut state.opened);
            let again = |file: Option<OutputFile>, path: Option<&Path>| {
                file.map_or_else(|| path.map(OutputFile::open).transpose(), |file| Ok(Some(file)))
            };
            let rows = match (self.stdout.get(), &self.out) {
                (_, Some(path)) if !is_stdout(path) => {
                    Some(RowsWriter::to_file(path, again(rows, Some(path))))
                }
                (Some(is_shown), _) => Some(RowsWriter::to_stdout(*is_shown)),
                (None, _) => None,
            };
            // What cannot be opened again is told when the run is over.
            let status = again(status, self.status.as_deref()).ok().flatten();
            let page = again(page, self.charts.page.as_deref()).ok().flatten();
            let (lines, cones, found) = Default::default();
            state.run = Some(RunOutput { rows, status, page, lines, n_over: 0, is_cut: false, cones, found });
        }
        let all_charts = self.charts.any();
        let heading = Vec::new();
        let rows = RowsDestination {
            state: &self.state,
            heading,
            is_headed: false,
            all_charts,
            asked: self.asked(),
        };
        Box::new(RunSink { state: &self.state, rows: Ordered::new(rows, WAITING_OUTPUT) })
    }

    /// Whether the status or the page is to go to stdout.
    fn has_other_on_stdout(&self) -> bool {
        [self.status.as_deref(), self.charts.page.as_deref()].into_iter().flatten().any(is_stdout)
    }

    fn asked(&self) -> Option<(&str, &str)> {
        self.asked.as_ref().map(|(ra, dec)| (ra.as_str(), dec.as_str()))
    }

    /// The run is over: what it left takes its place, unless nothing was done.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn finish(&self) -> anyhow::Result<()> {
        let mut state = self.state.lock();
        let Some(run) = state.run.take().filter(|run| run.n_over > 0) else { return Ok(()) };
        state.is_done = true;
        let asked = self.asked();
        let mut found = run.found;
        let chart = |(number, cone)| found.remove(number)?.chart(cone, asked);
        let charts: Vec<ConeChart> = run.cones.iter().filter_map(chart).collect();
        let drawn = if self.charts.any() { self.charts.write(&charts, run.page) } else { Ok(()) };
        state.kept = charts.into_iter().take(CHARTS).map(brightest).collect();
        drop(state);
        let rows = run.rows.map_or(Ok(()), |rows| rows.finish(!run.is_cut));
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

impl Outlet for RowsOutlet {
    fn open(&self, _: &Column) -> Option<Box<dyn Sink + '_>> {
        Some(self.begin())
    }

    fn places(&self) -> Vec<(&'static str, &Path)> {
        let places = [
            ("out", self.out.as_deref()),
            ("status", self.status.as_deref()),
            ("chart", self.charts.folder.as_deref()),
            ("sky", self.charts.page.as_deref()),
        ];
        places.into_iter().filter_map(|(option, path)| Some((option, path?))).collect()
    }

    fn claim_stdout(&self, is_free: bool, is_terminal: bool) -> anyhow::Result<bool> {
        let is_asked_for = self.out.as_deref().is_some_and(is_stdout);
        ensure!(is_free || !is_asked_for, "stdout is taken: give --out a file for the rows");
        let has_other = self.has_other_on_stdout();
        ensure!(is_free || !has_other, "stdout is taken: give --status and --sky files");
        ensure!(
            !has_other || self.out.is_some(),
            "stdout is for the rows, too: give --out FILE, or --status and --sky files"
        );
        let takes = is_free && (is_asked_for || has_other || self.out.is_none());
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
    chart.more += keep_brightest(&mut chart.sources, CHART_SOURCES);
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
        self.rows.close(record, &NotedTargets { state: self.state, acknowledge });
    }
}

/// Notes what became of each target once its rows are where they belong, or could not get there.
struct NotedTargets<'a> {
    state: &'a Mutex<OutletState>,
    acknowledge: &'a dyn Acknowledge,
}

impl Acknowledge for NotedTargets<'_> {
    fn acknowledge(&self, mut record: Record) {
        if let Some(finding) = record.finding.as_deref_mut()
            && let Some(cone) = finding.cone.as_deref_mut()
        {
            if let (true, Outcome::Failed(why)) = (finding.verdict.is_up(), &record.outcome) {
                // The service did its part, and yet there is nothing.
                finding.verdict = ServiceVerdict::Error;
                finding.reason.clone_from(why);
                cone.status = ConeStatus::Error;
            }
            let cone = cone.clone();
            if let Some(run) = &mut self.state.lock().run {
                run.n_over += 1;
                run.is_cut |= finding.warnings.contains(&Warning::Overflow);
                if run.status.is_some() {
                    run.lines.insert(record.seq, status_line(finding, &cone, record.wall.as_secs_f64()));
                }
                run.cones.insert(record.seq, cone);
            }
        }
        self.acknowledge.acknowledge(record);
    }
}

/// Takes the rows of one target after the other.
struct RowsDestination<'a> {
    state: &'a Mutex<OutletState>,
    heading: Vec<u8>,
    is_headed: bool,
    /// Whether there is to be a chart of every target.
    all_charts: bool,
    asked: Option<(&'a str, &'a str)>,
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
                rows.begin(&columns);
            }
            if self.all_charts || task.seq < CHARTS as u64 {
                run.found.insert(task.seq, TargetRows::new(columns));
            }
            bytes = rest;
        }
        if let Some(found) = run.found.get_mut(&task.seq) {
            found.put(bytes);
            if !self.all_charts {
                found.condense(CHART_ROWS, CHART_SOURCES, self.asked);
            }
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
