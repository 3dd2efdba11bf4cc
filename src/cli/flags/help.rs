//! What `--help`, `-h` and `help TOPIC` say: prose stands here, options come from the
//! table.
//!
//! Help on the workloads comes from clap, which has the same options.

use std::ffi::OsStr;

use super::row::{OptionRow, OptionSection, shown};
use super::table::{
    self, BLOCKS, CLUSTER, GATES, HOSTS, INPUTS, MEASURING, OUTPUT, PACKING, PICTURES, PROGRESS, RECORDS,
    REPLACEMENTS, RUNNING,
};
use super::typed::Scope;
use crate::cli::exit::{HALT_STATUSES, STATUSES};

const GNU: &str = include_str!("text/gnu.txt");
const MEASURE: &str = include_str!("text/measure.txt");
const SLURM: &str = include_str!("text/slurm.txt");
const SSH: &str = include_str!("text/ssh.txt");

/// What help on a batch says beside its options.
pub(super) struct BatchHelp {
    pub(super) usage: &'static [&'static str],
    pub(super) description: &'static str,
    pub(super) examples: &'static str,
}

/// Of `serial` and `parallel`.
pub(super) static ONE_WAY: BatchHelp = BatchHelp {
    usage: &[
        "parsim parallel [OPTIONS] [COMMAND...] [::: VALUES | :::+ VALUES | :::: FILES]...",
        "parsim serial   [OPTIONS] [COMMAND...] [::: VALUES ...]",
    ],
    description: include_str!("text/parallel.txt"),
    examples: include_str!("text/parallel_examples.txt"),
};

/// Of `compare`.
pub(super) static COMPARE: BatchHelp = BatchHelp {
    usage: &["parsim compare [OPTIONS] [COMMAND...] [::: VALUES | :::+ VALUES | :::: FILES]..."],
    description: include_str!("text/compare.txt"),
    examples: include_str!("text/compare_examples.txt"),
};

pub(super) const SIGNALS: &str = include_str!("text/signals.txt");

pub(super) const ENVIRONMENT: &str = include_str!("text/environment.txt");

pub(super) const COMPARE_NOTES: &str = include_str!("text/compare_notes.txt");

/// The sections of a batch, in the order of its help.
pub(super) static SECTIONS: [&OptionSection; 10] =
    [&INPUTS, &PACKING, &REPLACEMENTS, &RUNNING, &HOSTS, &CLUSTER, &OUTPUT, &RECORDS, &PROGRESS, &BLOCKS];

/// What `--help` says of `serial` and `parallel`.
pub(in crate::cli) fn long() -> String {
    let mut text = beginning(&ONE_WAY) + "Examples:\n" + ONE_WAY.examples;
    for section in SECTIONS {
        if std::ptr::eq(section, &raw const BLOCKS) {
            text += &format!("\n{SIGNALS}");
        }
        let rows = section.rows().filter(|row| row.is_told(Scope::ONE_WAY));
        text += &format!("\n{}:\n{}{}", section.title, section.intro, list(rows, Scope::ONE_WAY));
    }
    text + "\n" + ENVIRONMENT + "\nMore: parsim help gnu, ssh, slurm, exit, measure.\n"
}

/// What `-h` says of them.
pub(in crate::cli) fn short() -> String {
    let first = ONE_WAY.description.split("\n\n").next().unwrap_or_default();
    let mut text = format!("Usage: {}\n\n{first}\n\n", ONE_WAY.usage.join(UNDER_USAGE));
    for section in SECTIONS {
        let brief = section.rows().filter(|row| row.is_brief).map(|row| {
            let name = shown(row.letter().unwrap_or(row.names[0]));
            with_value(name, row)
        });
        let options = brief.collect::<Vec<_>>().join(", ");
        if !options.is_empty() {
            let label = format!("{}:", section.brief);
            let words = format!("{}{options}", section.sample);
            text += &format!("{label:<9} {}\n", wrapped(&words, ", ", 90, 10));
        }
    }
    text + "
parsim parallel --help says what each does, with examples;
parsim help gnu what differs from GNU parallel; parsim help exit the exit statuses.
"
}

