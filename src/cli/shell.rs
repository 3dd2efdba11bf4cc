//! Which shell runs command lines: the one that the line was written for; and what in
//! the environment makes the shell of jobs read more than the line.
//!
//! Knows shells by their names, and what each of them does with a line. Does not
//! know the line.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::exit::Fault;
use super::terminal::say;
use crate::process::ancestors::{Ancestor, ancestors};
use crate::process::child::{StartError, resolve};
use crate::template::Dialect;
use crate::text::reason;
use crate::workload::command::{ChosenBy, Definitions, Shell};

/// Shells that read lines alike.
pub(super) struct Family {
    names: &'static [&'static str],
    /// How they read quotes.
    pub(super) dialect: Dialect,
    /// Whether plain words mean the same to them as to the kernel.
    pub(super) is_plain: bool,
    /// Whether they run a program without an interpreter line themselves; others
    /// leave it to /bin/sh.
    pub(super) runs_texts: bool,
}

/// The shells that GNU parallel knows, and busybox's.
#[rustfmt::skip]
const FAMILIES: [Family; 6] = [
    family(&["sh", "ash", "dash", "bash", "ksh"], Dialect::Posix, true, true),
    family(&["mksh", "lksh", "pdksh", "zsh"], Dialect::Posix, true, false),
    family(&[BUSYBOX, "fdsh", "fizsh", "hush", "posh", "rbash", "rksh", "rush", "rzsh", "sash", "static-sh", "yash"], Dialect::Posix, false, false),
    family(&["fish"], Dialect::Fish, false, false),
    family(&["csh", "tcsh", "bsd-csh"], Dialect::Csh, false, false),
    family(&["rc"], Dialect::Rc, false, false),
];

/// What nobody knows is taken for a shell like sh.
const UNKNOWN: Family = family(&[], Dialect::Posix, false, false);

/// Login programs of accounts that nobody logs into: they run no commands.
const NO_SHELLS: [&str; 9] =
    ["false", "git-shell", "halt", "nologin", "rssh", "scponly", "shutdown", "sync", "true"];

const BUSYBOX: &str = "busybox";

/// Its shells.
const APPLETS: [&str; 3] = ["sh", "ash", "hush"];

const fn family(
    names: &'static [&'static str],
    dialect: Dialect,
    is_plain: bool,
    runs_texts: bool,
) -> Family {
    Family { names, dialect, is_plain, runs_texts }
}

/// A shell, and how it came to be chosen.
pub(super) struct Chosen {
    pub(super) program: PathBuf,
    /// The first argument of a program that is many.
    pub(super) applet: Option<&'static str>,
    pub(super) family: &'static Family,
    /// Variables that name a shell which cannot run, each with the reason.
    pub(super) passed_over: Vec<String>,
}

impl Chosen {
    fn new(program: PathBuf, applet: Option<&'static str>) -> Self {
        let (name, family) = known(&program).unwrap_or((String::new(), &UNKNOWN));
        let applet = applet.or((name == BUSYBOX).then_some(APPLETS[0]));
        Self { program, applet, family, passed_over: Vec::new() }
    }

    /// Whether it is the shell called `name`.
    pub(super) fn is(&self, name: &str) -> bool {
        known(&self.program).is_some_and(|(known, _)| without_version(&known) == name)
    }

    /// The words before a command line.
    pub(super) fn words(&self) -> Vec<OsString> {
        let program = self.program.clone().into_os_string();
        [Some(program), self.applet.map(OsString::from), Some("-c".into())].into_iter().flatten().collect()
    }
}

/// The shell of command lines: `asked`, whatever it is; else the first that can run
/// commands of `$PARSIM_SHELL` and `$PARALLEL_SHELL`, the nearest ancestor that is a
/// shell, bash where functions of bash are in the environment, `$SHELL`, /bin/sh.
pub(super) fn choose(asked: Option<&Path>) -> Chosen {
    if let Some(asked) = asked {
        return Chosen::new(asked.to_owned(), None);
    }
    let path = search_path();
    let mut passed_over = Vec::new();
    for name in ["PARSIM_SHELL", "PARALLEL_SHELL"] {
        let Some(value) = variable(name) else { continue };
        match runs(&value, &path) {
            Ok(program) => return Chosen { passed_over, ..Chosen::new(program, None) },
            Err(why) => passed_over.push(format!("${name}: {}: {why}", value.display())),
        }
    }
    let chosen = nearest(ancestors(), &path).unwrap_or_else(|| {
        let found = |program: &OsStr| Some(Chosen::new(runs(program, &path).ok()?, None));
        let usual = variable("SHELL").and_then(|shell| found(&shell));
        let functions = env::vars_os().any(|(name, _)| exported_function(&name).is_some());
        let usual_will_do = usual.as_ref().is_some_and(|usual| !functions || usual.is("bash"));
        let bash = if functions && !usual_will_do { found("bash".as_ref()) } else { None };
        bash.or(usual).unwrap_or_else(|| Chosen::new(PathBuf::from("/bin/sh"), None))
    });
    Chosen { passed_over, ..chosen }
}

