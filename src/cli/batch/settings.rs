//! From options to a batch that can be run.

use std::ffi::OsString;
use std::io;
use std::num::NonZeroUsize;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;

use super::hosts;
use super::job_input::{self, JobSource};
use super::latest_lines::LatestLines;
use super::records;
use super::results::{self, JobResults};
use super::streams::{Beside, LineTag, Streams};
use crate::cli::exit::{Fault, refuse};
use crate::cli::flags::{Flag, Grouping, Timeout, Typed};
use crate::cli::named_hosts::are_far;
use crate::cli::shell;
use crate::inputs::{InputCount, JobPacker, RowsPerJob};
use crate::joblog::FoundBy;
use crate::output::Destination;
use crate::policy::Amount;
use crate::process::{Interrupt, room_for_arguments};
use crate::progress::ProgressDisplay;
use crate::task::Column;
use crate::template::{Counts, Dialect, Quoting, Template, TemplateOptions};
use crate::temporary::{keep_files_in, unnamed_file};
use crate::text::reason;
use crate::workload::command::{
    self, CommandBatch, EarlierRun, JobDirectory, LineAction, OutputOrder, PortableTemplate, Settings, Shell,
    StdinMode, TemplateKind, count_beside, names_apart,
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

/// The batch that the options describe. `count` is for whoever wants to know soon how many
/// jobs there are.
pub(super) fn prepare(
    typed: &Typed,
    purpose: Purpose<'_>,
    width: NonZeroUsize,
    interrupt: &Interrupt,
    display: &Arc<ProgressDisplay>,
    count: Option<&InputCount>,
) -> Result<(CommandBatch, JobResults), Fault> {
    let packing = typed.packing(width, LONGEST_LINE);
    let counter = count.and_then(|_| job_input::counter(typed, &packing));
    let shell = shell::of_jobs(typed.run.shell.as_deref(), typed.has(Flag::NoShell))?;
    let mut options = TemplateOptions {
        dialect: shell.dialect,
        renames: typed.renames.clone().into_iter().collect(),
        plus: typed.has(Flag::Plus),
        columns: Vec::new(),
        repeats_words: typed.repeats_words(),
        leaves_values_out: packing.insert_nothing,
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
        Some(text) => LineTag::Text(Template::text(text, &options).map_err(Fault::usage)?, counts.clone()),
        None if typed.has(Flag::Tag) && typed.has_any(&[Flag::NonAll, Flag::OnAll]) => LineTag::Hosts,
        None if typed.has(Flag::Tag) => LineTag::Values,
        None => LineTag::None,
    };
    let far = are_far(typed)?;
    let directory = directory(typed, &options, far)?;
    let is_compared = matches!(purpose, Purpose::Comparison(_));
    let is_unseen = is_compared && !typed.has(Flag::ShowOutput);
    let order = output_order(typed, is_unseen);
    let variables = variables(typed, far);
    let packing = RowsPerJob { room: room(&variables)?, ..packing };
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
        timeout: match typed.run.timeout {
            Some(Timeout::After(time)) => Some(time),
            // This one grows out of the jobs.
            Some(Timeout::Percent(_)) | None => None,
        },
        term_sequence: typed.run.term_seq.clone().unwrap_or_default(),
        line_action: line_action(typed),
        output_order: order,
        runs_elsewhere: far,
        files: hosts::files(typed, &options)?,
    };
    let names_total = names_total(&settings, &tag);
    let (ending, display) = (interrupt.clone(), Arc::clone(display));
    let outputs = Box::new(move || {
        let streams = Streams::new(tag.clone(), ending.clone());
        let beside = Beside::new(streams, Arc::clone(&display));
        let outputs: Box<dyn Destination> =
            if display.shows_slots() { Box::new(LatestLines::new(beside)) } else { Box::new(beside) };
        outputs
    });
    let mut results = results::results(typed, &options, &settings.counts, order, outputs(), interrupt)?;
    let found_by = settings.template.uses_slot().then_some(FoundBy::Number);
    let earlier = records::earlier(typed, found_by, Arc::clone(&results.has), interrupt)?;
    let reads_inputs = !matches!(earlier, EarlierRun::Failed(_)) && !typed.has(Flag::NonAll);
    let told = settings.counts.has_total();
    // Jobs are counted in percent of all.
    let has_share = typed.run.halt.is_some_and(|halt| matches!(halt.amount, Amount::Percent(_)));
    let needs_total =
        is_compared || typed.has(Flag::OnAll) || (names_total || results.needs_total) && !told || has_share;
    let mut batch = CommandBatch::new(settings, stdin, feed, outputs)?;
    batch.earlier = earlier;
    batch.sink = results.sink.take();
    batch.places = hosts::places(typed)?;
    if needs_total && reads_inputs {
        batch.save_inputs()?;
    } else if let (true, Some(count)) = (reads_inputs, count) {
        batch.count = count.clone();
        match counter {
            Some(counter) => {
                count_beside(counter, count.clone(), Box::new(command::patience(interrupt.clone())));
            }
            None if job_input::may_read_ahead(typed) => batch = batch.read_ahead()?,
            None => {}
        }
    }
    Ok((batch, results))
}

