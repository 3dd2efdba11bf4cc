//! The table and what it means as Markdown, for an issue, a pull request or a
//! job summary.
//!
//! Whatever a task is called stays text: no name opens a link, a tag or another
//! cell, or calls somebody.

use std::fmt::Write as _;
use std::io;

use super::change::StudyPair;
use super::document::{Audience, Cells, Content, Document, Grid};
use super::{Format, overview, services};
use crate::study::{History, Study};

/// The row of the table of formats.
pub const ROW: Format = Format {
    option: "export-markdown",
    about: "the table as Markdown",
    tells_half_a_run: true,
    render,
    between: Some(render_change),
    history: Some(render_history),
};

fn render(study: &Study, out: &mut dyn io::Write) -> anyhow::Result<()> {
    Ok(out.write_all(drawn(&overview::document(study)).as_bytes())?)
}

fn render_change(pair: &StudyPair<'_>, out: &mut dyn io::Write) -> anyhow::Result<()> {
    Ok(out.write_all(drawn(&pair.document()).as_bytes())?)
}

fn render_history(history: &History, name: &str, out: &mut dyn io::Write) -> anyhow::Result<()> {
    Ok(out.write_all(drawn(&services::history_document(history, name)).as_bytes())?)
}

fn drawn(document: &Document<'_>) -> String {
    let mut page = title(document);
    let sections = document
        .sections
        .iter()
        .filter(|section| !matches!(section.audience, Audience::Pages | Audience::Lists));
    for content in sections.flat_map(|section| &section.content) {
        match content {
            Content::Table(grid) => table(&mut page, grid),
            Content::Lines(lines) => lines.iter().for_each(|line| point(&mut page, &line.words())),
            Content::Notes(notes) => notes.iter().for_each(|note| point(&mut page, &format!("note: {note}"))),
            Content::Chart(_) => {}
        }
    }
    document.conclusion.iter().for_each(|line| point(&mut page, &line.words()));
    page
}

fn title(document: &Document<'_>) -> String {
    match &document.subjects[..] {
        [only] if only.about.is_empty() => format!("{}\n\n", code(&only.command)),
        [only] => format!("{}\n\n{}\n\n", code(&only.command), escaped(&only.about)),
        several => {
            let mut title = String::new();
            for it in several {
                let about = escaped(&format!("{}, {}: {}", it.name, it.moment, it.about));
                point_of(&mut title, &format!("{}: {about}: {}", it.when, code(&it.command)));
            }
            title + "\n"
        }
    }
}

fn point(page: &mut String, text: &str) {
    point_of(page, &escaped(text));
}

fn point_of(page: &mut String, markup: &str) {
    let _ = writeln!(page, "- {markup}");
}

/// Set apart from a list before it, and ready for one behind it.
fn table(page: &mut String, grid: &Grid) {
    if !page.ends_with("\n\n") {
        page.push('\n');
    }
    if !grid.rows.is_empty() {
        line(page, grid.columns.iter().map(|(_, head)| head));
        let rule = |(cells, _): &(Cells, String)| if *cells == Cells::Figures { "---:" } else { "---" };
        let rules: Vec<&str> = grid.columns.iter().map(rule).collect();
        let _ = writeln!(page, "| {} |", rules.join(" | "));
        grid.rows.iter().for_each(|row| line(page, &row.cells));
        page.push('\n');
    }
    if !grid.caption.is_empty() {
        let _ = writeln!(page, "{}\n", escaped(&grid.caption));
    }
}

fn line<'a>(page: &mut String, cells: impl IntoIterator<Item = &'a String>) {
    for cell in cells {
        let _ = write!(page, "| {} ", escaped(cell));
    }
    page.push_str("|\n");
}

/// `text` as inline code, whatever ticks it holds.
fn code(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// `text` with everything that Markdown could take for its own behind a backslash.
/// A mention is broken by an invisible character, for no backslash stops it.
fn escaped(text: &str) -> String {
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
