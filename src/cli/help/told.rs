//! The options of a batch, read from the help that tells of them, for what shows
//! them one by one: man pages and completions.
//!
//! Reads text only. Whether an option is understood is the parser's business; a
//! test asks it for each.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ValueHint};

/// One option as its help has it: `-a, --arg-file FILE       read values from FILE`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Told {
    /// Its first name.
    id: &'static str,
    heading: &'static str,
    short: Option<char>,
    long: Option<&'static str>,
    value: Option<Value>,
    about: &'static str,
}

/// What stands for the value of an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Value {
    name: &'static str,
    /// Whether it may be left out, and otherwise follows `=`.
    attached: bool,
}

/// Every option of `text`, as clap knows options. What is told of twice, as
/// `--progress` and `--progress=WHEN`, is one.
pub(in crate::cli) fn options(text: &'static str) -> Vec<Arg> {
    let mut options: Vec<Told> = Vec::new();
    for told in told(text) {
        match options.iter_mut().find(|known| known.is_same(&told)) {
            Some(known) => known.value = known.value.or(told.value),
            None => options.push(told),
        }
    }
    options.into_iter().map(Told::into_arg).collect()
}

/// The text between the usage and the first heading.
pub(in crate::cli) fn description(text: &str) -> String {
    let lines = text.lines().skip_while(|line| !line.is_empty()).skip(1);
    lines.take_while(|line| !is_heading(line)).collect::<Vec<_>>().join("\n").trim_end().to_owned()
}

/// The lines of usage, without the word.
pub(in crate::cli) fn usage(text: &str) -> String {
    let lines = text.lines().take_while(|line| !line.is_empty());
    lines.map(|line| line.trim_start_matches("Usage:").trim()).collect::<Vec<_>>().join("\n")
}

/// The section under `heading`, which comes with it; nothing where it is not.
pub(in crate::cli) fn section(text: &str, heading: &str) -> String {
    let lines = text.lines().skip_while(|line| line.strip_suffix(':') != Some(heading));
    let mut section: Vec<&str> = Vec::new();
    for line in lines {
        if !section.is_empty() && !line.is_empty() && !line.starts_with(' ') {
            break;
        }
        section.push(line);
    }
    section.join("\n")
}

/// Whether a section begins with `line`: no indent, and a colon at its end.
pub(in crate::cli) fn is_heading(line: &str) -> bool {
    line.ends_with(':') && !line.starts_with(' ')
}

fn told(text: &'static str) -> Vec<Told> {
    let mut heading = "";
    let mut options = Vec::new();
    for line in text.lines() {
        if is_heading(line) {
            let words = line.trim_end_matches(':');
            // In brackets stands where to read on.
            heading = words.split_once(" (").map_or(words, |(words, _)| words);
        } else if let Some(row) = line.strip_prefix("  ").filter(|row| row.starts_with('-')) {
            // The explanation is at least two blanks away.
            let (names, about) = row.split_once("  ").unwrap_or((row, ""));
            options.extend(named(names, heading, about.trim_start()));
        }
    }
    options
}

/// The options that `names` stands for: `-0, --null`, `--bar, --eta`, `-n N`.
fn named(names: &'static str, heading: &'static str, about: &'static str) -> Vec<Told> {
    let mut options: Vec<Told> = Vec::new();
    for name in names.split(", ") {
        let (name, value) = match (name.split_once('='), name.split_once(' ')) {
            (Some((name, value)), _) => (name, Some(Value { name: value, attached: true })),
            (None, Some((name, value))) => (name, Some(Value { name: value, attached: false })),
            (None, None) => (name, None),
        };
        let (short, long) = match name.strip_prefix("--") {
            Some(long) => (None, Some(long)),
            None => (name.chars().nth(1), None),
        };
        match options.last_mut() {
            // The short name stands before the long one of the same option.
            Some(last) if last.long.is_none() && long.is_some() => (last.long, last.value) = (long, value),
            _ => options.push(Told { id: name.trim_start_matches('-'), heading, short, long, value, about }),
        }
    }
    // The value stands behind the last of several names.
    if let Some(value) = options.last().and_then(|last| last.value) {
        for told in &mut options {
            told.value = told.value.or(Some(value));
        }
    }
    options
}

impl Told {
    fn is_same(&self, other: &Self) -> bool {
        self.short.is_some() && self.short == other.short || self.long.is_some() && self.long == other.long
    }

    fn into_arg(self) -> Arg {
        let mut arg = Arg::new(self.id).help(self.about).help_heading(self.heading);
        arg = match self.short {
            Some(short) => arg.short(short),
            None => arg,
        };
        arg = match self.long {
            Some(long) => arg.long(long),
            None => arg,
        };
        let Some(value) = self.value else { return arg.action(ArgAction::SetTrue) };
        arg = arg.value_name(value.name).value_hint(hint(value.name));
        if value.name == "WHETHER" {
            arg = arg.value_parser(PossibleValuesParser::new(["auto", "always", "never"]));
            arg = arg.hide_possible_values(true);
        }
        if value.attached { arg.num_args(0..=1).require_equals(true) } else { arg }
    }
}

/// What a shell may offer for a value of this name.
fn hint(name: &str) -> ValueHint {
    match name {
        "FILE" => ValueHint::FilePath,
        "DIR" => ValueHint::DirPath,
        "OUT" | "GLOB" => ValueHint::AnyPath,
        "PATH" => ValueHint::ExecutablePath,
        "CMD" => ValueHint::CommandString,
        // Its values are known.
        "WHETHER" => ValueHint::Unknown,
        _ => ValueHint::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
Usage: it [OPTIONS]
       it else

What it does,
and how.

Examples:
  it -a x      does something

Inputs:
  -a, --arg-file FILE   read values from FILE
  -0, --null            they end with NUL
  --first, --last STR   a mark
  --bar, --progress     how far

Talk, always:
  --progress=WHETHER    auto, always, never
  -E END                a value
";

    fn shown(arg: &Arg) -> String {
        let short = arg.get_short().map(|short| format!("-{short} ")).unwrap_or_default();
        let long = arg.get_long().map(|long| format!("--{long} ")).unwrap_or_default();
        let value = arg.get_value_names().map(<[_]>::concat).unwrap_or_default();
        format!("{short}{long}{value} [{}]", arg.get_help_heading().unwrap_or_default())
    }

    #[test]
    fn each_option_is_read_with_its_names_its_value_and_its_heading() {
        let options: Vec<String> = options(TEXT).iter().map(shown).collect();
        let expected = [
            "-a --arg-file FILE [Inputs]",
            "-0 --null  [Inputs]",
            "--first STR [Inputs]",
            "--last STR [Inputs]",
            "--bar  [Inputs]",
            "--progress WHETHER [Inputs]",
            "-E END [Talk, always]",
        ];
        assert_eq!(options, expected);
    }

    #[test]
    fn a_value_that_may_be_left_out_follows_an_equals_sign() {
        let options = options(TEXT);
        let progress = options.iter().find(|arg| arg.get_long() == Some("progress")).unwrap();
        assert!(progress.is_require_equals_set());
        assert_eq!(progress.get_num_args().unwrap().min_values(), 0);
    }

    #[test]
    fn usage_description_and_sections_are_found() {
        assert_eq!(usage(TEXT), "it [OPTIONS]\nit else");
        assert_eq!(description(TEXT), "What it does,\nand how.");
        assert_eq!(section(TEXT, "Examples"), "Examples:\n  it -a x      does something\n");
        assert_eq!(section(TEXT, "Signals"), "");
    }
}
