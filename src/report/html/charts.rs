//! CPU use over time, how long single tasks took, and every run before and after: a
//! sentence instead, where a picture would have nothing in it.

use std::fmt::Write as _;

use maud::html;

use super::axis::{Axis, TimeAxis};
use super::boxes::NARROW;
use super::legend::NamedSwatch;
use super::{PagePart, class_of, picture};
use crate::host::Host;
use crate::numbers::{self, seconds};
use crate::report::timeline::{self, ShownRun, ShownRuns, TimeUnit};
use crate::study::{ColumnResult, median};
use crate::svg::{Anchor, Hundredth, Svg, Tenth, text_width};

const HEIGHT: f64 = 196.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = HEIGHT - 36.0;

/// Steps of the CPU curve, which are about three pixels wide.
const CPU_BINS: usize = 140;

/// Tasks that keep less than this of a core busy make no curve that could be seen.
const SEEN: f64 = 0.05;

/// Bars of the histogram.
const BARS: usize = 24;

/// Fewer tasks are no distribution: what each of them took stands in the table.
const FEWEST_TASKS: usize = 10;

/// Where all tasks took as long but for this share of it, one bar would say so.
const ALIKE: f64 = 0.03;

/// A histogram whose longest task is this much beyond nearly all others leaves it out.
const FAR_OUT: f64 = 4.0;

/// CPU use while the main run lasted.
pub(super) fn cpu(runs: &ShownRuns<'_>) -> Option<PagePart> {
    let shown = runs.main().filter(|shown| !shown.run.records.is_empty() && shown.wall() > 0.0)?;
    let heading = format!("CPU use during the {}", shown.title());
    let total: f64 = shown.run.records.iter().map(|record| record.cpu.as_secs_f64()).sum();
    if total / shown.wall() < SEEN {
        let (total, wall) = (seconds(total), seconds(shown.wall()));
        return Some(sentence(
            &heading,
            &format!("The tasks took {total} of CPU time in {wall}: they waited."),
        ));
    }
    let levels = timeline::cpu(&shown.run.records, shown.wall(), CPU_BINS);
    let host = &runs.study.host;
    let cores = host.usable.min(shown.column.width).max(1);
    let highest = levels.iter().copied().fold(cores as f64, f64::max);
    let y = Axis::rounded(BOTTOM, TOP, highest * 100.0, 4.0);
    let mut svg = Svg::fluid("plot", HEIGHT, "CPU use over time");
    y.draw_beside(&mut svg, "CPU %");
    TimeAxis::exact(shown.wall()).draw_below(&mut svg, TOP, BOTTOM, "wall time");
    let mut area = format!("M0 {}", Tenth(BOTTOM));
    for (bin, level) in (1..).zip(&levels) {
        let right = 100.0 * f64::from(bin) / CPU_BINS as f64;
        let _ = write!(area, "V{}H{}", Tenth(y.at(level * 100.0)), Hundredth(right));
    }
    let _ = write!(area, "V{}z", Tenth(BOTTOM));
    svg.path(class_of(shown.column.way()), &area);
    for (number, name) in core_marks(host, y.most / 100.0) {
        let height = y.at(number as f64 * 100.0);
        svg.line("mark", (0.0, height), (100.0, height));
        let text = format!("{number} {name} {}", if number == 1 { "core" } else { "cores" });
        svg.text_beside("halo", (100.0, height - 4.0), -4.0, Anchor::End, &text);
    }
    let about = "Each task's CPU time, spread evenly over its wall time.";
    Some(PagePart::Narrow(picture(&heading, about, &[], svg)))
}

/// What is said where there is nothing to draw.
fn sentence(heading: &str, text: &str) -> PagePart {
    PagePart::Narrow(html! { section { h2 { (heading) } p { (text) } } })
}

/// Where the cores of `host` end, on an axis of them up to `most`: how many there are,
/// and of which kind.
pub(super) fn core_marks(host: &Host, most: f64) -> impl Iterator<Item = (usize, &'static str)> {
    let physical = host.physical.filter(|physical| *physical != host.usable);
    let kinds = [(physical, "physical"), (Some(host.usable), "logical")].into_iter();
    kinds.filter_map(move |(number, kind)| Some((number.filter(|number| *number as f64 <= most)?, kind)))
}

