//! The table and what it means as Markdown, for an issue, a pull request or a
//! job summary.
//!
//! Whatever a task is called stays text: no name opens a link, a tag or another
//! cell, or calls somebody.

use std::fmt::Write as _;
use std::io;
use std::ops::Range;

use super::{Row, Table, change, services, text};
use crate::study::{Study, explain};
use crate::style::Styles;
use crate::text::printable;

/// The row of the table of formats.
pub const ROW: Row = Row {
    option: "export-markdown",
    about: "the table as Markdown",
    render,
    between: Some(change::markdown),
};

fn render(study: &Study, out: &mut dyn io::Write) -> anyhow::Result<()> {
    let mut page = format!("{}\n\n{}\n\n", code(&text::command_line(study)), escaped(&text::about(study)));
    if let Some(listing) = services::listing(study) {
        head(&mut page, &listing.header, listing.n_texts..listing.header.len());
        for row in &listing.rows {
            line(&mut page, &row.cells);
        }
        let _ = writeln!(page, "\n{}\n", escaped(&listing.tally));
    }
    table(&mut page, &Table::of(study));
    page.push('\n');
    let plain = Styles::plain();
    let said = [
        text::summary(study, plain),
        services::particulars(study),
        text::failures(study, plain),
        study.remarks.iter().map(|remark| format!("note: {}", printable(remark))).collect(),
        text::other_load(study).into_iter().collect(),
        explain(study).as_deref().map(printable).into_iter().collect(),
    ];
    for point in said.iter().flatten() {
        let _ = writeln!(page, "- {}", escaped(point));
    }
    Ok(out.write_all(page.as_bytes())?)
}

/// `table` with figures to the right.
pub(super) fn table(page: &mut String, table: &Table) {
    head(page, &table.header, 1..table.n_figures() + 1);
    for row in &table.lines {
        line(page, std::iter::once(&row.label).chain(&row.cells));
    }
}

/// The head of a table, and which of its columns are figures.
fn head(page: &mut String, header: &[impl AsRef<str>], figures: Range<usize>) {
    line(page, header);
    let rule = |at| if figures.contains(&at) { "---:" } else { "---" };
    let rules: Vec<&str> = (0..header.len()).map(rule).collect();
    let _ = writeln!(page, "| {} |", rules.join(" | "));
}

fn line(page: &mut String, cells: impl IntoIterator<Item = impl AsRef<str>>) {
    for cell in cells {
        let _ = write!(page, "| {} ", escaped(cell.as_ref()));
    }
    page.push_str("|\n");
}

/// `text` as inline code, whatever ticks it holds.
pub(super) fn code(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// `text` with everything that Markdown could take for its own behind a backslash.
/// A mention is broken by an invisible character, for no backslash stops it.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '@' | '#' => {
                escaped.push(character);
                escaped.push('\u{2060}');
            }
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' => {
                escaped.push('\\');
                escaped.push(character);
            }
            _ => escaped.push(character),
        }
    }
    // A bare address would become a link.
    escaped.replace("://", ":\u{2060}//")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_with_ticks_has_a_longer_fence() {
        assert_eq!(code("a b"), "`a b`");
        assert_eq!(code("echo ``x`` y"), "```echo ``x`` y```");
        assert_eq!(code("`x`"), "`` `x` ``");
    }

    #[test]
    fn nothing_in_a_name_is_markup() {
        assert_eq!(escaped("a|b <i> [x](y) `c`"), "a\\|b &lt;i> \\[x\\](y) \\`c\\`");
        assert!(!escaped("@someone see https://x").contains("@s"));
    }
}
