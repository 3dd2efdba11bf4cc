//! A study as one page that explains itself: figures, pictures and the sentence
//! that says what held the speed-up back.
//!
//! No script, and nothing is loaded from anywhere: the page says the same in
//! ten years, in a mail and on paper. Light and dark by the reader's own
//! setting. Numbers come from `study` and `timeline`; this only draws them.

mod change;
mod charts;
mod lanes;
mod scaling;
mod tasks;
#[cfg(test)]
mod tests;
mod tiles;

use std::io::Write;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{Row, Table, services, text, timeline};
use crate::format;
use crate::study::{ColumnResult, RunResult, Study, explain};
use crate::style::Styles;
use crate::task::Mode;

/// The row of the table of formats.
pub const ROW: Row = Row {
    option: "export-html",
    about: "a page with pictures, which loads nothing from anywhere",
    render,
    between: Some(change::render),
};

/// The browser itself is told to load nothing and to run nothing.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// A table of more columns takes the whole width.
const NARROW_TABLE: usize = 4;

/// A run that stands for its column.
#[derive(Clone, Copy)]
struct Shown<'a> {
    column: &'a ColumnResult,
    /// What its way is called.
    name: &'a str,
    /// Its place among the runs, from 1.
    number: usize,
    run: &'a RunResult,
}

/// The class of what was neither run serially nor on threads.
const OF_OTHERS: &str = "processes";

/// The class of what shows the column `way`: there is a colour for serial runs, one for
/// threads, and one for all other engines.
fn class_of(way: &str) -> &'static str {
    let known = [Mode::Serial, Mode::Parallel].into_iter().find(|mode| mode.name() == way);
    known.map_or(OF_OTHERS, Mode::name)
}

/// What is looked at: of several widths the widest.
struct View<'a> {
    study: &'a Study,
    serial: Option<Shown<'a>>,
    /// On threads where there are such.
    parallel: Option<Shown<'a>>,
    /// In processes, where `parallel` is on threads.
    processes: Option<Shown<'a>>,
}

impl<'a> View<'a> {
    fn of(study: &'a Study) -> Self {
        let shown = |column: &'a ColumnResult| {
            let name = study.called(column.way());
            timeline::shown(column).map(|(number, run)| Shown { column, name, number, run })
        };
        let mut widest = study.widest_of_each();
        let (parallel, processes) = (widest.next(), widest.next());
        Self {
            study,
            serial: study.serial().and_then(shown),
            parallel: parallel.and_then(shown),
            processes: processes.and_then(shown),
        }
    }

    /// The ways there are, serial first.
    fn ways(&self) -> impl Iterator<Item = Shown<'a>> {
        self.serial.into_iter().chain(self.side_by_side())
    }

    /// The ways that did several tasks at a time.
    fn side_by_side(&self) -> impl Iterator<Item = Shown<'a>> {
        self.parallel.into_iter().chain(self.processes)
    }

    /// The run that most pictures are of.
    fn main(&self) -> Option<Shown<'a>> {
        self.parallel.or(self.serial)
    }
}

impl Shown<'_> {
    /// Wall time in seconds.
    fn wall(&self) -> f64 {
        self.run.wall.as_secs_f64()
    }

    /// `parallel run 3 of 5`, or without the number where there is just one.
    fn title(&self) -> String {
        match self.column.runs.len() {
            1 => format!("{} run", self.name),
            n_runs => format!("{} run ({} of {n_runs})", self.name, self.number),
        }
    }
}

fn render(study: &Study, out: &mut dyn Write) -> anyhow::Result<()> {
    let view = View::of(study);
    let title = title(&view);
    let body = html! {
        (head(study, &title))
        (tiles::draw(&view))
        @if let Some(sentence) = explain(study) {
            p.sentence { (format::printable(&sentence)) }
        }
        (services(study))
        (side_by_side(&view))
        (pictures(&view))
        (tasks::draw(&view))
        (notes(study))
        (foot(study))
    };
    Ok(out.write_all(page(&title, &body).as_bytes())?)
}

/// A whole page.
fn page(title: &str, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(include_str!("style.css"))) }
            }
            body { (body) }
        }
    };
    page.into_string()
}

fn title(view: &View<'_>) -> String {
    let tasks = view.main().map_or(0, |shown| shown.run.tasks);
    let ways = match (view.serial, view.parallel) {
        (Some(_), Some(parallel)) => format!("one at a time and {} at a time", parallel.column.width),
        (None, Some(parallel)) => format!("{} at a time", parallel.column.width),
        _ => "one at a time".to_owned(),
    };
    let (workload, unit) = (&view.study.workload, &view.study.unit);
    format::printable(&format!("{workload}: {}, {ways}", format::plural(tasks, unit)))
}

