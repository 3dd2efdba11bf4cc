//! How the check of services is told to machines: objects as they come, or one
//! line for a monitor, with the status that the monitor reads.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::sync::OnceLock;

use anyhow::anyhow;

use super::exit::{End, Fault, all_of, refuse, status, told};
use super::exports::Exports;
use super::flags::FORMAT;
use super::plan::exit;
use super::terminal::{Terminal, say};
use crate::event::{Event, Observer};
use crate::process;
use crate::report::services::{self, Health};
use crate::study::{Gates, Study};
use crate::sync::Mutex;
use crate::task::Column;
use crate::workload::{OutputFormat, ROWS};

/// A monitor has no status for a missed gate.
pub(super) fn check_gates(format: OutputFormat, gates: &Gates) -> Result<(), Fault> {
    if format == OutputFormat::Nagios && *gates != Gates::default() {
        return refuse(concat!(
            "--min-speedup and --fail-if-slower end with ",
            status!(Missed),
            ", and a monitor reads statuses 0 to 3 only: take --format json-lines, or leave them out"
        ));
    }
    Ok(())
}

/// Who hears of what happens: `progress`, and stdout where it is told as it
/// comes; what stdout does not take is `unwritten`.
pub(super) fn observer<'a>(
    format: OutputFormat,
    progress: Box<dyn Observer>,
    unwritten: &'a OnceLock<io::Error>,
) -> Box<dyn Observer + 'a> {
    match format {
        OutputFormat::JsonLines => {
            Box::new(FindingLines { progress, column: Mutex::new(Column::PARALLEL), unwritten })
        }
        OutputFormat::Text | OutputFormat::Nagios => progress,
    }
}

/// Tells `study` to a machine.
pub(super) fn tell(
    format: OutputFormat,
    study: &Study,
    exports: Exports,
    unwritten: &OnceLock<io::Error>,
) -> anyhow::Result<()> {
    let told = match (format, unwritten.get()) {
        (OutputFormat::Nagios, _) => Terminal::print(&services::nagios(study).0),
        (_, Some(error)) => Err(anyhow!("cannot write to stdout: {error}")),
        (_, None) => Ok(()),
    };
    // Where there is nothing to read, the reason is all there is to tell.
    let is_empty = study.columns.iter().flat_map(|column| &column.runs).all(|run| run.tasks == 0);
    if let (OutputFormat::JsonLines, true, Some(why)) = (format, is_empty, study.remarks.first()) {
        say(why);
    }
    all_of([told, exports.finish(study)])
}

/// The status that `study` ends with; what it missed of `gates` is said.
pub(super) fn status(format: OutputFormat, study: &Study, gates: &Gates) -> u8 {
    match format {
        OutputFormat::Nagios => services::nagios(study).1 as u8,
        OutputFormat::Text | OutputFormat::JsonLines => exit(study, gates).status(),
    }
}

/// What could not even be begun, as a monitor wants to be told; `None` where
/// none asked.
pub(super) fn unknown(argv: &[OsString], fault: &Fault) -> Option<End> {
    let words: Vec<_> = argv.iter().map(|word| word.to_string_lossy()).collect();
    let row = ROWS.iter().find(|row| words.get(1).is_some_and(|word| row.is_called(word)))?;
    let (option, name) = (format!("--{FORMAT}"), OutputFormat::Nagios.name());
    let joined = format!("{option}={name}");
    let asked = words.iter().any(|word| *word == joined)
        || words.windows(2).any(|pair| pair[0] == option && pair[1] == name);
    if !row.is_watched() || !asked {
        return None;
    }
    let text = told(argv, fault).replace('|', "/");
    // A closed stdout leaves the status.
    let _ = Terminal::print(&services::unknown(row.name, &text));
    Some(End::Status(Health::Unknown as u8))
}

/// Writes an object for each service that is done.
struct FindingLines<'a> {
    progress: Box<dyn Observer>,
    column: Mutex<Column>,
    /// Why an object could not be written.
    unwritten: &'a OnceLock<io::Error>,
}

impl Observer for FindingLines<'_> {
    fn observe(&self, event: &Event<'_>) {
        self.progress.observe(event);
        match event {
            Event::RunStarted { column, .. } => self.column.lock().clone_from(column),
            Event::TaskFinished(record) => {
                // Held until the line is written, so that it comes in one piece; none
                // follows one that got stuck.
                let column = self.column.lock();
                if self.unwritten.get().is_none()
                    && let Some(line) = services::json_line(record, &column.name)
                    && let Err(error) = process::stdout().write_all(format!("{line}\n").as_bytes())
                    // That nobody reads on is no error; the status still tells.
                    && error.kind() != io::ErrorKind::BrokenPipe
                {
                    let _ = self.unwritten.set(error);
                }
            }
            _ => {}
        }
    }
}
