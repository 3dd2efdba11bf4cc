//! The limit of the notebook's job: nobody writes the files faster than
//! write(2) takes bytes that are ready-made.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Instant;

use anyhow::Context as _;
use parsim::study::{RunResult, median};
use parsim::testing::engine::Serial;
use parsim::testing::numbers::{bytes, percent};
use parsim::workload::csv::{CsvGen, CsvOptions};

use crate::Scale;
use crate::pairs::Pairs;
use crate::renewed::renew;
use crate::support::{NOTEBOOK_SHA256, check_sha256, folder, one_run};

/// parsim's serial way, the draw of its matrix included, against write(2) of
/// the same bytes into the same folder, which both find empty.
pub(crate) fn compare(scale: &Scale, out: &mut dyn io::Write) -> anyhow::Result<()> {
    let base = folder()?;
    let target = base.path().join("data_serial");
    let out_dir = Some(base.path().to_owned());
    let mut csv = CsvGen::new(CsvOptions { files: scale.files, out_dir, ..CsvOptions::default() })?;

    one_run(&mut csv, Serial)?;
    let first = target.join("x000000.csv");
    check_sha256(&first, NOTEBOOK_SHA256)?;
    let ready_made = fs::read(&first).context("read the ready-made bytes")?;

    let mut runs = Vec::new();
    let ours = || {
        renew(&target)?;
        let run = one_run(&mut csv, Serial)?;
        let seconds = (run.preparation + run.wall).as_secs_f64();
        runs.push(run);
        Ok(seconds)
    };
    let theirs = || {
        renew(&target)?;
        write_all(&target, scale.files, &ready_made)
    };
    let pairs = Pairs::measure(scale.pairs, ours, theirs)?;
    writeln!(
        out,
        "csv serial, draw included: {} write(2) of the same {} ({}; at most 3x is the goal, 2.2x the aim)",
        pairs.of_theirs(),
        bytes(ready_made.len() as f64 * scale.files as f64),
        pairs.in_words(),
    )?;
    writeln!(out, "    its time: {}", shares(&runs))?;
    Ok(())
}

/// Writes `n_files` files of `bytes`, one write(2) each where the kernel takes
/// all at once; in seconds.
fn write_all(folder: &Path, n_files: i64, bytes: &[u8]) -> anyhow::Result<f64> {
    let start = Instant::now();
    for number in 0..n_files {
        let path = folder.join(format!("x{number:06}.csv"));
        File::create_new(&path)
            .and_then(|mut file| file.write_all(bytes))
            .with_context(|| format!("write {}", path.display()))?;
    }
    Ok(start.elapsed().as_secs_f64())
}

/// Where the time went, by the medians of the parts.
fn shares(runs: &[RunResult]) -> String {
    let median_of = |figure: &dyn Fn(&RunResult) -> f64| median(&runs.iter().map(figure).collect::<Vec<_>>());
    let whole = median_of(&|run| (run.preparation + run.wall).as_secs_f64());
    let share = |name: &str, seconds: f64| format!("{name} {}", percent(seconds / whole));
    let spans = ["text", "write"].map(|name| share(name, median_of(&|run| run.span(name))));
    let preparation = share("preparation (the draw)", median_of(&|run| run.preparation.as_secs_f64()));
    format!("{preparation}, {}", spans.join(", "))
}
