//! From options to a batch that can be run.

use std::ffi::OsString;
use std::io;
use std::num::NonZeroUsize;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;

use super::job_input::{self, JobSource};
use super::placeholder;
use super::policy::{term_sequence, timeout};
use super::records::{self, CommandLines};
use super::results::{self, JobResults};
use super::shell::shell;
use super::streams::{Beside, LineTag, Streams, trace};
use crate::cli::exit::Fault;
use crate::cli::flags::{Flag, Grouping, Typed};
use crate::format::reason;
use crate::inputs::{Packer, Packing};
use crate::output::unnamed_file::{keep_files_in, unnamed_file};
use crate::policy::Amount;
use crate::process::{Interrupt, room_for_arguments};
use crate::progress::Meter;
use crate::task::Column;
use crate::template::{Counts, Dialect, Name, Options, Quoting, Template};
use crate::workload::command::{Act, CommandBatch, Directory, Earlier, Offer, Order, Settings, names_apart};

/// A command line gets no longer than this: one argument of the kernel's, which
/// is what a shell takes it as.
pub(super) const LONGEST_LINE: usize = 131_071;

/// What is left for whatever a shell adds, as xargs does.
const HEADROOM: usize = 2048;

/// What is told of a value that no argument can hold.
const NUL: &str =
    "a NUL in the input was replaced with \\0, for no argument can hold one: did you mean --null (-0)?";

/// What a batch is run for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// For its effect and its output.
    Effect,
    /// To compare ways, of which the command may know: `{way}`.
    Comparison,
}