/// Where programs are looked for.
pub(super) fn search_path() -> OsString {
    env::var_os("PATH").unwrap_or_else(|| OsString::from("/usr/bin:/bin"))
}

/// `f` of `BASH_FUNC_f%%`, which is how bash exports a function.
pub(super) fn exported_function(name: &OsStr) -> Option<&OsStr> {
    let name = name.as_bytes().strip_prefix(b"BASH_FUNC_")?;
    let name = name.strip_suffix(b"%%").or_else(|| name.strip_suffix(b"()"))?;
    Some(OsStr::from_bytes(name))
}

fn variable(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// Where `program` is, if it runs commands.
fn runs(program: &OsStr, path: &OsStr) -> Result<PathBuf, String> {
    let found = resolve(program, path).map_err(|error| match error {
        StartError::NotFound => "no such program".to_owned(),
        StartError::Denied => "not executable".to_owned(),
        error => error.to_string(),
    })?;
    let is_none = |name: Option<&OsStr>| name.is_some_and(|name| NO_SHELLS.iter().any(|none| name == *none));
    let target = fs::canonicalize(&found);
    if is_none(found.file_name()) || target.is_ok_and(|target| is_none(target.file_name())) {
        return Err("runs no commands".to_owned());
    }
    Ok(found)
}

/// The nearest shell, if it is here for us, too.
fn nearest(mut ancestors: impl Iterator<Item = Ancestor>, path: &OsStr) -> Option<Chosen> {
    ancestors.find_map(|ancestor| seen(&ancestor, path))?.ok()
}

/// Why a process that is a shell does not help: its program cannot be started from here.
struct Elsewhere;

/// The shell that a process is, if it is one.
fn seen(ancestor: &Ancestor, path: &OsStr) -> Option<Result<Chosen, Elsewhere>> {
    let program = ancestor.program();
    let [first, second] = ancestor.words();
    let alias = called(&first);
    let link = || link(ancestor, &first, alias.as_deref()?, path);
    let at = |program: Option<PathBuf>, applet| {
        program.map(|program| Chosen::new(program, applet)).ok_or(Elsewhere)
    };
    let name = match &program {
        // bash is another shell under the name of sh, and Debian's rc is rc.byron.
        Some(program) => match called(program.as_os_str()) {
            Some(name) => name,
            None => return link().map(|link| at(Some(link), None)),
        },
        // Another user's process does not tell its program, but the name it was started
        // by, and the kernel's name for it, which is that of its script where it runs one.
        None => alias.clone().or_else(|| called(&ancestor.name()?))?,
    };
    if name == BUSYBOX {
        let applet = if alias.as_deref() == Some(BUSYBOX) { called(&second) } else { alias.clone() };
        let applet = APPLETS.into_iter().find(|name| applet.as_deref() == Some(name))?;
        if let Some(link) = link().filter(|_| alias.as_deref() == Some(applet)) {
            return Some(at(Some(link), None));
        }
        let program = program.map_or_else(|| OsString::from(BUSYBOX), PathBuf::into_os_string);
        return Some(at(runs(&program, path).ok(), Some(applet)));
    }
    let found = match &program {
        Some(program) => {
            let link = if alias.as_ref() == Some(&name) { None } else { link() };
            link.or_else(|| resolve(program.as_os_str(), path).ok())
        }
        None => runs(&first, path).ok().filter(|_| alias.is_some() && is_absolute(&first)),
    };
    let found = found.or_else(|| runs(OsStr::new(&name), path).ok());
    Some(at(found, None))
}

/// The file by whose name a process was started, if it still leads to its program.
fn link(ancestor: &Ancestor, first: &OsStr, name: &str, path: &OsStr) -> Option<PathBuf> {
    let program = if is_absolute(first) { first } else { OsStr::new(name) };
    let link = runs(program, path).ok()?;
    let (this, that) = (fs::metadata(&link).ok()?, ancestor.metadata()?);
    (this.dev() == that.dev() && this.ino() == that.ino()).then_some(link)
}

fn is_absolute(word: &OsStr) -> bool {
    word.as_bytes().starts_with(b"/")
}

/// The shell's name that `word` ends in: `bash` of `/bin/bash` and of `-bash`, which
/// is a login shell.
fn called(word: &OsStr) -> Option<String> {
    let name = Path::new(word).file_name()?.to_str()?;
    let name = name.strip_prefix('-').unwrap_or(name);
    family_of(name).map(|_| name.to_owned())
}

/// The name and the family of a program, or of what it is a link to.
fn known(program: &Path) -> Option<(String, &'static Family)> {
    let named = |program: &Path| {
        let name = called(program.as_os_str())?;
        let family = family_of(&name)?;
        Some((name, family))
    };
    let target = || fs::canonicalize(resolve(program.as_os_str(), &search_path()).ok()?).ok();
    named(program).or_else(|| named(&target()?))
}

fn family_of(name: &str) -> Option<&'static Family> {
    let of = |name: &str| FAMILIES.iter().find(|family| family.names.contains(&name));
    of(name).or_else(|| of(without_version(name)))
}

