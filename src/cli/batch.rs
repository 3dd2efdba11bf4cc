//! `parsim serial` and `parsim parallel` over commands: from GNU parallel's
//! options to a batch, and to an exit status.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write as _};
use std::num::NonZeroUsize;
use std::os::fd::AsFd as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::exit::{End, Exit, Fault};
use super::streams::{Streams, Tag};
use super::term::Terminal;
use crate::executor::{Executor, Pool, Serial};
use crate::experiment::Experiment;
use crate::format;
use crate::gnu_args::{self, Flag, Grouping, Jobs, Timeout, Typed};
use crate::host::Limits;
use crate::inputs::{Inputs, Packer};
use crate::interrupt::Interrupt;
use crate::process::child::TermSequence;
use crate::progress::{self, Show};
use crate::record::Way;
use crate::template::{Name, Options, Quoting, Template};
use crate::workload::command::{self, Act, CommandBatch, Feed, Order, Settings, Shell};

/// What `--help` says.
pub(super) const HELP: &str = include_str!("batch.txt");

/// The options that have their effect; any other is refused by name.
const OFFERED: &[&str] = &[
    "arg-file",
    "null",
    "delimiter",
    "colsep",
    "trim",
    "E",
    "eof",
    "no-run-if-empty",
    "link",
    "skip-first-line",
    "max-args",
    "max-replace-args",
    "L",
    "max-lines",
    "X",
    "m",
    "xargs",
    "max-chars",
    "exit",
    "I",
    "replace",
    "extensionreplace",
    "basenamereplace",
    "dirnamereplace",
    "basenameextensionreplace",
    "seqreplace",
    "slotreplace",
    "plus",
    "quote",
    "jobs",
    "nice",
    "wd",
    "env",
    "timeout",
    "dry-run",
    "keep-order",
    "no-keep-order",
    "group",
    "ungroup",
    "line-buffer",
    "tag",
    "tagstring",
    "v",
    "verbose",
    "progress",
    "bar",
    "eta",
    "color",
    "shell",
    "no-shell",
    "term-seq",
    "help",
    "h",
    "version",
];

/// A command line gets no longer than this: one argument of the kernel's, which
/// is what a shell takes it as.
const LONGEST_LINE: usize = 131_071;

/// `-j 0` is as many as this: more processes at a time help nobody.
const AS_MANY: usize = 250;

/// Whether the line asks for a batch, and not for the notebook's pair.
pub(super) fn is_meant(words: &[OsString]) -> bool {
    gnu_args::parse(words).map_or(true, |typed| {
        let common = ["jobs", "progress", "color"];
        let only_common = typed.given.iter().all(|option| common.contains(option));
        let nothing = typed.command.is_empty() && typed.sources.is_empty() && !typed.bare_separator;
        let exports = !typed.output.exports.is_empty();
        !(nothing && (only_common || exports) && super::notebook::stdin_offers_nothing())
    })
}

/// Runs the batch of `words`, which follow `serial` or `parallel`.
pub(super) fn run(way: Way, words: &[OsString]) -> Result<End, Fault> {
    let typed = gnu_args::parse(words).map_err(|error| Fault::Usage(error.to_string()))?;
    if let Some(option) = typed.given.iter().find(|option| !OFFERED.contains(option)) {
        return Err(Fault::Usage(format!("--{option} is not offered yet; see parsim {way} --help")));
    }
    if let Some(first) = typed.command.first()
        && let Some(hint) = super::notebook::workload_hint(way, &first.to_string_lossy())
        && typed.sources.is_empty()
    {
        return Err(Fault::Usage(hint));
    }
    let interrupt = Interrupt::on_signals().map_err(Fault::Own)?;
    let width = width(way, typed.run.jobs.as_ref())?;
    let (mut batch, terminal) = prepare(&typed, width, &interrupt)?;
    let observer = progress::observer(terminal);
    let executor: Box<dyn Executor> = match way {
        Way::Serial => Box::new(Serial),
        Way::Parallel => Box::new(Pool::new(width)),
    };
    let study = Experiment::new(&mut batch)
        .map_err(Fault::Own)?
        .without_records()
        .executors(vec![executor])
        .interrupt(interrupt.clone())
        .observer(&*observer)
        .run()
        .map_err(Fault::Own)?;
    for (job, failure) in study.failures.iter().take(20) {
        let text = format!("job {} failed: {}: {}", job + 1, failure.why, failure.label);
        // With stderr closed there is nobody left to tell.
        let _ = writeln!(io::stderr(), "parsim: {}", format::printable(&text));
    }
    Ok(match interrupt.signal() {
        Some(signal) => End::Signal(signal),
        None => End::Status(Exit::of(&study).status()),
    })
}

