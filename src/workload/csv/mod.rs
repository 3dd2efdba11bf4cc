//! The second exercise: CSV files of random numbers, as `np.savetxt` writes
//! them.
//!
//! A task formats and writes its own file, always, as the notebook does; only
//! the draw of a matrix that all files share is preparation. A large file of
//! the fast generator is several tasks, one for each block of values.

mod file;
mod large;
mod matrix;
mod options;
mod readback;
mod source;
mod text;

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use self::large::{LargeFiles, Scratch};
use self::matrix::Matrix;
use self::options::Shape;
pub use self::options::{CsvOptions, Dist, MatrixChoice, Rng};
use self::source::{BLOCK, Source};
use super::row::paths;
use super::{
    Cx, Options, Portable, Product, Profile, Results, Row, RunProcess, Sharing, Size, Tasks, Workload,
};
use crate::numbers;
use crate::process::Interrupt;
use crate::sync::Mutex;
use crate::task::{Column, Outcome, Task, TaskInput};
use crate::temporary;
use crate::text::reason;

/// The row of the table of workloads.
pub const ROW: Row = Row {
    name: "csv-gen",
    alias: Some("csv"),
    about: "The second exercise: 20 CSV files of 1000 x 1000 Poisson counts, as NumPy draws and writes them",
    examples: "\
Examples:
  parsim csv --parallel --files 20       on all cores only
  parsim csv --files 20                  both ways, side by side
  parsim csv --matrix per-file -j 1,2    a draw for each file: more to share out
  parsim csv --rng fast --files 1 --rows 350000 --matrix per-file   one file of 1 GB",
    ..Row::of::<CsvOptions>()
};

/// What the exercise is after.
const FILE: &str = "file";

/// A file of more values than this is split into tasks, where the generator
/// allows it.
const SPLIT_ABOVE: u64 = 8 * BLOCK;

/// What is to be known where all files hold one matrix.
const ONE_MATRIX: &str = "all files hold one matrix, drawn before the clock starts, which leaves only writing to share out; --matrix per-file draws one for each file";

/// The workload: each task writes its file, or its block of a file.
#[derive(Debug)]
pub struct CsvGen {
    options: CsvOptions,
    shape: Shape,
    source: Source,
    shared: Option<Matrix>,
    /// Whether a file is always one task: its parts know of each other.
    whole_files: bool,
    /// Files of several parts that this run has begun.
    large: LargeFiles,
    /// What tasks work with that is free.
    scratch: Mutex<Vec<Scratch>>,
}

impl Options for CsvOptions {
    fn build(self, sharing: Sharing) -> anyhow::Result<Box<dyn Workload>> {
        Ok(Box::new(CsvGen { whole_files: sharing != Sharing::Memory, ..CsvGen::new(self)? }))
    }
}

impl CsvGen {
    /// Checks the options.
    ///
    /// # Errors
    /// With NumPy's own words where NumPy would refuse, else naming the option.
    pub fn new(options: CsvOptions) -> anyhow::Result<Self> {
        let options = options.spelled_out()?;
        let shape = Shape::new(&options)?;
        let source = Source::new(&options)?;
        Ok(Self {
            options,
            shape,
            source,
            shared: None,
            whole_files: false,
            large: LargeFiles::default(),
            scratch: Mutex::default(),
        })
    }

    fn folder(&self, column: &Column) -> PathBuf {
        let base = self.options.out_dir.as_deref().unwrap_or(Path::new(""));
        base.join(format!("data_{column}"))
    }

    fn path(&self, column: &Column, file: u64) -> PathBuf {
        self.folder(column).join(file_name(file))
    }

    /// Whose numbers `file` holds: its own, or (`None`) those that all files share.
    fn drawn_for(&self, file: u64) -> Option<u64> {
        match self.options.matrix {
            MatrixChoice::Shared => None,
            MatrixChoice::PerFile => Some(file),
        }
    }

    fn shares_in_memory(&self) -> bool {
        self.options.matrix == MatrixChoice::Shared && Matrix::fits(&self.source, self.shape.values())
    }

    /// Whether a file could be more than one task.
    fn splits(&self) -> bool {
        self.source.has_blocks() && self.shape.values() > SPLIT_ABOVE && !self.shares_in_memory()
    }

    /// How many tasks make up a file.
    fn parts(&self) -> u64 {
        if self.splits() && !self.whole_files { self.shape.values().div_ceil(BLOCK) } else { 1 }
    }

    fn n_tasks(&self) -> Option<u64> {
        self.options.n_files().checked_mul(self.parts())
    }

    /// What a person should know beforehand.
    fn remarks(&self) -> Vec<String> {
        if self.options.n_files() == 0 {
            return vec!["--files 0: nothing to write; try --files 20".to_owned()];
        }
        let mut remarks = Vec::new();
        if self.shares_in_memory() && self.options.n_files() > 1 {
            remarks.push(ONE_MATRIX.to_owned());
        }
        if self.options.matrix == MatrixChoice::Shared && !self.shares_in_memory() {
            let most = numbers::memory(matrix::MOST_SHARED as f64);
            remarks.push(format!(
                "a matrix of more than {most} is not kept in memory: each file draws it again"
            ));
        }
        if self.splits() && self.whole_files {
            remarks.push("a file is one task, for processes share no memory".to_owned());
        }
        remarks
    }

