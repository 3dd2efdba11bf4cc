//! Whether a command line needs a shell, decided once for a batch, what a caller has
//! defined for all lines (`$PARALLEL_ENV`), and the argument vector of each job.

use std::borrow::Cow;
use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};

use super::settings::exact_path;
use super::{JobDirectory, Settings, StdinMode};
use crate::byte_list::ByteList;
use crate::process::child::{Command, resolve};
use crate::template::{Dialect, DirectCommand, Numbers, Template, quote};

/// What runs the pipe of `--fifo`, and programs without an interpreter line that the
/// shell does not run itself.
const SH: &str = "/bin/sh";

/// What runs command lines.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Shell {
    /// The shell's program.
    #[serde(with = "exact_path")]
    pub program: PathBuf,
    /// Its first argument, where it is many programs in one.
    pub applet: Option<String>,
    /// How it reads quotes.
    pub dialect: Dialect,
    /// Whether it runs a program without an interpreter line itself.
    pub runs_texts: bool,
    /// What every line has before it.
    pub definitions: Option<Definitions>,
    /// Whether a line of plain words may be run without it: nothing in the
    /// environment makes the shell read a file first, or defines functions.
    pub can_be_left_out: bool,
    /// Functions that the environment hands to the shell.
    pub functions: Vec<OsString>,
    /// Where programs are looked for.
    pub path: OsString,
    /// Whether lines that need a shell are refused: `--no-shell`.
    pub refused: bool,
    /// Who chose it.
    pub chosen_by: ChosenBy,
}

/// Who chose the shell of jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChosenBy {
    /// The user, for all machines.
    User,
    /// Nobody: each machine has its own.
    Nobody,
}

/// How jobs are started.
pub(super) struct Launch {
    direct: Option<(DirectCommand, Command)>,
    shell: Command,
    sh: Command,
    /// The words before a line.
    words: Vec<OsString>,
    definitions: Option<Definitions>,
    runs_texts: bool,
    /// What gives the shell back the variables that sh does not hand on.
    restoring: Vec<OsString>,
}

impl Launch {
    pub(super) fn new(
        settings: &Settings,
        template: &Template,
        environment: &Arc<ByteList>,
    ) -> anyhow::Result<Self> {
        let prepared = |program: &Path| -> anyhow::Result<Command> {
            let program =
                CString::new(program.as_os_str().as_bytes()).context("a program's name with a NUL in it")?;
            let mut command = Command::new(program, Arc::clone(environment));
            if let JobDirectory::Fixed(directory) = &settings.directory {
                command.directory = Some(directory.clone());
            }
            command.nice = settings.nice;
            Ok(command)
        };
        let shell = &settings.shell;
        // Elsewhere a name such as ./run is another program.
        let is_here = |program: &[u8]| {
            matches!(settings.directory, JobDirectory::Here)
                || !program.contains(&b'/')
                || program.starts_with(b"/")
        };
        let direct = DirectCommand::of(template, settings.quoting)
            .filter(|direct| is_plain(shell, direct.program()) && is_here(direct.program()));
        let direct = match direct {
            Some(direct) => match resolve(OsStr::from_bytes(direct.program()), &shell.path) {
                Ok(program) => Some((direct, prepared(&program)?)),
                // Not found, the shell says so in its own words.
                Err(_) => None,
            },
            None => None,
        };
        if shell.refused && direct.is_none() {
            bail!(
                "--no-shell: the command needs a shell, or is not a program in PATH: leave --no-shell out, or give the program's path"
            );
        }
        let program = resolve(shell.program.as_os_str(), &shell.path).with_context(|| {
            format!("cannot run the shell {} (--shell PATH names another)", shell.program.display())
        })?;
        let words = [
            Some(program.clone().into_os_string()),
            shell.applet.clone().map(OsString::from),
            Some("-c".into()),
        ];
        Ok(Self {
            direct,
            shell: prepared(&program)?,
            sh: prepared(Path::new(SH))?,
            words: words.into_iter().flatten().collect(),
            definitions: shell.definitions.clone(),
            runs_texts: shell.runs_texts,
            restoring: match settings.stdin_mode {
                StdinMode::Fifo => restoring(environment, &shell.path),
                StdinMode::Stdin | StdinMode::File => Vec::new(),
            },
        })
    }

