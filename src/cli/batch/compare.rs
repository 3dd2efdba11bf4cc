//! `parsim compare`: a batch of commands both ways, side by side.
//!
//! Decides which runs there are and shows the report; what a run is and what is
//! compared is the experiment's and the batch's.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;
use std::time::Instant;

use super::settings::{self, Purpose, with_way};
use super::{defaults, info, policy};
use crate::cli::conflicts;
use crate::cli::exit::{End, Fault, refuse};
use crate::cli::exports::{Exports, ResultsGo};
use crate::cli::flags::{Flag, Scope, Typed};
use crate::cli::named_hosts::NamedHosts;
use crate::cli::places::{check_apart, of_exports};
use crate::cli::plan::{RunModes, Setup, engines, exit, gates, set_up};
use crate::cli::signals;
use crate::cli::terminal::{Terminal, progress_of_comparison};
use crate::cli::width;
use crate::cli::workloads::{end, report, stdin_offers_nothing};
use crate::experiment::{ComparedBy, Repeats};
use crate::process::{Hup, Interrupt};
use crate::progress::{ProgressDisplay, RunProgress};
use crate::study::Study;
use crate::task::Column;
use crate::template::{Template, TemplateOptions};
use crate::text::shortened;
use crate::workload::ROWS;
use crate::workload::command::{OutputFiles, PresentFiles};

/// What helps where jobs find what an earlier run left.
const OWN_FILES: &str = "Use {way} in the command, so that each way has its own files, or --prepare";

/// Runs the batch of `words`, which follow `compare`; `line` is all of it.
pub(in crate::cli) fn run(words: &[OsString], line: &[String], started: Instant) -> Result<End, Fault> {
    let mut typed = defaults::parse_compared(words)?;
    if let Some(ask) = typed.ask {
        return info::answer(ask, Scope::COMPARE);
    }
    let hosts = NamedHosts::of(&mut typed)?;
    check(&typed)?;
    let gates = gates(&typed.study);
    Terminal::has_stdout().map_err(Fault::usage)?;
    let interrupt = Interrupt::on_signals(Hup::Ends, &[])?;
    let display = Arc::new(ProgressDisplay::new(Arc::default(), progress_of_comparison(&typed), true));
    let (widths, widest) = width::of_comparison(&typed, &display)?;
    let engines = engines(RunModes::Both, &typed, &widths, &hosts)?;
    let mut columns: Vec<Column> = engines.iter().map(|engine| engine.column()).collect();
    columns.dedup();
    check_apart(of_exports(&typed.output.exports))?;
    let mut exports = match Exports::open(&typed.output.exports, &|time| interrupt.sleep(time)) {
        Ok(exports) => exports,
        Err(fault) => return interrupt.signal().map(End::Signal).ok_or(fault),
    };
    set_up(&typed, &interrupt)?;
    let caught = signals::catch_beside_jobs(&interrupt, &[])?;
    let (mut batch, _) =
        settings::prepare(&typed, Purpose::Comparison(&columns), widest, &interrupt, &display, None)?;
    if let Some(wanted) = typed.study.sample {
        batch = batch.sample(wanted);
    }
    if !typed.study.outputs.is_empty() {
        batch.output_files = Some(output_files(&typed, &columns)?);
    }
    let _attendant = signals::attend_beside(caught, Some(batch.running()), &display, &interrupt)?;
    let observer = RunProgress::on(Arc::clone(&display));

    let terminal = Terminal::of(&typed);
    let setup = Setup {
        workload: &mut batch,
        engines,
        // How much the jobs of a sample differ says how sure it is.
        keeps_records: terminal.draws_pictures() || typed.study.sample.is_some(),
        exports: &mut exports,
        interrupt: &interrupt,
        observer: &observer,
        typed: &typed,
        line,
        started,
    };
    let study = setup
        .experiment()?
        .compared_by(ComparedBy::Endings { files: "--outputs", advice: OWN_FILES })
        // Commands have effects: they are never run more often than asked for.
        .repeats(Repeats::Times(typed.study.runs.unwrap_or(1)))
        .warmup(typed.study.warmup.unwrap_or(0))
        .policy(policy::policy(&typed))
        .run()?;
    // What was put aside of files goes before anything is told.
    drop(batch);

    let is_empty = study.columns.iter().flat_map(|column| &column.runs).all(|run| run.tasks == 0);
    if is_empty && study.cut.is_none() && study.trouble.is_none() {
        exports.finish(&study)?;
        return refuse(no_inputs(&typed));
    }
    report(&study, exports, terminal, ResultsGo::Elsewhere)?;
    if study.trouble.is_none() && left_nothing(&study) {
        let patterns: Vec<_> = typed.study.outputs.iter().map(|it| it.to_string_lossy()).collect();
        return refuse(format!(
            "--outputs {}: no run left such a file, so nothing was compared: name files as jobs write them",
            patterns.join(", ")
        ));
    }
    end(&study, &interrupt, || exit(&study, &gates).status())
}

