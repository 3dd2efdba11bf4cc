//! What is kept of services from run to run: their state (`--since`) and every check
//! (`--history`); and who is told when something changed (`--on-change`).

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::json;

use super::flags::WatchOptions;
use super::places::NamedPlace;
use super::terminal::say;
use crate::moment::Moment;
use crate::output::{EarlierRows, RowFile, RowsEnd};
use crate::process::{self, Interrupt, ShellLine};
use crate::report::services;
use crate::study::{KnownServices, Study};
use crate::text::without_numbers;
use crate::whole_file::{Before, look, renew};

/// The most that is read of what is known: of some hundred thousand services.
const MOST: u64 = 256 << 20;

/// How long the command of `--on-change` may last.
const LONGEST: Duration = Duration::from_secs(60);

/// News that were noted this long ago are told by nobody any more: their run was killed.
const LEFT_BEHIND: Duration = Duration::from_secs(2 * LONGEST.as_secs());

/// What to keep and whom to tell.
#[derive(Default)]
pub(super) struct Watch {
    since: Option<PathBuf>,
    on_change: Option<String>,
    /// What this run is called where it notes what it has not told yet.
    run: String,
    history: Option<RowFile>,
}

/// The files that `options` name.
pub(super) fn places(options: &WatchOptions) -> impl Iterator<Item = NamedPlace<'_>> {
    let places = [("since", options.since.as_deref()), ("history", options.history.as_deref())];
    places.into_iter().filter_map(|(option, path)| Some((option, path?)))
}

impl Watch {
    /// Looks whether what `options` name can be read and written, before anybody is asked.
    pub(super) fn open(options: WatchOptions, interrupt: &Interrupt) -> anyhow::Result<Self> {
        if let Some(path) = &options.since {
            look(path, MOST, read).with_context(|| format!("cannot use --since {}", path.display()))?;
        }
        let open = |path: &PathBuf| {
            let wait = |time| interrupt.sleep(time);
            RowFile::open_waiting(path, EarlierRows::Kept, RowsEnd::AtNewline, wait)
                .with_context(|| format!("cannot open --history {}", path.display()))
        };
        let history = options.history.as_ref().map(open).transpose()?;
        let run = format!("{}-{}", std::process::id(), Moment::now().millis());
        Ok(Self { since: options.since, on_change: options.on_change, run, history })
    }

    /// Keeps what `study` found, and puts what is new into it. Neither file is left out
    /// because the other failed.
    pub(super) fn keep(&self, study: &mut Study) -> [anyhow::Result<()>; 2] {
        [self.add_to_history(study), self.renew_state(study)]
    }

    fn add_to_history(&self, study: &Study) -> anyhow::Result<()> {
        let Some(history) = &self.history else { return Ok(()) };
        history.begin()?;
        services::each_history_line(study, |line| {
            let mut row = serde_json::to_vec(line).context("cannot write a line of --history")?;
            row.push(b'\n');
            history.put(&row)
        })
    }

    /// A run that was cut short changes no state, so that the next one tells all.
    fn renew_state(&self, study: &mut Study) -> anyhow::Result<()> {
        let (Some(path), None) = (&self.since, &study.cut) else { return Ok(()) };
        let renewed = renew(path, MOST, |before, after| {
            let mut known = read(before)?;
            let tells = self.on_change.is_some();
            let mut news = if tells { known.take_untold(LEFT_BEHIND) } else { Vec::new() };
            news.extend(services::take_news(study, &mut known)?);
            if tells {
                // Once they are known they are no news to the next run, which has to tell them
                // if this one is killed before it has.
                known.note_untold(&self.run, &news);
            }
            write(&known, after)?;
            Ok(news)
        });
        study.news = renewed.with_context(|| format!("cannot renew --since {}", path.display()))?;
        Ok(())
    }

    /// Has the command run where there are news. What becomes of it is told, and changes
    /// nothing else.
    ///
    /// # Errors
    /// When it cannot be noted that they are told.
    pub(super) fn tell(&self, study: &Study, interrupt: &Interrupt) -> anyhow::Result<()> {
        let Some(command) = self.on_change.as_deref().filter(|_| !study.news.is_empty()) else {
            return Ok(());
        };
        let news = json!({ "schema": "parsim-news/1", "workload": study.workload, "news": study.news });
        let input = news.to_string() + "\n";
        let shell = ["/bin/sh", "-c"].map(OsString::from);
        let line =
            ShellLine { command, input: input.as_bytes(), limit: Some(LONGEST), ..ShellLine::default() };
        let stopped = |signal| say(&format!("--on-change {command:?} was stopped by signal {signal}"));
        if let Err(error) = process::run_in_shell(&shell, line, interrupt.wake_fd(), &stopped) {
            say(&without_numbers(&format!("--on-change: {error:#}")));
        }
        self.note_told()
    }

    fn note_told(&self) -> anyhow::Result<()> {
        let Some(path) = &self.since else { return Ok(()) };
        let told = renew(path, MOST, |before, after| {
            let mut known = read(before)?;
            known.told_by(&self.run);
            write(&known, after)
        });
        told.with_context(|| format!("cannot renew --since {}", path.display()))
    }
}

fn write(known: &KnownServices, after: &mut dyn Write) -> anyhow::Result<()> {
    serde_json::to_writer_pretty(&mut *after, known)?;
    Ok(after.write_all(b"\n")?)
}

fn read(before: Before<'_>) -> anyhow::Result<KnownServices> {
    if before.fill_buf()?.is_empty() {
        return Ok(KnownServices::default());
    }
    KnownServices::read(before).context("it is not what an earlier --since wrote")
}
