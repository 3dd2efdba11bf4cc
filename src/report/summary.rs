//! A few lines about a batch that ran one way: how long it took, how busy the
//! cores were, how long jobs are.
//!
//! A pure function of the study; does not know when it is wanted.

use std::time::Duration;

use super::nodes::{self, is_on_hosts};
use crate::numbers;
use crate::study::{
    ColumnResult, ElsewhereCosts, Ground, RunResult, SerialTime, Streaming, Study, serial_time,
};
use crate::text::printable;

/// Slots beyond this are told of together.
const SLOTS: usize = 8;

/// Less CPU time of parsim's own is not worth a word.
const OWN_THAT_MATTERS: Duration = Duration::from_millis(50);

/// How much is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// The whole, and how long jobs took.
    Short,
    /// The longest jobs and the slots, too.
    Full,
}

/// Draws the only column of `study`; ends with a newline. Empty when nothing ran.
pub fn render(study: &Study, detail: Detail) -> String {
    let Some(column) = study.columns.first() else { return String::new() };
    let Some(run) = column.runs.last().filter(|run| run.tasks > 0) else { return String::new() };
    let folded = run.folded.clone().unwrap_or_else(|| Streaming::of(&run.records));
    let mut lines = vec![whole(study, run)];
    lines.extend(queued(column, run, &study.unit));
    lines.extend(nodes::in_a_line(run, &study.unit));
    lines.extend(times(study, run, &folded));
    lines.extend(held_up(column, run));
    lines.extend(one_after_another(study, column, run, &folded));
    if detail == Detail::Full {
        lines.extend(slots(run, &folded));
        let show = if folded.peak_memory_is_bound { numbers::memory_below } else { numbers::memory };
        let peak = folded.peak_memory.map(|peak| show(peak as f64));
        lines.extend(peak.map(|peak| format!("peak memory of a job: {peak}")));
        lines.extend(longest(&folded));
    }
    lines.iter().map(|line| format!("{}\n", printable(line))).collect()
}

/// What the tasks of `study` would take one at a time, where they were run one way only and
/// that can be told.
pub(super) fn estimate(study: &Study) -> Option<String> {
    let [column] = &study.columns[..] else { return None };
    let run = column.runs.last()?;
    let folded = run.folded.clone().unwrap_or_else(|| Streaming::of(&run.records));
    one_after_another(study, column, run, &folded).map(|line| printable(&line))
}

fn whole(study: &Study, run: &RunResult) -> String {
    let mut line = numbers::plural(run.tasks, &study.unit);
    if run.failed > 0 {
        line += &format!(" ({} failed)", numbers::count(run.failed));
    }
    let cpu = run.usage.cpu();
    line +=
        &format!(" in {}, {} CPU", numbers::duration(run.wall), numbers::cpu_time(cpu.as_secs_f64(), None));
    // Taking in what jobs write is work, and none of theirs.
    let own = cpu.saturating_sub(run.task_cpu);
    if own >= OWN_THAT_MATTERS && own > cpu / 10 {
        line += &format!(" ({} of it parsim's own)", numbers::duration(own));
    }
    if let Some(elsewhere) = elsewhere(run) {
        line += &format!(" on {}", numbers::plural(elsewhere.nodes.len() as u64, "node"));
    } else if !run.wall.is_zero() {
        let busy = numbers::three_digits(cpu.as_secs_f64() / run.wall.as_secs_f64());
        line += &format!(": on average {busy} of {} busy", numbers::plural(study.host.usable as u64, "core"));
    }
    line
}

fn elsewhere(run: &RunResult) -> Option<&ElsewhereCosts> {
    run.crew.as_ref()?.elsewhere.as_ref()
}

/// What it took to have jobs done elsewhere, beside the time.
fn queued(column: &ColumnResult, run: &RunResult, unit: &str) -> Option<String> {
    let ElsewhereCosts { queue_wait, reruns, duplicates, .. } = elsewhere(run)?;
    // No batch system lets hosts wait.
    let waited = if is_on_hosts(column) { "connected within" } else { "queued for" };
    let mut line = format!("{waited} {} before that", numbers::duration(*queue_wait));
    if *reruns > 0 {
        line += &format!("; {} begun again, as workers had ended", numbers::plural(*reruns, unit));
    }
    if *duplicates > 0 {
        line += &format!("; {} done twice, and counted once", numbers::plural(*duplicates, unit));
    }
    Some(line)
}

