//! What the command line asks for. `cargo bench -- ARGUMENTS` hands the same
//! arguments to every bench, so criterion's are understood or passed over.

use std::io::{self, Write as _};

/// Criterion's options that are followed by a value.
const WITH_VALUE: &[&str] = &[
    "-b",
    "-c",
    "-s",
    "--baseline",
    "--baseline-lenient",
    "--color",
    "--colour",
    "--confidence-level",
    "--format",
    "--load-baseline",
    "--measurement-time",
    "--noise-threshold",
    "--nresamples",
    "--output-format",
    "--plotting-backend",
    "--profile-time",
    "--sample-size",
    "--save-baseline",
    "--significance-level",
    "--warm-up-time",
];

/// The arguments that mean something here.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    /// Everything once and small: asked for, or not run by `cargo bench`.
    pub(crate) small: bool,
    /// Only the names of the parts.
    pub(crate) list: bool,
    /// The name is to be the whole word.
    exact: bool,
    words: Vec<String>,
}

impl Asked {
    pub(crate) fn of(arguments: impl Iterator<Item = String>) -> Self {
        let mut asked = Self { small: true, ..Self::default() };
        let mut test = false;
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            match &*argument {
                "--bench" => asked.small = false,
                "--test" => test = true,
                "--list" => asked.list = true,
                "--exact" => asked.exact = true,
                option if WITH_VALUE.contains(&option) => drop(arguments.next()),
                option if option.starts_with('-') => {}
                _ => asked.words.push(argument),
            }
        }
        asked.small |= test;
        asked
    }

    /// Whether the part of that name is wanted: it holds one of the words, or
    /// there are none.
    pub(crate) fn wants(&self, name: &str) -> bool {
        let fits = |word: &String| if self.exact { name == word } else { name.contains(word.as_str()) };
        self.words.is_empty() || self.words.iter().any(fits)
    }
}

/// A part of a bench at a scale of its own: tells what it found line by line.
pub(crate) type Part<S> = fn(&S, &mut dyn io::Write) -> anyhow::Result<()>;

/// Does the parts that the command line asks for, whole or small.
pub(crate) fn run<S>(whole: &S, small: &S, parts: &[(&str, Part<S>)]) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    let asked = Asked::of(std::env::args().skip(1));
    let scale = if asked.small { small } else { whole };
    if asked.small && !asked.list {
        writeln!(out, "everything once and small: answers are checked, figures and goals mean nothing")?;
    }
    for (name, part) in parts.iter().filter(|(name, _)| asked.wants(name)) {
        if asked.list {
            writeln!(out, "{name}: benchmark")?;
        } else {
            part(scale, &mut out)?;
        }
    }
    Ok(())
}