/// What `--help` says of `compare`.
pub(in crate::cli) fn compare() -> String {
    let (title, own) = compared().swap_remove(0);
    let own = list(own.into_iter(), Scope::COMPARE);
    let (beginning, examples) = (beginning(&COMPARE), COMPARE.examples);
    format!("{beginning}{title}:\n{own}\n{COMPARE_NOTES}\nExamples:\n{examples}\n{}\n", statuses())
}

/// The options of `compare`: its own and those that workloads have, too, come first.
pub(super) fn compared() -> Vec<(&'static str, Vec<&'static OptionRow>)> {
    let has = |row: &&OptionRow| row.is_told(Scope::COMPARE) && row.not_compared.is_none();
    let is_of_hosts = |row: &OptionRow| HOSTS.rows().any(|own| std::ptr::eq(own, row));
    let is_own = |row: &&OptionRow| {
        !row.scope.has(Scope::ONE_WAY) || row.scope.has(Scope::WORKLOAD) && !is_of_hosts(row)
    };
    let own = [&RUNNING, &CLUSTER, &MEASURING, &PICTURES, &GATES, &RECORDS, &PROGRESS].into_iter();
    let own = own.flat_map(OptionSection::rows).filter(has).filter(is_own).collect();
    let rest = SECTIONS.into_iter().map(|section| {
        let rows = section.rows().filter(has).filter(|row| !is_own(row));
        (section.heading(), rows.collect())
    });
    std::iter::once(("Comparing", own)).chain(rest).collect()
}

/// What another line of usage begins with.
const UNDER_USAGE: &str = "\n       ";

/// The usage, and what it is about.
fn beginning(help: &BatchHelp) -> String {
    format!("Usage: {}\n\n{}\n", help.usage.join(UNDER_USAGE), help.description)
}

/// What is said of an option goes on in another line from here on.
const HELP_WIDTH: usize = 72;

/// A line for each option; those that follow one another and are told of in the same
/// words share one.
fn list(rows: impl Iterator<Item = &'static OptionRow>, scope: Scope) -> String {
    let mut lines: Vec<(String, &OptionRow, String)> = Vec::new();
    for row in rows {
        let (letter, long) = (row.letter().map(shown), row.long().map(shown));
        let names = letter.into_iter().chain(long).collect::<Vec<_>>().join(", ");
        let help = row.help(scope);
        match lines.last_mut() {
            Some((known, last, same)) if *same == help => {
                (*known, *last) = (format!("{known}, {names}"), row);
            }
            _ => lines.push((names, row, help)),
        }
    }
    let line = |(names, row, help): (String, &OptionRow, String)| {
        let names = with_value(names, row);
        let under = format!("\n{:28}", "");
        let gap = if names.len() > 24 { &under } else { "  " };
        let help: Vec<String> = help.lines().map(|line| wrapped(line, " ", HELP_WIDTH, 28)).collect();
        format!("  {names:<24}{gap}{}\n", help.join(&under))
    };
    lines.into_iter().map(line).collect()
}

/// `names` and what stands for the value of `row`.
fn with_value(names: String, row: &OptionRow) -> String {
    match (row.value, row.does) {
        ("", _) => names,
        (value, does) if does.takes_value_after_equals() => format!("{names}[={value}]"),
        (value, _) => format!("{names} {value}"),
    }
}

/// `text` in lines of `width`, broken behind `separator`; all but the first begin with
/// `indent` blanks.
fn wrapped(text: &str, separator: &str, width: usize, indent: usize) -> String {
    let mut wrapped = String::new();
    let mut length = 0;
    for word in text.split_inclusive(separator) {
        if length > 0 && length + word.trim_end().len() > width {
            wrapped.truncate(wrapped.trim_end().len());
            wrapped += &format!("\n{:indent$}", "");
            length = 0;
        }
        wrapped += word;
        length += word.len();
    }
    wrapped
}

