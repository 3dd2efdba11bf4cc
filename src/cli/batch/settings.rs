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
use super::streams::{Beside, LineTag, Streams};
use crate::cli::exit::Fault;
use crate::cli::flags::{Flag, Grouping, Typed};
use crate::inputs::{JobPacker, RowsPerJob};
use crate::policy::Amount;
use crate::process::{Interrupt, room_for_arguments};
use crate::progress::ProgressDisplay;
use crate::task::Column;
use crate::template::{Counts, Dialect, Quoting, ReplacementName, Template, TemplateOptions, Unsupported};
use crate::temporary::{keep_files_in, unnamed_file};
use crate::text::reason;
use crate::workload::command::{
    CommandBatch, EarlierRun, JobDirectory, LineAction, OutputOrder, PortableTemplate, Settings, Shell,
    StdinMode, TemplateKind, names_apart,
};

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
pub(super) enum Purpose<'w> {
    /// For its effect and its output.
    Effect,
    /// To compare these ways, of which the command may know: `{way}`.
    Comparison(&'w [Column]),
}

/// The batch that the options describe.
pub(super) fn prepare(
    typed: &Typed,
    purpose: Purpose<'_>,
    width: NonZeroUsize,
    interrupt: &Interrupt,
    display: &Arc<ProgressDisplay>,
) -> Result<(CommandBatch, JobResults), Fault> {
    let usage = |error: &dyn std::fmt::Display| Fault::Usage(error.to_string());
    let shell = shell(typed)?;
    let mut options = TemplateOptions {
        dialect: shell.dialect,
        renames: renames(typed),
        plus: typed.flags.has(Flag::Plus),
        columns: Vec::new(),
        repeats_words: typed.repeats_words(),
        leaves_values_out: typed.packing(width, LONGEST_LINE).insert_nothing,
    };
    let mut jobs = JobSource::open(typed, interrupt, &mut options)?;
    let teller = Arc::clone(display);
    jobs.on_nul(Box::new(move || teller.say(NUL)));
    if let Some(folder) = &typed.run.tmpdir {
        keep_files_in(folder.clone());
        check_folder(folder)?;
    }
    let (template, templates_by_way) = templates(typed, purpose, &shell, &options)?;
    let counts = Counts::new(width.get(), typed.run.total_jobs);
    let tag = match &typed.output.tag_string {
        Some(text) => {
            LineTag::Text(Template::text(text, &options).map_err(|error| usage(&error))?, counts.clone())
        }
        None if typed.flags.has(Flag::Tag) => LineTag::Values,
        None => LineTag::None,
    };
    let directory = directory(typed, &options)?;
    let is_compared = matches!(purpose, Purpose::Comparison(_));
    let is_unseen = is_compared && !typed.flags.has(Flag::ShowOutput);
    let order = match (typed.output.grouping, typed.flags.has(Flag::KeepOrder)) {
        _ if is_unseen => OutputOrder::Unseen,
        (Grouping::Ungroup, _) => OutputOrder::Unbuffered,
        // Who types wants to see.
        (Grouping::Group, false) if typed.flags.has(Flag::Tty) => OutputOrder::Unbuffered,
        (Grouping::LineBuffer, true) => OutputOrder::KeptLines,
        (Grouping::Group, true) => OutputOrder::Kept,
        (Grouping::LineBuffer, false) => OutputOrder::Lines,
        (Grouping::Group, false) => OutputOrder::Grouped,
    };
    let order = results::order(typed, order);
    let variables = variables(typed);
    let packing = RowsPerJob { room: room(&variables)?, ..typed.packing(width, LONGEST_LINE) };
    let packer = JobPacker::new(packing);
    let (feed, stdin) = jobs.feed(typed, width, packer)?;
    let settings = Settings {
        template,
        templates_by_way,
        quoting: quoting(typed),
        shell,
        directory,
        variables,
        slot_variable: typed.run.slot_variable.clone(),
        temporaries: typed.run.tmpdir.clone().map(OsString::from),
        stdin_mode: job_input::stdin_mode(typed),
        counts,
        nice: typed.run.nice,
        timeout: timeout(typed),
        term_sequence: term_sequence(typed)?,
        line_action: line_action(typed),
        output_order: order,
    };
    let names_total = names_total(&settings, &tag);
    let (ending, display) = (interrupt.clone(), Arc::clone(display));
    let outputs = Box::new(move || {
        let streams = Streams::new(tag.clone(), ending.clone());
        Box::new(Beside::new(streams, Arc::clone(&display))) as Box<dyn crate::output::Destination>
    });
    let mut results = results::results(typed, &options, &settings.counts, order, outputs(), interrupt)?;
    let lines = if settings.template.uses_slot() { CommandLines::DependOnSlot } else { CommandLines::Stay };
    let earlier = records::earlier(typed, lines, Arc::clone(&results.has), interrupt)?;
    let reads_inputs = !matches!(earlier, EarlierRun::Failed(_));
    let told = settings.counts.has_total();
    let needs_total = is_compared || (names_total || results.needs_total) && !told || has_share(typed);
    let mut batch = CommandBatch::new(settings, stdin, feed, outputs)?;
    batch.earlier = earlier;
    batch.sink = results.sink.take();
    if needs_total && reads_inputs {
        batch.save_inputs()?;
    }
    Ok((batch, results))
}

