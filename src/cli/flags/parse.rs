//! Words into options, command and sources.
//!
//! Options as Perl's `Getopt::Long` reads them with bundling and without
//! permuting, for that is what scripts were written against.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;

use super::row::{Does, OptionRow, Separators};
use super::table::{self, FoundOption};
use super::typed::{Scope, Typed};
use super::usage_error::unknown;
use crate::cli::exit::Fault;
use crate::inputs::{Joined, Origin, Source};

/// Parses the words after `serial`, `parallel` or `compare`, whichever of these is
/// the `scope`.
///
/// # Errors
/// An option that is unknown, refused, without its value or with a wrong one.
pub fn parse(words: &[OsString], scope: Scope) -> Result<Typed, Fault> {
    let separators = Separators { values: ":::".into(), files: "::::".into() };
    let mut parser = Parser { words: words.iter(), scope, typed: Typed::default(), separators };
    parser.options()?;
    parser.operands();
    Ok(parser.typed)
}

fn refused<T>(text: String) -> Result<T, Fault> {
    Err(Fault::Usage(text))
}

impl Separators {
    /// What `word` begins, if anything.
    fn begins(&self, word: &OsStr) -> Option<(Holds, Joined)> {
        let rest_is = |separator: &OsStr, rest: &[u8]| {
            !separator.is_empty() && word.as_bytes().strip_prefix(separator.as_bytes()) == Some(rest)
        };
        let kinds = [(&self.values, Holds::Values), (&self.files, Holds::Files)];
        kinds.into_iter().find_map(|(separator, holds)| {
            let product = rest_is(separator, b"").then_some(Joined::Product);
            let joined = product.or(rest_is(separator, b"+").then_some(Joined::Linked))?;
            Some((holds, joined))
        })
    }
}

/// What stands after a separator.
#[derive(Clone, Copy, PartialEq)]
enum Holds {
    Values,
    Files,
}

struct Parser<'a> {
    words: std::slice::Iter<'a, OsString>,
    scope: Scope,
    typed: Typed,
    separators: Separators,
}

impl<'a> Parser<'a> {
    /// Reads options up to the first word that is none.
    fn options(&mut self) -> Result<(), Fault> {
        while let Some(word) = self.words.as_slice().first() {
            let bytes = word.as_bytes();
            if !bytes.starts_with(b"-") || bytes == b"-" {
                return Ok(());
            }
            self.words.next();
            if bytes == b"--" {
                return Ok(());
            }
            match bytes.strip_prefix(b"--") {
                Some(long) => self.long(word, long)?,
                None => self.cluster(word, &bytes[1..])?,
            }
        }
        Ok(())
    }

    /// `--name`, `--name=value`, `--name value`.
    fn long(&mut self, word: &OsStr, long: &'a [u8]) -> Result<(), Fault> {
        let equals = long.iter().position(|byte| *byte == b'=');
        let (name, value) = match equals {
            Some(at) => (&long[..at], Some(OsStr::from_bytes(&long[at + 1..]))),
            None => (long, None),
        };
        let name = String::from_utf8_lossy(name);
        match table::long(&name, self.scope) {
            FoundOption::One(row) => {
                let called = format!("--{name}");
                self.take(row, &called, value, value.is_some())
            }
            FoundOption::None => refused(unknown(&format!("--{name}"))),
            FoundOption::Many(rows) => {
                let names: Vec<String> = rows.iter().map(|row| row.shown()).collect();
                let word = word.to_string_lossy();
                refused(format!("option {word} may be {}", names.join(" or ")))
            }
        }
    }

