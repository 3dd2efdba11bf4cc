//! What jobs read: nothing, blocks of standard input, all of it, a terminal.

use std::fs::File;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, IsTerminal as _};
use std::num::NonZeroUsize;
use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt as _, SeedableRng as _};

use crate::cli::exit::{Fault, refuse};
use crate::cli::flags::{Flag, Typed};
use crate::cli::terminal::say;
use crate::inputs::{
    Blocks, FileParts, Header, InputError, InputSource, Inputs, JobPacker, Origin, RowCounter, RowsPerJob,
    Seekable, Shuffler,
};
use crate::process::Interrupt;
use crate::template::TemplateOptions;
use crate::workload::command::{
    self, BoxedPatience, FeedSource, INPUT_NAME, InTurn, JobFeed, JobValues, RoundRobin, Spool, StdinMode,
    StdinSource,
};

/// Where the jobs come from, once their columns have names.
pub(super) struct JobSource {
    inputs: Option<Inputs>,
    /// With the names that messages call them.
    files: Vec<(PathBuf, File)>,
    /// Files to be cut into parts.
    whole: Vec<Seekable>,
    interrupt: Interrupt,
}

/// What counts the jobs while they run, where each row of inputs is one and inputs can be
/// read twice.
pub(super) fn counter(typed: &Typed, packing: &RowsPerJob) -> Option<RowCounter> {
    let are_rows = !typed.pipes() && packing.at_most.is_some_and(|most| most.get() == 1);
    let reading = typed.reading().ok().filter(|_| are_rows && packing.slots.is_none())?;
    RowCounter::of(&typed.sources, &reading)
}

/// Whether inputs may be read before a job needs them: not what a job is to be typed, and
/// what is piped to jobs is no input.
pub(super) fn may_read_ahead(typed: &Typed) -> bool {
    !typed.pipes() && !typed.has(Flag::Tty)
}

/// How jobs are offered what they read.
pub(super) fn stdin_mode(typed: &Typed) -> StdinMode {
    match (typed.has(Flag::Cat), typed.has(Flag::Fifo)) {
        (true, _) => StdinMode::File,
        (false, true) => StdinMode::Fifo,
        (false, false) => StdinMode::Stdin,
    }
}

impl JobSource {
    /// Opens all inputs, and names the columns of `options` after their heads.
    pub(super) fn open(
        typed: &Typed,
        interrupt: &Interrupt,
        options: &mut TemplateOptions,
    ) -> Result<Self, Fault> {
        let stdin: File = io::stdin().as_fd().try_clone_to_owned().context("standard input")?.into();
        let reading = typed.reading()?;
        let mut sources = typed.sources.clone();
        // As in GNU parallel, `:::` without values is no source; but nobody is kept
        // waiting for what was to be typed.
        if typed.bare_separator && sources.is_empty() && stdin.is_terminal() {
            sources.push(InputSource::new(Origin::Values(Vec::new())));
        }
        if sources.is_empty() && !typed.pipes() && stdin.is_terminal() {
            say(&from_terminal(typed));
        }
        let own = |error: InputError| Fault::Own(error.into());
        let mut jobs =
            Self { inputs: None, files: Vec::new(), whole: Vec::new(), interrupt: interrupt.clone() };
        if typed.has(Flag::PipePart) {
            // With --tee one file goes to every job, and others hold values.
            let most = if typed.has(Flag::Tee) { 1 } else { usize::MAX };
            let is_file = |source: &mut InputSource| matches!(source.origin, Origin::File(_));
            for InputSource { origin, .. } in sources.extract_if(.., is_file).take(most) {
                let Origin::File(path) = origin else { continue };
                if reads_parts(typed) {
                    jobs.whole.push(Seekable::open(&path).map_err(own)?);
                    continue;
                }
                let file = File::open(&path).with_context(|| format!("cannot open {}", path.display()))?;
                jobs.files.push((path, file));
            }
            if jobs.files.is_empty() && jobs.whole.is_empty() {
                return refuse("--pipe-part reads files: give one with -a FILE");
            }
        } else if typed.pipes() {
            jobs.files.push((PathBuf::from("-"), stdin.try_clone()?));
        }
        // What --pipe-part leaves on standard input, --tee has for its values.
        let left = typed.has(Flag::PipePart) && typed.has(Flag::Tee);
        if !typed.pipes() || !sources.is_empty() || left {
            let mut inputs = Inputs::open(sources, &reading, stdin).map_err(own)?;
            if typed.has(Flag::Shuf) {
                inputs.shuffle(shuffler());
            }
            options.columns = match reading.header {
                None if typed.input.named.is_empty() => Vec::new(),
                None | Some(Header::FileNames) => inputs.names(),
                Some(_) => inputs.read_names(&mut *jobs.patience()).map_err(own)?,
            };
            jobs.inputs = Some(inputs);
        }
        Ok(jobs)
    }

    /// Has `tell` called when a NUL in a value is replaced for the first time.
    pub(super) fn on_nul(&mut self, tell: Box<dyn FnOnce() + Send>) {
        if let Some(inputs) = &mut self.inputs {
            inputs.on_nul(tell);
        }
    }

