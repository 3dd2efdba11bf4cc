//! What one job is started with: its arguments, its variables, what it reads, and the
//! files and folders that are gone when it is over.
//!
//! Does not know how it ends.

use std::borrow::Cow;
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File};
use std::io::{self, BufRead, Read as _};
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use super::runner::CommandRunner;
use super::stdin_mode::{self, Counted, NamedInput, THROUGH_FIFO, THROUGH_FILE, part};
use super::{JobDirectory, Settings, StdinMode, StdinSource};
use crate::byte_list::ByteList;
use crate::process::Waker;
use crate::process::child::{Command, inherited_environment};
use crate::task::{Column, Task, TaskInput};
use crate::template::{Numbers, Quoting};
use crate::temporary::{self, Kind};

/// The variables that each job gets its own value of.
const OWN_VARIABLES: [&str; 5] =
    ["PARALLEL_SEQ", "PARALLEL_JOBSLOT", "PARALLEL_PID", "PARSIM_WAY", stdin_mode::VARIABLE];

/// Which hosts the job is for, where it says so.
const HOST_GROUPS: &str = "PARALLEL_ARGHOSTGROUPS";

/// The variable that is put before each job's line instead.
const DEFINITIONS: &str = "PARALLEL_ENV";

/// What a job is started with.
pub(super) struct PreparedJob<'t> {
    pub(super) variables: ByteList,
    pub(super) argv: ByteList,
    pub(super) command: Cow<'t, Command>,
    pub(super) input: JobInput<'t>,
    /// Kept as long as the job may open it.
    pub(super) named_input: Option<NamedInput>,
    /// Kept as long as the job runs there.
    pub(super) directory: Option<OwnFolder>,
}

/// What a job finds on its standard input.
pub(super) enum JobInput<'t> {
    Nothing,
    Terminal(&'t File),
    File(File),
    Bytes(Counted<Box<dyn BufRead + 't>>),
}

impl CommandRunner {
    /// Makes everything ready for the job of `task`; `waker` wakes whoever watches it.
    pub(super) fn prepare<'t>(
        &'t self,
        line: &[u8],
        task: &'t Task,
        numbers: &Numbers,
        column: &Column,
        waker: &Waker,
    ) -> io::Result<PreparedJob<'t>> {
        let Settings { slot_variable, directory, stdin_mode, .. } = &self.settings;
        let stdin = &self.stdin;
        let launch = self.launch(column);
        let mut variables = self.own_variables(task, numbers, column)?;
        if let Some(name) = slot_variable {
            variables.push_variable(name, (numbers.slot - 1).to_string())?;
        }
        let mut command = Cow::Borrowed(launch.command());
        let mut own_folder = None;
        match directory {
            JobDirectory::Each(template) => {
                let mut path = Vec::new();
                template.render(task.spec.values(), numbers, Quoting::None, &mut path);
                let path = PathBuf::from(OsString::from_vec(path));
                fs::create_dir_all(&path)?;
                command = in_directory(command, Some(&path));
            }
            JobDirectory::OfItsOwn(folder) => {
                let made = OwnFolder::new_in(folder)?;
                command = in_directory(command, Some(&made.0));
                own_folder = Some(made);
            }
            JobDirectory::Here | JobDirectory::Fixed(_) => {}
        }
        let reader: Option<Box<dyn BufRead + 't>> = match (stdin, &task.spec) {
            (StdinSource::Own, TaskInput::Block(block)) => Some(Box::new(&block.bytes[..])),
            (StdinSource::RoundRobin(dealer), _) => {
                Some(Box::new(dealer.reader(number(task), waker.clone())))
            }
            (StdinSource::All(spool), _) => spool.reader().map(|reader| Box::new(reader) as Box<dyn BufRead>),
            (StdinSource::Parts(files), TaskInput::Block(block)) => {
                let rest =
                    block.stretch.map(|stretch| (files[stretch.file].file(), stretch.from, stretch.length));
                Some(match rest {
                    Some((file, from, length)) => Box::new(block.bytes.chain(part(file, from, length))),
                    None => Box::new(&block.bytes[..]),
                })
            }
            (StdinSource::Own | StdinSource::Parts(_) | StdinSource::Terminal(_), _) => None,
        };
        let mut bytes = reader.map(|reader| Counted { reader, taken: 0 });
        // What is dealt out comes as long as the job runs.
        let through = match (stdin_mode, stdin) {
            (StdinMode::Fifo, _) => Some(THROUGH_FIFO),
            (StdinMode::File, StdinSource::RoundRobin(_)) => Some(THROUGH_FILE),
            (StdinMode::File | StdinMode::Stdin, _) => None,
        };
        let named_input = match (stdin_mode, through, &mut bytes) {
            (StdinMode::File, None, Some(bytes)) => Some(NamedInput::with(bytes)?),
            (StdinMode::File | StdinMode::Fifo, Some(_), Some(_)) => Some(NamedInput::free()),
            _ => None,
        };
        if let Some(named) = &named_input {
            variables.push_variable(stdin_mode::VARIABLE, &named.path)?;
        }
        let argv = match (&named_input, through) {
            (Some(named), Some(script)) => {
                command = in_directory(Cow::Borrowed(launch.sh()), command.directory.as_ref());
                launch.argv_through(script, &named.path, line)?
            }
            _ => launch.argv(line, task.spec.values(), numbers)?,
        };
        let input = match (stdin, bytes, &named_input) {
            (StdinSource::Terminal(terminal), ..) => JobInput::Terminal(terminal),
            (_, Some(_), Some(named)) if through.is_none() => JobInput::File(File::open(&named.path)?),
            (_, Some(bytes), _) => JobInput::Bytes(bytes),
            (_, None, _) => JobInput::Nothing,
        };
        Ok(PreparedJob { variables, argv, command, input, named_input, directory: own_folder })
    }

    fn own_variables(&self, task: &Task, numbers: &Numbers, column: &Column) -> io::Result<ByteList> {
        let mut variables = ByteList::new();
        variables.push_variable("PARALLEL_SEQ", numbers.seq.to_string())?;
        variables.push_variable("PARALLEL_JOBSLOT", numbers.slot.to_string())?;
        variables.push_variable("PARALLEL_PID", &self.client)?;
        variables.push_variable("PARSIM_WAY", &*column.name)?;
        if !task.hosts.is_empty() {
            variables.push_variable(HOST_GROUPS, task.hosts.join("+"))?;
        }
        Ok(variables)
    }
}

