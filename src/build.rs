//! Finds out which commit is built, for `parsim --version`, and says how the program
//! is linked.
//!
//! Runs before the crate is compiled and is no part of it. A packed crate says
//! where it came from; in a clone git is asked; elsewhere nothing is claimed. The
//! mark `modified` is about what is compiled, so it is looked for again whenever
//! that changes; and the commit whenever another one is checked out.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What is compiled.
const COMPILED: [&str; 3] = ["src", "Cargo.toml", "Cargo.lock"];

/// What `cargo package` leaves beside the manifest.
const PACKED: &str = ".cargo_vcs_info.json";

fn main() -> io::Result<()> {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let commit = of_package(&root).or_else(|| of_clone(&root));
    // A path that does not exist would be taken for one that changes all the time.
    let mut watched: Vec<PathBuf> = COMPILED.map(PathBuf::from).into();
    watched.extend(commit.iter().filter_map(|commit| commit.moves_with.clone()));
    let mut cargo: String =
        watched.iter().map(|path| format!("cargo::rerun-if-changed={}\n", path.display())).collect();
    let told = commit.as_ref().map(|commit| format!(" ({})", commit.told)).unwrap_or_default();
    let date = commit.and_then(|commit| commit.date).unwrap_or_default();
    cargo += &format!("cargo::rustc-env=PARSIM_COMMIT={told}\ncargo::rustc-env=PARSIM_DATE={date}\n");
    cargo += linked();
    io::stdout().write_all(cargo.as_bytes())
}

/// At a fixed address, where the platform is known to take it. Otherwise the loader
/// writes 22,000 addresses into 80 pages at every start: a fifth of the time that a
/// batch of one job takes. That attackers cannot guess where the program lies is of
/// use to programs whose memory they can spoil; libraries, stack and heap still move.
fn linked() -> &'static str {
    let target = |name: &str| std::env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    // A static program asks for its own kind of addresses.
    let is_static = target("FEATURE").split(',').any(|feature| feature == "crt-static");
    if target("OS") == "linux" && target("ENV") == "gnu" && !is_static {
        "cargo::rustc-link-arg-bins=-no-pie\n"
    } else {
        ""
    }
}

/// The commit that is built.
struct Commit {
    /// `cd0ae31 2026-11-22`, `cd0ae31 2026-11-22, modified`.
    told: String,
    /// The day it was made, where that is known.
    date: Option<String>,
    /// What changes when another commit takes its place.
    moves_with: Option<PathBuf>,
}

fn of_package(root: &Path) -> Option<Commit> {
    let text = fs::read_to_string(root.join(PACKED)).ok()?;
    let sha1: String =
        text.split_once("\"sha1\"")?.1.chars().skip_while(|c| !c.is_ascii_hexdigit()).collect();
    let sha1: String = sha1.chars().take_while(char::is_ascii_hexdigit).take(7).collect();
    let mark = if text.contains("\"dirty\": true") { ", modified" } else { "" };
    Some(Commit { told: format!("{sha1}{mark}"), date: None, moves_with: None })
}

fn of_clone(root: &Path) -> Option<Commit> {
    let git = |words: &[&str]| {
        // Whoever owns the clone is trusted with the compiler already; and nobody's
        // index is to be locked for a look at it.
        let usual = ["-c", "safe.directory=*", "--no-optional-locks"];
        let output = Command::new("git").current_dir(root).args(usual).args(words).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim_end().to_owned())
    };
    // A tree that lies within a clone of something else is no part of that.
    if !git(&["rev-parse", "--show-prefix"])?.is_empty() {
        return None;
    }
    let told = git(&["log", "-1", "--format=%h %cs", "--abbrev=7"])?;
    let date = told.split_once(' ').map(|(_, date)| date.to_owned());
    let status = ["status", "--porcelain", "--untracked-files=no", "--"];
    let mark = if git(&[&status[..], &COMPILED].concat())?.is_empty() { "" } else { ", modified" };
    // A line is added whenever HEAD comes to stand for another commit.
    let moves_with = git(&["rev-parse", "--git-path", "logs/HEAD"]).map(|path| root.join(path));
    Some(Commit { told: format!("{told}{mark}"), date, moves_with: moves_with.filter(|path| path.exists()) })
}