/// How the wall times of tasks are distributed, both ways in one picture.
pub(super) fn histogram(runs: &ShownRuns<'_>) -> Option<PagePart> {
    let kept: Vec<Series<'_>> = runs.all().filter(|it| !it.run.records.is_empty()).map(Series::of).collect();
    let ends = |end: fn(&[f64]) -> Option<&f64>| kept.iter().filter_map(move |it| end(&it.walls)).copied();
    let longest = ends(<[f64]>::last).fold(0.0, f64::max);
    let shortest = ends(<[f64]>::first).fold(f64::INFINITY, f64::min);
    let n_tasks = kept.iter().map(|series| series.walls.len()).max().unwrap_or(0);
    if longest <= 0.0 || n_tasks < 2 {
        return None;
    }
    let heading = "How long single tasks took";
    if longest - shortest <= ALIKE * longest {
        let (shortest, longest) = (seconds(shortest), seconds(longest));
        let told = if shortest == longest { longest } else { format!("{shortest} to {longest}") };
        return Some(sentence(heading, &format!("All took about as long: {told}.")));
    }
    if n_tasks < FEWEST_TASKS {
        return None;
    }
    let nearly_all = kept.iter().map(|series| series.quantile(0.99)).fold(0.0, f64::max);
    let is_far_out = longest > FAR_OUT * nearly_all && nearly_all > 0.0;
    let x = TimeAxis::rounded(if is_far_out { nearly_all * 1.2 } else { longest });
    let counts: Vec<[u32; BARS]> = kept.iter().map(|series| series.counts(x)).collect();
    let tallest = counts.iter().flatten().copied().max().unwrap_or(1);
    if tallest < 2 {
        return None;
    }
    let y = Axis::counts(BOTTOM, TOP, f64::from(tallest), 4.0);
    let mut svg = Svg::fluid("plot", HEIGHT, "how long single tasks took");
    y.draw_beside(&mut svg, "tasks");
    x.draw_below(&mut svg, TOP, BOTTOM, "wall time of a task");
    let bin = 100.0 / BARS as f64;
    let bar = (bin - BETWEEN_BARS) / kept.len() as f64;
    for (at, (series, counts)) in kept.iter().zip(&counts).enumerate() {
        for (place, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let top = y.at(f64::from(*count));
            let left = bin * place as f64 + bar * at as f64;
            svg.rect(series.class, [left, top, bar, BOTTOM - top]);
        }
        let middle = x.at(series.median);
        svg.line(&format!("median-{}", series.class), (middle, TOP - 6.0), (middle, BOTTOM));
    }
    let first = kept.first().map_or(0.0, |series| series.median);
    let entry = |(at, series): (usize, &Series<'_>)| {
        let mut text = format!("{}, median {}", series.name, seconds(series.median));
        if kept.len() == 2 && at > 0 && first > 0.0 {
            text += &format!(" ({})", numbers::change(series.median / first));
        }
        NamedSwatch::area(series.class, text)
    };
    let legend: Vec<NamedSwatch> = kept.iter().enumerate().map(entry).collect();
    let beyond = kept.iter().flat_map(|series| &series.walls).filter(|wall| x.share(**wall) > 1.0).count();
    let mut about = String::new();
    if beyond > 0 {
        let tasks = numbers::plural(beyond as u64, "task");
        about = format!("{tasks} longer than the axis, up to {}.", seconds(longest));
    }
    Some(PagePart::Narrow(picture(heading, &about, &legend, svg)))
}

/// Between the bars of two times, in per cent of the picture.
const BETWEEN_BARS: f64 = 0.4;

/// The wall times of a run's tasks in seconds, shortest first.
struct Series<'a> {
    name: &'a str,
    class: &'static str,
    walls: Vec<f64>,
    median: f64,
}

