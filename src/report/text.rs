//! A report for a terminal or a log.

use super::change::StudyPair;
use super::document::{Audience, Content, Document, Sentence, Subject};
use super::{Look, Pictures, overview, services, terminal};
use crate::study::{History, Study};
use crate::style::{Styles, paint};
use crate::text::{wrapped, wrapped_around};

/// Draws `study` without colours; ends with a newline.
#[must_use]
pub fn plain(study: &Study) -> String {
    render(study, Look::plain())
}

/// Draws `study`; ends with a newline.
#[must_use]
pub fn render(study: &Study, look: Look) -> String {
    drawn(&overview::document(study), look)
}

/// Draws what changed between two studies; ends with a newline.
#[must_use]
pub fn render_change(pair: &StudyPair<'_>, look: Look) -> String {
    drawn(&pair.document(), look)
}

/// Draws a history of services, which is kept in the file `name`; ends with a newline.
#[must_use]
pub fn render_history(history: &History, name: &str, look: Look) -> String {
    drawn(&services::history_document(history, name), look)
}

/// Lines that belong to one that was too long begin with so many blanks.
const HANGING: usize = 2;

/// Lines, with an empty one around what is no line.
struct Page {
    look: Look,
    lines: Vec<String>,
    /// Whether what comes next is to stand apart.
    is_apart: bool,
}

impl Page {
    fn add(&mut self, lines: impl IntoIterator<Item = String>) {
        for line in lines {
            if std::mem::take(&mut self.is_apart) && !self.lines.is_empty() {
                self.lines.push(String::new());
            }
            self.lines.push(line);
        }
    }

    /// The same with words, which are broken where the terminal is too narrow for them.
    fn say(&mut self, lines: impl IntoIterator<Item = String>) {
        let Look { wraps, width, .. } = self.look;
        self.add(lines.into_iter().map(|line| if wraps { wrapped(&line, width, HANGING) } else { line }));
    }
}

fn drawn(document: &Document<'_>, look: Look) -> String {
    let mut page = Page { look, lines: Vec::new(), is_apart: false };
    page.say(title(document, look));
    page.is_apart = true;
    let is_shown = |audience| match audience {
        Audience::Pages => false,
        Audience::Lists => look.lists_runs,
        Audience::Everybody | Audience::Texts => true,
    };
    let sections = document.sections.iter().filter(|section| is_shown(section.audience));
    for content in sections.flat_map(|section| &section.content) {
        match content {
            Content::Table(grid) => {
                page.is_apart = true;
                if !grid.rows.is_empty() {
                    page.add(terminal::table::drawn(grid, look));
                }
                page.say(Some(&grid.caption).filter(|caption| !caption.is_empty()).cloned());
            }
            Content::Lines(lines) => page.say(lines.iter().map(|line| sentence(line, look.styles))),
            Content::Notes(notes) => page.say(notes.iter().map(|note| format!("note: {note}"))),
            Content::Chart(chart) if look.pictures == Pictures::Drawn => {
                let picture = terminal::picture(chart, look);
                let is_drawn = !picture.is_empty();
                page.is_apart |= is_drawn;
                page.add(picture);
                page.is_apart |= is_drawn;
            }
            Content::Chart(_) => {}
        }
    }
    page.add(document.hint.iter().map(|hint| hint_in(hint, look)));
    page.say(document.conclusion.iter().map(|line| sentence(line, look.styles)));
    let mut text = page.lines.join("\n");
    text.push('\n');
    text
}

/// `hint`, at whose end is a command to copy, which is never broken.
fn hint_in(hint: &str, look: Look) -> String {
    let painted = paint(look.styles.faint, hint);
    if !look.wraps {
        return painted;
    }
    let command = painted.find("parsim ").unwrap_or(painted.len())..painted.len();
    wrapped_around(&painted, std::slice::from_ref(&command), look.width, HANGING)
}

fn title(document: &Document<'_>, look: Look) -> Vec<String> {
    let strong = |text: &str| paint(look.styles.strong, text);
    match &document.subjects[..] {
        [only] if only.about.is_empty() => Vec::new(),
        [Subject { command, about, .. }] => {
            let is_long = command.chars().count() + about.chars().count() + BETWEEN.len() > look.width;
            if look.wraps && is_long {
                return vec![strong(command), about.clone()];
            }
            vec![format!("{}{BETWEEN}{about}", strong(command))]
        }
        several => several
            .iter()
            .flat_map(|it| {
                [
                    format!("{:7} {}, {}: {}", it.when, it.name, it.moment, it.about),
                    format!("{:7} {}", "", strong(&it.command)),
                ]
            })
            .collect(),
    }
}

/// What stands between a command and what is said about it.
const BETWEEN: &str = "   ";

fn sentence(Sentence { lead, text, tone }: &Sentence, styles: Styles) -> String {
    format!("{lead}{}", paint(terminal::style(*tone, styles), text))
}
