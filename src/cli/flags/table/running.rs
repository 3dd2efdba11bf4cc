//! Options about running: how many, how long, when to stop; and about comparing ways,
//! which batches share with workloads and, as far as they are about the report, with
//! `report`.

use super::super::hyperfine;
use super::super::jobs::JobsOption;
use super::super::row::Does::{Refused, Set, Text, Word, Words};
use super::super::row::{OptionSection, flag, option, own, quiet, section, set};
use super::super::typed::{Flag, Scope};
use super::super::values::{self, Timeout, Workers};
use crate::cli::exit::status;
use crate::numbers::{TimeUnit, read_duration};
use crate::policy::{Delay, Halt, Load};

const SAME_JOBS: &str = "both ways have to do the same jobs";
const NOTHING_RUNS: &str =
    "there is nothing to compare where nothing runs; parsim parallel --dry-run shows the jobs";

#[rustfmt::skip]
pub(in crate::cli::flags) static RUNNING: OptionSection = section("Running", &[
    option(&["jobs", "max-procs", "maxprocs", "j", "P"], "N",
        "jobs to run at once: N, N%, +N, -N; 0 = no limit; or a file with one\nof these, read again whenever a job ends",
        Word(|t, v| { t.run.jobs = Some(JobsOption::parse(v)); Ok(()) })).brief().of(Scope::BATCH.and(Scope::WORKLOAD))
        .told(Scope::COMPARE.and(Scope::WORKLOAD), "tasks to run at once: N, N%, +N, -N; 0 = all; or a list or range to\nsweep (1,2,4 or 1-8)"),
    own(&["workers"], "WHO", "run tasks on threads or in processes",
        Text(|t, v| { t.run.workers = Workers::parse(v)?; Ok(()) })).of(Scope::BATCH.and(Scope::WORKLOAD)),
    option(&["timeout"], "SECONDS", "kill jobs that run longer; also 90s, 1.5h, 300% (of the median of 3 or more)",
        Text(|t, v| { t.run.timeout = Timeout::parse(v)?; Ok(()) })).brief(),
    option(&["retries"], "N", "try a failed job N times in all (parsim tap --retries N: N times more)", Text(|t, v| set(&mut t.run.retries, number(v)))).brief(),
    own(&["retry-delay"], "SECONDS", "wait before each new try", Text(|t, v| set(&mut t.run.retry_delay, read_duration(v)))),
    own(&["backoff"], "FACTOR", "multiply --retry-delay by FACTOR after each try", Text(|t, v| set(&mut t.run.backoff, factor(v)))),
    option(&["halt", "halt-on-error", "haltonerror"], "RULE", "stop early: now,fail=1 soon,fail=3 now,success=1 soon,done=50%",
        Text(|t, v| { t.run.halt = Halt::parse(v)?; Ok(()) })).brief().not_compared(SAME_JOBS),
    option(&["delay"], "SECONDS", "wait between two starts", Text(|t, v| set(&mut t.run.delay, Delay::parse(v)))).brief(),
    own(&["threads-per-job", "cpus-per-task"], "N", "each job uses N threads: run fewer at once, and set OMP_NUM_THREADS etc.",
        Text(|t, v| set(&mut t.run.threads_per_job, at_least_one(v)))).of(Scope::BATCH.and(Scope::WORKLOAD))
        .told(Scope::WORKLOAD, "CPUs of a node for each task (with --workers slurm or local-dir)"),
    option(&["load"], "LOAD", "start no job while the load is above N or N%", Text(|t, v| set(&mut t.run.load, Load::parse(v)))).brief(),
    option(&["memfree"], "BYTES", "start no job while less memory is free: 500M, 2G (also --memsuspend)",
        Text(|t, v| set(&mut t.run.memfree, values::size(v)))).brief(),
    quiet(&["memsuspend"], Text(|t, v| set(&mut t.run.memsuspend, values::size(v)))),
    flag(&["noswap"], "start no job while the machine swaps", Flag::NoSwap),
    own(&["max-time"], "SECONDS", concat!("start no job after this time; if some are left: status ", status!(TimeOver)),
        Text(|t, v| set(&mut t.run.max_time, read_duration(v)))).brief().not_compared(SAME_JOBS),
    flag(&["tty", "open-tty", "o"], "let jobs read the terminal, one at a time unless -j says more", Flag::Tty)
        .not_compared("the output of a job on the terminal cannot be compared"),
    option(&["term-seq", "termseq"], "SEQUENCE", "signals and waits to kill a job: TERM,200,TERM,100,TERM,50,KILL,25",
        Text(|t, v| set(&mut t.run.term_seq, values::term_sequence(v)))),
    option(&["wd", "workdir", "work-dir"], "DIR", "run jobs in DIR; ... is a new directory for each, removed afterwards",
        Word(|t, v| { t.run.work_dir = Some(v.into()); Ok(()) })).brief(),
    option(&["tmpdir", "tempdir"], "DIR", "put temporary files in DIR", Word(|t, v| { t.run.tmpdir = Some(v.into()); Ok(()) })),
    option(&["process-slot-var", "processslotvar"], "NAME", "set variable NAME to the job's slot, from 0",
        Word(|t, v| { t.run.slot_variable = Some(v.to_owned()); Ok(()) })),
    option(&["nice"], "N", "run jobs with this niceness", Text(|t, v| set(&mut t.run.nice, integer(v)))).brief(),
    own(&["shell"], "PATH", "run jobs in this shell (also $PARSIM_SHELL) [the one that runs parsim]",
        Word(|t, v| { t.run.shell = Some(v.into()); Ok(()) })).brief(),
    own(&["no-shell"], "", "refuse jobs that need a shell", Set(Flag::NoShell)).brief(),
    flag(&["dry-run", "dryrun", "dr"], "print the commands without running them", Flag::DryRun).brief().not_compared(NOTHING_RUNS),
    quiet(&["shell-quote", "shellquote", "shell_quote"], Set(Flag::ShellQuote)).not_compared(NOTHING_RUNS),
    flag(&["v"], "print each command before its output", Flag::Verbose).brief(),
    flag(&["verbose", "t"], "print each command on stderr", Flag::Trace).brief()
        .told(Scope::COMPARE, "print each command on stderr, and a line for each run in the report"),
]);

