//! What starting jobs costs.

use std::fs::File;
use std::io;

use anyhow::ensure;

use crate::Scale;
use crate::pairs::Pairs;
use crate::peers::{PEERS, Peer, bare_loop, parsim};
use crate::program::{digest, inputs, lines, run};

/// Jobs that do nothing, output captured and kept in order.
pub(crate) fn dispatch(scale: &Scale, out: &mut dyn io::Write) -> anyhow::Result<()> {
    let jobs = inputs((0..scale.jobs).map(|_| "x".to_owned()))?;
    let command = ["/bin/true"];
    let ours = parsim(&["-j2", "-k"], &command);
    writeln!(out, "{} jobs `/bin/true x`, two at a time:", scale.jobs)?;
    checked(&parsim(&["-j2", "-k"], &["/bin/echo"]), true)?;
    if let Some(program) = bare_loop() {
        let theirs = vec![program.to_string_lossy().into_owned(), "/bin/true".to_owned()];
        let pairs = compared(&ours, &theirs, &jobs, scale.pairs)?;
        writeln!(
            out,
            "  {} the speed of a bare vfork+exec+wait4 loop in C ({})",
            pairs.of_ours(),
            pairs.in_words()
        )?;
    }
    against(&ours, &command, &jobs, scale, out)
}

/// A single job: what the program itself takes.
pub(crate) fn start_up(scale: &Scale, out: &mut dyn io::Write) -> anyhow::Result<()> {
    let jobs = inputs(std::iter::once("x".to_owned()))?;
    let command = ["/bin/true"];
    writeln!(out, "one job `/bin/true x`:")?;
    let more = Scale { pairs: scale.pairs * 3, slow_pairs: scale.slow_pairs * 5, ..*scale };
    against(&parsim(&["-j2", "-k"], &command), &command, &jobs, &more, out)
}

/// parsim next to every peer that the machine has.
pub(crate) fn against(
    ours: &[String],
    command: &[&str],
    jobs: &File,
    scale: &Scale,
    out: &mut dyn io::Write,
) -> anyhow::Result<()> {
    for peer @ Peer { name, in_order, is_slow, .. } in PEERS {
        let Some(theirs) = peer.argv(command) else {
            writeln!(out, "  {name}: not installed")?;
            continue;
        };
        if let Some(echo) = peer.argv(&["/bin/echo"]) {
            checked(&echo, *in_order)?;
        }
        let pairs = compared(ours, &theirs, jobs, if *is_slow { scale.slow_pairs } else { scale.pairs })?;
        writeln!(out, "  {} faster than {name} ({})", pairs.of_ours(), pairs.in_words())?;
    }
    Ok(())
}

/// Both programs on the same inputs, in turns.
pub(crate) fn compared(
    ours: &[String],
    theirs: &[String],
    jobs: &File,
    pairs: usize,
) -> anyhow::Result<Pairs> {
    let seconds = |argv: &[String]| run(argv, jobs).map(|ran| ran.seconds);
    Pairs::measure(pairs, || seconds(ours), || seconds(theirs))
}

/// That `echo` really runs a job for each input.
fn checked(echo: &[String], in_order: bool) -> anyhow::Result<()> {
    let words = || (0..50).map(|number| format!("input {number}").replace(' ', "-"));
    let ran = run(echo, &inputs(words())?)?;
    let expected = lines(words());
    let is_right =
        if in_order { ran.digest == digest(&expected) } else { ran.bytes == expected.len() as u64 };
    ensure!(is_right, "{} did not echo its inputs", echo.join(" "));
    Ok(())
}