/// The batch that the options describe.
pub(super) fn prepare(
    typed: &Typed,
    purpose: Purpose,
    width: NonZeroUsize,
    interrupt: &Interrupt,
    meter: &Arc<Meter>,
) -> Result<(CommandBatch, JobResults), Fault> {
    let usage = |error: &dyn std::fmt::Display| Fault::Usage(error.to_string());
    let shell = shell(typed)?;
    let mut options = Options {
        dialect: shell.dialect,
        renames: renames(typed),
        plus: typed.flags.has(Flag::Plus),
        columns: Vec::new(),
        repeats_words: typed.repeats_words(),
        leaves_values_out: typed.packing(width, LONGEST_LINE).insert_nothing,
    };
    let mut jobs = JobSource::open(typed, interrupt, &mut options)?;
    let teller = Arc::clone(meter);
    jobs.on_nul(Box::new(move || teller.say(NUL)));
    if let Some(folder) = &typed.run.tmpdir {
        keep_files_in(folder.clone());
        check_folder(folder)?;
    }
    let words: Vec<&[u8]> = typed.command.iter().map(|word| word.as_bytes()).collect();
    // With `env_parallel` variables are what it is all about.
    let apart = shell.definitions.is_some() && shell.dialect == Dialect::Posix;
    let apart = apart.then(|| names_apart(&words));
    let words = apart.as_ref().map_or(words, |words| words.iter().map(Vec::as_slice).collect());
    let command = |words: &[Vec<u8>]| Template::command(words, &options);
    let of_way = |way: &str| words.iter().map(|word| placeholder::named(word, way).0).collect::<Vec<_>>();
    let names_way = || words.iter().any(|word| placeholder::named(word, &Column::SERIAL.name).1 > 0);
    let template = match purpose {
        // Without words, values are the commands. A name is appended as a value is,
        // for what is in the file is read in no other way.
        Purpose::Effect if typed.pipes() && !words.is_empty() && job_input::offer(typed) == Offer::Stdin => {
            Template::exact(&words, &options)
        }
        Purpose::Effect => Template::command(&words, &options),
        Purpose::Comparison => command(&of_way(&Column::PARALLEL.name)),
    };
    let template = template.map_err(|error| usage(&error))?;
    let serial_template =
        (purpose == Purpose::Comparison && names_way()).then(|| command(&of_way(&Column::SERIAL.name)));
    let serial_template = serial_template.transpose().map_err(|error| usage(&error))?;
    let counts = Counts::new(width.get(), typed.run.total_jobs);
    let tag = match &typed.output.tag_string {
        Some(text) => {
            LineTag::Text(Template::text(text, &options).map_err(|error| usage(&error))?, counts.clone())
        }
        None if typed.flags.has(Flag::Tag) => LineTag::Values,
        None => LineTag::None,
    };
    let directory = directory(typed, &options)?;
    let is_unseen = purpose == Purpose::Comparison && !typed.flags.has(Flag::ShowOutput);
    let order = match (typed.output.grouping, typed.flags.has(Flag::KeepOrder)) {
        _ if is_unseen => Order::Unseen,
        (Grouping::Ungroup, _) => Order::Unbuffered,
        // Who types wants to see.
        (Grouping::Group, false) if typed.flags.has(Flag::Tty) => Order::Unbuffered,
        (Grouping::LineBuffer, true) => Order::KeptLines,
        (Grouping::Group, true) => Order::Kept,
        (Grouping::LineBuffer, false) => Order::Lines,
        (Grouping::Group, false) => Order::Grouped,
    };
    let order = results::order(typed, order);
    let variables = variables(typed);
    let packing = Packing { room: room(&variables)?, ..typed.packing(width, LONGEST_LINE) };
    let packer = Packer::new(packing);
    let (feed, reads) = jobs.feed(typed, width, packer)?;
    let settings = Settings {
        template,
        serial_template,
        quoting: quoting(typed),
        shell,
        directory,
        variables,
        slot_variable: typed.run.slot_variable.clone(),
        reads,
        offer: job_input::offer(typed),
        counts,
        nice: typed.run.nice,
        timeout: timeout(typed),
        term_sequence: term_sequence(typed)?,
        act: act(typed),
        order,
    };
    let names_total = names_total(&settings, &tag);
    let (ending, meter) = (interrupt.clone(), Arc::clone(meter));
    let outputs = Box::new(move || {
        let streams = Streams::new(tag.clone(), ending.clone());
        Box::new(Beside::new(streams, Arc::clone(&meter))) as Box<dyn crate::output::Destination>
    });
    let mut results =
        results::results(typed, &options, &settings.counts, settings.order, outputs(), interrupt)?;
    let lines = if settings.template.uses_slot() { CommandLines::DependOnSlot } else { CommandLines::Stay };
    let earlier = records::earlier(typed, lines, Arc::clone(&results.has), interrupt)?;
    let reads_inputs = !matches!(earlier, Earlier::Failed(_));
    let told = settings.counts.has_total();
    let runs_again = purpose == Purpose::Comparison;
    let needs_total = runs_again || (names_total || results.needs_total) && !told || has_share(typed);
    let mut batch = CommandBatch::new(settings, feed, outputs).map_err(Fault::Own)?;
    batch.go_on_from(earlier);
    if let Some(sink) = results.sink.take() {
        batch.put_outputs(sink);
    }
    if needs_total && reads_inputs {
        batch.freeze().map_err(Fault::Own)?;
    }
    Ok((batch, results))
}

/// Whether temporary files can be made in `folder`: now rather than in the middle.
fn check_folder(folder: &Path) -> Result<(), Fault> {
    let refuse = |why: String| Err(Fault::Usage(format!("--tmpdir {}: {why}", folder.display())));
    match std::fs::metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            refuse("no such directory; make it first".to_owned())
        }
        Ok(data) if !data.is_dir() => refuse("not a directory".to_owned()),
        Err(error) => refuse(reason(&error)),
        Ok(_) => match unnamed_file() {
            Err(error) => refuse(format!("no file can be made there: {}", reason(&error))),
            Ok(_) => Ok(()),
        },
    }
}

/// How much a command line and the addresses of its words may take, beside the
/// environment that jobs get.
fn room(variables: &[(OsString, OsString)]) -> Result<usize, Fault> {
    let own = std::env::vars_os();
    let all = own.map(|(name, value)| name.len() + value.len());
    let all = all.chain(variables.iter().map(|(name, value)| name.len() + value.len()));
    // Each with an equals sign, a NUL and its address.
    let environment: usize = all.map(|length| length + 2 + size_of::<usize>()).sum();
    let most = usize::try_from(room_for_arguments()).unwrap_or(usize::MAX);
    most.checked_sub(environment + HEADROOM).filter(|room| *room > 0).ok_or_else(|| {
        Fault::Usage(format!(
            "the environment takes {environment} of the {most} bytes that it and a command line may take together: unset what jobs do not need, or raise the limit (ulimit -s)"
        ))
    })
}

