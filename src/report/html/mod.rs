//! A report as one page that explains itself, with pictures.
//!
//! No script, and nothing is loaded from anywhere: the page says the same in
//! ten years, in a mail and on paper. Light and dark by the reader's own
//! setting. What is told, and in which order, the document says; this folder
//! draws it, and alone knows of HTML and SVG.

mod axis;
mod boxes;
mod charts;
mod days;
mod lanes;
mod legend;
mod phases;
mod race;
mod scaling;
mod strip;
#[cfg(test)]
mod tests;

use std::io::Write;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use self::legend::NamedSwatch;
use super::change::StudyPair;
use super::document::{
    Audience, Cells, Chart, Content, Document, Grid, GridRow, ReportSection, Sentence, Tile, Tone,
};
use super::timeline::ShownRuns;
use super::{Format, overview, services};
use crate::sky::{FinderChart, STYLE, SkySource};
use crate::study::{History, Study};
use crate::svg::Svg;
use crate::task::{ConeChart, Mode};
use crate::text::printable;

/// The row of the table of formats.
pub const ROW: Format = Format {
    option: "export-html",
    about: "a self-contained HTML page with charts",
    tells_half_a_run: true,
    render,
    between: Some(render_change),
    history: Some(render_history),
};

/// The browser itself is told to load nothing and to run nothing.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// A table of more columns takes the whole width.
const NARROW_TABLE: usize = 4;

/// A figure of more characters is set smaller, so that it stays in its tile.
const LONGEST_FIGURE: usize = 13;

/// The same of the large figure.
const LONGEST_MAIN: usize = 5;

/// So many columns of figures fit on a telephone, and on any other page.
const FIGURES: [usize; 2] = [3, 10];

/// The class of what was neither run serially nor on threads.
const OF_OTHERS: &str = "processes";

/// The class of what shows the column `way`: there is a colour for serial runs, one for
/// threads, and one for all other engines.
fn class_of(way: &str) -> &'static str {
    let known = [Mode::Serial, Mode::Parallel].into_iter().find(|mode| mode.name() == way);
    known.map_or(OF_OTHERS, Mode::name)
}

/// Draws `study` as a page with pictures.
pub fn page(study: &Study) -> String {
    let foot = html! {
        "Measured and drawn by parsim " (study.version) ". This page loads nothing and runs no script. \
         The saved study (--export-json) holds every number behind it; "
        code { "parsim report" } " draws it again in any format."
    };
    drawn(&overview::document(study), &foot)
}

fn render(study: &Study, out: &mut dyn Write) -> anyhow::Result<()> {
    Ok(out.write_all(page(study).as_bytes())?)
}

fn render_change(pair: &StudyPair<'_>, out: &mut dyn Write) -> anyhow::Result<()> {
    let foot = html! {
        "Drawn by parsim " (env!("CARGO_PKG_VERSION")) ". This page loads nothing and runs no script. "
        code { "parsim report BEFORE.json AFTER.json" } " draws it again in other formats, and "
        code { "--fail-if-slower PCT" } " makes an exit status of it."
    };
    Ok(out.write_all(drawn(&pair.document(), &foot).as_bytes())?)
}

fn render_history(history: &History, name: &str, out: &mut dyn Write) -> anyhow::Result<()> {
    let foot = html! {
        "Drawn by parsim " (env!("CARGO_PKG_VERSION")) " from what " code { "--history" } " kept. \
         This page loads nothing and runs no script."
    };
    Ok(out.write_all(drawn(&services::history_document(history, name), &foot).as_bytes())?)
}

fn drawn(document: &Document<'_>, foot: &Markup) -> String {
    let sections = document
        .sections
        .iter()
        .filter(|section| !matches!(section.audience, Audience::Texts | Audience::Lists));
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="color-scheme" content="light dark";
                title { (document.headline) }
                style { (PreEscaped(include_str!("style.css"))) }
                @if has_sky(document) { style { (PreEscaped(STYLE)) } }
            }
            body {
                (header(document))
                (hero(document))
                (laid_out(sections.flat_map(parts).collect()))
                footer { (foot) }
            }
        }
    };
    page.into_string()
}

