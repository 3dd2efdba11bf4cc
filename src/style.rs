//! The colours of parsim as values handed down, so that no writer of text
//! asks whether it speaks to a terminal. Colour is never the only carrier.
//!
//! Does not know which stream it is for: `cli::terminal` decides that.

use anstyle::{AnsiColor, Style};

/// The styles of one output stream; `plain()` has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Styles {
    /// Headings and the figure that matters.
    pub strong: Style,
    /// Good news: identical results.
    pub good: Style,
    /// Bad news: failures, differing results.
    pub bad: Style,
    /// Hints and lesser words.
    pub faint: Style,
}

impl Styles {
    /// No colour at all.
    pub const fn plain() -> Self {
        Self { strong: Style::new(), good: Style::new(), bad: Style::new(), faint: Style::new() }
    }

    /// Colours for a terminal.
    pub const fn colored() -> Self {
        Self {
            strong: Style::new().bold(),
            good: AnsiColor::Green.on_default(),
            bad: AnsiColor::Red.on_default().bold(),
            faint: Style::new().dimmed(),
        }
    }
}

/// `text` in `style`, reset behind it.
pub fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_styles_leave_text_as_it_is() {
        assert_eq!(paint(Styles::plain().bad, "failed"), "failed");
        assert_eq!(paint(Styles::colored().strong, "x"), "\u{1b}[1mx\u{1b}[0m");
    }
}