/// Where jobs run; `...` is a new directory for each.
fn directory(typed: &Typed, options: &Options) -> Result<Directory, Fault> {
    let Some(directory) = &typed.run.work_dir else { return Ok(Directory::Here) };
    let text = directory.as_os_str().as_bytes();
    if text == b"..." {
        let folder = typed.run.tmpdir.clone().unwrap_or_else(std::env::temp_dir);
        return Ok(Directory::OfItsOwn(folder));
    }
    let template = Template::text(text, options).map_err(|error| Fault::Usage(error.to_string()))?;
    Ok(if template.uses_any() { Directory::Each(template) } else { Directory::Fixed(directory.clone()) })
}

/// Whether something made for each job depends on the number of jobs.
fn names_total(settings: &Settings, tag: &LineTag) -> bool {
    let directory = match &settings.directory {
        Directory::Each(template) => Some(template),
        Directory::Here | Directory::Fixed(_) | Directory::OfItsOwn(_) => None,
    };
    let tag = match tag {
        LineTag::Text(template, _) => Some(template),
        LineTag::None | LineTag::Values => None,
    };
    [Some(&settings.template), directory, tag].into_iter().flatten().any(Template::needs_total)
}

/// Variables of the jobs that options ask for.
fn variables(typed: &Typed) -> Vec<(OsString, OsString)> {
    const THREADS: [&str; 4] =
        ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"];
    let threads = typed.run.threads_per_job.map(|threads| THREADS.map(|name| (name, threads.to_string())));
    let folder = typed.run.tmpdir.as_ref().map(|folder| ("TMPDIR".into(), folder.clone().into()));
    let threads = threads.into_iter().flatten().map(|(name, threads)| (name.into(), threads.into()));
    // As after a `cd` there.
    let here = typed.run.work_dir.as_ref().and_then(|_| std::env::current_dir().ok());
    let left = here.map(|here| ("OLDPWD".into(), here.into()));
    threads.chain(folder).chain(left).collect()
}

fn quoting(typed: &Typed) -> Quoting {
    match (typed.flags.has(Flag::Quote), job_input::offer(typed)) {
        (true, _) => Quoting::Words,
        (false, Offer::Stdin) => Quoting::Shell,
        // The name is a variable of the shell's.
        (false, Offer::File | Offer::Fifo) => Quoting::None,
    }
}

pub(super) fn renames(typed: &Typed) -> Vec<(Name, Vec<u8>)> {
    let asked = &typed.replacements;
    [
        (Name::Value, &asked.value),
        (Name::WithoutExtension, &asked.no_extension),
        (Name::Basename, &asked.basename),
        (Name::Dirname, &asked.dirname),
        (Name::BasenameWithoutExtension, &asked.basename_no_extension),
        (Name::Seq, &asked.seq),
        (Name::Slot, &asked.slot),
    ]
    .into_iter()
    .filter_map(|(name, new)| Some((name, new.clone()?)))
    .collect()
}

fn act(typed: &Typed) -> Act {
    let has = |flag| typed.flags.has(flag);
    if has(Flag::ShellQuote) {
        return Act::PrintQuoted(typed.given.iter().filter(|given| given.name == "shell-quote").count());
    }
    match (has(Flag::DryRun), has(Flag::Verbose), has(Flag::Trace)) {
        (true, ..) => Act::Print,
        (_, true, _) => Act::PrintAndRun,
        (_, _, true) => Act::TraceAndRun(trace),
        _ => Act::Run,
    }
}

/// Whether jobs are counted in percent of all.
fn has_share(typed: &Typed) -> bool {
    typed.run.halt.is_some_and(|halt| matches!(halt.amount, Amount::Percent(_)))
}