/// How outputs are put in order; of those that are compared nobody sees any.
fn output_order(typed: &Typed, is_unseen: bool) -> OutputOrder {
    let is_put_down = typed.puts_output_down();
    // What every host says comes host by host.
    let is_kept = typed.has_any(&[Flag::KeepOrder, Flag::OnAll]);
    match (typed.output.grouping, is_kept) {
        _ if is_unseen => OutputOrder::Unseen,
        (Grouping::Ungroup, _) if !is_put_down => OutputOrder::Unbuffered,
        // Who types wants to see.
        (Grouping::Group, false) if typed.has(Flag::Tty) && !is_put_down => OutputOrder::Unbuffered,
        // What is not shown is not looked at line by line.
        (Grouping::LatestLine, false) if is_put_down => OutputOrder::Grouped,
        (Grouping::LatestLine, true) if is_put_down => OutputOrder::Kept,
        (Grouping::LineBuffer | Grouping::LatestLine, true) => OutputOrder::KeptLines,
        (Grouping::Group, true) => OutputOrder::Kept,
        (Grouping::LineBuffer | Grouping::LatestLine, false) => OutputOrder::Lines,
        (Grouping::Group | Grouping::Ungroup, _) => OutputOrder::Grouped,
    }
}

/// The command line, and those of ways in which it is another.
fn templates(
    typed: &Typed,
    purpose: Purpose<'_>,
    shell: &Shell,
    options: &TemplateOptions,
) -> Result<(PortableTemplate, Vec<(String, PortableTemplate)>), Fault> {
    let words: Vec<&[u8]> = typed.command.iter().map(|word| word.as_bytes()).collect();
    // With `env_parallel` variables are what it is all about.
    let apart = shell.definitions.is_some() && shell.dialect == Dialect::Posix;
    let apart = apart.then(|| names_apart(&words));
    let words = apart.as_ref().map_or(words, |words| words.iter().map(Vec::as_slice).collect());
    let of_way = |column: &Column| {
        let words: Vec<Vec<u8>> = words.iter().map(|word| with_way(word, &column.name).0).collect();
        let template = PortableTemplate::read(TemplateKind::Command, &words, options);
        template.map(|template| (column.name.to_string(), template)).map_err(Fault::usage)
    };
    let names_way = || words.iter().any(|word| with_way(word, &Column::SERIAL.name).1 > 0);
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
        // Nothing is appended where there are no inputs.
        _ if typed.has(Flag::NonAll) => TemplateKind::Exact,
        Purpose::Effect | Purpose::Comparison(_) => TemplateKind::Command,
    };
    let template = match longest {
        Some((_, template)) => template.clone(),
        None => PortableTemplate::read(kind, &words, options).map_err(Fault::usage)?,
    };
    Ok((template, templates_by_way))
}