/// Whether files were looked for and there were none, though every job succeeded.
fn left_nothing(study: &Study) -> bool {
    let files = study.agreement.as_ref().and_then(|agreement| agreement.files.as_ref());
    study.cut.is_none() && study.n_failed() == 0 && files.is_some_and(|files| files.files == 0)
}

/// Refuses what cannot be compared, with the reason.
fn check(typed: &Typed) -> Result<(), Fault> {
    conflicts::check_both_ways(typed)?;
    let first = typed.command.first().map(|word| word.to_string_lossy()).unwrap_or_default();
    let row = ROWS.iter().find(|row| row.is_called(&first));
    if let Some(row) = row.filter(|row| typed.sources.is_empty() && row.name != "sleep") {
        let name = row.name;
        return refuse(format!("{first} is a workload, which runs both ways by itself: parsim {name}"));
    }
    if typed.names_nothing() && stdin_offers_nothing() {
        return refuse(
            "nothing to run was given: parsim compare sleep {} ::: 0.1 0.2, for example; see parsim compare --help",
        );
    }
    let is_line = |word: &OsString| word.as_bytes().contains(&b' ');
    if typed.command.len() > 1 && typed.command.iter().all(is_line) && !typed.input.named.is_empty() {
        return refuse("one command is run for each value: compare the others by themselves");
    }
    // Nobody types the inputs of a comparison one by one.
    if typed.sources.is_empty() && stdin_offers_nothing() {
        return refuse(no_inputs(typed));
    }
    Ok(())
}

/// What is said where there are no inputs, with the line that was perhaps meant: who
/// knows hyperfine gives whole commands, others forget `:::`.
fn no_inputs(typed: &Typed) -> String {
    let joined = |words: &[OsString]| {
        let words = words.iter().take(WORDS_SHOWN);
        shell_words::join(words.map(|word| shortened(&word.to_string_lossy(), WORD_SHOWN)))
    };
    // `::` is `:::` mistyped.
    let is_meant = |word: &&OsString| !["::", ":"].iter().any(|mistyped| word == mistyped);
    let words: Vec<OsString> = typed.command.iter().filter(is_meant).cloned().collect();
    let (what, meant) = if words.iter().any(|word| word.as_bytes().contains(&b' ')) {
        (", and commands are inputs, too: ", format!("::: {}", joined(&words)))
    } else {
        let is_option = |word: &&OsString| word.as_bytes().starts_with(b"-");
        let own = words.len().min(1 + words.iter().skip(1).take_while(is_option).count());
        let (command, values) = words.split_at(own);
        let values = if values.is_empty() { "a b".to_owned() } else { joined(values) };
        (", as in ", format!("{} ::: {values}", joined(command)))
    };
    format!(
        "there are no inputs to compare over: give some after ::: or on standard input{what}parsim compare {meant}"
    )
}

/// So much of a line is shown again.
const WORDS_SHOWN: usize = 5;
const WORD_SHOWN: usize = 60;

/// The files that the jobs leave.
fn output_files(typed: &Typed, columns: &[Column]) -> Result<OutputFiles, Fault> {
    let present = if typed.study.prepare.is_some() { PresentFiles::Prepared } else { PresentFiles::Refused };
    let options = TemplateOptions {
        renames: typed.renames.clone().into_iter().collect(),
        plus: typed.has(Flag::Plus),
        columns: typed.sources.iter().map(|source| source.name.clone().unwrap_or_default()).collect(),
        ..TemplateOptions::default()
    };
    let mut files = OutputFiles::new(typed.run.work_dir.clone(), present);
    for pattern in &typed.study.outputs {
        let template = |column: &Column| -> Result<(Template, usize), Fault> {
            let (text, times) = with_way(pattern.as_bytes(), &column.name);
            let template = Template::text(&text, &options).map_err(Fault::usage)?;
            if !template.uses_any() {
                let text = String::from_utf8_lossy(&text);
                glob::Pattern::new(&text).or_else(|error| refuse(format!("--outputs {text}: {error}")))?;
            }
            Ok((template, times))
        };
        let templates = columns.iter().map(|column| Ok((column.clone(), template(column)?.0)));
        files = files.pattern(templates.collect::<Result<_, Fault>>()?, template(&Column::SERIAL)?.1);
    }
    Ok(files)
}