/// `ksh` of ksh93, `zsh` of zsh-5.9.
fn without_version(name: &str) -> &str {
    name.trim_end_matches(|sign: char| sign.is_ascii_digit() || ".-".contains(sign))
}

/// Debian's /etc/zsh/zshenv, which sets `$PATH` where there is next to none.
const USUAL_ZSHENV: [&str; 4] = [
    r#"if [[ -z "$PATH" || "$PATH" == "/bin:/usr/bin" ]]"#,
    "then",
    r#"export PATH="/usr/local/bin:/usr/bin:/bin:/usr/games""#,
    "fi",
];

/// The shell of the jobs, and how it reads quotes.
pub(super) fn of_jobs(asked: Option<&Path>, refused: bool) -> Result<Shell, Fault> {
    let chosen = choose(asked);
    for why in &chosen.passed_over {
        say(&format!("{why}; jobs run in {}", chosen.program.display()));
    }
    let functions = env::vars_os().filter_map(|(name, _)| exported_function(&name).map(OsStr::to_owned));
    let is_zsh = chosen.is("zsh");
    let reads_a_file =
        ["BASH_ENV", "ENV"].iter().any(|name| env::var_os(name).is_some()) || is_zsh && reads_zshenv();
    // zsh knows an alias only in what it reads after its definition.
    let defined = if is_zsh { Definitions::before_eval } else { Definitions::before_line };
    let Chosen { program, applet, family, .. } = chosen;
    let definitions = definitions()?.map(|text| defined(text, family.dialect));
    Ok(Shell {
        can_be_left_out: family.is_plain && !reads_a_file && definitions.is_none(),
        dialect: family.dialect,
        runs_texts: family.runs_texts,
        definitions,
        functions: functions.collect(),
        path: search_path(),
        refused,
        chosen_by: if asked.is_some() { ChosenBy::User } else { ChosenBy::Nobody },
        applet: applet.map(str::to_owned),
        program,
    })
}

/// What the functions of `env_parallel` hand over in `$PARALLEL_ENV`: definitions, or
/// the name of a file with them.
fn definitions() -> Result<Option<Vec<u8>>, Fault> {
    let Some(value) = variable("PARALLEL_ENV") else { return Ok(None) };
    let mut text = value.clone().into_vec();
    if Path::new(&value).exists() {
        let refused = |why: &str| Fault::Usage(format!("$PARALLEL_ENV: {}: {why}", value.display()));
        text = fs::read(&value).map_err(|error| refused(&reason(&error)))?;
        if text.contains(&0) {
            return Err(refused("holds a NUL byte, which no shell can be given"));
        }
    }
    // They stand for newlines, which a variable of csh or fish cannot hold.
    text.iter_mut().filter(|byte| **byte == 1).for_each(|byte| *byte = b'\n');
    Ok(Some(text))
}

/// Whether zsh reads a file that might define anything before it reads a line.
fn reads_zshenv() -> bool {
    let home = env::var_os("ZDOTDIR").map(PathBuf::from).or_else(env::home_dir);
    home.is_some_and(|home| home.join(".zshenv").exists())
        || Path::new("/etc/zshenv").exists()
        || fs::read_to_string("/etc/zsh/zshenv").map_or_else(
            |error| error.kind() != io::ErrorKind::NotFound,
            |text| search_path() == "/bin:/usr/bin" || !is_usual(&text),
        )
}

/// Whether a start-up file is Debian's, or has nothing in it.
fn is_usual(zshenv: &str) -> bool {
    let lines = zshenv.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.clone().count() == 0 || lines.eq(USUAL_ZSHENV)
}

#[cfg(test)]
mod tests;