impl<'a> Series<'a> {
    fn of(shown: ShownRun<'a>) -> Self {
        let mut walls: Vec<f64> = shown.run.records.iter().map(|record| record.wall.as_secs_f64()).collect();
        walls.sort_by(f64::total_cmp);
        let median = median(&walls);
        Self { name: shown.name, class: class_of(shown.column.way()), walls, median }
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float cast saturates")]
    fn quantile(&self, share: f64) -> f64 {
        let at = ((self.walls.len() as f64 * share).ceil() as usize).saturating_sub(1);
        self.walls.get(at).copied().unwrap_or(0.0)
    }

    /// How many tasks fall under each bar of an axis.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float cast saturates")]
    fn counts(&self, x: TimeAxis) -> [u32; BARS] {
        let mut counts = [0; BARS];
        for share in self.walls.iter().map(|wall| x.share(*wall)).take_while(|share| *share <= 1.0) {
            counts[((share * BARS as f64) as usize).min(BARS - 1)] += 1;
        }
        counts
    }
}

/// Room for a bar and its dots.
const PITCH: f64 = 34.0;

/// Room for the name of a column above its bars.
const NAME: f64 = 22.0;

/// What is between two columns.
const APART: f64 = 10.0;

/// Every run as a dot on the bar of its median: whether dots of before and after
/// keep apart is what the verdict rests on.
pub(super) fn before_after(columns: &[(String, &ColumnResult, &ColumnResult)]) -> Option<PagePart> {
    let sides = || columns.iter().flat_map(|(_, before, after)| [before, after]);
    let walls = sides().flat_map(|column| column.runs.iter().map(|run| run.wall.as_secs_f64()));
    let longest = walls.fold(0.0, f64::max);
    if longest <= 0.0 {
        return None;
    }
    let repeated = sides().any(|column| column.runs.len() > 1);
    let x = TimeAxis::rounded(longest);
    let each = NAME + 2.0 * PITCH + APART;
    let bottom = columns.len() as f64 * each - APART / 2.0;
    let mut svg = Svg::fluid("plot bare", bottom + 36.0, "the wall time of every run, before and after");
    x.draw_below(&mut svg, 0.0, bottom, "wall time");
    for (at, (name, before, after)) in columns.iter().enumerate() {
        let top = at as f64 * each;
        let medians = [before, after].map(|column| TimeUnit::brief(column.wall()));
        // Dots leave no room for words beside a bar.
        let name = if repeated { format!("{name}: {}", medians.join(" → ")) } else { name.clone() };
        svg.text("name", (0.0, top + NAME - 7.0), Anchor::Start, &name);
        strip(&mut svg, x, top + NAME, ("serial", (!repeated).then_some("before")), before);
        strip(&mut svg, x, top + NAME + PITCH, ("parallel", (!repeated).then_some("after")), after);
    }
    let (heading, about) = if repeated {
        ("Every run, before and after", "A bar is the median of the runs, a dot one run.")
    } else {
        ("Before and after", "")
    };
    let sides = [NamedSwatch::area("serial", "before"), NamedSwatch::area("parallel", "after")];
    let legend = if repeated { &sides[..] } else { &[] };
    Some(PagePart::Wide(picture(heading, about, legend, svg)))
}

fn strip(svg: &mut Svg, x: TimeAxis, top: f64, (class, when): (&str, Option<&str>), column: &ColumnResult) {
    let n_runs = numbers::plural(column.runs.len() as u64, "run");
    let title = format!("median {} of {n_runs}", seconds(column.wall()));
    let width = x.at(column.wall());
    svg.rect_with_title(class, [0.0, top + 2.0, width, PITCH - 4.0], &title);
    if column.runs.len() < 2 {
        if let Some(when) = when {
            let text = format!("{when} {}", TimeUnit::brief(column.wall()));
            let is_inside = width / 100.0 * NARROW > text_width(&text) + 12.0;
            let (class, place) = if is_inside { ("inside", 0.0) } else { ("halo", width) };
            svg.text_beside(class, (place, top + PITCH / 2.0 + 4.3), 6.0, Anchor::Start, &text);
        }
        return;
    }
    for (number, run) in (1..).zip(&column.runs) {
        let wall = run.wall.as_secs_f64();
        svg.dot("run", (x.at(wall), top + PITCH / 2.0), 3.5, &format!("run {number}: {}", seconds(wall)));
    }
}
