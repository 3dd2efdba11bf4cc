//! What the command line asks for. `cargo bench -- ARGUMENTS` hands the same
//! arguments to every bench, so criterion's are understood or passed over.

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