    /// The jobs, packed by `packer`, and what they read.
    pub(super) fn feed(
        self,
        typed: &Typed,
        width: NonZeroUsize,
        packer: JobPacker,
    ) -> Result<(JobFeed, StdinSource), Fault> {
        let (patience, reading) = (self.patience(), self.patience());
        if !typed.pipes() {
            let inputs = self.inputs.expect("inputs are opened where there is nothing else");
            // What only prints its jobs needs no terminal for them.
            let wants_terminal = typed.has(Flag::Tty) && !typed.has(Flag::DryRun);
            // Without one, `--tty` has jobs read nothing, as in GNU parallel.
            let terminal = if wants_terminal { File::open("/dev/tty").ok().map(Arc::new) } else { None };
            let reads = terminal.map_or(StdinSource::Own, StdinSource::Terminal);
            return Ok((JobFeed::new(FeedSource::Nothing, JobValues::of(inputs, packer), patience), reads));
        }
        let values = match self.inputs {
            Some(inputs) => JobValues::of(inputs, packer),
            None if stdin_mode(typed) == StdinMode::Stdin => JobValues::Same(Vec::new()),
            None => JobValues::Same(vec![INPUT_NAME.to_vec()]),
        };
        let mut files = self.files;
        if typed.has(Flag::Tee) {
            let spool = Arc::new(Spool::new(files.remove(0).1));
            return Ok((
                JobFeed::new(FeedSource::All(Arc::clone(&spool)), values, patience),
                StdinSource::All(spool),
            ));
        }
        let mut spec = typed.block_spec()?;
        if reads_parts(typed) {
            if let Some(share) = parts_per_slot(typed) {
                spec.size = share_of(self.whole.iter().map(Seekable::length).sum(), width, share)?;
            }
            let whole: Arc<[Seekable]> = self.whole.into();
            let parts = FileParts::new(&spec, Arc::clone(&whole));
            let parts = parts.map_err(Fault::usage)?;
            return Ok((
                JobFeed::new(FeedSource::Parts(Box::new(parts)), values, patience),
                StdinSource::Parts(whole),
            ));
        }
        if let Some(share) = typed.pipe.blocks_per_slot {
            spec.size = share_of(length_of(&files)?, width, share)?;
        }
        let blocks: Result<Vec<Blocks>, InputError> =
            files.into_iter().map(|(path, file)| Ok(Blocks::new(&spec, file)?.called(&path))).collect();
        let blocks = blocks.map_err(Fault::usage)?;
        if typed.has(Flag::RoundRobin) {
            let in_turn = if typed.has(Flag::KeepOrder) { InTurn::Always } else { InTurn::UnlessSlow };
            let dealer = Arc::new(RoundRobin::new(blocks, reading, width.get(), in_turn));
            return Ok((
                JobFeed::new(FeedSource::RoundRobin(Arc::clone(&dealer)), values, patience),
                StdinSource::RoundRobin(dealer),
            ));
        }
        Ok((JobFeed::new(FeedSource::Blocks(blocks.into()), values, patience), StdinSource::Own))
    }

    fn patience(&self) -> BoxedPatience {
        Box::new(command::patience(self.interrupt.clone()))
    }
}

/// Whether each job reads its part of a file by itself. Records that are counted
/// are read one after another, as those of a stream.
fn reads_parts(typed: &Typed) -> bool {
    let input = &typed.input;
    let counted = [input.max_args, input.max_replace_args, input.max_lines, input.lines];
    typed.has(Flag::PipePart) && !typed.has(Flag::Tee) && counted.iter().all(Option::is_none)
}

/// How many parts of files a slot gets, unless parts have a size.
fn parts_per_slot(typed: &Typed) -> Option<usize> {
    match typed.pipe.block {
        // One for each job that stays is what there is to deal out.
        _ if typed.has(Flag::RoundRobin) => Some(1),
        None => typed.pipe.blocks_per_slot.or(Some(10)),
        Some(_) => typed.pipe.blocks_per_slot,
    }
}

/// The size of blocks of which each of `width` slots gets `share`, in so many bytes.
fn share_of(bytes: u64, width: NonZeroUsize, share: usize) -> Result<NonZeroUsize, Fault> {
    let Some(share) = NonZeroUsize::new(share) else {
        return refuse("--block -0: a slot gets at least one block");
    };
    let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
    Ok(NonZeroUsize::MIN.saturating_add(bytes / width.saturating_mul(share)))
}

/// How many bytes there are in all of `files`.
fn length_of(files: &[(PathBuf, File)]) -> Result<u64, Fault> {
    let mut length = 0;
    for (_, file) in files {
        let data = file.metadata()?;
        if !data.is_file() {
            return refuse("--block -N is a share of a file: give a size, or --pipe-part");
        }
        length += data.len();
    }
    Ok(length)
}

/// What is said to who may not know that inputs are to be typed now.
fn from_terminal(typed: &Typed) -> String {
    let words = typed.command.iter();
    let mistaken = words.map(|word| word.to_string_lossy()).find(|word| ["::", ":"].contains(&&**word));
    let meant = match (mistaken, typed.command.first()) {
        (Some(word), _) => format!("did you mean ':::' by '{word}'?"),
        (None, Some(first)) => {
            let first = first.to_string_lossy();
            let first = first.split_whitespace().next().unwrap_or("echo").to_owned();
            format!("did you forget ':::'?  parsim parallel {first} ::: a b")
        }
        (None, None) => "did you forget a command and ':::'?  parsim parallel echo ::: a b".to_owned(),
    };
    format!("inputs are read from the terminal, one a line, until Ctrl-D; {meant}")
}

/// Random order for `--shuf`, another one each time: draws a number below the one it is
/// given, from a seed of the system's.
fn shuffler() -> Shuffler {
    // The standard library's one source of the system's random bytes.
    let mut generator = Xoshiro256PlusPlus::seed_from_u64(RandomState::new().hash_one(()));
    Box::new(move |end| generator.random_range(0..end))
}
