//! From options to a batch that can be run.

use std::fs::File;
use std::io;
use std::num::NonZeroUsize;
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStrExt as _;

use super::policy::{term_sequence, timeout};
use super::shell::shell;
use crate::cli::exit::Fault;
use crate::cli::streams::{Streams, Tag};
use crate::gnu_args::{self, Flag, Grouping, Typed};
use crate::inputs::{Inputs, Packer};
use crate::interrupt::Interrupt;
use crate::policy::Amount;
use crate::template::{Name, Options, Quoting, Template};
use crate::workload::command::{self, Act, CommandBatch, Feed, Order, Settings};

/// A command line gets no longer than this: one argument of the kernel's, which
/// is what a shell takes it as.
const LONGEST_LINE: usize = 131_071;

/// The batch that the options describe.
pub(super) fn prepare(
    typed: &Typed,
    width: NonZeroUsize,
    interrupt: &Interrupt,
) -> Result<CommandBatch, Fault> {
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
    let needs_total = settings.template.needs_total() || has_share(typed);
    let mut batch = CommandBatch::new(settings, feed, outputs).map_err(Fault::Own)?;
    if needs_total {
        batch.freeze().map_err(Fault::Own)?;
    }
    Ok(batch)
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

fn act(typed: &Typed) -> Act {
    let has = |flag| typed.flags.has(flag);
    match (has(Flag::DryRun), has(Flag::Verbose), has(Flag::Trace)) {
        (true, ..) => Act::Print,
        (_, true, _) => Act::PrintAndRun,
        (_, _, true) => Act::TraceAndRun,
        _ => Act::Run,
    }
}

/// Whether jobs are counted in percent of all.
fn has_share(typed: &Typed) -> bool {
    typed.run.halt.is_some_and(|halt| matches!(halt.amount, Amount::Percent(_)))
}
