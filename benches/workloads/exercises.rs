//! The exercises both ways, each with its answer checked and its table printed.

use std::fs;
use std::io;
use std::path::Path;

use anyhow::{Context as _, ensure};
use parsim::experiment::{Experiment, Repeats};
use parsim::report::text;
use parsim::study::Study;
use parsim::testing::format::{bytes, count};
use parsim::workload::csv::{CsvGen, CsvOptions, MatrixChoice, Rng};
use parsim::workload::sleep::{Sleep, SleepOptions};

use crate::Scale;
use crate::support::{NOTEBOOK_SHA256, check_sha256, folder};

const WAYS: [&str; 2] = ["data_serial", "data_parallel"];

/// What `np.savetxt` makes of the matrix of seed 124.
const SEED_124_SHA256: &str = "98fb9a16903f4361500afcb35514625bbf298923ed3959b1d7d67d8e42eea12e";

/// Eight tasks that wait, all at once in the parallel way.
pub(crate) fn sleep(scale: &Scale, out: &mut dyn io::Write) -> anyhow::Result<()> {
    let options = SleepOptions { tasks: 8, seconds: f64::from(scale.sleep) / 1000.0 };
    let mut sleep = Sleep::new(options)?;
    let study = both_ways(Experiment::new(&mut sleep)?.width(8), scale)?;
    for column in &study.columns {
        ensure!(
            column.output == "1\n2\n3\n4\n5\n6\n7\n8\n",
            "{}: the results are {:?}",
            column.way(),
            column.output
        );
    }
    print(&study, out)
}

/// The notebook's job: one matrix, written to every file.
pub(crate) fn csv_shared(scale: &Scale, out: &mut dyn io::Write) -> anyhow::Result<()> {
    let base = folder()?;
    let options = CsvOptions { files: scale.files, ..into(base.path()) };
    let study = both_ways(Experiment::new(&mut CsvGen::new(options)?)?, scale)?;
    for folder in WAYS {
        for number in 0..scale.files {
            let file = base.path().join(folder).join(format!("x{number:06}.csv"));
            check_sha256(&file, NOTEBOOK_SHA256)?;
        }
    }
    print(&study, out)
}

/// The same with a matrix drawn for each file: file i has the seed 123+i.
pub(crate) fn csv_per_file(scale: &Scale, out: &mut dyn io::Write) -> anyhow::Result<()> {
    let base = folder()?;
    let options = CsvOptions { files: scale.files, matrix: MatrixChoice::PerFile, ..into(base.path()) };
    let study = both_ways(Experiment::new(&mut CsvGen::new(options)?)?, scale)?;
    for folder in WAYS {
        let folder = base.path().join(folder);
        check_sha256(&folder.join("x000000.csv"), NOTEBOOK_SHA256)?;
        check_sha256(&folder.join("x000001.csv"), SEED_124_SHA256)?;
    }
    print(&study, out)
}

/// One larger file of the fast generator, split into blocks over all cores.
pub(crate) fn csv_fast(scale: &Scale, out: &mut dyn io::Write) -> anyhow::Result<()> {
    let base = folder()?;
    let (rng, matrix) = (Rng::Fast, MatrixChoice::PerFile);
    let options = CsvOptions { files: 1, rows: scale.rows, rng, matrix, ..into(base.path()) };
    let study = both_ways(Experiment::new(&mut CsvGen::new(options)?)?, scale)?;
    for folder in WAYS {
        check_poisson_file(&base.path().join(folder).join("x000000.csv"), scale.rows.unsigned_abs())?;
    }
    print(&study, out)
}

fn into(folder: &Path) -> CsvOptions {
    CsvOptions { out_dir: Some(folder.to_owned()), ..CsvOptions::default() }
}

/// Runs it, and fails unless every task succeeded and both ways agree.
fn both_ways(experiment: Experiment<'_>, scale: &Scale) -> anyhow::Result<Study> {
    let study = experiment.without_records().repeats(Repeats::Times(scale.runs)).warmup(1).run()?;
    ensure!(study.n_failed() == 0 && study.agrees(), "wrong: {}", text::plain(&study));
    ensure!(study.agreement.is_some(), "nothing was compared: {}", text::plain(&study));
    Ok(study)
}

fn print(study: &Study, out: &mut dyn io::Write) -> anyhow::Result<()> {
    write!(out, "\n{}", text::plain(study)).context("print the table")
}

/// The generator's bytes are parsim's own, so they are checked as data: 1000
/// columns and `rows` rows of counts whose mean is 20.
fn check_poisson_file(path: &Path, rows: u64) -> anyhow::Result<()> {
    let text = fs::read(path).with_context(|| format!("read {}", path.display()))?;
    let (mut sum, mut n_values, mut n_rows) = (0, 0, 0);
    for row in text.split_inclusive(|byte| *byte == b'\n') {
        n_rows += 1;
        for value in row.trim_ascii_end().split(|byte| *byte == b',') {
            let digits = std::str::from_utf8(value)?;
            sum += digits.parse::<u64>().with_context(|| format!("{digits:?} in row {n_rows}"))?;
            n_values += 1;
        }
    }
    let (expected, deviation) = (20 * n_values, (20.0 * n_values as f64).sqrt());
    let found = || {
        let size = bytes(text.len() as f64);
        format!("{size}, {} values in {} rows with the sum {}", count(n_values), count(n_rows), count(sum))
    };
    ensure!(n_rows == rows && n_values == 1000 * rows, "{}: {}", path.display(), found());
    ensure!((sum.abs_diff(expected) as f64) < 6.0 * deviation, "{}: {}", path.display(), found());
    Ok(())
}
