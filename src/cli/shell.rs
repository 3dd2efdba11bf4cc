//! Which shell runs command lines: the one that the line was written for.
//!
//! Knows shells by their names, and what each of them does with a line. Does not
//! know the line.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::process::ancestors::{Ancestor, ancestors};
use crate::process::child::{StartError, resolve};
use crate::template::Dialect;

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
const FAMILIES: [Family; 6] = [
    family(&["sh", "ash", "dash", "bash", "ksh"], Dialect::Posix, true, true),
    family(&["mksh", "lksh", "pdksh", "zsh"], Dialect::Posix, true, false),
    family(
        &[
            BUSYBOX,
            "fdsh",
            "fizsh",
            "hush",
            "posh",
            "rbash",
            "rksh",
            "rush",
            "rzsh",
            "sash",
            "static-sh",
            "yash",
        ],
        Dialect::Posix,
        false,
        false,
    ),
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
        let usual = variable("SHELL").and_then(|shell| runs(&shell, &path).ok());
        let usual = usual.map(|program| Chosen::new(program, None));
        let functions = env::vars_os().any(|(name, _)| exported_function(&name).is_some());
        match usual {
            Some(usual) if !functions || usual.is("bash") => usual,
            usual => {
                let bash = functions.then(|| runs(OsStr::new("bash"), &path).ok()).flatten();
                let bash = bash.map(|program| Chosen::new(program, None));
                bash.or(usual).unwrap_or_else(|| Chosen::new(PathBuf::from("/bin/sh"), None))
            }
        }
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
    match ancestors.find_map(|ancestor| seen(&ancestor, path))? {
        Seen::Here(chosen) => Some(chosen),
        Seen::Elsewhere => None,
    }
}

/// A process that is a shell.
enum Seen {
    Here(Chosen),
    /// Its program cannot be started from here.
    Elsewhere,
}

impl Seen {
    fn at(program: Option<PathBuf>, applet: Option<&'static str>) -> Self {
        program.map_or(Self::Elsewhere, |program| Self::Here(Chosen::new(program, applet)))
    }
}

/// The shell that a process is.
fn seen(ancestor: &Ancestor, path: &OsStr) -> Option<Seen> {
    let program = ancestor.program();
    let [first, second] = ancestor.words();
    let alias = called(&first);
    let link = || link(ancestor, &first, alias.as_deref()?, path);
    let name = match &program {
        // bash is another shell under the name of sh, and Debian's rc is rc.byron.
        Some(program) => match called(program.as_os_str()) {
            Some(name) => name,
            None => return link().map(|link| Seen::at(Some(link), None)),
        },
        // Another user's process does not tell its program, but the name it was started
        // by, and the kernel's name for it, which is that of its script where it runs one.
        None => alias.clone().or_else(|| called(&ancestor.name()?))?,
    };
    if name == BUSYBOX {
        let applet = if alias.as_deref() == Some(BUSYBOX) { called(&second) } else { alias.clone() };
        let applet = APPLETS.into_iter().find(|name| applet.as_deref() == Some(name))?;
        if let Some(link) = link().filter(|_| alias.as_deref() == Some(applet)) {
            return Some(Seen::at(Some(link), None));
        }
        let program = program.map_or_else(|| OsString::from(BUSYBOX), PathBuf::into_os_string);
        return Some(Seen::at(runs(&program, path).ok(), Some(applet)));
    }
    let found = match &program {
        Some(program) => {
            let link = if alias.as_ref() == Some(&name) { None } else { link() };
            link.or_else(|| resolve(program.as_os_str(), path).ok())
        }
        None => runs(&first, path).ok().filter(|_| alias.is_some() && is_absolute(&first)),
    };
    let found = found.or_else(|| runs(OsStr::new(&name), path).ok());
    Some(Seen::at(found, None))
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
    named(program)
        .or_else(|| named(&fs::canonicalize(resolve(program.as_os_str(), &search_path()).ok()?).ok()?))
}

fn family_of(name: &str) -> Option<&'static Family> {
    let of = |name: &str| FAMILIES.iter().find(|family| family.names.contains(&name));
    of(name).or_else(|| of(without_version(name)))
}

/// `ksh` of ksh93, `zsh` of zsh-5.9.
fn without_version(name: &str) -> &str {
    name.trim_end_matches(|sign: char| sign.is_ascii_digit() || ".-".contains(sign))
}

#[cfg(test)]
mod tests;
