//! What can be asked of a batch of commands, as data: another process that is handed
//! it runs the same jobs in the same way.

use std::ffi::OsString;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Shell, StdinMode};
use crate::process::child::TermSequence;
use crate::template::{Counts, Quoting, Template, TemplateOptions, Unsupported};

/// How the commands of a batch are run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Settings {
    /// The command line.
    pub template: PortableTemplate,
    /// That of a run of this name, where it is another.
    pub templates_by_way: Vec<(String, PortableTemplate)>,
    /// How values are quoted in it.
    pub quoting: Quoting,
    /// What runs a line that is more than plain words.
    pub shell: Shell,
    /// Where jobs run.
    pub directory: JobDirectory,
    /// Variables of all jobs, beside those of this process.
    pub variables: Vec<(OsString, OsString)>,
    /// The variable that tells a job its slot, counted from 0.
    pub slot_variable: Option<OsString>,
    /// Where names of what they read are made, if not in TMPDIR.
    pub temporaries: Option<OsString>,
    /// How jobs are offered what they read.
    pub stdin_mode: StdinMode,
    /// How many slots there are, and how many jobs.
    pub counts: Counts,
    /// The niceness of jobs.
    pub nice: Option<i32>,
    /// How long a job may last.
    pub timeout: Option<Duration>,
    /// Signals and waits for those that have to go.
    #[serde(with = "as_text")]
    pub term_sequence: TermSequence,
    /// What is done with a command line.
    pub line_action: LineAction,
    /// How outputs are put in order.
    pub output_order: OutputOrder,
    /// Whether jobs run on other machines: nothing is made ready on this one.
    pub runs_elsewhere: bool,
    /// What files they need there and make there.
    pub files: FileRules,
}

impl Settings {
    /// The command line of a run called `way`.
    pub(super) fn template_of(&self, way: &str) -> &PortableTemplate {
        let own = self.templates_by_way.iter().find(|(name, _)| name == way);
        own.map_or(&self.template, |(_, template)| template)
    }
}

/// Which files go to another machine, and which come back.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct FileRules {
    /// A job's files, by templates of their names.
    pub sent: Vec<PortableTemplate>,
    /// What comes back of each.
    pub fetched: Vec<PortableTemplate>,
    /// What every machine gets before its first job.
    pub base: Vec<PathBytes>,
    /// Whether they are removed there afterwards.
    pub removed: bool,
}

/// A path as it travels.
pub type PathBytes = Vec<u8>;

impl FileRules {
    /// Whether there is anything to be passed.
    pub fn is_empty(&self) -> bool {
        self.sent.is_empty() && self.fetched.is_empty() && self.base.is_empty()
    }
}

/// Where jobs run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum JobDirectory {
    /// Here.
    Here,
    /// There, which is made.
    Fixed(#[serde(with = "exact_path")] PathBuf),
    /// Each where its values say, which is made.
    Each(PortableTemplate),
    /// Each in a new one in this folder, gone when the job is over.
    OfItsOwn(#[serde(with = "exact_path")] PathBuf),
}

/// What is done with a command line.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum LineAction {
    /// It is run.
    Run,
    /// It is printed on stdout and run: `-v`.
    PrintAndRun,
    /// It is printed on stderr at once, whatever else waits for its turn, and run: `-t`.
    TraceAndRun,
    /// The same where stderr is another machine's: there it is the first of what the job writes.
    TraceInOutput,
    /// It is printed on stdout: `--dry-run`.
    Print,
    /// It is printed on stdout, quoted for a shell so many times: `--shellquote`.
    PrintQuoted(usize),
}

/// How outputs are put in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OutputOrder {
    /// Job by job, as they end.
    Grouped,
    /// Job by job, in input order: `-k`.
    Kept,
    /// The same, but stderr as it comes: `-k --line-buffer`.
    KeptLines,
    /// Line by line, as they come: `--line-buffer`.
    Lines,
    /// Straight from the jobs to where parsim's own output goes: `-u`.
    Unbuffered,
    /// Not at all, for nobody sees them: they are compared.
    Unseen,
}

/// A template with the words that it was read from. It travels as those words: there
/// is one parser, and it reads them the same way wherever they arrive.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "TemplateSource", into = "TemplateSource")]
pub struct PortableTemplate {
    template: Template,
    source: TemplateSource,
}