/// `command` where `directory` is, if it is anywhere else.
pub(super) fn in_directory<'t>(command: Cow<'t, Command>, directory: Option<&PathBuf>) -> Cow<'t, Command> {
    if command.directory.as_ref() == directory {
        return command;
    }
    Cow::Owned(Command { directory: directory.cloned(), ..command.into_owned() })
}

/// The task's number among the jobs of `--round-robin`.
pub(super) fn number(task: &Task) -> usize {
    usize::try_from(task.seq).unwrap_or(usize::MAX)
}

/// The environment that all jobs share.
pub(super) fn environment(settings: &Settings) -> io::Result<ByteList> {
    let variables = &settings.variables;
    let own =
        OWN_VARIABLES.iter().chain([&DEFINITIONS]).map(OsString::from).chain(settings.slot_variable.clone());
    let without: Vec<OsString> = own.chain(variables.iter().map(|(name, _)| name.clone())).collect();
    let mut environment = inherited_environment(&without);
    variables.iter().try_for_each(|(name, value)| environment.push_variable(name, value))?;
    Ok(environment)
}

/// A new directory for one job, and with it all that is in it, as long as this lives:
/// `--wd ...`.
pub(super) struct OwnFolder(PathBuf);

impl OwnFolder {
    /// A new one in `folder`, which nobody else can look into. Nobody can have
    /// made it before, either: its name cannot be guessed.
    fn new_in(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        temporary::sweep(folder);
        let path = folder.join(temporary::fresh_name("parsim", Kind::Folder));
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }
}

impl Drop for OwnFolder {
    fn drop(&mut self) {
        // The job may have removed it, and what it left running may still write.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_folder_is_another_for_its_owner_alone_and_goes_with_what_is_in_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let around = tempfile::tempdir().unwrap();
        let [one, other] = [(); 2].map(|()| OwnFolder::new_in(around.path()).unwrap());
        assert_ne!(one.0, other.0);
        assert_eq!(fs::metadata(&one.0).unwrap().permissions().mode() & 0o777, 0o700);
        fs::create_dir_all(one.0.join("in/it")).unwrap();
        drop((one, other));
        assert_eq!(fs::read_dir(around.path()).unwrap().count(), 0);
    }
}