/// The command line, and those of ways in which it is another.
fn templates(
    typed: &Typed,
    purpose: Purpose<'_>,
    shell: &Shell,
    options: &TemplateOptions,
) -> Result<(PortableTemplate, Vec<(String, PortableTemplate)>), Fault> {
    let usage = |error: Unsupported| Fault::Usage(error.to_string());
    let words: Vec<&[u8]> = typed.command.iter().map(|word| word.as_bytes()).collect();
    // With `env_parallel` variables are what it is all about.
    let apart = shell.definitions.is_some() && shell.dialect == Dialect::Posix;
    let apart = apart.then(|| names_apart(&words));
    let words = apart.as_ref().map_or(words, |words| words.iter().map(Vec::as_slice).collect());
    let of_way = |column: &Column| {
        let words: Vec<Vec<u8>> = words.iter().map(|word| placeholder::named(word, &column.name).0).collect();
        let template = PortableTemplate::read(TemplateKind::Command, &words, options);
        template.map(|template| (column.name.to_string(), template)).map_err(usage)
    };
    let names_way = || words.iter().any(|word| placeholder::named(word, &Column::SERIAL.name).1 > 0);
    let templates_by_way: Vec<(String, PortableTemplate)> = match purpose {
        Purpose::Comparison(columns) if names_way() => {
            columns.iter().map(of_way).collect::<Result<_, _>>()?
        }
        Purpose::Comparison(_) | Purpose::Effect => Vec::new(),
    };
    // A line has room for the longest of them.
    let longest = templates_by_way.iter().max_by_key(|(way, _)| way.len());
    let kind = match purpose {
        // Without words, values are the commands. A name is appended as a value is,
        // for what is in the file is read in no other way.
        Purpose::Effect
            if typed.pipes() && !words.is_empty() && job_input::stdin_mode(typed) == StdinMode::Stdin =>
        {
            TemplateKind::Exact
        }
        Purpose::Effect | Purpose::Comparison(_) => TemplateKind::Command,
    };
    let template = match longest {
        Some((_, template)) => template.clone(),
        None => PortableTemplate::read(kind, &words, options).map_err(usage)?,
    };
    Ok((template, templates_by_way))
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
fn directory(typed: &Typed, options: &TemplateOptions) -> Result<JobDirectory, Fault> {
    let Some(directory) = &typed.run.work_dir else { return Ok(JobDirectory::Here) };
    let text = directory.as_os_str().as_bytes();
    if text == b"..." {
        let folder = typed.run.tmpdir.clone().unwrap_or_else(std::env::temp_dir);
        return Ok(JobDirectory::OfItsOwn(folder));
    }
    let template = PortableTemplate::read(TemplateKind::Exact, &[text], options);
    let template = template.map_err(|error| Fault::Usage(error.to_string()))?;
    Ok(if template.uses_any() {
        JobDirectory::Each(template)
    } else {
        JobDirectory::Fixed(directory.clone())
    })
}

/// Whether something made for each job depends on the number of jobs.
fn names_total(settings: &Settings, tag: &LineTag) -> bool {
    let directory = match &settings.directory {
        JobDirectory::Each(template) => Some(&**template),
        JobDirectory::Here | JobDirectory::Fixed(_) | JobDirectory::OfItsOwn(_) => None,
    };
    let tag = match tag {
        LineTag::Text(template, _) => Some(template),
        LineTag::None | LineTag::Values => None,
    };
    [Some(&*settings.template), directory, tag].into_iter().flatten().any(Template::needs_total)
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
    match (typed.flags.has(Flag::Quote), job_input::stdin_mode(typed)) {
        (true, _) => Quoting::Words,
        (false, StdinMode::Stdin) => Quoting::Shell,
        // The name is a variable of the shell's.
        (false, StdinMode::File | StdinMode::Fifo) => Quoting::None,
    }
}

pub(super) fn renames(typed: &Typed) -> Vec<(ReplacementName, Vec<u8>)> {
    let asked = &typed.replacements;
    [
        (ReplacementName::Value, &asked.value),
        (ReplacementName::WithoutExtension, &asked.no_extension),
        (ReplacementName::Basename, &asked.basename),
        (ReplacementName::Dirname, &asked.dirname),
        (ReplacementName::BasenameWithoutExtension, &asked.basename_no_extension),
        (ReplacementName::Seq, &asked.seq),
        (ReplacementName::Slot, &asked.slot),
    ]
    .into_iter()
    .filter_map(|(name, new)| Some((name, new.clone()?)))
    .collect()
}

fn line_action(typed: &Typed) -> LineAction {
    let has = |flag| typed.flags.has(flag);
    if has(Flag::ShellQuote) {
        return LineAction::PrintQuoted(
            typed.given.iter().filter(|given| given.name == "shell-quote").count(),
        );
    }
    match (has(Flag::DryRun), has(Flag::Verbose), has(Flag::Trace)) {
        (true, ..) => LineAction::Print,
        (_, true, _) => LineAction::PrintAndRun,
        (_, _, true) => LineAction::TraceAndRun,
        _ => LineAction::Run,
    }
}

/// Whether jobs are counted in percent of all.
fn has_share(typed: &Typed) -> bool {
    typed.run.halt.is_some_and(|halt| matches!(halt.amount, Amount::Percent(_)))
}
