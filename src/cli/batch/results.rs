//! Where jobs' output goes when it is not shown: `--results`, `--files`.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;

use super::records::{HasResults, RESUMES, goes_on, row_file, without_plus};
use crate::cli::exit::{Fault, refuse};
use crate::cli::flags::{Flag, Typed};
use crate::cli::places::NamedPlace;
use crate::cli::terminal::say;
use crate::event::Journal;
use crate::output::{
    Destination, EarlierRows, FailureTails, Grouped, HeadedRows, Lines, Ordered, ResultColumns, ResultFiles,
    ResultPlace, ResultTable, RowFile, RowsEnd, RowsToFile, Sink, TableForm,
};
use crate::process::Interrupt;
use crate::template::{Counts, Template, TemplateOptions};
use crate::workload::command::{MakeSink, OutputOrder};

/// Names and rows that wait for their turn take at most this much memory.
const WAITING: usize = 1 << 20;

/// Where jobs' output goes.
pub(super) struct JobResults {
    /// None when output is shown.
    pub(super) sink: Option<MakeSink>,
    /// What takes the record of each job, too.
    pub(super) journal: Option<Box<dyn Journal>>,
    /// Whether a job's results are there already.
    pub(super) has: HasResults,
    /// Whether names depend on the number of jobs.
    pub(super) needs_total: bool,
    /// What failed jobs had to say where it was not shown.
    pub(super) tails: Arc<FailureTails>,
}

/// What the options say. `streams` are parsim's own stdout and stderr.
pub(super) fn results(
    typed: &Typed,
    options: &TemplateOptions,
    counts: &Counts,
    order: OutputOrder,
    streams: Box<dyn Destination>,
    interrupt: &Interrupt,
) -> Result<JobResults, Fault> {
    let tails = Arc::new(FailureTails::default());
    let mut results =
        JobResults { sink: None, journal: None, has: Arc::new(|_| false), needs_total: false, tails };
    // No job is run, and its command line is what is asked for.
    if typed.has(Flag::DryRun) {
        return Ok(results);
    }
    let prints_names = typed.has(Flag::Files) || order == OutputOrder::Lines;
    let folder = || typed.run.tmpdir.clone().unwrap_or_else(std::env::temp_dir);
    let place = match &typed.output.results {
        None if typed.has(Flag::Files) => ResultPlace::Fresh(folder()),
        None => return Ok(results),
        Some(target) => {
            if let Some(form) = form(target) {
                let file = table_file(typed, form, target, interrupt)?;
                let names = options.columns.clone();
                let rows: Box<dyn Destination> = match (&file, form) {
                    (None, _) => Box::new(HeadedRows::new(form, names, streams)),
                    (Some(file), TableForm::Json) => {
                        Box::new(HeadedRows::new(form, names, RowsToFile::new(Arc::clone(file))))
                    }
                    (Some(file), TableForm::Separated(_)) => {
                        Box::new(HeadedRows::new(form, names, RowsToFile::with_header(Arc::clone(file))))
                    }
                };
                let rows = in_order(order, rows);
                let table = Arc::new(ResultTable::new(form, rows, file, Arc::clone(&results.tails)));
                results.journal = Some(Box::new(Arc::clone(&table)));
                results.sink = Some(Box::new(move || Box::new(Arc::clone(&table))));
                return Ok(results);
            }
            place(typed, target, options, counts)?
        }
    };
    results.needs_total = place.needs_total();
    let names = prints_names.then(|| in_order(order, streams));
    let files = Arc::new(ResultFiles::new(place, Arc::clone(&results.tails), names));
    let known = Arc::clone(&files);
    results.has = Arc::new(move |task| known.has(task));
    results.sink = Some(Box::new(move || Box::new(Arc::clone(&files))));
    Ok(results)
}

/// The files that each job gets a row in, each with the option that names it.
pub(super) fn places(typed: &Typed) -> impl Iterator<Item = NamedPlace<'_>> {
    let output = &typed.output;
    // With `--dry-run` none is opened.
    let is_run = !typed.has(Flag::DryRun);
    let joblog = output.joblog.as_deref().map(|log| Path::new(without_plus(log)));
    let table = output.results.as_deref().filter(|target| form(target).is_some());
    // `-.csv` is stdout.
    let table = table.map(|table| if table.as_bytes().starts_with(b"-.") { OsStr::new("-") } else { table });
    let records = output.records.as_deref().map(|records| Path::new(without_plus(records.as_os_str())));
    let places = [("joblog", joblog), ("records", records), ("results", table.map(Path::new))];
    places.into_iter().filter_map(move |(option, path)| Some((option, path.filter(|_| is_run)?)))
}