fn head(study: &Study, title: &str) -> Markup {
    html! {
        header {
            h1 { (title) }
            p { code { (text::command_line(study)) } }
            p { (format::moment(study.started)) " · " (place(study)) }
        }
    }
}

/// Where it was measured.
fn place(study: &Study) -> String {
    let host = &study.host;
    let mut place = Vec::new();
    place.extend(host.hostname.as_ref().map(|name| format!("host {name}")));
    place.extend(host.cpu_model.clone());
    let physical = host.physical.map_or_else(String::new, |n| format!(", {n} physical"));
    place.push(format!("{} of {} logical cores{physical}", host.usable, host.logical));
    place.push(format!("{} {}", host.os, host.kernel.as_deref().unwrap_or("")));
    format::printable(place.join(" · ").trim_end())
}

fn side_by_side(view: &View<'_>) -> Markup {
    let table = Table::of(view.study);
    let pictures: Vec<Markup> = [charts::cpu(view), charts::histogram(view)].into_iter().flatten().collect();
    let figures = html! {
        section {
            h2 { @if table.n_figures() > 1 { "Side by side" } @else { "What it took" } }
            div.wide { (drawn(&table)) }
            @for line in text::summary(view.study, Styles::plain()) { p { (line) } }
            @for line in text::results(view.study) { p { (line) } }
            @for line in text::whereabouts(view.study) { p { (line) } }
        }
    };
    if table.header.len() > NARROW_TABLE || pictures.is_empty() {
        return html! { (figures) div.two { @for picture in pictures { (picture) } } };
    }
    html! { div.two { (figures) div { @for picture in pictures { (picture) } } } }
}

/// The services that were checked, where the study is about some.
fn services(study: &Study) -> Markup {
    let Some(listing) = services::listing(study) else { return html! {} };
    html! {
        section {
            h2 { "Services" }
            @if !listing.rows.is_empty() {
                div.wide tabindex="0" {
                    table {
                        thead {
                            tr {
                                @for (at, head) in listing.header.iter().enumerate() {
                                    th.name[at < listing.n_texts] { (head) }
                                }
                            }
                        }
                        tbody {
                            @for row in &listing.rows {
                                tr.bad[!row.is_up] {
                                    @for (at, cell) in row.cells.iter().enumerate() {
                                        td.name[at < listing.n_texts] { bdi { (cell) } }
                                    }
                                }
                            }
                        }
                    }
                }
            }
            p { (listing.tally) }
            @for line in services::particulars(study) { p { (line) } }
        }
    }
}

fn drawn(table: &Table) -> Markup {
    let n_figures = table.n_figures();
    html! {
        table.side {
            thead { tr { @for head in &table.header { th { (head) } } } }
            tbody {
                @for line in &table.lines {
                    tr {
                        th scope="row" { (format::printable(&line.label)) }
                        @for (at, cell) in line.cells.iter().enumerate() {
                            td.change[at >= n_figures] { (cell) }
                        }
                    }
                }
            }
        }
    }
}

fn pictures(view: &View<'_>) -> Markup {
    let is_kept = view.main().is_some_and(|shown| !shown.run.records.is_empty());
    html! {
        @if is_kept {
            (lanes::both(view))
            @for shown in view.main().into_iter().chain(view.processes) { (lanes::slots(shown)) }
        } @else {
            p { "The records of single tasks are not in this study, so when each of them ran cannot be drawn. \
                 Every --export option keeps them." }
        }
        (scaling::draw(view))
    }
}

fn notes(study: &Study) -> Markup {
    let remarks = study.remarks.iter().map(|remark| format::printable(remark));
    let load = text::other_load(study).map(|line| line.trim_start_matches("note: ").to_owned());
    let lines: Vec<String> = remarks.chain(load).collect();
    html! {
        @if !lines.is_empty() {
            h2 { "Notes" }
            ul { @for line in lines { li { (line) } } }
        }
    }
}

fn foot(study: &Study) -> Markup {
    html! {
        footer {
            "Measured and drawn by parsim " (study.version) ". This page loads nothing and runs no script. \
             The saved study (--export-json) holds every number behind it; "
            code { "parsim report" } " draws it again in any format."
        }
    }
}

/// A picture with its heading, and a line about it where one is needed.
fn picture(heading: &str, about: &str, svg: String) -> Markup {
    html! {
        section {
            h2 { (heading) }
            @if !about.is_empty() { p { (about) } }
            (PreEscaped(svg))
        }
    }
}

/// The same for one too wide for a telephone: it is moved sideways.
fn wide_picture(heading: &str, about: &str, svg: String) -> Markup {
    html! {
        section {
            h2 { (heading) }
            @if !about.is_empty() { p { (about) } }
            div.wide tabindex="0" { (PreEscaped(svg)) }
        }
    }
}

/// Seconds as people read them.
fn seconds(value: f64) -> String {
    format::seconds(value)
}
