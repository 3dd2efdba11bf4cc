//! Many inputs: what those that wait, those that are done and those that are
//! packed cost.

use std::io;

use anyhow::ensure;
use parsim::testing::numbers;

use crate::Scale;
use crate::pairs::Pairs;
use crate::peers::{PEERS, parsim};
use crate::program::{inputs, run, run_to};

/// Inputs on standard input that wait for their turn.
pub(crate) fn queued(scale: &Scale, out: &mut dyn io::Write) -> anyhow::Result<()> {
    let jobs = inputs((0..scale.queued).map(|number| number.to_string()))?;
    writeln!(
        out,
        "{} inputs queued on standard input, at most 8 MiB is the goal, with a bar 9:",
        numbers::count(scale.queued as u64)
    )?;
    for options in [&["-j2", "--max-time", "1"][..], &["-j2", "--max-time", "1", "--bar"]] {
        // Time was over before all had started.
        let ran = run_to(&parsim(options, &["/bin/true"]), &jobs, 104)?;
        writeln!(out, "  {} {}", numbers::memory(ran.peak_memory as f64), options.join(" "))?;
    }
    Ok(())
}

/// Jobs that have ended.
pub(crate) fn finished(scale: &Scale, out: &mut dyn io::Write) -> anyhow::Result<()> {
    let peak = |count: usize| -> anyhow::Result<u64> {
        let jobs = inputs((0..count).map(|number| number.to_string()))?;
        Ok(run(&parsim(&["-j2", "-k"], &["/bin/true"]), &jobs)?.peak_memory)
    };
    let (few, many) = (scale.jobs / 2, scale.jobs * 5);
    let (before, after) = (peak(few)?, peak(many)?);
    writeln!(
        out,
        "{} finished jobs: {}; {} of them: {} (within 1 MiB is the goal)",
        numbers::count(few as u64),
        numbers::memory(before as f64),
        numbers::count(many as u64),
        numbers::memory(after as f64),
    )?;
    Ok(())
}

/// Short arguments, as many as a command line holds.
pub(crate) fn packing(scale: &Scale, out: &mut dyn io::Write) -> anyhow::Result<()> {
    let count = scale.packed;
    let jobs = inputs((0..count).map(|number| number.to_string()))?;
    let ours = parsim(&["-j2", "--xargs"], &["/bin/true"]);
    writeln!(out, "{} short arguments, as many to a command as it holds:", numbers::count(count as u64))?;
    let checked = run(&parsim(&["-j1", "--xargs", "-q"], &["/usr/bin/printf", "%s\\n"]), &jobs)?;
    let bytes: u64 = (0..count).map(|number| number.to_string().len() as u64 + 1).sum();
    ensure!(checked.bytes == bytes, "{} bytes of arguments came out as {}", bytes, checked.bytes);
    let theirs: Vec<String> = ["xargs", "-P2", "/bin/true"].map(str::to_owned).to_vec();
    let seconds = |argv: &[String]| run(argv, &jobs).map(|ran| ran.seconds);
    let pairs = Pairs::measure(scale.pairs, || seconds(&ours), || seconds(&theirs))?;
    writeln!(
        out,
        "  {} of the time of xargs -P2 ({}; at most 1.5x is the goal)",
        pairs.of_theirs(),
        pairs.in_words()
    )?;
    let gnu = PEERS.iter().find(|peer| peer.is_slow).expect("GNU parallel is one of them");
    if let Some(mut theirs) = gnu.argv(&["/bin/true"]) {
        theirs.insert(1, "-X".to_owned());
        let ours = parsim(&["-j2", "-X"], &["/bin/true"]);
        let pairs = Pairs::measure(scale.slow_pairs, || seconds(&ours), || seconds(&theirs))?;
        writeln!(
            out,
            "  {} faster than GNU parallel -X ({}; at least 30x is the goal)",
            pairs.of_ours(),
            pairs.in_words()
        )?;
    }
    Ok(())
}
