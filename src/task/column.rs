//! A column of an experiment: how the batch is run, and by which engine.
//!
//! Does not know which engines there are.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Whether tasks run one at a time or several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// One task at a time.
    Serial,
    /// Several tasks at a time.
    Parallel,
    /// The work of all tasks in one go.
    Whole,
}

impl Mode {
    /// The word of the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Serial => "serial",
            Self::Parallel => "parallel",
            Self::Whole => "whole",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A column of an experiment: how the batch is run, and by which engine.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "SavedColumn")]
pub struct Column {
    /// Its word in folders, `{way}`, `$PARSIM_WAY` and JSON.
    #[serde(rename = "way")]
    pub name: Cow<'static, str>,
    /// Whether tasks run one at a time or several.
    pub mode: Mode,
    /// The engine, as `--workers` has it.
    pub engine: Cow<'static, str>,
}

impl Column {
    /// One task at a time, on the calling thread.
    pub const SERIAL: Self = Self::new("serial", Mode::Serial, "serial");

    /// Several tasks at a time, on threads of this process.
    pub const PARALLEL: Self = Self::new("parallel", Mode::Parallel, "threads");

    /// Several tasks at a time, by the engine of this name, which is the column's, too.
    #[must_use]
    pub const fn of_engine(name: &'static str) -> Self {
        Self::new(name, Mode::Parallel, name)
    }

    /// The work of all tasks in one go, which the workload calls so.
    #[must_use]
    pub const fn whole(name: &'static str) -> Self {
        Self::new(name, Mode::Whole, name)
    }

    const fn new(name: &'static str, mode: Mode, engine: &'static str) -> Self {
        Self { name: Cow::Borrowed(name), mode, engine: Cow::Borrowed(engine) }
    }

    /// Whether it runs several tasks at a time.
    #[must_use]
    pub fn is_parallel(&self) -> bool {
        self.mode == Mode::Parallel
    }

    /// Whether it runs one task at a time by design.
    #[must_use]
    pub fn is_serial(&self) -> bool {
        self.mode == Mode::Serial
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name)
    }
}

/// A column as it is saved. The first version had its name alone, which says the rest.
#[derive(Deserialize)]
struct SavedColumn {
    way: Cow<'static, str>,
    mode: Option<Mode>,
    engine: Option<Cow<'static, str>>,
}

impl From<SavedColumn> for Column {
    fn from(SavedColumn { way, mode, engine }: SavedColumn) -> Self {
        let known = [Self::SERIAL, Self::PARALLEL].into_iter().find(|column| column.name == way);
        let Self { mode: usual_mode, engine: usual_engine, .. } =
            known.unwrap_or_else(|| Self { name: way.clone(), mode: Mode::Parallel, engine: way.clone() });
        Self { name: way, mode: mode.unwrap_or(usual_mode), engine: engine.unwrap_or(usual_engine) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_alone_says_mode_and_engine_as_it_did_in_the_first_version() {
        let read = |text: &str| serde_json::from_str::<Column>(text).unwrap();
        assert_eq!(read(r#"{"way": "serial"}"#), Column::SERIAL);
        assert_eq!(read(r#"{"way": "parallel"}"#), Column::PARALLEL);
        assert_eq!(read(r#"{"way": "processes"}"#), Column::of_engine("processes"));
        for column in [Column::SERIAL, Column::PARALLEL, Column::of_engine("toy")] {
            assert_eq!(read(&serde_json::to_string(&column).unwrap()), column);
        }
    }
}