fn prepare(typed: &Typed, width: NonZeroUsize, interrupt: &Interrupt) -> Result<(CommandBatch, Show), Fault> {
    let usage = |error: &dyn std::fmt::Display| Fault::Usage(error.to_string());
    let options = Options {
        renames: renames(typed),
        plus: typed.flags.has(Flag::Plus),
        columns: Vec::new(),
        repeats_words: typed.repeats_words(),
        leaves_values_out: typed.packing(width, LONGEST_LINE).insert_nothing,
    };
    let words: Vec<&[u8]> = typed.command.iter().map(|word| word.as_bytes()).collect();
    let template = Template::command(&words, &options).map_err(|error| usage(&error))?;
    if template.needs_total() {
        return Err(Fault::Usage("{##} is not offered yet".to_owned()));
    }
    let tag = match &typed.output.tag {
        None => Tag::None,
        Some(gnu_args::Tag::Values) => Tag::Values,
        Some(gnu_args::Tag::Template(text)) => {
            Tag::Text(Template::text(text, &options).map_err(|error| usage(&error))?)
        }
    };
    let order = match (typed.output.grouping, typed.flags.has(Flag::KeepOrder)) {
        (Grouping::Ungroup, _) => Order::Unbuffered,
        (_, true) => Order::Kept,
        (Grouping::LineBuffer, false) => Order::Lines,
        (Grouping::Group, false) => Order::Grouped,
    };
    let stdin: File = io::stdin()
        .as_fd()
        .try_clone_to_owned()
        .map_err(|error| Fault::Own(anyhow::anyhow!("standard input: {error}")))?
        .into();
    let sources = if typed.bare_separator && typed.sources.is_empty() {
        vec![crate::inputs::Source::new(crate::inputs::Origin::Values(Vec::new()))]
    } else {
        typed.sources.clone()
    };
    let reading = typed.reading().map_err(|error| usage(&error))?;
    let inputs = Inputs::open(sources, &reading, stdin).map_err(|error| Fault::Own(error.into()))?;
    let packer = Packer::new(typed.packing(width, LONGEST_LINE));
    let feed = Feed::new(inputs, packer, Box::new(command::patience(interrupt.clone())));
    let settings = Settings {
        template,
        quoting: if typed.flags.has(Flag::Quote) { Quoting::Words } else { Quoting::Shell },
        shell: shell(typed),
        directory: typed.run.work_dir.clone(),
        nice: typed.run.nice,
        timeout: timeout(typed)?,
        term_sequence: term_sequence(typed)?,
        slots: width.get(),
        act: act(typed),
        order,
    };
    let interrupt = interrupt.clone();
    let outputs = Box::new(move || {
        Box::new(Streams::new(tag.clone(), interrupt.clone())) as Box<dyn crate::output::Destination>
    });
    let asked = [Flag::Bar, Flag::Eta, Flag::Progress].iter().any(|&flag| typed.flags.has(flag));
    let progress = typed.output.progress.map_or(if asked { "auto" } else { "never" }, |when| match when {
        gnu_args::When::Auto => "auto",
        gnu_args::When::Always => "always",
        gnu_args::When::Never => "never",
    });
    let batch = CommandBatch::new(settings, feed, outputs).map_err(Fault::Own)?;
    Ok((batch, Terminal::look("auto", progress).progress))
}