/// Whether temporary files can be made in `folder`: now rather than in the middle.
fn check_folder(folder: &Path) -> Result<(), Fault> {
    let why = match std::fs::metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            "no such directory; make it first".to_owned()
        }
        Err(error) => reason(&error),
        Ok(data) if !data.is_dir() => "not a directory".to_owned(),
        Ok(_) => match unnamed_file() {
            Err(error) => format!("no file can be made there: {}", reason(&error)),
            Ok(_) => return Ok(()),
        },
    };
    refuse(format!("--tmpdir {}: {why}", folder.display()))
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
fn directory(typed: &Typed, options: &TemplateOptions, far: bool) -> Result<JobDirectory, Fault> {
    let Some(directory) = &typed.run.work_dir else { return Ok(JobDirectory::Here) };
    let text = directory.as_os_str().as_bytes();
    if far && text == b"..." {
        return Ok(JobDirectory::OfItsOwn(hosts::OWN_FOLDERS.into()));
    }
    if far && text == b"." {
        return Ok(JobDirectory::Fixed(hosts::same_directory()));
    }
    if text == b"..." {
        let folder = typed.run.tmpdir.clone().unwrap_or_else(std::env::temp_dir);
        return Ok(JobDirectory::OfItsOwn(folder));
    }
    let template = PortableTemplate::read(TemplateKind::Exact, &[text], options);
    let template = template.map_err(Fault::usage)?;
    Ok(if template.uses_any() {
        JobDirectory::Each(template)
    } else {
        JobDirectory::Fixed(directory.clone())
    })
}

/// Whether something made for each job depends on the number of jobs.
fn names_total(settings: &Settings, tag: &LineTag) -> bool {
    let mut templates = vec![&*settings.template];
    if let JobDirectory::Each(template) = &settings.directory {
        templates.push(template);
    }
    if let LineTag::Text(template, _) = tag {
        templates.push(template);
    }
    templates.into_iter().any(Template::needs_total)
}

/// Variables of the jobs that options ask for.
fn variables(typed: &Typed, far: bool) -> Vec<(OsString, OsString)> {
    const THREADS: [&str; 4] =
        ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"];
    let threads = typed.run.threads_per_job.map(|threads| THREADS.map(|name| (name, threads.to_string())));
    let folder = typed.run.tmpdir.as_ref().map(|folder| ("TMPDIR".into(), folder.clone().into()));
    let threads = threads.into_iter().flatten().map(|(name, threads)| (name.into(), threads.into()));
    // As after a `cd` there.
    let here = typed.run.work_dir.as_ref().filter(|_| !far).and_then(|_| std::env::current_dir().ok());
    let left = here.map(|here| ("OLDPWD".into(), here.into()));
    // Whoever goes on with a run later may have other values.
    let is_kept = far || typed.run.workers.engines().any(|row| row.is_elsewhere);
    let passed = if is_kept { hosts::passed_variables(typed) } else { Vec::new() };
    passed.into_iter().chain(threads).chain(folder).chain(left).collect()
}

fn quoting(typed: &Typed) -> Quoting {
    match (typed.has(Flag::Quote), job_input::stdin_mode(typed)) {
        (true, _) => Quoting::Words,
        (false, StdinMode::Stdin) => Quoting::Shell,
        // The name is a variable of the shell's.
        (false, StdinMode::File | StdinMode::Fifo) => Quoting::None,
    }
}

fn line_action(typed: &Typed) -> LineAction {
    if typed.has(Flag::ShellQuote) {
        let times = typed.flags.iter().filter(|flag| **flag == Flag::ShellQuote).count();
        return LineAction::PrintQuoted(times);
    }
    let actions = [
        (Flag::DryRun, LineAction::Print),
        (Flag::Verbose, LineAction::PrintAndRun),
        (Flag::Trace, LineAction::TraceAndRun),
    ];
    actions.into_iter().find(|(flag, _)| typed.has(*flag)).map_or(LineAction::Run, |(_, action)| action)
}

/// What stands for the name of the way that a job is run in. Only `compare` knows it; on
/// `serial` and `parallel` it is text like any other.
const WAY: &[u8] = b"{way}";

/// `text` with the name of `way` in it, and how often it is.
pub(super) fn with_way(text: &[u8], way: &str) -> (Vec<u8>, usize) {
    let mut named = Vec::with_capacity(text.len());
    let mut rest = text;
    let mut times = 0;
    while let Some(at) = rest.windows(WAY.len()).position(|window| window == WAY) {
        named.extend_from_slice(&rest[..at]);
        named.extend_from_slice(way.as_bytes());
        rest = &rest[at + WAY.len()..];
        times += 1;
    }
    named.extend_from_slice(rest);
    (named, times)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_stands_wherever_it_is_asked_for() {
        assert_eq!(with_way(b"a > {way}/{}.{way}", "serial"), (b"a > serial/{}.serial".to_vec(), 2));
        assert_eq!(with_way(b"{ways}", "parallel"), (b"{ways}".to_vec(), 0));
    }
}
