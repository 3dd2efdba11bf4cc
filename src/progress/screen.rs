//! The terminal that progress is drawn on, for the drawing of [`indicatif`].
//!
//! What is drawn at once is written at once. The cursor is left a few columns before the
//! end of the last line, so that the `^C` of a terminal finds room there: behind the end it
//! would begin a line, and what was drawn could not be taken away any more.

use std::io::{self, Write as _};

use indicatif::TermLike;
use terminal_size::{Height, Width, terminal_size_of};

use crate::process;
use crate::sync::Mutex;

/// Columns of a terminal that does not tell.
const USUAL_WIDTH: u16 = 80;

/// Lines of one.
const USUAL_HEIGHT: u16 = 24;

/// Stderr, where it is a terminal.
#[derive(Debug, Default)]
pub(super) struct Screen {
    /// What is to be written next.
    waiting: Mutex<String>,
}

/// Columns and lines.
pub(super) fn size() -> (u16, u16) {
    match terminal_size_of(io::stderr()) {
        Some((Width(columns), Height(lines))) if columns > 0 && lines > 0 => (columns, lines),
        _ => (USUAL_WIDTH, USUAL_HEIGHT),
    }
}

impl Screen {
    /// Moves the cursor by `n` to where `letter` says.
    fn go(&self, n: usize, letter: char) -> io::Result<()> {
        if n == 0 { Ok(()) } else { self.write_str(&format!("\x1b[{n}{letter}")) }
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        size().0
    }

    fn height(&self) -> u16 {
        size().1
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.go(n, 'A')
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.go(n, 'B')
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.go(n, 'C')
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.go(n, 'D')
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(text)?;
        self.write_str("\n")
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.waiting.lock().push_str(text);
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        self.write_str("\r\x1b[2K")
    }

    fn flush(&self) -> io::Result<()> {
        self.move_cursor_left(4)?;
        let text = std::mem::take(&mut *self.waiting.lock());
        process::stderr().write_all(text.as_bytes())
    }
}
