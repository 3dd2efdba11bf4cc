//! What is generated from the whole command line: `parsim man` has its pages for man(1),
//! one for parsim and one for each subcommand, `parsim completions SHELL` what a shell
//! needs to complete parsim's lines.
//!
//! Here clap is told of the options of batches, too, which their own parser reads. What
//! pages say beside the options is what `parsim help` shows: headings, paragraphs, lists
//! and tables that a reader sees in it become those of roff.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use anyhow::Context as _;
use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches, Command, FromArgMatches as _, ValueHint};
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::command::{Completions, ManPages, arg, command, options};
use super::row::{OptionSection, shown};
use super::typed::Scope;
use super::usage_error::no_subcommand;
use super::{help, table};
use crate::cli::exit::{End, Exit, Fault, refuse};
use crate::cli::hosts;
use crate::cli::signals::removed_by_signals;
use crate::cli::terminal::print;
use crate::whole_file::WholeFile;

/// The day of the commit that was built, where that is known.
const DATE: &str = env!("PARSIM_DATE");

/// What is added for a batch, whose words are a command of its own.
const BASH: &str = include_str!("text/batch.bash");

/// How clap offers files in bash, and how those whose names have blanks are offered, too.
const SPLITS_NAMES: &str = r#"COMPREPLY=($(compgen -f "${cur}"))"#;
const KEEPS_NAMES: &str =
    r#"local IFS=$'\n'; COMPREPLY=($(compgen -f -- "${cur}")); compopt -o filenames 2>/dev/null"#;

const FISH: &str = include_str!("text/batch.fish");

/// The subcommands whose words are a command of its own.
const BATCHES: [&str; 3] = ["serial", "parallel", "compare"];

/// The whole command line with the options of batches, and the pages that there are.
pub(super) fn documented() -> Command {
    let one_way =
        || help::SECTIONS.into_iter().flat_map(|it| options(it, Scope::ONE_WAY, it.heading())).collect();
    let both = help::compared().into_iter().flat_map(|(title, rows)| {
        rows.into_iter().map(move |row| arg(row, Scope::COMPARE).help_heading(title))
    });
    let batch = |command: &Command, help: &help::BatchHelp, options: Vec<Arg>| {
        let words = Arg::new("command").value_name("COMMAND").num_args(0..).trailing_var_arg(true);
        let words = words.help("the command and its words; without one, each input is a command");
        Command::new(command.get_name().to_owned())
            .about(command.get_about().cloned().unwrap_or_default())
            .long_about(help.description.trim_end())
            .override_usage(help.usage.join("\n"))
            .display_order(command.get_display_order())
            .args(options)
            .arg(words.value_hint(ValueHint::CommandWithArguments))
    };
    let command = command();
    let pages: Vec<String> = command.get_subcommands().map(|page| page.get_name().to_owned()).collect();
    command
        .disable_help_subcommand(true)
        .mut_subcommand("man", |command| {
            let pages = PossibleValuesParser::new(pages);
            command.mut_arg("page", |page| page.value_parser(pages).hide_possible_values(true))
        })
        .mut_subcommand("serial", |command| batch(&command, &help::ONE_WAY, one_way()))
        .mut_subcommand("parallel", |command| batch(&command, &help::ONE_WAY, one_way()))
        .mut_subcommand("compare", |command| batch(&command, &help::COMPARE, both.collect()))
        .mut_subcommand(hosts::NAME, |command| {
            let rows = help::SECTIONS.into_iter().flat_map(OptionSection::rows);
            let options = rows.filter(|row| hosts::OPTIONS.contains(&row.names[0]));
            command.long_about(hosts::description()).args(options.map(|row| arg(row, Scope::ONE_WAY)))
        })
}

/// Prints the page that is asked for, or writes all of them.
pub(in crate::cli) fn man(matches: &ArgMatches) -> Result<End, Fault> {
    let typed = ManPages::from_arg_matches(matches).map_err(Fault::usage)?;
    let mut whole = documented();
    whole.build();
    if let Some(folder) = &typed.folder {
        write(folder, &whole)?;
        return Ok(End::Status(Exit::Success.status()));
    }
    let Some(name) = &typed.page else { return print(&page(&whole, &whole)) };
    match whole.find_subcommand(name) {
        Some(command) => print(&page(command, &whole)),
        None => refuse(no_subcommand(name)),
    }
}

