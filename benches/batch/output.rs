//! Jobs that write much: many outputs in order, and one that fits into no
//! memory.

use std::fs;
use std::io;

use anyhow::{Context as _, ensure};
use parsim::testing::numbers;

use crate::Scale;
use crate::pairs::Pairs;
use crate::peers::{PEERS, Peer, parsim};
use crate::program::{inputs, run};

const MEBIBYTE: usize = 1 << 20;

/// Outputs of a mebibyte each, in input order.
pub(crate) fn many(scale: &Scale, out: &mut dyn io::Write) -> anyhow::Result<()> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).context("make a folder")?;
    let file = folder.path().join("mebibyte");
    fs::write(&file, vec![b'x'; MEBIBYTE])?;
    let jobs = inputs((0..scale.outputs).map(|_| file.display().to_string()))?;
    writeln!(out, "{} outputs of 1 MiB, two jobs at a time, ours in input order:", scale.outputs)?;
    compare(scale, &["/bin/cat"], scale.outputs, &jobs, out)
}

/// One output that is larger than what may be held in memory.
pub(crate) fn large(scale: &Scale, out: &mut dyn io::Write) -> anyhow::Result<()> {
    let jobs = inputs(std::iter::once("/dev/zero".to_owned()))?;
    let size = format!("{}", scale.large * MEBIBYTE);
    writeln!(out, "one output of {} MiB:", scale.large)?;
    compare(scale, &["/usr/bin/head", "-c", &size], scale.large, &jobs, out)
}

fn compare(
    scale: &Scale,
    command: &[&str],
    mebibytes: usize,
    jobs: &fs::File,
    out: &mut dyn io::Write,
) -> anyhow::Result<()> {
    let expected = (mebibytes * MEBIBYTE) as u64;
    let mut peak = 0;
    let mut seconds = |argv: &[String]| {
        let ran = run(argv, jobs)?;
        ensure!(ran.bytes == expected, "{}: {} bytes came out as {}", argv.join(" "), expected, ran.bytes);
        peak = ran.peak_memory;
        Ok(ran.seconds)
    };
    let ours = parsim(&["-j2", "-k"], command);
    seconds(&ours)?;
    writeln!(out, "  peak memory {}", numbers::memory(peak as f64))?;
    for peer @ Peer { name, .. } in PEERS {
        let Some(theirs) = peer.argv(command) else {
            writeln!(out, "  {name}: not installed")?;
            continue;
        };
        let pairs = if peer.is_slow { scale.slow_pairs } else { scale.pairs.div_ceil(2) };
        let run = |argv: &[String]| {
            let ran = run(argv, jobs)?;
            ensure!(ran.bytes == expected, "{name}: {} bytes came out as {}", expected, ran.bytes);
            Ok(ran.seconds)
        };
        let pairs = Pairs::measure(pairs, || run(&ours), || run(&theirs))?;
        writeln!(out, "  {} faster than {name} ({})", pairs.of_ours(), pairs.in_words())?;
    }
    Ok(())
}