fn times(study: &Study, run: &RunResult, folded: &Streaming) -> Option<String> {
    let quantile = |share| folded.walls.quantile(share).map(|time| time.min(run.longest));
    let (half, most) = (quantile(0.5)?, quantile(0.95)?);
    let unit = &study.unit;
    let longest = format!("{}: {}", numbers::duration(run.longest), run.longest_label);
    Some(match run.tasks {
        1 => return None,
        2..20 => format!("{unit} time: median {}; longest {longest}", numbers::rough_duration(half)),
        _ => {
            let (half, most) = (numbers::rough_duration(half), numbers::rough_duration(most));
            format!("{unit} time: median {half}, p95 {most}; longest {longest}")
        }
    })
}

/// A wait that takes a smaller share of the time is not spoken of.
const WORTH_TELLING: f64 = 0.1;

/// What slots waited for, where it was no job of theirs.
fn held_up(column: &ColumnResult, run: &RunResult) -> Option<String> {
    let waits = run.start_waits?;
    let handing_on = run.counts.as_ref().map_or(Duration::ZERO, |counts| counts.handing_on);
    // Of the output slots wait each for itself.
    let output = (handing_on + waits.output) / u32::try_from(column.width).unwrap_or(u32::MAX).max(1);
    let reasons = [
        (waits.input, "slots waited for the next input"),
        (waits.delay, "slots waited for --delay"),
        (waits.busy, "slots waited for a quieter machine (--load and its like)"),
        (output, "jobs waited for whoever reads their output"),
    ];
    let (time, who) = reasons.into_iter().max_by_key(|(time, _)| *time)?;
    let share = time.as_secs_f64() / run.wall.as_secs_f64();
    (share >= WORTH_TELLING).then(|| {
        format!(
            "{who} for {} of {} ({})",
            numbers::duration(time),
            numbers::duration(run.wall),
            numbers::percent(share.min(1.0))
        )
    })
}

/// What the same jobs would take one at a time: not measured.
fn one_after_another(
    study: &Study,
    column: &ColumnResult,
    run: &RunResult,
    folded: &Streaming,
) -> Option<String> {
    let serial = serial_time(run, folded, study.host.usable).filter(|_| column.width > 1 && run.tasks > 1)?;
    if elsewhere(run).is_some() {
        // Those cores are not these.
        return None;
    }
    let SerialTime { time, rests_on } = serial;
    let wall = run.wall.as_secs_f64();
    let (low, high) = (numbers::factor(time.low / wall), numbers::factor(time.high / wall));
    let factor =
        if time.is_one() { numbers::factor(time.middle() / wall) } else { format!("{low} to {high}") };
    let ground = rests_on.map(|ground| ground.to_string()).unwrap_or_default();
    // What a run of one way cannot show would make it less.
    let about = if matches!(rests_on, Some(Ground::OwnPace | Ground::OwnWaits)) { "up to" } else { "about" };
    Some(format!("run serially: {about} {time} (est., {factor}){ground}"))
}

fn slots(run: &RunResult, folded: &Streaming) -> Option<String> {
    let wall = run.wall.as_secs_f64();
    if folded.busy.is_empty() || wall <= 0.0 {
        return None;
    }
    let mut shares: Vec<f64> = folded.busy.iter().map(|busy| busy.as_secs_f64() / wall).collect();
    if shares.len() <= SLOTS {
        let shares: Vec<String> = shares.iter().map(|share| numbers::percent(*share)).collect();
        return Some(format!("busy, slot by slot: {}", shares.join(", ")));
    }
    shares.sort_by(f64::total_cmp);
    let (least, middle, most) = (shares[0], shares[shares.len() / 2], shares[shares.len() - 1]);
    let [least, middle, most] = [least, middle, most].map(numbers::percent);
    Some(format!("busy: {} slots, {least} to {most}, median {middle}", shares.len()))
}

