//! The shell of a batch: what runs its lines, what is put before each of them, and
//! what in the environment makes a shell read more than the line.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use crate::cli::exit::Fault;
use crate::cli::flags::{Flag, Typed};
use crate::cli::shell::{Chosen, choose, exported_function, search_path};
use crate::process;
use crate::text::printable;
use crate::workload::command::{Definitions, Shell};

/// Debian's /etc/zsh/zshenv, which sets `$PATH` where there is next to none.
const USUAL_ZSHENV: [&str; 4] = [
    r#"if [[ -z "$PATH" || "$PATH" == "/bin:/usr/bin" ]]"#,
    "then",
    r#"export PATH="/usr/local/bin:/usr/bin:/bin:/usr/games""#,
    "fi",
];

/// The shell of the jobs, and how it reads quotes.
pub(super) fn shell(typed: &Typed) -> Result<Shell, Fault> {
    let chosen = choose(typed.run.shell.as_deref());
    for why in &chosen.passed_over {
        // With stderr closed there is nobody left to tell.
        let _ = writeln!(
            process::stderr(),
            "parsim: {}; jobs run in {}",
            printable(why),
            printable(&chosen.program.display().to_string())
        );
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
        refused: typed.flags.has(Flag::NoShell),
        applet: applet.map(str::to_owned),
        program,
    })
}

/// What the functions of `env_parallel` hand over in `$PARALLEL_ENV`: definitions, or
/// the name of a file with them.
fn definitions() -> Result<Option<Vec<u8>>, Fault> {
    let Some(value) = env::var_os("PARALLEL_ENV").filter(|value| !value.is_empty()) else { return Ok(None) };
    let mut text = value.clone().into_vec();
    if Path::new(&value).exists() {
        let refused = |why: &str| Fault::Usage(format!("$PARALLEL_ENV: {}: {why}", value.display()));
        text = fs::read(&value).map_err(|error| {
            let why = error.to_string();
            refused(why.split(" (os error").next().unwrap_or(&why))
        })?;
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
