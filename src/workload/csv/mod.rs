//! The second exercise: CSV files of random numbers, as `np.savetxt` writes
//! them.
//!
//! A task formats and writes its own file, always, as the notebook does; only
//! the draw of a matrix that all files share is preparation. A large file of
//! the fast generator is several tasks, one for each block of values.

mod block_task;
mod file;
mod large;
mod matrix;
mod options;
mod readback;
mod shape;
mod source;
mod text;

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use self::block_task::Desks;
use self::large::LargeFiles;
use self::matrix::Matrix;
pub use self::options::{CsvOptions, Dist, MatrixChoice, Rng};
use self::shape::Shape;
use self::source::{BLOCK, Source};
use super::{Cx, Options, Product, Row, Size, Tasks, Workload, augment, from_matches, from_spec, paths};
use crate::format;
use crate::interrupt::Interrupt;
use crate::task::{Outcome, Task, TaskInput, Way};
use crate::temporary;

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
    augment: augment::<CsvOptions>,
    from_matches: from_matches::<CsvOptions>,
    from_spec: from_spec::<CsvOptions>,
    formats: &[],
};

/// What the exercise is after.
const FILE: &str = "file";

/// A file of more values than this is split into tasks, where the generator
/// allows it.
const SPLIT_ABOVE: u64 = 8 * BLOCK;

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
    desks: Desks,
}

impl Options for CsvOptions {
    fn build(self) -> anyhow::Result<Box<dyn Workload>> {
        Ok(Box::new(CsvGen::new(self)?))
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
            desks: Desks::default(),
        })
    }

    fn folder(&self, way: Way) -> PathBuf {
        let base = self.options.out_dir.as_deref().unwrap_or(Path::new(""));
        base.join(format!("data_{way}"))
    }

    fn path(&self, way: Way, file: u64) -> PathBuf {
        self.folder(way).join(file_name(file))
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

    /// How many tasks make up a file.
    fn parts(&self) -> u64 {
        let splits =
            self.source.has_blocks() && self.shape.values() > SPLIT_ABOVE && !self.shares_in_memory();
        if splits && !self.whole_files { self.shape.values().div_ceil(BLOCK) } else { 1 }
    }

    fn task(&self, seq: u64) -> Task {
        let parts = self.parts();
        if parts == 1 {
            return Task::new(seq, file_name(seq));
        }
        let (item, part) = (seq / parts, seq % parts);
        let label = format!("{} block {}", file_name(item), part + 1);
        Task { spec: TaskInput::Part { item, part }, ..Task::new(seq, label) }
    }
}

impl Workload for CsvGen {
    fn name(&self) -> &str {
        ROW.name
    }

    fn unit(&self) -> &'static str {
        if self.parts() == 1 { FILE } else { "block" }
    }

    fn opens(&self) -> usize {
        // The file, and the folder that is searched for what killed runs left.
        3
    }

    fn tasks(&self) -> Tasks<'_> {
        let n_tasks = self.size().tasks.unwrap_or(u64::MAX);
        Box::new((0..n_tasks).map(|seq| Ok(self.task(seq))))
    }

    fn size(&self) -> Size {
        let bytes = self.shape.values().saturating_mul(self.source.text_length());
        Size {
            tasks: self.options.n_files().checked_mul(self.parts()),
            bytes: Some(bytes.saturating_mul(self.options.n_files())),
        }
    }

    fn spec(&self) -> serde_json::Value {
        serde_json::json!(self.options)
    }

    fn blueprint(&self) -> serde_json::Value {
        let mut blueprint = self.spec();
        if let Some(folder) = &self.options.out_dir {
            blueprint["out_dir"] = paths::exact(folder);
        }
        blueprint
    }

    fn stand_alone(&mut self) -> anyhow::Result<Option<String>> {
        let in_parts = self.parts() > 1;
        self.whole_files = true;
        Ok(in_parts.then(|| "a file is one task, for processes share no memory".to_owned()))
    }

    fn clear(&self, way: Way) -> anyhow::Result<Vec<String>> {
        if self.options.n_files() == 0 {
            return Ok(vec!["--files 0 asks for no file: give --files 20, say".to_owned()]);
        }
        let mut remarks = Vec::new();
        let others = file::clear(&self.folder(way), self.options.n_files());
        if others > 0 {
            let files = format::plural(others, "other file");
            remarks.push(format!("{files} in {} left as found", self.folder(way).display()));
        }
        if self.options.matrix == MatrixChoice::Shared && !self.shares_in_memory() {
            let most = format::memory(matrix::MOST_SHARED as f64);
            remarks.push(format!(
                "a matrix of more than {most} is not kept in memory: each file draws it again"
            ));
        }
        Ok(remarks)
    }

    fn prepare(&mut self) -> anyhow::Result<()> {
        self.shared = self.shares_in_memory().then(|| Matrix::draw(&self.source, self.shape));
        Ok(())
    }

    fn share(&self) -> Option<Vec<u8>> {
        self.shared.as_ref().map(Matrix::to_bytes)
    }

    fn take_over(&mut self, shared: &[u8]) -> anyhow::Result<()> {
        self.shared = Some(Matrix::from_bytes(shared, self.shape).context("take over the shared matrix")?);
        Ok(())
    }

    fn run(&self, task: &Task, cx: &mut Cx<'_>) -> Outcome {
        match task.spec {
            TaskInput::Part { item, part } => block_task::write_part(self, item, part, cx),
            TaskInput::Sequence | TaskInput::Values(_) | TaskInput::Block(_) | TaskInput::Json(_) => {
                file::write_whole(self, task.seq, cx)
            }
        }
    }

    fn settle(&self) {
        self.large.give_up();
        self.desks.clear();
    }

    fn clean_up_after(&self, way: Way, process: u32) {
        temporary::remove_of(&self.folder(way), process);
    }

    fn products(
        &self,
        way: Way,
        wanted: &dyn Fn(u64) -> bool,
        interrupt: &Interrupt,
    ) -> anyhow::Result<Option<Vec<Product>>> {
        let product = |file| {
            let read = wanted(file).then(|| readback::digest(&self.path(way, file), interrupt));
            let (digest, unread) = match read {
                Some(Ok(digest)) => (digest, None),
                Some(Err(error)) => (None, Some(format!("read it back: {error}"))),
                None => (None, None),
            };
            Product { item: file, unit: FILE, label: file_name(file), digest, unread }
        };
        let files = (0..self.options.n_files()).take_while(|_| !interrupt.is_set());
        Ok(Some(files.map(product).collect()))
    }

    fn verify(&self, way: Way) -> anyhow::Result<Option<String>> {
        if self.options.n_files() == 0 {
            return Ok(None);
        }
        readback::verify(&self.path(way, 0), self.shape)
    }

    fn whereabouts(&self, way: Way) -> Option<String> {
        let last = self.options.n_files().checked_sub(1)?;
        let first = self.path(way, 0);
        Some(if last == 0 {
            first.display().to_string()
        } else {
            format!("{} .. {} ({})", first.display(), file_name(last), format::plural(last + 1, "file"))
        })
    }

    fn advice(&self, span: &str) -> Option<&'static str> {
        (span == file::WRITE && self.shared.is_some()).then_some(
            "With one shared matrix there is little to share out but write(2): --matrix per-file gives each file its own draw.",
        )
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
