//! What each of several machines did: a table, or a line where there is little to tell, of
//! hosts and of nodes of a cluster alike.

use std::time::Duration;

use super::document::{Cells, Content, Grid, GridRow, ReportSection, Sentence, Tone};
use crate::numbers;
use crate::sorting;
use crate::study::{ColumnResult, NodeTotal, RunResult, Study};
use crate::text::printable;

/// So many machines have a row of their own: those on which tasks took longest.
const MOST_ROWS: usize = 20;

/// What is slower by less may be chance, and so it may be of fewer tasks.
const MUCH: f64 = 1.1;
const ENOUGH_TASKS: u64 = 10;

/// What users call a machine that is not theirs alone: a host, or a node of a cluster.
pub(super) fn machine(column: &ColumnResult) -> &'static str {
    if is_on_hosts(column) { "host" } else { "node" }
}

/// Whether tasks ran on machines that the user named one by one.
pub(super) fn is_on_hosts(column: &ColumnResult) -> bool {
    column.column.engine == "ssh"
}

/// What a machine is called: this one has no name where the user named several.
pub(super) fn called(node: &str) -> String {
    if node == ":" { "this machine".to_owned() } else { printable(node) }
}

/// What each machine did in a run; nothing where tasks were done by this one alone.
fn by_node(run: &RunResult) -> Option<&[NodeTotal]> {
    let by_node = &run.crew.as_ref()?.elsewhere.as_ref()?.by_node;
    (!by_node.is_empty()).then_some(by_node)
}

/// What each machine did in the widest run, where there are several.
pub(super) fn section(study: &Study) -> Option<ReportSection<'static>> {
    let (column, by_node) = widest(study)?;
    let name = machine(column);
    let table = (by_node.len() > 1).then(|| Content::Table(table(by_node, name, &study.unit)))?;
    Some(ReportSection::new(if name == "host" { "Hosts" } else { "Nodes" }, vec![table]))
}

/// The same of the only one.
pub(super) fn only(study: &Study) -> Option<Sentence> {
    let (column, by_node) = widest(study)?;
    let did_any = by_node.iter().any(|total| total.tasks > 0);
    let told = (did_any && by_node.len() == 1).then(|| told(by_node, &study.unit))?;
    Some(Sentence::plain(format!("{}: {told}", machine(column))))
}

fn widest(study: &Study) -> Option<(&ColumnResult, &[NodeTotal])> {
    let column = study.widest().or(study.columns.last())?;
    Some((column, by_node(column.runs.last()?)?))
}

/// What each machine did in one run: `h1 12 jobs; h2 9 jobs, 1.3x slower`.
pub(super) fn in_a_line(run: &RunResult, unit: &str) -> Option<String> {
    by_node(run).map(|by_node| told(by_node, unit))
}

fn told(by_node: &[NodeTotal], unit: &str) -> String {
    let fastest = fastest(by_node);
    let one = |node: &NodeTotal| {
        let mut text = format!("{} {}", called(&node.node), numbers::plural(node.tasks, unit));
        if let Some(slower) = slower(node, fastest) {
            text += &format!(", {slower}");
        }
        if node.failed > 0 {
            text += &format!(", {} failed", numbers::count(node.failed));
        }
        text
    };
    by_node.iter().map(one).collect::<Vec<_>>().join("; ")
}

fn table(by_node: &[NodeTotal], machine: &str, unit: &str) -> Grid {
    let tasks = format!("{unit}s");
    let columns = [
        (Cells::Texts, machine),
        (Cells::Figures, &*tasks),
        (Cells::Figures, "failed"),
        (Cells::Figures, "median time"),
        (Cells::Figures, "CPU"),
        (Cells::Figures, "slots"),
        (Cells::Remarks, ""),
    ];
    let columns = columns.map(|(cells, head)| (cells, head.to_owned())).into();
    let fastest = fastest(by_node);
    let row = |name: &str, total: &NodeTotal, remark: String| GridRow {
        cells: vec![
            name.to_owned(),
            numbers::count(total.tasks),
            numbers::count(total.failed),
            typical(total).map(numbers::rough_duration).unwrap_or_default(),
            numbers::cpu_time(total.cpu.as_secs_f64(), None),
            numbers::count(u64::from(total.slots)),
            remark,
        ],
        tone: if total.failed > 0 { Tone::Bad } else { Tone::Plain },
    };
    let (shown, others) = chosen(by_node);
    let mut grid = Grid { columns, lesser: vec![4, 5], ..Grid::default() };
    for total in shown {
        grid.rows.push(row(&called(&total.node), total, slower(total, fastest).unwrap_or_default()));
    }
    if !others.is_empty() {
        let mut rest = NodeTotal::default();
        for total in &others {
            rest.add_all(total);
            rest.slots = rest.slots.saturating_add(total.slots);
        }
        let name = numbers::plural(others.len() as u64, &format!("other {machine}"));
        grid.rows.push(row(&name, &rest, String::new()));
    }
    grid
}

