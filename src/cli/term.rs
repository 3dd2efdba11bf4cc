//! The terminal: what the streams are, and what may be drawn on each.
//!
//! Asked once at the start; what is decided here is handed down as values.

use std::env;
use std::io::{self, BufWriter, ErrorKind, IsTerminal as _, Write};
use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::args::{self, Drawn};
use crate::process;
use crate::progress::Show;
use crate::report::{Look, Pictures};
use crate::style::Styles;

/// What was decided about stdout and stderr.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terminal {
    /// How the report looks on stdout.
    pub(super) out: Look,
    /// How it looks on stderr.
    pub(super) err: Look,
    /// How progress is shown on stderr.
    pub(super) progress: Show,
}

impl Terminal {
    /// Decides by options, then environment, then what the streams are.
    pub(super) fn look(color: &str, progress: &str) -> Self {
        let unicode = speaks_unicode();
        let width = width();
        let look = |is_terminal| {
            let pictures = if is_terminal { Pictures::Drawn } else { Pictures::Hidden };
            Look { styles: styles(color, is_terminal), unicode, width, pictures }
        };
        let stderr_is_terminal = io::stderr().is_terminal() && !is_dumb();
        let progress = match progress {
            "never" => Show::Nothing,
            _ if stderr_is_terminal => Show::Bar,
            "always" => Show::Lines(Duration::from_secs(1)),
            _ => Show::Lines(Duration::from_secs(10)),
        };
        Self { out: look(io::stdout().is_terminal()), err: look(io::stderr().is_terminal()), progress }
    }

    /// The same as `drawn` has it: with pictures, whatever the streams are; without
    /// any character beyond ASCII, whatever the locale.
    pub(super) fn drawing(mut self, drawn: Drawn) -> Self {
        for look in [&mut self.out, &mut self.err] {
            look.unicode &= !drawn.ascii;
            if drawn.lanes {
                look.pictures = Pictures::Drawn;
            }
        }
        self
    }

    /// Whether pictures may be asked for, which takes the records of tasks.
    pub(super) fn draws_pictures(&self) -> bool {
        [self.out, self.err].iter().any(|look| look.pictures == Pictures::Drawn)
    }

    /// Puts `text` on stdout; that nobody reads on is no error.
    pub(super) fn print(text: &str) -> anyhow::Result<()> {
        Self::draw(|out| Ok(out.write_all(text.as_bytes())?))
    }

    /// Puts what `draw` writes on stdout; that nobody reads on is no error.
    pub(super) fn draw(draw: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>) -> anyhow::Result<()> {
        Self::has_stdout()?;
        written(&mut Stdout(process::stdout()), draw).context("write to stdout")
    }

    /// Refuses a stdout that was closed from the start, where all would vanish.
    pub(super) fn has_stdout() -> anyhow::Result<()> {
        let open = process::stdout_was_open();
        ensure!(open, "standard output is closed, so nothing can be shown: add >FILE or >/dev/null");
        Ok(())
    }
}

/// Draws to `file`. Drawing writes small pieces, which are gathered.
pub(super) fn written(
    file: &mut dyn Write,
    draw: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut gathered = BufWriter::with_capacity(64 << 10, file);
    draw(&mut gathered)?;
    Ok(gathered.flush()?)
}

/// Standard output; what nobody reads any more is gone.
struct Stdout(process::UnbufferedStdout);

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        or_unread(self.0.write(bytes), bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        or_unread(self.0.flush(), ())
    }
}

fn or_unread<T>(result: io::Result<T>, instead: T) -> io::Result<T> {
    match result {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(instead),
        result => result,
    }
}

/// `--help` and `--version`, coloured where stdout is a terminal that wants it.
pub(super) fn help(help: &clap::Error) -> String {
    let text = args::help_text(help);
    if styles("auto", io::stdout().is_terminal()) == Styles::plain() {
        text.to_string()
    } else {
        text.ansi().to_string()
    }
}

/// Flag, then `NO_COLOR` and `CLICOLOR_FORCE`, then the stream and `TERM`.
fn styles(color: &str, is_terminal: bool) -> Styles {
    let colored = match color {
        "always" => true,
        "never" => false,
        _ if is_set("NO_COLOR") => false,
        _ if is_set("CLICOLOR_FORCE") && env::var_os("CLICOLOR_FORCE").is_some_and(|value| value != "0") => {
            true
        }
        _ => is_terminal && !is_dumb(),
    };
    if colored { Styles::colored() } else { Styles::plain() }
}

/// Columns to draw in: those of the terminal or of `COLUMNS`, within what a
/// picture needs and what the eye follows.
fn width() -> usize {
    let terminal =
        terminal_size::terminal_size().map(|(terminal_size::Width(columns), _)| usize::from(columns));
    let told = || env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    terminal.or_else(told).unwrap_or(USUAL_WIDTH).clamp(NARROWEST, WIDEST)
}

/// What has always been the width of a page of text.
const USUAL_WIDTH: usize = 80;

const NARROWEST: usize = 60;

const WIDEST: usize = 120;

fn is_dumb() -> bool {
    env::var_os("TERM").is_none_or(|term| term == "dumb")
}

/// By the usual convention an empty variable counts as not set.
fn is_set(name: &str) -> bool {
    env::var_os(name).is_some_and(|value| !value.is_empty())
}

/// Whether the locale's characters are UTF-8, by the variable that decides.
fn speaks_unicode() -> bool {
    let deciding = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find(|name| is_set(name));
    let locale = deciding.and_then(|name| env::var(name).ok()).unwrap_or_default().to_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}