const COMPARED: Scope = Scope::COMPARE.and(Scope::WORKLOAD);
const SHOWN: Scope = COMPARED.and(Scope::REPORT);

#[rustfmt::skip]
pub(in crate::cli::flags) static MEASURING: OptionSection = section("How to run it", &[
    own(&["runs"], "N", "run each way N times, in the order A B, B A (5 or more: with a test)",
        Text(|t, v| set(&mut t.study.runs, at_least_one(v)))).of(COMPARED),
    own(&["warmup", "w"], "N", "run each way N times first without counting it [default: 0]",
        Text(|t, v| set(&mut t.study.warmup, values::count(v)))).of(COMPARED),
    own(&["setup"], "CMD", "a shell command to run once, before everything else",
        Text(|t, v| { t.study.setup = Some(v.to_owned()); Ok(()) })).of(Scope::COMPARE),
    own(&["prepare"], "CMD", "a shell command to run before each run, outside the clock\n(which way: $PARSIM_WAY)",
        Text(|t, v| { t.study.prepare = Some(v.to_owned()); Ok(()) })).of(COMPARED),
    own(&["cleanup"], "CMD", "a shell command to run after each run, outside the clock\n(which way: $PARSIM_WAY);\nin parsim parallel --cleanup is GNU parallel's and takes no CMD",
        Text(|t, v| { t.study.cleanup = Some(v.to_owned()); Ok(()) })).of(COMPARED),
    own(&["parameter-list"], "VAR A,B,...", "run over the values A, B, ...: {VAR} in the command; also -L VAR A,B",
        Words(2, hyperfine::list)).of(Scope::COMPARE),
    own(&["parameter-scan"], "VAR MIN MAX", "run over the numbers MIN to MAX: {VAR} in the command; also -P VAR MIN MAX",
        Words(3, hyperfine::scan)).of(Scope::COMPARE),
    own(&["parameter-step-size"], "STEP", "how far apart the numbers of a scan are; also -D STEP [default: 1]",
        Word(hyperfine::step)).of(Scope::COMPARE),
    own(&["command-name"], "NAME", "what reports call the batch instead of its command line",
        Text(|t, v| { t.study.name = Some(v.to_owned()); Ok(()) })).of(Scope::COMPARE),
    own(&["time-unit"], "UNIT", "show the times of the table in second (s), millisecond (ms) or microsecond (us)",
        Text(|t, v| match TimeUnit::called(v) {
            Some(unit) => { t.study.time_unit = Some(unit.name.to_owned()); Ok(()) }
            None => Err("expected second, millisecond or microsecond".to_owned()),
        })).of(Scope::COMPARE),
    own(&["outputs"], "GLOB", "compare these files, too; {}, {.}, {way} ... may stand in it",
        Word(|t, v| { t.study.outputs.push(v.to_owned()); Ok(()) })).of(Scope::COMPARE),
    own(&["sample"], "N", "run N jobs, one drawn from each of N equal parts of the batch\n(the same each time), and estimate the whole with an interval",
        Text(|t, v| { t.study.sample = Some(at_least_one(v)? as u64); Ok(()) })).of(Scope::COMPARE),
    own(&["show-output"], "", "show what the jobs write (otherwise it is only compared)", Set(Flag::ShowOutput)).of(Scope::COMPARE),
    // What people try who know the workloads' options.
    own(&["serial"], "", "", Refused("use parsim serial, which runs one job at a time")),
    own(&["parallel"], "", "", Refused("use parsim parallel, which runs jobs on all cores")),
    own(&["compare"], "", "", Refused("use parsim compare, which runs both ways")),
]);

