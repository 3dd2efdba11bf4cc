//! The terminal: what the streams are, and what may be drawn on each.
//!
//! Asked once at the start; what is decided here is handed down as values.

use std::env;
use std::io::{self, BufWriter, ErrorKind, IsTerminal as _, Write};
use std::ops::Range;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::exit::{End, Exit, Fault};
use super::flags::{self, Flag, Grouping, Typed, When};
use crate::process;
use crate::progress::{Show, TerminalSize};
use crate::report::{Look, Pictures};
use crate::style::Styles;
use crate::text::{printable, wrapped_around};

/// How progress is shown on stderr.
pub(super) fn progress(when: When) -> Show {
    let stderr_is_terminal = io::stderr().is_terminal() && !is_dumb();
    match when {
        When::Never => Show::Nothing,
        _ if stderr_is_terminal => Show::Bar,
        When::Always => Show::Lines(Duration::from_secs(1)),
        When::Auto => Show::Lines(Duration::from_secs(10)),
    }
}

/// The same for a batch. Bare `--bar`, `--eta` and `--progress` are GNU parallel's;
/// without any of them a batch shows none.
pub(super) fn progress_of_batch(typed: &Typed) -> Show {
    let usual = if typed.has(Flag::Bar) { When::Auto } else { When::Never };
    let wanted = progress(typed.output.progress.unwrap_or(usual));
    match typed.output.grouping {
        Grouping::LatestLine if progress(When::Auto) == Show::Bar && !typed.puts_output_down() => {
            if wanted == Show::Bar { Show::SlotsAndBar } else { Show::Slots }
        }
        _ => wanted,
    }
}

/// The same for a comparison, which takes as long as several batches: where a bar can be
/// drawn, there is one unless it is not wanted.
pub(super) fn progress_of_comparison(typed: &Typed) -> Show {
    match (progress_of_batch(typed), typed.output.progress) {
        (Show::Nothing, None) if progress(When::Auto) == Show::Bar => Show::Bar,
        (show, _) => show,
    }
}

/// Says `text` on stderr, in a line of its own, which a terminal has broken between words,
/// but not within a command that people copy: the rest of it would be run by itself.
pub(super) fn say(text: &str) {
    say_before(text, "");
}

/// The same with words at its end that people copy, too, although no `parsim` is before them.
pub(super) fn say_before(text: &str, to_copy: &str) {
    let mut line = format!("{SPEAKER}{}", printable(text));
    let mut whole = commands(&line);
    let begin = line.len();
    line += &printable(to_copy);
    whole.push(begin..line.len());
    if io::stderr().is_terminal() {
        line = wrapped_around(&line, &whole, width(), SPEAKER.len());
    }
    // With stderr closed there is nobody left to tell.
    let _ = writeln!(process::stderr(), "{line}");
}

/// Where in `text` commands of parsim are: from its name and a subcommand on, to what a
/// shell would not take without quotes.
fn commands(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut end = 0;
    for (begin, _) in text.match_indices("parsim ") {
        let follows = text[begin..].split_whitespace().nth(1).unwrap_or_default();
        let is_word = text[..begin].chars().next_back().is_none_or(|c| !c.is_alphanumeric() && c != '/');
        let follows = follows.trim_end_matches([';', '?', ')', '.', ',']);
        if begin < end || !is_word || !flags::is_subcommand(follows) {
            continue;
        }
        end = begin + command_length(&text[begin..]);
        found.push(begin..end);
    }
    found
}

/// How long the command is that `text` begins with.
fn command_length(text: &str) -> usize {
    let mut quote = None;
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match (quote, character) {
            (None, ';' | '?' | ')') => return at,
            (None, '\'' | '"') => quote = Some(character),
            (None | Some('"'), '\\') => drop(characters.next()),
            (Some(opened), _) if opened == character => quote = None,
            _ => {}
        }
    }
    text.len()
}

/// Who speaks.
const SPEAKER: &str = "parsim: ";

/// Puts `text` on stdout; that nobody reads on is no error.
pub(super) fn print(text: &str) -> Result<End, Fault> {
    Terminal::print(text)?;
    Ok(End::Status(Exit::Success.status()))
}

/// What was decided about stdout and stderr.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terminal {
    /// How the report looks on stdout.
    pub(super) out: Look,
    /// How it looks on stderr.
    pub(super) err: Look,
}

impl Terminal {
    /// Decides by options, then environment, then what the streams are.
    pub(super) fn of(typed: &Typed) -> Self {
        let lanes = typed.has(Flag::Lanes);
        let color = typed.output.color.unwrap_or(When::Auto);
        let unicode = speaks_unicode() && !typed.has(Flag::Ascii);
        let width = width();
        let look = |is_terminal| {
            let pictures = if is_terminal || lanes { Pictures::Drawn } else { Pictures::Hidden };
            Look {
                styles: styles(color, is_terminal),
                unicode,
                width,
                wraps: is_terminal,
                lists_runs: typed.has(Flag::Trace),
                pictures,
            }
        };
        Self { out: look(io::stdout().is_terminal()), err: look(io::stderr().is_terminal()) }
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
        written(&mut QuietStdout(process::stdout()), draw).context("cannot write to stdout")
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
struct QuietStdout(process::UnbufferedStdout);

impl Write for QuietStdout {
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
    let text = help.render();
    if styles(When::Auto, io::stdout().is_terminal()) == Styles::plain() {
        text.to_string()
    } else {
        text.ansi().to_string()
    }
}

/// Flag, then `NO_COLOR` and `CLICOLOR_FORCE`, then the stream and `TERM`.
fn styles(color: When, is_terminal: bool) -> Styles {
    let colored = match color {
        When::Always => true,
        When::Never => false,
        When::Auto if is_set("NO_COLOR") => false,
        When::Auto
            if env::var_os("CLICOLOR_FORCE").is_some_and(|value| !value.is_empty() && value != "0") =>
        {
            true
        }
        When::Auto => is_terminal && !is_dumb(),
    };
    if colored { Styles::colored() } else { Styles::plain() }
}

/// Columns to draw in: those of the terminal or of `COLUMNS`, within what a
/// picture needs and what the eye follows.
fn width() -> usize {
    let terminal = TerminalSize::of(io::stdout()).or_else(|| TerminalSize::of(io::stderr()));
    let terminal = terminal.or_else(|| TerminalSize::of(io::stdin()));
    let terminal = terminal.map(|size| usize::from(size.columns));
    let told = || env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    terminal.or_else(told).unwrap_or(USUAL_WIDTH).clamp(NARROWEST, WIDEST)
}

/// What has always been the width of a page of text.
const USUAL_WIDTH: usize = 80;

const NARROWEST: usize = 40;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_found_in_messages_from_their_name_to_their_end() {
        let found = |text: &'static str| commands(text).into_iter().map(|at| &text[at]).collect::<Vec<_>>();
        for (text, expected) in [
            ("did you mean parsim parallel -j2 echo ::: 1?", &["parsim parallel -j2 echo ::: 1"][..]),
            ("as in parsim csv --files 20; see parsim --help", &["parsim csv --files 20"]),
            ("see parsim compare --help; or parsim man.", &["parsim compare --help", "parsim man."]),
            (
                "rerun: parsim serial 'a; b?' \"it's)\" it\\'s x",
                &["parsim serial 'a; b?' \"it's)\" it\\'s x"],
            ),
            ("no parsim writes there, and parsim itself took 1 s", &[]),
        ] {
            assert_eq!(found(text), expected, "{text}");
        }
    }
}
