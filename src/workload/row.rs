//! What the table of workloads says of each: from the words of a command line to a
//! workload, here and in another process.

use clap::{ArgMatches, Args, Command};
use serde::de::DeserializeOwned;

use super::{Sharing, Workload};

/// A workload of the command line.
#[derive(Clone, Copy)]
pub struct Row {
    /// The subcommand.
    pub name: &'static str,
    /// Another name of it.
    pub alias: Option<&'static str>,
    /// One line of help.
    pub about: &'static str,
    /// The longer help's examples.
    pub examples: &'static str,
    /// Adds the workload's own options.
    pub augment: fn(Command) -> Command,
    /// Builds the workload from what was typed and what the environment says.
    pub from_matches: fn(&ArgMatches, Environment<'_>, Sharing) -> anyhow::Result<Box<dyn Workload>>,
    /// Builds it from its [`Portable::wire_spec`](super::Portable::wire_spec), for a process of its own.
    pub from_spec: fn(serde_json::Value) -> anyhow::Result<Box<dyn Workload>>,
    /// In which forms beside a report its findings can go to stdout; none where it asks
    /// no services.
    pub formats: &'static [OutputFormat],
}

impl Row {
    /// What comes of the workload's options alone; its name and its texts are to be said.
    pub(super) const fn of<O: Options>() -> Self {
        Self {
            name: "",
            alias: None,
            about: "",
            examples: "",
            augment: O::augment_args,
            from_matches: |matches, look, sharing| {
                O::from_arg_matches(matches)?.surrounded_by(look).build(sharing)
            },
            from_spec: |spec| serde_json::from_value::<O>(spec)?.build(Sharing::Machine),
            formats: &[],
        }
    }

    /// Whether what it asks are services that are watched from run to run.
    #[must_use]
    pub fn is_watched(&self) -> bool {
        self.formats.contains(&OutputFormat::Nagios)
    }

    /// Whether `word` is its name on a command line.
    #[must_use]
    pub fn is_called(&self, word: &str) -> bool {
        self.name == word || self.alias == Some(word)
    }
}

/// In which form findings go to stdout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OutputFormat {
    /// A report for a person.
    #[default]
    Text,
    /// For a program: an object a line, as each service is done.
    JsonLines,
    /// For a monitor with the interface of Nagios: one line, and its statuses.
    Nagios,
}

impl OutputFormat {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::JsonLines => "json-lines",
            Self::Nagios => "nagios",
        }
    }

    /// The word, and what it does.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::JsonLines => "json-lines (one object as each service is done)",
            Self::Nagios => "nagios (one line, status 0-3)",
        }
    }
}

/// Looks up a variable of the environment, which only the command line knows.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A workload's own options, and the workload they describe.
pub trait Options: Args + DeserializeOwned {
    /// Takes in what the environment says.
    #[must_use]
    fn surrounded_by(self, look: Environment<'_>) -> Self {
        let _ = look;
        self
    }

    /// Checks the options and builds the workload.
    ///
    /// # Errors
    /// When they make no sense, or tasks cannot do without what `sharing` leaves them.
    fn build(self, sharing: Sharing) -> anyhow::Result<Box<dyn Workload>>;
}

/// The options of a command line that gives none: each by its default.
pub(super) fn typed_nothing<O: Args>() -> O {
    let matches = O::augment_args(Command::new("")).try_get_matches_from([""]);
    let options = matches.and_then(|matches| O::from_arg_matches(&matches));
    options.expect("every option has a default, or may be left out")
}

/// Paths among a workload's options: text in reports, where JSON has no words for a name
/// that is not Unicode; to the byte where another process is to find them.
///
/// For `#[serde(with = "paths")]` on an `Option<PathBuf>`.
pub(super) mod paths {
    use std::ffi::OsString;
    use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
    use std::path::{Path, PathBuf};

    use serde::{Deserialize, Deserializer, Serialize as _, Serializer};
    use serde_json::{Value, json};

    #[expect(clippy::ref_option, reason = "the signature that serde asks for")]
    pub(in super::super) fn serialize<S: Serializer>(
        path: &Option<PathBuf>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        path.as_ref().map(|path| path.to_string_lossy()).serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<PathBuf>, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Name {
            Text(PathBuf),
            Bytes(Vec<u8>),
        }
        Ok(Option::deserialize(deserializer)?.map(|name| match name {
            Name::Text(path) => path,
            Name::Bytes(bytes) => OsString::from_vec(bytes).into(),
        }))
    }

    /// The path in a form that is read back to the byte.
    pub(in super::super) fn exact(path: &Path) -> Value {
        path.to_str().map_or_else(|| json!(path.as_os_str().as_bytes()), |text| json!(text))
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt as _;
    use std::path::PathBuf;

    use serde_json::json;

    use super::paths::exact;
    use super::*;

    #[derive(Serialize, Deserialize)]
    struct OneFolder {
        #[serde(default, with = "paths")]
        folder: Option<PathBuf>,
    }

    #[test]
    fn a_name_that_is_no_text_is_shown_as_text_and_passed_to_the_byte() {
        for name in [&b"plain"[..], b"odd \xff\xfe name", b""] {
            let folder = PathBuf::from(OsString::from_vec(name.to_vec()));
            let mut value = json!(OneFolder { folder: Some(folder.clone()) });
            assert!(value["folder"].is_string());
            value["folder"] = exact(&folder);
            assert_eq!(serde_json::from_value::<OneFolder>(value).unwrap().folder, Some(folder));
        }
        assert_eq!(serde_json::from_value::<OneFolder>(json!({})).unwrap().folder, None);
    }
}