    /// The program of every job.
    pub(super) fn command(&self) -> &Command {
        self.direct.as_ref().map_or(&self.shell, |(_, command)| command)
    }

    /// What runs the pipe of `--fifo`.
    pub(super) fn sh(&self) -> &Command {
        &self.sh
    }

    /// The program of a text that names none, and the words before the text's name.
    pub(super) fn of_text(&self) -> (&Command, &[OsString]) {
        if self.runs_texts {
            return (&self.shell, &self.words[..self.words.len() - 1]);
        }
        (&self.sh, &[])
    }

    /// The arguments of one job.
    pub(super) fn argv(&self, line: &[u8], values: &[Vec<u8>], numbers: &Numbers) -> io::Result<ByteList> {
        if let Some((direct, _)) = &self.direct {
            let words = direct.render_argv(values, numbers);
            return words.without_nuls();
        }
        ByteList::from_words(self.shell_words(line))
    }

    /// The arguments with which sh runs the line of a job that reads a file or a pipe
    /// called `name`, which `script` makes.
    pub(super) fn argv_through(&self, script: &str, name: &Path, line: &[u8]) -> io::Result<ByteList> {
        let sh = [SH, "-c", script, "sh"].into_iter().map(|word| Cow::Borrowed(OsStr::new(word)));
        let restoring = self.restoring.iter().map(|word| Cow::Borrowed(word.as_os_str()));
        let name = std::iter::once(Cow::Borrowed(name.as_os_str()));
        ByteList::from_words(sh.chain(name).chain(restoring).chain(self.shell_words(line)))
    }

    fn shell_words<'t>(&'t self, line: &'t [u8]) -> impl Iterator<Item = Cow<'t, OsStr>> {
        let rest = match &self.definitions {
            Some(definitions) => definitions.with_line(line, &self.words[0]),
            None => vec![Cow::Borrowed(OsStr::from_bytes(line))],
        };
        self.words.iter().map(|word| Cow::Borrowed(word.as_os_str())).chain(rest)
    }
}

/// `env NAME=value...` with the variables that sh need not hand on, as their names are
/// none to it: bash's functions, and those of programs that want a dot or a dash in a
/// name.
fn restoring(environment: &ByteList, path: &OsStr) -> Vec<OsString> {
    let is_dropped = |variable: &&[u8]| {
        let name = variable.split(|&byte| byte == b'=').next().unwrap_or_default();
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        name.first().is_none_or(u8::is_ascii_digit) || !name.iter().all(is_name)
    };
    let dropped = environment.iter().filter(is_dropped);
    let dropped: Vec<OsString> = dropped.map(|variable| OsStr::from_bytes(variable).to_owned()).collect();
    if dropped.is_empty() {
        return dropped;
    }
    resolve(OsStr::new("env"), path).map_or_else(
        |_| Vec::new(),
        |env| [env.into_os_string(), "--".into()].into_iter().chain(dropped).collect(),
    )
}

/// Whether `program` means the same to the shell as to the kernel.
fn is_plain(shell: &Shell, program: &[u8]) -> bool {
    shell.can_be_left_out && !shell.functions.iter().any(|function| function.as_bytes() == program)
}

/// The longest text that can be one argument.
const LONGEST: usize = 131_071;

/// Keeps the line that is the last argument, for definitions may change arguments.
const KEEP: &[u8] = b"parsim_line=$1; shift\n";

/// Runs the line that was kept, which is then kept no longer.
const RUN: &[u8] = b"\neval \"unset parsim_line\n$parsim_line\"";

/// Definitions in the language of a shell.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Definitions {
    text: Vec<u8>,
    dialect: Dialect,
    needs_eval: bool,
}

impl Definitions {
    /// Definitions that the line follows.
    pub fn before_line(text: Vec<u8>, dialect: Dialect) -> Self {
        Self { text, dialect, needs_eval: false }
    }