fn longest(folded: &Streaming) -> Vec<String> {
    let lines = folded.longest.iter();
    lines.map(|long| format!("  {} {}: {}", numbers::duration(long.wall), long.seq + 1, long.label)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Usage;
    use crate::study::StartWaits;
    use crate::study::tests::empty;
    use crate::task::{Column, Record, tests::record};

    fn batch(tasks: u64) -> Study {
        let mut run = RunResult {
            wall: Duration::from_secs(10),
            folded: Some(Streaming::default()),
            ..RunResult::default()
        };
        for seq in 0..tasks {
            let label = format!("job\t{seq}");
            let (wall, cpu) = (Duration::from_millis(100), Duration::from_millis(48));
            let (slot, start) = (u32::try_from(seq % 2).unwrap(), wall * u32::try_from(seq).unwrap());
            run.add(&Record { label: label.into(), slot, start, wall, cpu, ..record(seq) });
        }
        run.usage = Usage { user: Duration::from_secs(5), ..Usage::default() };
        let column = ColumnResult::new(Column::PARALLEL, 2, vec![run]);
        Study { unit: "job".to_owned(), columns: vec![column], ..empty() }
    }

    #[test]
    fn a_batch_is_told_in_three_lines() {
        let expected = "\
100 jobs in 10.00 s, 5.000 s CPU: on average 0.50 of 4 cores busy
job time: median 100 ms, p95 100 ms; longest 100.0 ms: job\\t0
run serially: about 10.00 s (est., 1.00x)
";
        assert_eq!(render(&batch(100), Detail::Short), expected);
    }

    #[test]
    fn what_an_estimate_rests_on_and_what_parsim_did_itself_is_told() {
        let mut busy = batch(100);
        let run = &mut busy.columns[0].runs[0];
        (run.wall, run.task_cpu) = (Duration::from_secs(5), Duration::from_secs(3));
        let text = render(&busy, Detail::Short);
        assert!(
            text.starts_with("100 jobs in 5.000 s, 5.000 s CPU (2.000 s of it parsim's own): "),
            "{text}"
        );
        let expected = "run serially: up to 10.00 s (est., 2.00x), less if they waited for each other (a lock, a server)\n";
        assert!(text.ends_with(expected), "{text}");
    }

    #[test]
    fn asked_for_all_it_names_the_longest_jobs_and_the_slots() {
        let text = render(&batch(3), Detail::Full);
        assert!(text.contains("busy, slot by slot: 2 %, 1 %\n"), "{text}");
        assert!(
            text.ends_with("  100.0 ms 1: job\\t0\n  100.0 ms 2: job\\t1\n  100.0 ms 3: job\\t2\n"),
            "{text}"
        );
    }

    #[test]
    fn what_slots_waited_for_is_told_where_it_was_long() {
        let ms = Duration::from_millis;
        let told = |waits: StartWaits| {
            let mut study = batch(3);
            study.columns[0].runs[0].start_waits = Some(waits);
            render(&study, Detail::Short).lines().nth(2).unwrap_or_default().to_owned()
        };
        let none = StartWaits::default();
        assert_eq!(
            told(StartWaits { input: ms(9000), delay: ms(20), ..none }),
            "slots waited for the next input for 9.000 s of 10.00 s (90 %)"
        );
        assert!(
            told(StartWaits { delay: ms(2000), ..none }).starts_with("slots waited for --delay for 2.000 s")
        );
        assert!(
            told(StartWaits { busy: ms(2000), ..none }).starts_with("slots waited for a quieter machine")
        );
        // Two slots wait for it, each for itself.
        assert!(
            told(StartWaits { output: ms(4000), ..none }).ends_with("output for 2.000 s of 10.00 s (20 %)")
        );
        assert!(told(StartWaits { input: ms(900), ..none }).starts_with("run serially"));
    }

    #[test]
    fn of_nothing_there_is_nothing_to_tell() {
        assert_eq!(render(&batch(0), Detail::Full), "");
        assert_eq!(render(&empty(), Detail::Short), "");
    }
}
