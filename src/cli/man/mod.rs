//! `parsim man`: its pages for man(1), one for parsim and one for each subcommand.
//!
//! Options come from the whole command line ([`option_docs`]), the rest from the
//! texts that `parsim help` shows.

mod text;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Arg, ArgMatches, Command, ValueHint};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use super::batch::COMPARE_HELP;
use super::exit::{End, Exit, Fault};
use super::help::LONG;
use super::help::told::section;
use super::leftovers::removed_by_signals;
use super::{help, option_docs, print};
use crate::whole_file::WholeFile;

/// The day of the commit that was built, where that is known.
const DATE: &str = env!("PARSIM_DATE");

/// The subcommand.
pub(super) fn command() -> Command {
    Command::new("man")
        .about("Print a man page, or write all of them")
        .after_help(
            "Examples:\n  parsim man | man -l -                parsim(1)\n  parsim man parallel | man -l -       parsim-parallel(1)\n  parsim man --out-dir ~/.local/share/man/man1",
        )
        .arg(Arg::new("page").value_name("SUBCOMMAND").help("The page on this subcommand").conflicts_with("folder"))
        .arg(
            Arg::new("folder")
                .long("out-dir")
                .value_name("DIR")
                .value_hint(ValueHint::DirPath)
                .value_parser(clap::value_parser!(PathBuf))
                .help("Write every page into DIR, which is made where it is missing"),
        )
}

/// Prints the page that is asked for, or writes all of them.
pub(super) fn run(matches: &ArgMatches) -> Result<End, Fault> {
    let mut whole = option_docs::command();
    whole.build();
    if let Some(folder) = matches.get_one::<PathBuf>("folder") {
        write(folder, &whole).map_err(Fault::Own)?;
        return Ok(End::Status(Exit::Success.status()));
    }
    let Some(name) = matches.get_one::<String>("page") else { return print(&page(&whole, &whole)) };
    match whole.find_subcommand(name) {
        Some(command) => print(&page(command, &whole)),
        None => Err(Fault::Usage(format!("there is no subcommand '{name}'; see parsim --help"))),
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
        text::put(&mut roff, &text);
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
        "serial" | "parallel" => {
            let sections = ["Examples", "Signals", "Environment"].map(|heading| section(LONG, heading));
            sections
                .into_iter()
                .chain([format!("For people who know GNU parallel:\n{}", topic("gnu"))])
                .collect()
        }
        "compare" => vec![section(COMPARE_HELP, "Examples")],
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