    fn task(&self, seq: u64) -> Task {
        let parts = self.parts();
        if parts == 1 {
            return Task::numbered(seq, file_name(seq));
        }
        let (item, part) = (seq / parts, seq % parts);
        let label = format!("{} block {}", file_name(item), part + 1);
        Task { spec: TaskInput::Part { item, part }, ..Task::numbered(seq, label) }
    }
}

impl Workload for CsvGen {
    fn name(&self) -> &str {
        ROW.name
    }

    fn tasks(&self) -> Tasks<'_> {
        let n_tasks = self.n_tasks().unwrap_or(u64::MAX);
        Box::new((0..n_tasks).map(|seq| Ok(self.task(seq))))
    }

    fn run(&self, task: &Task, cx: &mut Cx<'_>) -> Outcome {
        match task.spec {
            TaskInput::Part { item, part } => large::write_part(self, item, part, cx),
            TaskInput::Sequence | TaskInput::Values(_) | TaskInput::Block(_) | TaskInput::Json(_) => {
                file::write_whole(self, task.seq, cx)
            }
        }
    }

    fn profile(&self) -> Profile {
        let bytes = self.shape.values().saturating_mul(self.source.text_length());
        Profile {
            unit: if self.parts() == 1 { FILE } else { "block" },
            size: Size { tasks: self.n_tasks(), bytes: Some(bytes.saturating_mul(self.options.n_files())) },
            // The file, and the folder that is searched for what killed runs left.
            opens: 3,
            remarks: self.remarks(),
            ..Profile::default()
        }
    }

    fn begin(&mut self, process: RunProcess<'_>) -> anyhow::Result<()> {
        self.shared = match process.shared() {
            Some(bytes) => {
                Some(Matrix::from_bytes(bytes, self.shape).context("cannot take over the shared matrix")?)
            }
            None => self.shares_in_memory().then(|| Matrix::draw(&self.source, self.shape)),
        };
        Ok(())
    }

    fn finish(&self) -> anyhow::Result<()> {
        self.large.give_up();
        // Frees their memory.
        self.scratch.lock().clear();
        Ok(())
    }

    fn results(&self) -> Option<&dyn Results> {
        Some(self)
    }

    fn portable(&self) -> Option<&dyn Portable> {
        Some(self)
    }
}

impl Results for CsvGen {
    fn clear(&self, column: &Column) -> anyhow::Result<Vec<String>> {
        if self.options.n_files() == 0 {
            return Ok(Vec::new());
        }
        let mut remarks = Vec::new();
        let others = file::clear(&self.folder(column), self.options.n_files());
        if others > 0 {
            let files = numbers::plural(others, "other file");
            remarks.push(format!("{files} in {} were left untouched", self.folder(column).display()));
        }
        Ok(remarks)
    }

    fn products(
        &self,
        column: &Column,
        wanted: &dyn Fn(u64) -> bool,
        interrupt: &Interrupt,
    ) -> anyhow::Result<Option<Vec<Product>>> {
        let product = |file| {
            let read = wanted(file).then(|| readback::digest(&self.path(column, file), interrupt));
            let (digest, unread) = match read {
                Some(Ok(digest)) => (digest, None),
                Some(Err(error)) => (None, Some(format!("read it back: {}", reason(&error)))),
                None => (None, None),
            };
            Product { item: file, unit: FILE, label: file_name(file), digest, unread }
        };
        let files = (0..self.options.n_files()).take_while(|_| !interrupt.is_set());
        Ok(Some(files.map(product).collect()))
    }

    fn verify(&self, column: &Column) -> anyhow::Result<Option<String>> {
        if self.options.n_files() == 0 {
            return Ok(None);
        }
        readback::verify(&self.path(column, 0), self.shape)
    }

    fn location(&self, column: &Column) -> Option<String> {
        match self.options.n_files() {
            0 => None,
            1 => Some(self.path(column, 0).display().to_string()),
            _ => Some(self.folder(column).display().to_string()),
        }
    }
}

impl Portable for CsvGen {
    fn spec(&self) -> serde_json::Value {
        serde_json::json!(self.options)
    }

    fn wire_spec(&self) -> serde_json::Value {
        let mut spec = self.spec();
        if let Some(folder) = &self.options.out_dir {
            spec["out_dir"] = paths::exact(folder);
        }
        spec
    }

    fn export_shared(&self) -> Option<Vec<u8>> {
        self.shared.as_ref().map(Matrix::to_bytes)
    }

    fn clean_after(&self, column: &Column, process: u32) {
        temporary::remove_of(&self.folder(column), process);
    }
}

/// The name of a file, by its number from 0: `x000000.csv`.
fn file_name(file: u64) -> String {
    format!("x{file:06}.csv")
}

/// The number of a file, by its name.
fn file_number(name: &str) -> Option<u64> {
    let number = name.strip_prefix('x')?.strip_suffix(".csv")?.parse().ok()?;
    // `x+1.csv` and `x0000001.csv` are numbers to a parser, but no names of ours.
    (file_name(number) == name).then_some(number)
}
