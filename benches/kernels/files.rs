//! Text and files, through the library's own `csv-gen` workload run serially.
//!
//! What is timed is what parsim itself measured: the span `text` of the task
//! where text is the subject, the wall time of the run where the file is.

use std::path::Path;
use std::time::Duration;

use anyhow::ensure;
use criterion::{Bencher, Criterion, SamplingMode, Throughput};
use parsim::study::RunResult;
use parsim::testing::engine::Serial;
use parsim::workload::csv::{CsvGen, CsvOptions, Dist, MatrixChoice, Rng};

use crate::support::{NOTEBOOK_SHA256, check_sha256, folder, one_run};

/// One file of the notebook's size.
fn one_file(out_dir: &Path) -> CsvOptions {
    CsvOptions { files: 1, out_dir: Some(out_dir.to_owned()), ..CsvOptions::default() }
}

/// Runs `options` over and over and adds up what `figure` picks of each run.
fn timed(bencher: &mut Bencher<'_>, options: &CsvOptions, figure: impl Fn(&RunResult) -> Duration) {
    let mut csv = CsvGen::new(options.clone()).expect("the options were tried before");
    bencher.iter_custom(|iterations| {
        let one = |_| figure(&one_run(&mut csv, Serial).expect("the same run was tried before"));
        (0..iterations).map(one).sum()
    });
}

/// Numbers to text: a million counts of the shared matrix, 20,000 reals.
pub(crate) fn text(criterion: &mut Criterion) -> anyhow::Result<()> {
    let folder = folder()?;
    let counts = one_file(folder.path());
    let reals = CsvOptions { rows: 20, dist: Dist::Uniform, ..counts.clone() };

    let mut group = criterion.benchmark_group("text");
    // Only a part of each run is timed: a short target keeps the whole short.
    group.sampling_mode(SamplingMode::Flat).measurement_time(Duration::from_millis(100));
    for (name, options, bytes) in [("counts", counts, 2_994_980), ("reals", reals, 500_000)] {
        let run = one_run(&mut CsvGen::new(options.clone())?, Serial)?;
        ensure!(run.bytes == bytes, "{name}: {} bytes instead of {bytes}", run.bytes);
        group.throughput(Throughput::Bytes(bytes)).bench_function(name, |bencher| {
            timed(bencher, &options, |run| Duration::from_secs_f64(run.span("text")));
        });
    }
    group.finish();
    Ok(())
}

/// A whole file of the notebook's size, from numbers to its own name: of a
/// matrix drawn beforehand, and drawn as it is written.
pub(crate) fn whole(criterion: &mut Criterion) -> anyhow::Result<()> {
    let folder = folder()?;
    let shared = one_file(folder.path());
    let drawn = CsvOptions { matrix: MatrixChoice::PerFile, ..shared.clone() };
    let fast = CsvOptions { rng: Rng::Fast, ..drawn.clone() };

    let mut group = criterion.benchmark_group("file");
    group.sampling_mode(SamplingMode::Flat);
    for (name, options) in [("shared", shared), ("drawn", drawn), ("fast", fast)] {
        let run = one_run(&mut CsvGen::new(options.clone())?, Serial)?;
        if options.rng == Rng::NumpyLegacy {
            check_sha256(&folder.path().join("data_serial/x000000.csv"), NOTEBOOK_SHA256)?;
        }
        group.throughput(Throughput::Bytes(run.bytes)).bench_function(name, |bencher| {
            timed(bencher, &options, |run| run.wall);
        });
    }
    group.finish();
    Ok(())
}
