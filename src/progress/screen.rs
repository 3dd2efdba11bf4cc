//! The terminal that progress is drawn on, for the drawing of [`indicatif`].
//!
//! What is drawn at once is written at once. The cursor is left a few columns before the
//! end of the last line, so that the `^C` of a terminal finds room there: behind the end it
//! would begin a line, and what was drawn could not be taken away any more.

use std::io::{self, Write as _};
use std::os::fd::AsFd;
use std::sync::Arc;

use indicatif::TermLike;
use terminal_size::{Height, Width, terminal_size_of};

use crate::process;
use crate::sync::Mutex;

/// Columns and lines of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TerminalSize {
    /// Columns.
    pub columns: u16,
    /// Lines.
    pub lines: u16,
}

impl TerminalSize {
    /// The size of the terminal that `stream` is, if it is one and tells.
    pub fn of(stream: impl AsFd) -> Option<Self> {
        let (Width(columns), Height(lines)) = terminal_size_of(stream)?;
        (columns > 0 && lines > 0).then_some(Self { columns, lines })
    }
}

/// One that does not tell is of the usual size.
impl Default for TerminalSize {
    fn default() -> Self {
        Self { columns: 80, lines: 24 }
    }
}

/// Stderr, where it is a terminal, of the size for which was drawn what is on it: that
/// a person makes it larger or smaller meanwhile is seen with the next picture.
#[derive(Clone, Debug, Default)]
pub(super) struct Screen {
    size: Arc<Mutex<TerminalSize>>,
    /// What is to be written next.
    waiting: Arc<Mutex<String>>,
}

impl Screen {
    /// Reads the size, for the next picture.
    pub(super) fn measure(&self) -> TerminalSize {
        let size = TerminalSize::of(io::stderr()).unwrap_or_default();
        *self.size.lock() = size;
        size
    }

    /// Moves the cursor by `n` to where `letter` says.
    fn go(&self, n: usize, letter: char) -> io::Result<()> {
        if n == 0 { Ok(()) } else { self.write_str(&format!("\x1b[{n}{letter}")) }
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        self.size.lock().columns
    }

    fn height(&self) -> u16 {
        self.size.lock().lines
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