/// Those that have a row of their own, in their order, and the others.
fn chosen(by_node: &[NodeTotal]) -> (Vec<&NodeTotal>, Vec<&NodeTotal>) {
    let all: Vec<&NodeTotal> = by_node.iter().collect();
    if all.len() <= MOST_ROWS {
        return (all, Vec::new());
    }
    let mut times: Vec<Option<Duration>> = all.iter().map(|total| typical(total)).collect();
    sorting::sort_by(&mut times, Ord::cmp);
    let least = times[times.len() - MOST_ROWS];
    let (mut shown, mut others): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|total| typical(total) >= least);
    // Of those that took equally long, the first.
    let end = shown.len().min(MOST_ROWS);
    others.extend(shown.split_off(end));
    (shown, others)
}

/// How long a task took there: the median, or the mean where a study of an older
/// version has nothing else.
fn typical(total: &NodeTotal) -> Option<Duration> {
    let mean = || Duration::try_from_secs_f64(total.task_wall.as_secs_f64() / total.tasks as f64);
    (total.tasks > 0).then(|| total.median.unwrap_or_else(|| mean().unwrap_or(Duration::MAX)))
}

/// What others are compared with: where few tasks ran, or most failed, nobody knows how long
/// one takes.
fn fastest(by_node: &[NodeTotal]) -> Duration {
    let tells = |total: &&NodeTotal| total.tasks >= ENOUGH_TASKS && total.failed <= total.tasks / 2;
    by_node.iter().filter(tells).filter_map(typical).min().unwrap_or_default()
}

/// `1.3x slower`, where it is slower than the fastest by more than chance.
fn slower(total: &NodeTotal, fastest: Duration) -> Option<String> {
    let slower = typical(total)?.as_secs_f64() / fastest.as_secs_f64();
    let is_sure = total.tasks >= ENOUGH_TASKS && slower.is_finite() && slower >= MUCH;
    // Medians are right within 2 %.
    is_sure.then(|| format!("{slower:.1}x slower"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str, tasks: u64, ms: u64) -> NodeTotal {
        NodeTotal {
            node: name.to_owned(),
            slots: 2,
            tasks,
            task_wall: Duration::from_millis(ms * tasks),
            median: Some(Duration::from_millis(ms)),
            ..NodeTotal::default()
        }
    }

    #[test]
    fn each_machine_has_a_row_and_who_is_slower_is_told_so() {
        let by_node = [node("h1", 10, 100), node("h2", 10, 131), node("h3", 2, 900), node("h4", 0, 0)];
        let grid = table(&by_node, "host", "job");
        let heads: Vec<&str> = grid.columns.iter().map(|(_, head)| &**head).collect();
        assert_eq!(heads, ["host", "jobs", "failed", "median time", "CPU", "slots", ""]);
        assert_eq!(grid.rows[0].cells, ["h1", "10", "0", "100 ms", "~0", "2", ""]);
        assert_eq!(grid.rows[1].cells[6], "1.3x slower");
        // Two jobs may be two long ones.
        assert_eq!(grid.rows[2].cells[6], "");
    }

    #[test]
    fn nobody_is_slower_than_a_machine_that_failed_or_did_next_to_nothing() {
        let broken = NodeTotal { failed: 40, ..node("h3", 40, 2) };
        let by_node = [node("h1", 10, 100), node("h2", 10, 101), broken, node("h4", 1, 1)];
        assert_eq!(told(&by_node, "job"), "h1 10 jobs; h2 10 jobs; h3 40 jobs, 40 failed; h4 1 job");
    }

    #[test]
    fn of_many_the_slowest_are_shown_and_the_others_added_up() {
        let by_node: Vec<NodeTotal> =
            (0..1000).map(|number| node(&format!("n{number}"), 5, 100 + number % 7)).collect();
        let grid = table(&by_node, "node", "job");
        assert_eq!(grid.rows.len(), MOST_ROWS + 1);
        assert_eq!(grid.rows[0].cells[0], "n6");
        let last = &grid.rows[MOST_ROWS].cells;
        assert_eq!((&*last[0], &*last[1], &*last[5]), ("980 other nodes", "4,900", "1,960"));
    }
}
