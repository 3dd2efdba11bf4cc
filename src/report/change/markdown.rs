//! What changed, as Markdown: for the comment on a pull request.

use std::fmt::Write as _;
use std::io;

use super::Pair;
use crate::report::{markdown, text};

pub(in crate::report) fn render(pair: &Pair<'_>, out: &mut dyn io::Write) -> anyhow::Result<()> {
    let mut page = String::new();
    for (when, side) in pair.sides() {
        let about = markdown::escaped(&side.about());
        let _ = writeln!(page, "- {when}: {about}: {}", markdown::code(&text::command_line(side.study)));
    }
    page.push('\n');
    if !pair.changes.columns.is_empty() {
        markdown::table(&mut page, &pair.table());
        page.push('\n');
    }
    let verdicts = pair.verdicts().into_iter().map(|(_, verdict)| verdict);
    for point in verdicts.chain(pair.results()).chain(pair.notes()) {
        let _ = writeln!(page, "- {}", markdown::escaped(&point));
    }
    Ok(out.write_all(page.as_bytes())?)
}