/// What `parsim help TOPIC` says.
type TopicText = fn() -> String;

/// Topics beside the subcommands that clap knows.
const TOPICS: &[(&str, &str, TopicText)] = &[
    ("serial", "one task at a time", long),
    ("parallel", "on all logical cores", long),
    ("compare", "both ways", compare),
    ("gnu", "for people who know GNU parallel; replacement strings", gnu),
    ("exit", "exit statuses", exit),
    ("ssh", "jobs and workloads on other machines (-S)", || SSH.to_owned()),
    ("slurm", "jobs on the nodes of a cluster; the load on it", || SLURM.to_owned()),
    ("measure", "what is measured, and what is not claimed", || MEASURE.to_owned()),
];

/// The text on `name`, if that is a topic.
pub(in crate::cli) fn topic(name: &OsStr) -> Option<String> {
    TOPICS.iter().find(|(topic, ..)| name == *topic).map(|(_, _, text)| text())
}

/// The topics that are no subcommands, and what they are about.
pub(super) fn abouts() -> impl Iterator<Item = (&'static str, &'static str)> {
    let topics = TOPICS.iter().filter(|(name, ..)| !["serial", "parallel", "compare"].contains(name));
    topics.map(|(name, about, _)| (*name, *about))
}

/// These as the general help lists them.
pub(super) fn topics() -> String {
    let lines: String = abouts().map(|(name, about)| format!("\n  help {name:8} {about}")).collect();
    format!("Topics:{lines}")
}

/// The statuses as `--help` shows them.
pub(super) fn statuses() -> String {
    let rows: Vec<String> =
        STATUSES.iter().map(|(status, meaning)| format!("  {status:6} {meaning}")).collect();
    format!("Exit status:\n{}", rows.join("\n"))
}

fn exit() -> String {
    format!("How parsim ends\n\n{}\n\n{HALT_STATUSES}", statuses())
}

fn gnu() -> String {
    let ignored = table::rows().filter(|row| row.is_gnu && row.is_ignored() && !is_internal(row.names[0]));
    let ignored = wrapped(&ignored.map(OptionRow::shown).collect::<Vec<_>>().join(", "), ", ", 78, 2);
    let refused = table::REASONS.iter().filter_map(|(why, options)| {
        let names = options.iter().map(|names| names[0]).filter(|name| !is_internal(name));
        let names = names.map(shown).collect::<Vec<_>>().join(", ");
        let line = || format!("  - {}\n", wrapped(&format!("{names}: {why}"), " ", 76, 4));
        (!names.is_empty()).then(line)
    });
    let refused: String = refused.collect();
    format!(
        "{GNU}\nAccepted without effect:\n  {ignored}\n\nRefused:\n{refused}\nExit status: parsim help exit\n"
    )
}

/// Whether GNU parallel keeps an option of this name for itself.
fn is_internal(name: &str) -> bool {
    name.starts_with('_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_is_in_the_help_on_exits_and_every_topic_is_listed() {
        let text = topic(OsStr::new("exit")).unwrap();
        assert!(STATUSES.iter().all(|(status, meaning)| text.contains(status) && text.contains(meaning)));
        assert!(topics().contains("help gnu") && topics().contains("help measure"));
        assert_eq!(topic(OsStr::new("csv")), None);
    }

    #[test]
    fn what_is_refused_or_has_no_effect_is_listed() {
        let text = gnu();
        let mut refused =
            table::rows().filter(|row| row.is_gnu && row.is_refused() && !is_internal(row.names[0]));
        assert!(refused.all(|row| text.contains(&row.shown())));
        assert!(text.contains("--will-cite, --gnu"));
    }
}