    /// Definitions after which the shell is made to read the line anew.
    pub fn before_eval(text: Vec<u8>, dialect: Dialect) -> Self {
        Self { text, dialect, needs_eval: true }
    }

    /// What the shell is given after `-c`: a text and perhaps arguments, the first of
    /// which is the name of the shell, which is called `shell`. A line that is too
    /// long to follow the definitions comes as an argument, if the shell is like sh.
    pub(super) fn with_line<'t>(&self, line: &'t [u8], shell: &'t OsStr) -> Vec<Cow<'t, OsStr>> {
        let mut text = self.text.clone();
        text.push(b'\n');
        if self.needs_eval {
            text.extend_from_slice(b"eval ");
            quote(line, self.dialect, &mut text);
        } else {
            text.extend_from_slice(line);
        }
        if text.len() <= LONGEST || self.dialect != Dialect::Posix {
            return vec![owned(&text)];
        }
        vec![owned(&[KEEP, &self.text, RUN].concat()), shell.into(), OsStr::from_bytes(line).into()]
    }
}

/// `words` of a command line in which `$NAME` right before a brace is `${NAME}`: the
/// same to a shell, but `$NAME{}` stays the variable of that name, whatever the value
/// begins with. Within single quotes and behind a backslash nothing is a variable.
pub fn names_apart(words: &[&[u8]]) -> Vec<Vec<u8>> {
    let (mut single, mut double) = (false, false);
    let mut apart = |word: &[u8]| {
        let mut out = Vec::with_capacity(word.len() + 2);
        let mut rest = word;
        while let Some((&byte, behind)) = rest.split_first() {
            rest = behind;
            out.push(byte);
            match byte {
                b'\'' if !double => single = !single,
                b'"' if !single => double = !double,
                b'\\' if !single => {
                    out.extend(rest.first());
                    rest = rest.get(1..).unwrap_or_default();
                }
                b'$' if !single => {
                    let is_name = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
                    let length = rest.iter().take_while(is_name).count();
                    let (name, behind) = rest.split_at(length);
                    if name.first().is_some_and(|first| !first.is_ascii_digit()) && behind.starts_with(b"{") {
                        out.push(b'{');
                        out.extend_from_slice(name);
                        out.push(b'}');
                        rest = behind;
                    }
                }
                _ => {}
            }
        }
        out
    };
    words.iter().map(|word| apart(word)).collect()
}

fn owned(text: &[u8]) -> Cow<'static, OsStr> {
    Cow::Owned(OsStr::from_bytes(text).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_before_a_value_keeps_its_name() {
        let apart = |words: &[&str]| {
            let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
            String::from_utf8(names_apart(&words).join(&b' ')).unwrap()
        };
        for (line, meant) in [
            ("echo \"$V{}\" $W_2{.} $V", "echo \"${V}{}\" ${W_2}{.} $V"),
            ("echo '$V{}' \\$V{} $1{} ${V}{} $V/{}", "echo '$V{}' \\$V{} $1{} ${V}{} $V/{}"),
            ("echo \"it's $V{}\" \\'$V{}", "echo \"it's ${V}{}\" \\'${V}{}"),
        ] {
            assert_eq!(apart(&[line]), meant);
        }
        assert_eq!(apart(&["'a", "$V{}", "b' $V{}"]), "'a $V{} b' ${V}{}");
    }

    #[test]
    fn a_line_follows_the_definitions_or_is_an_argument_where_both_are_too_long() {
        let words = |dialect, length| {
            let definitions = Definitions::before_line(vec![b'#'; 100_000], dialect);
            definitions.with_line(&vec![b'x'; length], OsStr::new("sh")).len()
        };
        assert_eq!(words(Dialect::Posix, 31_070), 1);
        assert_eq!(words(Dialect::Posix, 31_071), 3);
        assert_eq!(words(Dialect::Fish, 31_071), 1);
        let eval = Definitions::before_eval(b"x=1".to_vec(), Dialect::Posix);
        assert_eq!(eval.with_line(b"echo $x", OsStr::new("zsh")), [OsStr::new("x=1\neval 'echo $x'")]);
    }
}
