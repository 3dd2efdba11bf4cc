//! How the check of services is told to machines: objects as they come, or one
//! line for a monitor, with the status that the monitor reads.

use crate::sync::Mutex;
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::sync::OnceLock;

use anyhow::anyhow;
use clap::ArgMatches;

use super::exit::{End, Fault, status};
use super::exports::Exports;
use super::gates;
use super::terminal::Terminal;
use crate::event::{Event, Observer};
use crate::process;
use crate::report::services::{self, Health};
use crate::study::{Gates, Study};
use crate::task::Column;

/// To whom it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// To a person.
    Text,
    /// To a program, an object a line, as each service is done.
    JsonLines,
    /// To a monitor with the interface of Nagios.
    Nagios,
}

impl Told {
    /// What `--format` says, where there is such an option.
    pub(super) fn of(matches: &ArgMatches) -> Self {
        match matches.try_get_one::<String>("format").ok().flatten().map(String::as_str) {
            Some("json-lines") => Self::JsonLines,
            Some("nagios") => Self::Nagios,
            _ => Self::Text,
        }
    }

    /// A monitor has no status for a missed gate.
    pub(super) fn check_gates(self, gates: &Gates) -> Result<(), Fault> {
        if self == Self::Nagios && *gates != Gates::default() {
            let text = concat!(
                "--min-speedup and --fail-if-slower end with ",
                status!(Missed),
                ", and a monitor reads statuses 0 to 3 only: take --format json-lines, or leave them out"
            );
            return Err(Fault::Usage(text.to_owned()));
        }
        Ok(())
    }

    /// Stdout can be told one thing only.
    pub(super) fn check(self, exports: &Exports) -> Result<(), Fault> {
        if self != Self::Text && exports.take_stdout() {
            return Err(Fault::Usage("stdout is taken by --format: export to a file".to_owned()));
        }
        Ok(())
    }

    /// Who hears of what happens: `progress`, and stdout where it is told as it
    /// comes; what stdout does not take is `unwritten`.
    pub(super) fn observer<'a>(
        self,
        progress: Box<dyn Observer>,
        unwritten: &'a OnceLock<io::Error>,
    ) -> Box<dyn Observer + 'a> {
        match self {
            Self::JsonLines => {
                let stdout = Mutex::new(process::stdout());
                Box::new(Lines { progress, column: Mutex::new(Column::PARALLEL), unwritten, stdout })
            }
            Self::Text | Self::Nagios => progress,
        }
    }

    /// The end of a run that was told to a machine.
    pub(super) fn end(
        self,
        study: &Study,
        exports: Exports,
        unwritten: &OnceLock<io::Error>,
    ) -> anyhow::Result<()> {
        let told = match (self, unwritten.get()) {
            (Self::Nagios, _) => Terminal::print(&services::nagios(study).0),
            (_, Some(error)) => Err(anyhow!("write to stdout: {error}")),
            (_, None) => Ok(()),
        };
        // Neither is left out because the other failed.
        let exported = exports.finish(study);
        told.and(exported)
    }

    /// The status that `study` ends with; what it missed of `gates` is said.
    pub(super) fn status(self, study: &Study, gates: &Gates) -> u8 {
        match self {
            Self::Nagios => services::nagios(study).1 as u8,
            Self::Text | Self::JsonLines => gates::exit(study, gates).status(),
        }
    }
}

/// What could not even be begun, as a monitor wants to be told; `None` where
/// none asked.
pub(super) fn unknown(argv: &[OsString], fault: &Fault) -> Option<End> {
    let words: Vec<_> = argv.iter().map(|word| word.to_string_lossy()).collect();
    let is_check = words.get(1).is_some_and(|word| word == "tap-check" || word == "tap");
    let asked = words.iter().any(|word| word == "--format=nagios")
        || words.windows(2).any(|pair| pair[0] == "--format" && pair[1] == "nagios");
    if !is_check || !asked {
        return None;
    }
    let text = super::messages::told(argv, fault).replace('|', "/");
    // A closed stdout leaves the status.
    let _ = Terminal::print(&format!("TAP UNKNOWN - {text}\n"));
    Some(End::Status(Health::Unknown as u8))
}

/// Writes an object for each service that is done.
struct Lines<'a> {
    progress: Box<dyn Observer>,
    column: Mutex<Column>,
    /// Why an object could not be written.
    unwritten: &'a OnceLock<io::Error>,
    stdout: Mutex<process::Stdout>,
}

impl Lines<'_> {
    /// Writes `line`, unless one before it got stuck.
    fn write(&self, line: &str) {
        let mut stdout = self.stdout.lock();
        if self.unwritten.get().is_some() {
            return;
        }
        match stdout.write_all(format!("{line}\n").as_bytes()) {
            // That nobody reads on is no error; the status still tells.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                // The lock is held: nobody else was first.
                let _ = self.unwritten.set(error);
            }
            _ => {}
        }
    }
}

impl Observer for Lines<'_> {
    fn observe(&self, event: &Event<'_>) {
        self.progress.observe(event);
        match event {
            Event::RunStarted { column, .. } => self.column.lock().clone_from(column),
            Event::TaskFinished(record) => {
                let column = self.column.lock().clone();
                if let Some(line) = services::json_line(record, &column.name) {
                    self.write(&line);
                }
            }
            _ => {}
        }
    }
}
