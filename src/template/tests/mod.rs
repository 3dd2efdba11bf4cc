//! Tables of GNU parallel's behaviour, and properties checked against shells.

mod dialects;
mod direct;
mod packing;
mod plus;
mod quoting;
mod strings;

use super::{Numbers, Quoting, ReplacementName, Template, TemplateOptions};

/// The numbers of a second job of 12, in the third of 4 slots.
const NUMBERS: Numbers = Numbers { seq: 2, slot: 3, slots: 4, total: 12 };

/// The line of a command given as one text.
fn line(command: &str, values: &[&str]) -> String {
    line_of(&TemplateOptions::default(), Quoting::Shell, &[command], values)
}

fn line_of(options: &TemplateOptions, quoting: Quoting, words: &[&str], values: &[&str]) -> String {
    let template = Template::command(words, options).unwrap();
    let mut out = b"> ".to_vec();
    template.render(values, &NUMBERS, quoting, &mut out);
    let line = String::from_utf8(out).unwrap();
    line.strip_prefix("> ").unwrap().to_owned()
}

/// The options of -X, and of -N and -L.
fn repeating() -> TemplateOptions {
    TemplateOptions { repeats_words: true, ..TemplateOptions::default() }
}

fn plus() -> TemplateOptions {
    TemplateOptions { plus: true, ..TemplateOptions::default() }
}

fn renamed(renames: &[(ReplacementName, &str)]) -> TemplateOptions {
    let renames = renames.iter().map(|(name, new)| (*name, new.as_bytes().to_vec()));
    TemplateOptions { renames: renames.collect(), ..TemplateOptions::default() }
}

fn with_columns(names: &[&str]) -> TemplateOptions {
    TemplateOptions {
        columns: names.iter().map(|name| name.as_bytes().to_vec()).collect(),
        ..TemplateOptions::default()
    }
}