/// What a template is read from.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct TemplateSource {
    words: Vec<Vec<u8>>,
    kind: TemplateKind,
    options: TemplateOptions,
}

/// What a template is for.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum TemplateKind {
    /// A command, to which values are appended where it does not place them.
    Command,
    /// A command, or an option's text, as it is.
    Exact,
}

impl PortableTemplate {
    /// Reads `words`.
    ///
    /// # Errors
    /// A replacement string that cannot be used.
    pub fn read<W: AsRef<[u8]>>(
        kind: TemplateKind,
        words: &[W],
        options: &TemplateOptions,
    ) -> Result<Self, Unsupported> {
        let words = words.iter().map(|word| word.as_ref().to_vec()).collect();
        TemplateSource { words, kind, options: options.clone() }.try_into()
    }
}

impl Deref for PortableTemplate {
    type Target = Template;

    fn deref(&self) -> &Template {
        &self.template
    }
}

impl TryFrom<TemplateSource> for PortableTemplate {
    type Error = Unsupported;

    fn try_from(source: TemplateSource) -> Result<Self, Unsupported> {
        let TemplateSource { words, kind, options } = &source;
        let template = match kind {
            TemplateKind::Command => Template::command(words, options),
            TemplateKind::Exact => Template::exact(words, options),
        };
        Ok(Self { template: template?, source })
    }
}

impl From<PortableTemplate> for TemplateSource {
    fn from(template: PortableTemplate) -> Self {
        template.source
    }
}

/// Paths to the byte: as text, JSON has none for a name that is not UTF-8.
pub(super) mod exact_path {
    use super::{Deserialize, OsString, Path, PathBuf, Serialize};

    pub(in super::super) fn serialize<S: serde::Serializer>(path: &Path, to: S) -> Result<S::Ok, S::Error> {
        path.as_os_str().serialize(to)
    }

    pub(in super::super) fn deserialize<'de, D: serde::Deserializer<'de>>(
        from: D,
    ) -> Result<PathBuf, D::Error> {
        OsString::deserialize(from).map(PathBuf::from)
    }
}

/// What is written and read back as text.
mod as_text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::de::Error as _;

    use super::Deserialize;

    pub(super) fn serialize<T: Display, S: serde::Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    pub(super) fn deserialize<'de, T, D>(from: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: serde::Deserializer<'de>,
    {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    use serde_json::{from_value, json};

    use super::*;
    use crate::template::{Numbers, ReplacementName};

    #[test]
    fn a_template_that_has_travelled_makes_the_same_lines() {
        let options = TemplateOptions {
            renames: vec![(ReplacementName::Value, b",,".to_vec())],
            plus: true,
            columns: vec![b"x\xff".to_vec()],
            ..TemplateOptions::default()
        };
        for words in [&[&b"echo"[..], b",,", b"{..}", b"{##}", b"\xfe"][..], &[b"echo"], &[b"{x\xff}"], &[]] {
            for kind in [TemplateKind::Command, TemplateKind::Exact] {
                let here = PortableTemplate::read(kind, words, &options).unwrap();
                let there: PortableTemplate = from_value(json!(here)).unwrap();
                let line = |template: &Template| {
                    let mut line = Vec::new();
                    let numbers = Numbers { seq: 3, slot: 1, slots: 2, total: 10 };
                    template.render(&[b"a b.c.d\xfd"], &numbers, Quoting::Shell, &mut line);
                    line
                };
                assert_eq!(line(&there), line(&here));
            }
        }
    }

    #[derive(Serialize, Deserialize)]
    struct Sequence(#[serde(with = "as_text")] TermSequence);

    #[test]
    fn names_arrive_to_the_byte_and_signals_with_their_waits() {
        let path = PathBuf::from(OsStr::from_bytes(b"odd \xff name"));
        let there: JobDirectory = from_value(json!(JobDirectory::Fixed(path.clone()))).unwrap();
        assert!(matches!(there, JobDirectory::Fixed(there) if there == path));
        let sequence = Sequence("INT,1500,TERM,20,9".parse().unwrap());
        let there: Sequence = from_value(json!(sequence)).unwrap();
        assert_eq!(there.0, sequence.0);
    }
}
