//! Help on `serial` and `parallel`, and on topics: texts in files of their own.
//!
//! Help on the workloads comes from their options.

pub(super) mod told;

use std::ffi::OsStr;

use super::exit::STATUSES;

/// What `-h` says of `serial` and `parallel`.
pub(super) const SHORT: &str = include_str!("help/short.txt");

/// What `--help` says of them.
pub(super) const LONG: &str = include_str!("help/long.txt");
const GNU: &str = include_str!("help/gnu.txt");
const EXIT: &str = include_str!("help/exit.txt");
const MEASURE: &str = include_str!("help/measure.txt");

/// What `parsim help TOPIC` says.
type Text = fn() -> String;

/// Topics beside the subcommands.
const TOPICS: &[(&str, &str, Text)] = &[
    ("serial", "one task at a time", || LONG.to_owned()),
    ("parallel", "on all logical cores", || LONG.to_owned()),
    ("gnu", "for people who know GNU parallel; replacement strings", || GNU.to_owned()),
    ("exit", "exit statuses", exit),
    ("measure", "what is measured, and what is not claimed", || MEASURE.to_owned()),
];

/// The text on `name`, if that is a topic.
pub(super) fn topic(name: &OsStr) -> Option<String> {
    TOPICS.iter().find(|(topic, ..)| name == *topic).map(|(_, _, text)| text())
}

/// The topics that are no subcommands, and what they are about.
pub(super) fn abouts() -> impl Iterator<Item = (&'static str, &'static str)> {
    let topics = TOPICS.iter().filter(|(name, ..)| !["serial", "parallel"].contains(name));
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
    let halt = "\
With --halt that decided: fail=1 and done=1 end with that job's status (128+n for
signal n, 255 after a time limit), fail=N and done=N with the number of failures,
a share in percent with the percentage of failed jobs, success with 0.

A job that cannot be found or executed counts as one failed job (127, 126), and
so does one that a signal or a time limit ended.
";
    format!("{EXIT}{}\n\n{halt}", statuses())
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
}
