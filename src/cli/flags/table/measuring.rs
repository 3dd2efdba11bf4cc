//! Options about comparing ways, which batches share with workloads and, as far as
//! they are about the report, with `report`.

use super::super::row::Does::{Refused, Set, Text, Word};
use super::super::row::{OptionSection, own, section};
use super::super::typed::{Flag, Scope};
use super::super::values;
use super::running::{at_least_one, set};
use crate::cli::exit::status;

const COMPARED: Scope = Scope::COMPARE.and(Scope::WORKLOAD);
const SHOWN: Scope = COMPARED.and(Scope::REPORT);

#[rustfmt::skip]
pub(in crate::cli::flags) static MEASURING: OptionSection = section("How to run it", &[
    own(&["runs"], "N", "run each way N times, in the order A B, B A (5 or more: with a test)",
        Text(|t, v| set(&mut t.study.runs, at_least_one(v)))).of(COMPARED),
    own(&["warmup"], "N", "run each way N times first without counting it [default: 0]",
        Text(|t, v| set(&mut t.study.warmup, values::count(v)))).of(COMPARED),
    own(&["prepare"], "CMD", "a shell command to run before each run, outside the clock\n(which way: $PARSIM_WAY)",
        Text(|t, v| { t.study.prepare = Some(v.to_owned()); Ok(()) })).of(COMPARED),
    own(&["cleanup"], "CMD", "a shell command to run after each run, outside the clock\n(which way: $PARSIM_WAY);\nin parsim parallel --cleanup is GNU parallel's and takes no CMD",
        Text(|t, v| { t.study.cleanup = Some(v.to_owned()); Ok(()) })).of(COMPARED),
    own(&["outputs"], "GLOB", "compare these files, too; {}, {.}, {way} ... may stand in it",
        Word(|t, v| { t.study.outputs.push(v.to_owned()); Ok(()) })).of(Scope::COMPARE),
    own(&["sample"], "N", "run N jobs, one drawn from each of N equal parts of the batch\n(the same each time), and estimate the whole with an interval",
        Text(|t, v| { t.study.sample = Some(at_least_one(v)? as u64); Ok(()) })).of(Scope::COMPARE),
    own(&["show-output"], "", "show what the jobs write (otherwise it is only compared)", Set(Flag::ShowOutput)).of(Scope::COMPARE),
    // What people try who know the workloads' options.
    own(&["serial"], "", "", Refused("one task at a time is a subcommand: parsim serial")),
    own(&["parallel"], "", "", Refused("on all cores is a subcommand: parsim parallel")),
    own(&["compare"], "", "", Refused("both ways is a subcommand: parsim compare")),
]);

#[rustfmt::skip]
pub(in crate::cli::flags) static PICTURES: OptionSection = section("Report", &[
    own(&["lanes"], "", "draw bars, lanes and sweeps although the report does not go to a terminal", Set(Flag::Lanes)).of(SHOWN),
    own(&["ascii"], "", "draw with plain ASCII only", Set(Flag::Ascii)).of(SHOWN),
]);

#[rustfmt::skip]
pub(in crate::cli::flags) static GATES: OptionSection = section("Report", &[
    own(&["min-speedup"], "X", concat!("exit with ", status!(Missed), " when the best speed-up is surely below X\n(fewer than 5 runs: below X, up to chance; in CI use --runs 10)"),
        Text(|t, v| set(&mut t.study.min_speedup, values::at_least_nothing(v)))).of(SHOWN),
    own(&["fail-if-slower"], "PCT", concat!("exit with ", status!(Missed), " when parallel is surely slower than serial by more than PCT %"),
        Text(|t, v| set(&mut t.study.fail_if_slower, values::at_least_nothing(v)))).of(SHOWN)
        .told(Scope::REPORT, concat!("exit with ", status!(Missed), " when parallel is surely slower than serial - of two studies, after than before - by more than PCT %")),
]);