/// Writes every page into `folder`.
fn write(folder: &Path, whole: &Command) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let _leftovers = removed_by_signals(vec![folder.to_owned()])?;
    for command in std::iter::once(whole).chain(whole.get_subcommands()) {
        let path = folder.join(Man::new(command.clone()).get_filename());
        let written = WholeFile::create(&path).and_then(|mut file| {
            file.write_all(page(command, whole).as_bytes())?;
            file.commit()
        });
        written.with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// Puts a section of a page somewhere.
type RenderSection = fn(&Man, &mut dyn Write) -> io::Result<()>;

/// The page on `command`, which is `whole` itself or a part of it.
fn page(command: &Command, whole: &Command) -> String {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    let is_whole = command.get_name() == whole.get_name();
    let man = Man::new(command.clone())
        .title(name.to_uppercase())
        .date(DATE)
        .source(concat!("parsim ", env!("CARGO_PKG_VERSION")))
        .manual("parsim");
    let sections: [RenderSection; 5] = [
        Man::render_title,
        Man::render_name_section,
        Man::render_synopsis_section,
        Man::render_description_section,
        if is_whole { Man::render_subcommands_section } else { Man::render_options_section },
    ];
    let mut bytes = Vec::new();
    for section in sections {
        section(&man, &mut bytes).expect("memory can be written to");
    }
    let mut roff = Roff::new();
    for text in texts(command, is_whole) {
        put_text(&mut roff, &text);
    }
    let parts = whole.get_subcommands().filter_map(Command::get_display_name);
    let pages = std::iter::once(whole.get_name()).chain(parts).filter(|page| *page != name);
    let mut pages: Vec<String> = pages.map(|page| format!("{page}(1)")).collect();
    pages.sort();
    pages.extend(["parallel(1)", "xargs(1)", "hyperfine(1)"].map(str::to_owned));
    roff.control("SH", ["SEE ALSO"]).text([roman(pages.join(", "))]);
    String::from_utf8_lossy(&bytes).into_owned() + &roff.to_roff()
}

/// What there is to say beside the options.
fn texts(command: &Command, is_whole: bool) -> Vec<String> {
    // Each begins with a title, in the place of which the page has a heading.
    let topic = |name: &str| {
        let text = help::topic(name.as_ref()).unwrap_or_default();
        text.split_once("\n\n").map(|(_, text)| text.to_owned()).unwrap_or_default()
    };
    match command.get_name() {
        _ if is_whole => vec![topic("exit"), format!("Measurement:\n{}", topic("measure"))],
        "serial" | "parallel" => vec![
            format!("Examples:\n{}", help::ONE_WAY.examples),
            help::SIGNALS.to_owned(),
            help::ENVIRONMENT.to_owned(),
            format!("GNU parallel:\n{}", topic("gnu")),
            topic("exit"),
        ],
        "compare" => vec![
            format!("Ways:\n{}", help::COMPARE_NOTES),
            format!("Examples:\n{}", help::COMPARE.examples),
            help::statuses(),
        ],
        _ => {
            let after = command.get_after_long_help().or(command.get_after_help());
            after.map(ToString::to_string).into_iter().collect()
        }
    }
}

/// Puts `text` at the end of `roff`.
fn put_text(roff: &mut Roff, text: &str) {
    let mut heading = "";
    let mut is_paragraph = false;
    // What comes first in a section is a paragraph without a sign of its own.
    let mut is_first = false;
    for line in text.lines() {
        let content = line.trim_start();
        let indent = line.len() - content.len();
        let is_new = !std::mem::replace(&mut is_paragraph, !content.is_empty());
        if content.is_empty() {
            continue;
        }
        if line.ends_with(':') && !line.starts_with(' ') {
            heading = line.trim_end_matches(':');
            roff.control("SH", [heading.to_uppercase().as_str()]);
            is_first = true;
            continue;
        } else if let Some(item) = content.strip_prefix("- ") {
            roff.control("IP", ["\\(bu", "2"]).text([roman(item)]);
        } else if let (2, Some((tag, body))) = (indent, content.split_once("  ")) {
            roff.control("TP", []).text([bold(tag)]).text([roman(body.trim_start())]);
        } else {
            let is_example = indent == 2 && heading == "Examples";
            if (is_new || is_example) && !is_first {
                roff.control("PP", []);
            }
            roff.text([if is_example { bold(content) } else { roman(content) }]);
        }
        is_first = false;
    }
}

/// Prints the script that completes lines.
pub(in crate::cli) fn completions(matches: &ArgMatches) -> Result<End, Fault> {
    let typed = Completions::from_arg_matches(matches).map_err(Fault::usage)?;
    let mut command = with_help();
    let (shell, more) = match &*typed.shell {
        "bash" => (
            Shell::Bash,
            BASH.replace(
                "@LENGTHS@",
                &lengths("|", |names, length| format!("{names}) length={length} ;;\n            ")),
            ),
        ),
        "fish" => (
            Shell::Fish,
            FISH.replace(
                "@LENGTHS@",
                &lengths(" ", |names, length| {
                    let names = names.replace("*:", "\\*:");
                    format!("case {names}\n                set length {length}\n            ")
                }),
            ),
        ),
        // This one is told by the positional argument that words of a command follow.
        _ => (Shell::Zsh, String::new()),
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "parsim", &mut script);
    let mut script = String::from_utf8_lossy(&script).into_owned();
    match shell {
        Shell::Bash => script = script.replace(SPLITS_NAMES, KEEPS_NAMES),
        // A batch's own options stand before its command.
        Shell::Fish => {
            for name in BATCHES {
                let condition = format!("\"__fish_parsim_using_subcommand {name}");
                script = script.replace(&condition, &format!("{condition}; and not __parsim_in_command"));
            }
            script += &values_in_fish(&command);
        }
        _ => {}
    }
    print(&(script + &more))
}

/// Lines for the values of words that are no options, of which clap tells fish nothing.
fn values_in_fish(command: &Command) -> String {
    let line = |(subcommand, word): (&Command, &Arg)| {
        let values: Vec<String> =
            word.get_possible_values().iter().map(|it| it.get_name().to_owned()).collect();
        let (name, values) = (subcommand.get_name(), values.join(" "));
        let line =
            format!("complete -c parsim -n \"__fish_parsim_using_subcommand {name}\" -f -a \"{values}\"\n");
        (!values.is_empty()).then_some(line)
    };
    let words = command.get_subcommands().flat_map(|it| it.get_positionals().map(move |word| (it, word)));
    words.filter_map(line).collect()
}

/// The whole command line with what follows `help`.
fn with_help() -> Command {
    let named = |name: &str, about: String| Command::new(name.to_owned()).about(about);
    let known = command();
    let about = |known: &Command| known.get_about().map(ToString::to_string).unwrap_or_default();
    let subcommands = known.get_subcommands().map(|known| named(known.get_name(), about(known)));
    let topics = help::abouts().map(|(name, about)| named(name, about.to_owned()));
    let help = Command::new("help").about("Print the help on a subcommand or a topic");
    documented().subcommand(help.subcommands(subcommands.chain(topics)))
}

/// Cases for the options of a batch that are followed by so many words, values and all:
/// `SUBCOMMAND:OPTION`, with stars for what all batches have.
fn lengths(between: &str, case: impl Fn(String, usize) -> String) -> String {
    let mut by_length: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for (length, name) in with_values() {
        by_length.entry(length).or_default().push(name);
    }
    by_length.into_iter().map(|(length, names)| case(names.join(between), length)).collect()
}

/// The options of a batch whose value is the next word, or values the next words, as the
/// subcommands spell them that have it, and how many words it is with them.
fn with_values() -> BTreeSet<(usize, String)> {
    let mut names = BTreeSet::new();
    for row in table::rows().filter(|row| row.does.n_words() > 0) {
        let whose = match (row.scope.has(Scope::ONE_WAY), row.scope.has(Scope::COMPARE)) {
            (true, true) => &["*"][..],
            (true, false) => &["serial", "parallel"],
            (false, true) => &["compare"],
            (false, false) => &[],
        };
        let spelled = row.names.iter().flat_map(|name| whose.iter().map(move |who| (who, shown(name))));
        names.extend(spelled.map(|(who, name)| (1 + row.does.n_words(), format!("{who}:{name}"))));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_paragraphs_lists_tables_and_examples_are_told_apart() {
        let text = "\
A title

Text of
two lines.

Examples:
  do it now
  do it later      when there is time
.x is hidden from roff

Rules:
  - one
    goes on
  - two
";
        let mut roff = Roff::new();
        put_text(&mut roff, text);
        let expected = "\
.PP
A title
.PP
Text of
two lines.
.SH EXAMPLES
\\fBdo it now\\fR
.TP
\\fBdo it later\\fR
when there is time
\\&.x is hidden from roff
.SH RULES
.IP \\(bu 2
one
goes on
.IP \\(bu 2
two
";
        assert_eq!(roff.to_roff(), expected);
    }

    #[test]
    fn options_with_values_are_those_of_a_batch_whose_values_are_words_of_their_own() {
        let names = with_values();
        for (length, name) in [
            (2, "*:-j"),
            (2, "*:-P"),
            (2, "*:--max-procs"),
            (2, "*:--jobs"),
            (2, "compare:--runs"),
            (2, "compare:--cleanup"),
            (3, "compare:--parameter-list"),
            (4, "compare:--parameter-scan"),
        ] {
            assert!(names.contains(&(length, name.to_owned())), "{name} in {names:?}");
        }
        for name in ["-k", "--progress", "--bar", "--files", "-e", "--replace"] {
            assert!(
                names.iter().all(|(_, known)| !known.ends_with(&format!(":{name}"))),
                "{name} in {names:?}"
            );
        }
        assert!(!names.contains(&(2, "*:--cleanup".to_owned())));
    }
}