/// The form of a table, by the name's end.
fn form(target: &OsStr) -> Option<TableForm> {
    let name = target.as_bytes().to_ascii_lowercase();
    let forms = [
        (b".csv".as_slice(), TableForm::Separated(b',')),
        (b".tsv", TableForm::Separated(b'\t')),
        (b".json", TableForm::Json),
    ];
    forms.into_iter().find_map(|(end, form)| name.ends_with(end).then_some(form))
}

/// The file of a table; none where `target` is stdout.
fn table_file(
    typed: &Typed,
    form: TableForm,
    target: &OsStr,
    interrupt: &Interrupt,
) -> Result<Option<Arc<RowFile>>, Fault> {
    if target.as_bytes().starts_with(b"-.") {
        return Ok(None);
    }
    let earlier = if goes_on(typed) { EarlierRows::Kept } else { EarlierRows::Dropped };
    let ends = match form {
        TableForm::Json => RowsEnd::AtNewline,
        TableForm::Separated(_) => RowsEnd::OutsideQuotes,
    };
    let file = row_file("--results", Path::new(target), earlier, ends, interrupt)?;
    Ok(Some(Arc::new(file)))
}

/// Blocks have no values that would tell their jobs' places apart: as under GNU
/// parallel the results of each are in the place of the one before, which is told.
fn check_shared(typed: &Typed, shown: &str) -> Result<(), Fault> {
    if !typed.pipes() || typed.has(Flag::Tee) {
        return Ok(());
    }
    let apart = format!("--results '{}/{{#}}/'", shown.trim_end_matches('/'));
    if typed.has_any(RESUMES) && typed.output.joblog.is_none() {
        return refuse(format!(
            "--resume: all blocks share the results in {shown}, which do not tell what is done: add --joblog FILE, or use {apart}"
        ));
    }
    say(&format!("all blocks share the results in {shown}, where only the last stay: use {apart}"));
    Ok(())
}

fn place(
    typed: &Typed,
    target: &OsStr,
    options: &TemplateOptions,
    counts: &Counts,
) -> Result<ResultPlace, Fault> {
    let text = target.as_bytes();
    let template = Template::text(text, options).map_err(Fault::usage)?;
    if !template.uses_any() {
        let shown = Path::new(target).display();
        check_shared(typed, &shown.to_string())?;
        std::fs::create_dir_all(target).or_else(|error| refuse(format!("--results {shown}: {error}")))?;
        // Where an input is cut into columns, their number is known by their names only.
        let is_cut = typed.input.colsep.is_some() || typed.has(Flag::Csv);
        let width = match options.columns.len() {
            0 if is_cut => None,
            0 => Some(typed.sources.len().max(1)),
            n_names => Some(n_names),
        };
        return Ok(ResultPlace::Folder(
            text.to_vec(),
            ResultColumns { names: options.columns.clone(), width },
        ));
    }
    if typed.has_any(RESUMES) && template.uses_slot() {
        return refuse(
            "--results: the slot in a name does not tell which jobs --resume may leave out; use {#}",
        );
    }
    let before = text.split(|&byte| byte == b'{').next().unwrap_or_default();
    let is_below = before.contains(&b'/');
    Ok(ResultPlace::Template { template, counts: counts.clone(), is_below })
}

/// What has to be shown of each job, in the order of jobs' output.
fn in_order(order: OutputOrder, destination: Box<dyn Destination>) -> Box<dyn Sink + Send> {
    match order {
        OutputOrder::Kept => Box::new(Ordered::grouped(destination, WAITING)),
        OutputOrder::KeptLines => Box::new(Ordered::new(destination, WAITING)),
        OutputOrder::Lines => Box::new(Lines::new(destination)),
        OutputOrder::Grouped | OutputOrder::Unbuffered | OutputOrder::Unseen => {
            Box::new(Grouped::new(destination, WAITING))
        }
    }
}
