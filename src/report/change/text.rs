//! What changed, for a terminal or a log.

use super::{Pair, Trend};
use crate::report::{Look, Pictures, terminal, text};
use crate::style::paint;
use crate::text::printable;

/// Draws `pair`; ends with a newline.
#[must_use]
pub fn render(pair: &Pair<'_>, look: Look) -> String {
    let mut lines = Vec::new();
    for (when, side) in pair.sides() {
        lines.push(format!("{when:7} {}", side.about()));
        lines.push(format!("{:7} {}", "", paint(look.styles.strong, &text::command_line(side.study))));
    }
    lines.push(String::new());
    if !pair.changes.columns.is_empty() {
        lines.extend(pair.table().split(look.width).iter().map(|table| text::drawn(table, look)));
    }
    for (trend, verdict) in pair.verdicts() {
        lines.push(match trend {
            Trend::Slower | Trend::Unclaimed => paint(look.styles.bad, &verdict),
            Trend::Faster => paint(look.styles.good, &verdict),
            Trend::Same | Trend::Untested => verdict,
        });
    }
    lines.extend(pair.results());
    lines.extend(pair.notes().iter().map(|note| format!("note: {}", printable(note))));
    if look.pictures == Pictures::Drawn {
        lines.extend(bars(pair, look));
    }
    let mut text = lines.join("\n");
    text.push('\n');
    text
}

/// The medians of all columns on one axis, two bars each.
fn bars(pair: &Pair<'_>, look: Look) -> Vec<String> {
    let bars: Vec<(String, f64)> = pair
        .changes
        .columns
        .iter()
        .flat_map(|change| {
            let head = pair.head(change);
            [(format!("{head} before"), change.before.wall()), ("after".to_owned(), change.after.wall())]
        })
        .collect();
    let drawn = terminal::bars(&bars, look);
    if drawn.is_empty() { drawn } else { [vec![String::new()], drawn].concat() }
}