    /// `-k`, `-kj2`, `-j 2`: letters, the last of which may take a value.
    fn cluster(&mut self, word: &OsStr, letters: &'a [u8]) -> Result<(), Fault> {
        let mut rest = letters;
        while let Some((letter, after)) = rest.split_first() {
            let letter = char::from(*letter);
            let called = format!("-{letter}");
            let Some(row) = table::short(letter) else {
                let whole = word.to_string_lossy();
                // Perhaps a long option with a hyphen too few.
                return refused(if rest.len() == letters.len() && letters.len() > 1 {
                    unknown(&whole)
                } else {
                    format!("unknown option {called} in {whole}")
                });
            };
            let attached = (!after.is_empty()).then(|| OsStr::from_bytes(after));
            rest = match row.does {
                does if does.is_flag() || does.takes_value_after_equals() => {
                    self.take(row, &called, None, false)?;
                    after
                }
                Does::MaybeNumber(_) => {
                    let digits = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
                    let number = (digits > 0).then(|| OsStr::from_bytes(&after[..digits]));
                    self.take(row, &called, number, number.is_some() || !after.is_empty())?;
                    &after[digits..]
                }
                _ => {
                    self.take(row, &called, attached, attached.is_some())?;
                    &[]
                }
            };
        }
        Ok(())
    }

    /// Does what `row` does. `called` is its name as typed; with `closed`, the
    /// next word is not its value.
    fn take(
        &mut self,
        row: &'static OptionRow,
        called: &str,
        value: Option<&'a OsStr>,
        closed: bool,
    ) -> Result<(), Fault> {
        let name = if called.len() == 2 { called.to_owned() } else { row.shown() };
        let mut from_next = |is_value: fn(&OsStr) -> bool| {
            let next = self.words.as_slice().first().filter(|word| !closed && is_value(word))?;
            self.words.next();
            Some(next.as_os_str())
        };
        let value = match row.does {
            Does::Refused(reason) => return refused(format!("option {name} is not supported: {reason}")),
            does if does.is_flag() => match value {
                Some(value) => {
                    let value = value.to_string_lossy();
                    return refused(format!("option {name} takes no value, but was given {value}"));
                }
                None => None,
            },
            Does::MaybeWord(_) => value.or_else(|| from_next(|word| !word.as_bytes().starts_with(b"-"))),
            Does::MaybeNumber(_) => value.or_else(|| from_next(is_number)),
            Does::MaybeWhen(_) => value.or_else(|| from_next(is_when)),
            Does::AfterEquals(_) => value,
            _ => match value.or_else(|| from_next(|_| true)) {
                Some(word) if value.is_none() || !word.is_empty() => Some(word),
                _ => return refused(format!("option {name} needs a value")),
            },
        };
        match row.does {
            Does::Separator(word) => *word(&mut self.separators) = value.unwrap_or_default().to_owned(),
            Does::IgnoredFlag | Does::IgnoredWord => self.typed.ignored.push(row.names[0]),
            _ => self.typed.given.push(row.given(called)),
        }
        row.does.store(&mut self.typed, value).map_err(|reason| {
            let value = value.unwrap_or_default().to_string_lossy();
            Fault::Usage(format!("{name} {value}: {reason}"))
        })
    }

    /// Reads the command and its sources.
    fn operands(&mut self) {
        let words = self.words.as_slice();
        let begins = |word: &OsString| self.separators.begins(word);
        let first = words.iter().position(|word| begins(word).is_some()).unwrap_or(words.len());
        self.typed.command = words[..first].to_vec();
        let before = self.typed.sources.len();
        let mut rest = &words[first..];
        while let [separator, after @ ..] = rest {
            let Some((holds, joined)) = begins(separator) else { break };
            let end = after.iter().position(|word| begins(word).is_some()).unwrap_or(after.len());
            // The first on the line has nothing to be linked to.
            let joined = |n: usize| if n == before { Joined::Product } else { joined };
            let sources = &mut self.typed.sources;
            match holds {
                // Alone it is no source, as `cat FILE | parallel echo :::` shows.
                Holds::Values if words.len() == first + 1 => {}
                Holds::Values => {
                    let values = after[..end].iter().map(|word| word.as_bytes().to_vec()).collect();
                    let joined = joined(sources.len());
                    sources.push(Source { origin: Origin::Values(values), joined });
                }
                Holds::Files => {
                    for file in &after[..end] {
                        let joined = joined(sources.len());
                        sources.push(Source { origin: table::file(file), joined });
                    }
                }
            }
            rest = &after[end..];
        }
        self.typed.bare_separator = first < words.len() && self.typed.sources.is_empty();
    }
}

fn is_number(word: &OsStr) -> bool {
    word.to_str().is_some_and(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_when(word: &OsStr) -> bool {
    ["auto", "always", "never"].into_iter().any(|when| word == when)
}