#[rustfmt::skip]
pub(in crate::cli::flags) static PICTURES: OptionSection = section("Report", &[
    own(&["lanes"], "", "draw bars, lanes and sweeps even where the report does not go to a terminal", Set(Flag::Lanes)).of(SHOWN),
    own(&["ascii"], "", "draw with plain ASCII only", Set(Flag::Ascii)).of(SHOWN),
    own(&["verbose"], "", "show a line for each run", Set(Flag::Trace)).of(Scope::WORKLOAD.and(Scope::REPORT)),
]);

#[rustfmt::skip]
pub(in crate::cli::flags) static GATES: OptionSection = section("Report", &[
    own(&["min-speedup"], "X", concat!("exit with ", status!(Missed), " when the best speed-up is surely below X\n(with fewer than 5 runs chance decides, too; in CI use --runs 10)"),
        Text(|t, v| set(&mut t.study.min_speedup, values::at_least_nothing(v)))).of(SHOWN),
    own(&["fail-if-slower"], "PCT", concat!("exit with ", status!(Missed), " when parallel is surely slower than serial by more than PCT %"),
        Text(|t, v| set(&mut t.study.fail_if_slower, values::at_least_nothing(v)))).of(SHOWN)
        .told(Scope::REPORT, concat!("exit with ", status!(Missed), " when parallel, or the later of two studies, is surely slower by more than PCT %")),
]);

pub(super) fn number(text: &str) -> Result<u64, String> {
    values::count(text).map(|n| n as u64)
}

fn integer(text: &str) -> Result<i32, String> {
    text.parse().map_err(|_| "not a whole number".to_owned())
}

pub(super) fn at_least_one(text: &str) -> Result<usize, String> {
    match values::count(text)? {
        0 => Err("must be at least 1".to_owned()),
        n => Ok(n),
    }
}

fn factor(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(factor) if factor.is_finite() && factor >= 1.0 => Ok(factor),
        _ => Err("expected a factor of at least 1".to_owned()),
    }
}
