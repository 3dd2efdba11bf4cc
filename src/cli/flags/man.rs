//! `parsim man`: its pages for man(1), one for parsim and one for each subcommand.
//!
//! Options come from the whole command line, the rest from the texts that `parsim help`
//! shows: headings, paragraphs, lists and tables that a reader sees in these become
//! those of roff.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{ArgMatches, Command};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::command::documented;
use super::help;
use crate::cli::exit::{End, Exit, Fault, refuse};
use crate::cli::signals::removed_by_signals;
use crate::cli::terminal::print;
use crate::whole_file::WholeFile;

/// The day of the commit that was built, where that is known.
const DATE: &str = env!("PARSIM_DATE");

/// Prints the page that is asked for, or writes all of them.
pub(in crate::cli) fn run(matches: &ArgMatches) -> Result<End, Fault> {
    let mut whole = documented();
    whole.build();
    if let Some(folder) = matches.get_one::<PathBuf>("folder") {
        write(folder, &whole)?;
        return Ok(End::Status(Exit::Success.status()));
    }
    let Some(name) = matches.get_one::<String>("page") else { return print(&page(&whole, &whole)) };
    match whole.find_subcommand(name) {
        Some(command) => print(&page(command, &whole)),
        None => refuse(format!("there is no subcommand '{name}'; see parsim --help")),
    }
}

/// Writes every page into `folder`.
fn write(folder: &Path, whole: &Command) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("make the folder {}", folder.display()))?;
    let _leftovers = removed_by_signals(vec![folder.to_owned()])?;
    for command in std::iter::once(whole).chain(whole.get_subcommands()) {
        let path = folder.join(Man::new(command.clone()).get_filename());
        let written = WholeFile::create(&path).and_then(|mut file| {
            std::io::Write::write_all(&mut file, page(command, whole).as_bytes())?;
            file.commit()
        });
        written.with_context(|| format!("write {}", path.display()))?;
    }
    Ok(())
}

/// The page on `command`, which is `whole` itself or a part of it.
fn page(command: &Command, whole: &Command) -> String {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let is_whole = command.get_name() == whole.get_name();
    let man = Man::new(command.clone())
        .title(name.to_uppercase())
        .date(DATE)
        .source(concat!("parsim ", env!("CARGO_PKG_VERSION")))
        .manual("parsim");
    let mut bytes = Vec::new();
    let mut put = |part: fn(&Man, &mut dyn std::io::Write) -> std::io::Result<()>| {
        part(&man, &mut bytes).expect("memory can be written to");
    };
    put(Man::render_title);
    put(Man::render_name_section);
    put(Man::render_synopsis_section);
    put(Man::render_description_section);
    if is_whole {
        put(Man::render_subcommands_section);
    } else {
        put(Man::render_options_section);
    }
    let mut roff = Roff::new();
    for text in texts(command, is_whole) {
        put_text(&mut roff, &text);
    }
    see_also(&mut roff, whole, &name);
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
            format!("For people who know GNU parallel:\n{}", topic("gnu")),
        ],
        "compare" => vec![format!("Examples:\n{}", help::COMPARE.examples)],
        _ => command
            .get_after_long_help()
            .or(command.get_after_help())
            .map(ToString::to_string)
            .into_iter()
            .collect(),
    }
}

fn see_also(roff: &mut Roff, whole: &Command, name: &str) {
    let own = whole.get_name().to_owned();
    let parts = whole.get_subcommands().filter_map(Command::get_display_name).map(str::to_owned);
    let pages =
        std::iter::once(own).chain(parts).filter(|page| page != name).map(|page| format!("{page}(1)"));
    let others = ["parallel(1)", "xargs(1)", "hyperfine(1)"].map(str::to_owned);
    let mut pages: Vec<String> = pages.collect();
    pages.sort();
    pages.extend(others);
    roff.control("SH", ["SEE ALSO"]).text([roman(pages.join(", "))]);
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
        } else if indent == 2 && heading == "Examples" {
            if !is_first {
                roff.control("PP", []);
            }
            roff.text([bold(content)]);
        } else {
            if is_new && !is_first {
                roff.control("PP", []);
            }
            roff.text([roman(content)]);
        }
        is_first = false;
    }
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
}