/// What is read first: the one figure, large, what it comes to, and a few figures more.
fn hero(document: &Document<'_>) -> Markup {
    let length = |figure: &str, most: usize| (figure.chars().count() > most).then_some("long");
    html! {
        div.hero {
            @if let Some(Tile { figure, about, is_bad }) = &document.hero {
                div.main.bad[*is_bad] {
                    b class=[length(figure, LONGEST_MAIN)] { (figure) }
                    span { (about) }
                }
            }
            div.besides {
                @if !document.conclusion.is_empty() {
                    div.sentence {
                        @for line in &document.conclusion {
                            div class=[(line.tone == Tone::Bad).then_some("bad")] { (line.words()) }
                        }
                    }
                } @else if let Some(lead) = &document.lead {
                    div.sentence { (lead) }
                }
                @if !document.tiles.is_empty() {
                    div.tiles {
                        @for Tile { figure, about, is_bad } in &document.tiles {
                            div.tile.bad[*is_bad] {
                                b class=[length(figure, LONGEST_FIGURE)] { (figure) }
                                span { (about) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn header(document: &Document<'_>) -> Markup {
    html! {
        header {
            h1 { (document.headline) }
            @for it in &document.subjects {
                @if it.when.is_empty() {
                    p { code { (it.command) } }
                    p { (it.moment) " · " (it.place) }
                } @else {
                    p { b { (it.when) } " " (it.name) " · " (it.moment) " · " (it.place) }
                    p { code { (it.command) } }
                }
            }
        }
    }
}

/// A part of the page.
enum PagePart {
    /// From edge to edge.
    Wide(Markup),
    /// A table beside which there is room for pictures.
    NarrowTable(Markup),
    /// Half as wide as the page.
    Narrow(Markup),
}

/// The parts one below the other, where narrow ones stand side by side: pictures
/// beside the table before them.
fn laid_out(parts: Vec<PagePart>) -> Markup {
    let mut parts = parts.into_iter().peekable();
    let mut page = Vec::new();
    while let Some(part) = parts.next() {
        let is_wide = matches!(part, PagePart::Wide(_));
        let next = || match parts.next_if(|next| !is_wide && matches!(next, PagePart::Narrow(_))) {
            Some(PagePart::Narrow(picture)) => Some(picture),
            _ => None,
        };
        let beside: Vec<Markup> = std::iter::from_fn(next).collect();
        page.push(match part {
            PagePart::Wide(it) => it,
            PagePart::NarrowTable(it) if beside.is_empty() => it,
            PagePart::NarrowTable(it) => html! { div.two { (it) div { @for it in beside { (it) } } } },
            PagePart::Narrow(it) => html! { div.two { (it) @for it in beside { (it) } } },
        });
    }
    html! { @for it in page { (it) } }
}

fn parts(section: &ReportSection<'_>) -> Vec<PagePart> {
    let mut parts = Vec::new();
    let is_text = |content: &Content<'_>| match content {
        Content::Table(_) => true,
        Content::Lines(lines) => !lines.is_empty(),
        Content::Notes(notes) => !notes.is_empty(),
        Content::Chart(_) => false,
    };
    let texts: Vec<&Content<'_>> = section.content.iter().filter(|content| is_text(content)).collect();
    if !texts.is_empty() {
        let markup = html! {
            section {
                @if !section.heading.is_empty() { h2 { (section.heading) } }
                @for content in &texts { (text(content)) }
            }
        };
        let is_narrow = |content: &&Content<'_>| matches!(content, Content::Table(grid) if grid.has_labels() && grid.columns.len() <= NARROW_TABLE);
        let is_narrow = texts.first().is_some_and(is_narrow);
        parts.push(if is_narrow { PagePart::NarrowTable(markup) } else { PagePart::Wide(markup) });
    }
    for content in &section.content {
        if let Content::Chart(chart) = content {
            parts.extend(pictures(chart));
        }
    }
    parts
}

fn text(content: &Content<'_>) -> Markup {
    match content {
        Content::Table(grid) => html! {
            @if !grid.rows.is_empty() { (tables(grid)) }
            @if !grid.caption.is_empty() { p { (grid.caption) } }
        },
        Content::Lines(lines) => html! { @for line in lines { (sentence(line)) } },
        Content::Notes(notes) => html! { ul { @for note in notes { li { (note) } } } },
        Content::Chart(_) => html! {},
    }
}

fn sentence(Sentence { lead, text, tone }: &Sentence) -> Markup {
    match tone {
        // Colour alone would tell too few readers.
        Tone::Bad if lead.is_empty() => html! { p { span.bad { "× " (text) } } },
        Tone::Bad => html! { p { (lead) span.bad { (text) } } },
        Tone::Plain | Tone::Strong | Tone::Good => html! { p { (lead) (text) } },
    }
}

/// A table of many figures in several, one below the other; on a telephone in more of
/// them than elsewhere.
fn tables(grid: &Grid) -> Markup {
    let [narrow, wide] = FIGURES.map(|most| grid.in_parts(most));
    let drawn = |grids: &[Grid]| html! { @for grid in grids { div.wide { (table(grid)) } } };
    if narrow.len() == wide.len() {
        return drawn(&wide);
    }
    html! {
        div.if-wide { (drawn(&wide)) }
        div.if-narrow { (drawn(&narrow)) }
    }
}

fn table(grid: &Grid) -> Markup {
    let side = grid.has_labels().then_some("side");
    let bad = |tone: Tone| (tone == Tone::Bad).then_some("bad");
    let class = |at: usize, cells: &Cells| {
        let name = matches!(cells, Cells::Texts | Cells::Verdicts).then_some("name");
        let remark = (*cells == Cells::Remarks).then_some("change");
        let lesser = grid.lesser.contains(&at).then_some("if-wide");
        let classes: Vec<&str> = name.into_iter().chain(remark).chain(lesser).collect();
        (!classes.is_empty()).then(|| classes.join(" "))
    };
    let columns: Vec<(&(Cells, String), Option<String>)> =
        grid.columns.iter().enumerate().map(|(at, column)| (column, class(at, &column.0))).collect();
    html! {
        table class=[side] {
            thead { tr { @for ((_, head), class) in &columns { th class=[class] { (head) } } } }
            tbody {
                @for GridRow { cells, tone } in &grid.rows {
                    tr class=[bad(*tone)] {
                        @for (((kind, _), class), text) in columns.iter().zip(cells) {
                            (cell(*kind, class.as_deref(), text, *tone))
                        }
                    }
                }
            }
        }
    }
}

fn cell(kind: Cells, class: Option<&str>, cell: &str, tone: Tone) -> Markup {
    match kind {
        Cells::Labels => html! { th scope="row" { (cell) } },
        Cells::Figures => html! { td class=[class] { (with_unit(cell)) } },
        Cells::Remarks => html! { td class=[class] { (cell) } },
        Cells::Verdicts if tone == Tone::Bad => html! { td class=[class] { "× " bdi { (cell) } } },
        Cells::Texts | Cells::Verdicts => html! { td class=[class] { bdi { (cell) } } },
    }
}

/// A figure whose unit stays on its line.
fn with_unit(figure: &str) -> String {
    match figure.rsplit_once(' ') {
        Some((number, unit)) => format!("{number}\u{a0}{unit}"),
        None => figure.to_owned(),
    }
}

fn pictures(chart: &Chart<'_>) -> Vec<PagePart> {
    match chart {
        Chart::SpeedUp(study) => scaling::pictures(study),
        Chart::CpuUse(study) => Vec::from_iter(charts::cpu(&ShownRuns::of(study))),
        Chart::TaskTimes(study) => Vec::from_iter(charts::histogram(&ShownRuns::of(study))),
        Chart::Ways(study) => Vec::from_iter(race::both(&ShownRuns::of(study))),
        Chart::Sky(chart) => vec![sky(chart)],
        Chart::Slots(study) => slots(&ShownRuns::of(study)),
        Chart::Phases(study) => Vec::from_iter(phases::picture_of(study)),
        Chart::Days(history) => Vec::from_iter(days::strips(history)),
        Chart::BeforeAfter(columns) => Vec::from_iter(charts::before_after(columns)),
    }
}

/// Whether there is a finder chart, which has a style of its own.
fn has_sky(document: &Document<'_>) -> bool {
    let mut content = document.sections.iter().flat_map(|section| &section.content);
    content.any(|content| matches!(content, Content::Chart(Chart::Sky(_))))
}

/// A finder chart.
fn sky(chart: &ConeChart) -> PagePart {
    let sources: Vec<SkySource<'_>> = chart.sources.iter().map(SkySource::from).collect();
    let ConeChart { title, centre, radius, more, .. } = chart;
    let (title, centre, radius, more) = (title.as_str(), *centre, *radius, *more);
    let figure = FinderChart { title, centre, radius, sources: &sources, more }.figure();
    PagePart::Narrow(html! {
        section {
            h2 { (printable(title)) }
            (PreEscaped(figure))
        }
    })
}

/// Every way at full width; serial where it is alone.
fn slots(runs: &ShownRuns<'_>) -> Vec<PagePart> {
    if runs.main().is_none_or(|shown| shown.run.records.is_empty()) {
        let missing = html! {
            p { "The records of single tasks are not in this study, so when each of them ran cannot be drawn. \
                 Every --export option keeps them." }
        };
        return vec![PagePart::Wide(missing)];
    }
    let further = runs.side_by_side.iter().skip(1).copied();
    runs.main().into_iter().chain(further).filter_map(lanes::slots).collect()
}

/// A picture with its heading, a line about it where one is needed, and what stands for
/// what in it.
fn picture(heading: &str, about: &str, entries: &[NamedSwatch], svg: Svg) -> Markup {
    html! {
        section {
            h2 { (heading) }
            @if !about.is_empty() { p { (about) } }
            (legend::legend(entries))
            (PreEscaped(svg.finish()))
        }
    }
}
