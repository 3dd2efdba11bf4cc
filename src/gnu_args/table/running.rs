//! Options about running: how many, how long, when to stop.

use super::super::option::Does::{Flag as On, Text, Word};
use super::super::option::{Row, Stored};
use super::super::typed::Flag;
use super::super::values::{self, Jobs, Timeout};
use crate::policy::{Delay, Halt, Load};

#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    Row { names: &["jobs", "max-procs", "maxprocs", "j", "P"], does: Word(|t, v| { t.run.jobs = Some(Jobs::parse(v)?); Ok(()) }) },
    Row { names: &["delay"], does: Text(|t, v| set(&mut t.run.delay, Delay::parse(v))) },
    Row { names: &["load"], does: Text(|t, v| set(&mut t.run.load, Load::parse(v))) },
    Row { names: &["memfree"], does: Text(|t, v| set(&mut t.run.memfree, values::size(v))) },
    Row { names: &["memsuspend"], does: Text(|t, v| set(&mut t.run.memsuspend, values::size(v))) },
    Row { names: &["noswap"], does: On(|t| t.flags.set(Flag::NoSwap)) },
    Row { names: &["nice"], does: Text(|t, v| set(&mut t.run.nice, integer(v))) },
    Row { names: &["wd", "workdir", "work-dir"], does: Word(|t, v| { t.run.work_dir = Some(v.into()); Ok(()) }) },
    Row { names: &["env"], does: Word(|t, v| { t.run.env.push(v.to_owned()); Ok(()) }) },
    Row { names: &["process-slot-var", "processslotvar"], does: Word(|t, v| { t.run.slot_variable = Some(v.to_owned()); Ok(()) }) },
    Row { names: &["retries"], does: Text(|t, v| set(&mut t.run.retries, number(v))) },
    Row { names: &["timeout"], does: Text(|t, v| { t.run.timeout = Timeout::parse(v)?; Ok(()) }) },
    Row { names: &["halt", "halt-on-error", "haltonerror"], does: Text(|t, v| { t.run.halt = Halt::parse(v)?; Ok(()) }) },
    Row { names: &["term-seq", "termseq"], does: Text(|t, v| set(&mut t.run.term_seq, values::term_seq(v))) },
    Row { names: &["total-jobs", "totaljobs", "total"], does: Text(|t, v| set(&mut t.run.total_jobs, number(v))) },
    Row { names: &["tmpdir", "tempdir"], does: Word(|t, v| { t.run.tmpdir = Some(v.into()); Ok(()) }) },
    Row { names: &["tty", "open-tty", "o"], does: On(|t| t.flags.set(Flag::Tty)) },
    Row { names: &["dry-run", "dryrun", "dr"], does: On(|t| t.flags.set(Flag::DryRun)) },
];

pub(super) fn set<T>(slot: &mut Option<T>, value: Result<T, String>) -> Stored {
    *slot = Some(value?);
    Ok(())
}

pub(super) fn number(text: &str) -> Result<u64, String> {
    values::count(text).map(|n| n as u64)
}

fn integer(text: &str) -> Result<i32, String> {
    text.parse().map_err(|_| "is no whole number".to_owned())
}