fn width(way: Way, jobs: Option<&Jobs>) -> Result<NonZeroUsize, Fault> {
    let usable = Limits::detect().usable;
    let wanted = match jobs {
        None if way == Way::Serial => 1,
        None => usable,
        Some(Jobs::Exactly(count)) => *count,
        Some(Jobs::AsMany) => AS_MANY,
        Some(Jobs::Plus(more)) => usable.saturating_add(*more),
        Some(Jobs::Minus(fewer)) => usable.saturating_sub(*fewer),
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float cast saturates")]
        Some(Jobs::Percent(percent)) => (usable as f64 * percent / 100.0) as usize,
        Some(Jobs::Named(name)) => from_file(name)?,
    };
    if way == Way::Serial && wanted != 1 {
        return Err(Fault::Usage(
            "serial means one task at a time: leave -j out, or run it in parallel".to_owned(),
        ));
    }
    Ok(NonZeroUsize::new(wanted).unwrap_or(NonZeroUsize::MIN))
}

/// `-j FILE`: the number that stands there.
fn from_file(name: &OsStr) -> Result<usize, Fault> {
    let number = std::fs::read_to_string(name).ok().and_then(|text| text.trim().parse().ok());
    let shown = name.to_string_lossy();
    number.ok_or_else(|| Fault::Usage(format!("-j {shown}: give N, N%, +N, -N, 0, or a file with a number")))
}

fn renames(typed: &Typed) -> Vec<(Name, Vec<u8>)> {
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

fn timeout(typed: &Typed) -> Result<Option<Duration>, Fault> {
    match typed.run.timeout {
        None => Ok(None),
        Some(Timeout::After(time)) => Ok(Some(time)),
        Some(Timeout::Percent(_)) => {
            Err(Fault::Usage("--timeout N% is not offered yet: give seconds".to_owned()))
        }
    }
}

fn term_sequence(typed: &Typed) -> Result<TermSequence, Fault> {
    use gnu_args::TermStep::{Signal, Wait};
    let Some(asked) = &typed.run.term_seq else { return Ok(TermSequence::default()) };
    let steps: Vec<String> = asked
        .iter()
        .map(|step| match step {
            Signal(name) => name.clone(),
            Wait(wait) => wait.as_millis().to_string(),
        })
        .collect();
    let text = steps.join(",");
    text.parse().map_err(|error| Fault::Usage(format!("--term-seq {text}: {error}")))
}

fn act(typed: &Typed) -> Act {
    let has = |flag| typed.flags.has(flag);
    match (has(Flag::DryRun), has(Flag::Verbose), has(Flag::Trace)) {
        (true, ..) => Act::Print,
        (_, true, _) => Act::PrintAndRun,
        (_, _, true) => Act::TraceAndRun,
        _ => Act::Run,
    }
}

/// The shell of the jobs: the option's, else `$PARSIM_SHELL`, `$SHELL`, /bin/sh.
fn shell(typed: &Typed) -> Shell {
    let named = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let asked = typed.run.shell.clone().or_else(|| named("PARSIM_SHELL")).or_else(|| named("SHELL"));
    let program = asked.unwrap_or_else(|| PathBuf::from("/bin/sh"));
    let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let reads_a_file = ["BASH_ENV", "ENV"].iter().any(|name| env::var_os(name).is_some())
        || (name == "zsh" && env::home_dir().is_some_and(|home| home.join(".zshenv").exists()));
    let is_known = ["sh", "dash", "bash", "ksh", "zsh"].contains(&name.as_str());
    Shell {
        can_be_left_out: is_known && !reads_a_file && !Path::new("/etc/zshenv").exists(),
        functions: env::vars_os().filter_map(|(name, _)| exported_function(&name)).collect(),
        path: env::var_os("PATH").unwrap_or_else(|| OsString::from("/usr/bin:/bin")),
        refused: typed.flags.has(Flag::NoShell),
        program,
    }
}

/// `f` of `BASH_FUNC_f%%`, which is how bash exports a function.
fn exported_function(name: &OsStr) -> Option<OsString> {
    let name = name.as_bytes().strip_prefix(b"BASH_FUNC_")?;
    let name = name.strip_suffix(b"%%").or_else(|| name.strip_suffix(b"()"))?;
    Some(OsString::from_vec(name.to_vec()))
}
