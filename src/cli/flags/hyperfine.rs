//! What people type on `compare` who know hyperfine, many of whose letters are GNU
//! parallel's, too: wherever what follows fits GNU parallel's meaning, that counts. What
//! cannot be meant so is hyperfine's option, or is answered with the one that does it here.
//!
//! Does not know what any option does.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;

use super::jobs::JobsOption;
use super::named::{NamedInput, NamedValues, number};
use super::row::Stored;
use super::typed::Typed;
use super::values;
use crate::numbers::TimeUnit;

/// What an option of this name is, where GNU parallel's meaning does not fit.
#[derive(Clone, Copy)]
pub(super) enum Meant {
    /// This option of parsim's, with the same values.
    Option(&'static str),
    /// None that there is: what to do here; {} stands for the value.
    Told(&'static str),
}

struct Habit {
    called: &'static str,
    /// Whether GNU parallel cannot be meant by this value, or word behind the option,
    /// and those after it.
    is_foreign: fn(&OsStr, &[OsString]) -> bool,
    meant: Meant,
}

const RUNS: Meant = Meant::Told("--runs {} runs each way {} times");
const NO_SHELL: Meant = Meant::Told("to run jobs without a shell, use --no-shell");

#[rustfmt::skip]
const HABITS: &[Habit] = &[
    Habit { called: "-P", is_foreign: begins_scan, meant: Meant::Option("parameter-scan") },
    Habit { called: "-L", is_foreign: is_no_count, meant: Meant::Option("parameter-list") },
    Habit { called: "-D", is_foreign: |value, _| number(value).is_some(), meant: Meant::Option("parameter-step-size") },
    Habit { called: "-u", is_foreign: |value, _| value.to_str().is_some_and(|unit| TimeUnit::called(unit).is_some()), meant: Meant::Option("time-unit") },
    Habit { called: "-r", is_foreign: is_count, meant: RUNS },
    Habit { called: "-m", is_foreign: is_count, meant: RUNS },
    Habit { called: "-M", is_foreign: always, meant: RUNS },
    Habit { called: "-N", is_foreign: is_no_count, meant: NO_SHELL },
    Habit { called: "-n", is_foreign: is_no_count, meant: Meant::Told("-n takes a number of values; to name the batch in reports, use --command-name {}") },
    Habit { called: "-s", is_foreign: is_no_count, meant: Meant::Told("-s takes a number of bytes; to run a command before everything else, use --setup {}") },
    Habit { called: "-p", is_foreign: always, meant: Meant::Told("to run a command before each run, use --prepare {}") },
    Habit { called: "-i", is_foreign: |value, words| !words.iter().any(|word| contains(word, value)), meant: Meant::Told("leave -i out: failed jobs never stop a comparison, and are counted") },
    Habit { called: "-S", is_foreign: |value, _| is_shell(value), meant: Meant::Told("to run jobs in another shell, use --shell PATH; without one, --no-shell") },
    Habit { called: "--shell", is_foreign: |value, _| value == "none", meant: NO_SHELL },
    Habit { called: "--shell", is_foreign: |value, _| value == "default", meant: Meant::Told("leave --shell out for the shell that runs parsim") },
    Habit { called: "--output", is_foreign: always, meant: Meant::Told("what jobs write is read and compared; to see it, too, use --show-output; to compare files, --outputs GLOB") },
];

/// What is meant by the option `called`, with a value `attached` to it or the `words`
/// behind it, if that cannot be GNU parallel's.
pub(super) fn meant(called: &str, attached: Option<&OsStr>, words: &[OsString]) -> Option<Meant> {
    let (value, words) = match (attached, words.split_first()) {
        (Some(value), _) => (value, words),
        (None, Some((value, words))) => (value.as_os_str(), words),
        (None, None) => return None,
    };
    let is_meant = |habit: &&Habit| habit.called == called && (habit.is_foreign)(value, words);
    HABITS.iter().find(is_meant).map(|habit| habit.meant)
}

fn always(_: &OsStr, _: &[OsString]) -> bool {
    true
}

fn is_count(value: &OsStr, _: &[OsString]) -> bool {
    value.to_str().is_some_and(|value| values::count(value).is_ok())
}

fn is_no_count(value: &OsStr, words: &[OsString]) -> bool {
    !is_count(value, words)
}

/// Whether `value` is no number of jobs and two numbers follow: `-P size 1 8`.
fn begins_scan(value: &OsStr, words: &[OsString]) -> bool {
    let follow = words.len() >= 2 && words[..2].iter().all(|word| number(word).is_some());
    follow && JobsOption::parse(value).check_widths().is_err()
}

fn contains(word: &OsStr, part: &OsStr) -> bool {
    let (word, part) = (word.as_bytes(), part.as_bytes());
    part.is_empty() || word.windows(part.len()).any(|window| window == part)
}

/// `--parameter-list VAR A,B`: `\,` is a comma within a value.
pub(super) fn list(typed: &mut Typed, words: &[&OsStr]) -> Stored {
    let [name, list] = *words else { unreachable!("two words were asked for") };
    if name.is_empty() {
        return Err("expected a name and its values, such as size 1,8".to_owned());
    }
    let mut items = vec![Vec::new()];
    let mut bytes = list.as_bytes().iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b',' => items.push(Vec::new()),
            b'\\' if bytes.next_if_eq(&b',').is_some() => items.last_mut().expect("one").push(b','),
            byte => items.last_mut().expect("there is one from the start").push(byte),
        }
    }
    let name = name.as_bytes().to_vec();
    typed.input.named.push(NamedInput { name, values: NamedValues::List(items) });
    Ok(())
}

/// `--parameter-scan VAR MIN MAX`.
pub(super) fn scan(typed: &mut Typed, words: &[&OsStr]) -> Stored {
    let [name, least, most] = *words else { unreachable!("three words were asked for") };
    let (false, Some(least), Some(most)) = (name.is_empty(), number(least), number(most)) else {
        return Err("expected a name and two numbers, such as size 1 8".to_owned());
    };
    let name = name.as_bytes().to_vec();
    typed.input.named.push(NamedInput { name, values: NamedValues::Scan { least, most } });
    Ok(())
}

/// `--parameter-step-size STEP`.
pub(super) fn step(typed: &mut Typed, value: &OsStr) -> Stored {
    let step = number(value).filter(|step| step.is_positive()).ok_or("expected a number above 0")?;
    typed.input.step = Some(step);
    Ok(())
}

/// Whether `-S` names a shell, and not hosts.
fn is_shell(value: &OsStr) -> bool {
    const SHELLS: [&str; 9] = ["ash", "bash", "dash", "default", "fish", "ksh", "none", "sh", "zsh"];
    let first = value.to_str().and_then(|text| text.split_whitespace().next()).unwrap_or_default();
    let name = first.rsplit('/').next().unwrap_or_default();
    SHELLS.contains(&name) && (first.starts_with('/') || first == name)
}
