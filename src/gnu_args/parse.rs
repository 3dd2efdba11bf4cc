//! Words into options, command and sources.
//!
//! Options as Perl's `Getopt::Long` reads them with bundling and without
//! permuting, for that is what scripts were written against.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;

use super::error::UsageError;
use super::option::{Does, Row, Stored};
use super::table::{self, Found, inputs};
use super::typed::Typed;
use crate::inputs::{InputSource, Joined, Origin};

/// Parses the words after `serial`, `parallel` or `compare`.
///
/// # Errors
/// An option that is unknown, refused, without its value or with a wrong one.
pub fn parse(words: &[OsString]) -> Result<Typed, UsageError> {
    let mut parser =
        Parser { words: words.iter(), typed: Typed::default(), separators: Separators::default() };
    parser.options()?;
    parser.operands();
    Ok(parser.typed)
}

/// The words that begin sources.
struct Separators {
    values: OsString,
    files: OsString,
}

impl Default for Separators {
    fn default() -> Self {
        Self { values: ":::".into(), files: "::::".into() }
    }
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
    typed: Typed,
    separators: Separators,
}

impl<'a> Parser<'a> {
    /// Reads options up to the first word that is none.
    fn options(&mut self) -> Result<(), UsageError> {
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
    fn long(&mut self, word: &OsStr, long: &'a [u8]) -> Result<(), UsageError> {
        let equals = long.iter().position(|byte| *byte == b'=');
        let (name, value) = match equals {
            Some(at) => (&long[..at], Some(OsStr::from_bytes(&long[at + 1..]))),
            None => (long, None),
        };
        let name = String::from_utf8_lossy(name);
        if name == "arg-sep" || name == "argsep" {
            self.separators.values = self.value("--arg-sep", value)?.to_owned();
            return Ok(());
        }
        if ["arg-file-sep", "argfilesep"].contains(&&*name) {
            self.separators.files = self.value("--arg-file-sep", value)?.to_owned();
            return Ok(());
        }
        match table::long(&name) {
            Found::One(row) => {
                let called = format!("--{name}");
                self.take(row, &called, value, value.is_some())
            }
            Found::None => Err(UsageError::unknown(&format!("--{name}"))),
            Found::Many(rows) => {
                let names: Vec<String> = rows.iter().map(|row| row.shown()).collect();
                let word = word.to_string_lossy();
                Err(UsageError::new(format!("option {word} may be {}", names.join(" or "))))
            }
        }
    }

    /// `-k`, `-kj2`, `-j 2`: letters, the last of which may take a value.
    fn cluster(&mut self, word: &OsStr, letters: &'a [u8]) -> Result<(), UsageError> {
        let mut rest = letters;
        while let Some((letter, after)) = rest.split_first() {
            let letter = char::from(*letter);
            let called = format!("-{letter}");
            let Some(row) = table::short(letter) else {
                let whole = word.to_string_lossy();
                // Perhaps a long option with a hyphen too few.
                return Err(if rest.len() == letters.len() && letters.len() > 1 {
                    UsageError::unknown(&whole)
                } else {
                    UsageError::new(format!("unknown option {called} in {whole}"))
                });
            };
            let attached = (!after.is_empty()).then(|| OsStr::from_bytes(after));
            rest = match row.does {
                Does::Flag(_) | Does::IgnoredFlag | Does::AfterEquals(_) | Does::MaybeWhen(_) => {
                    self.take(row, &called, None, false)?;
                    after
                }
                Does::MaybeNumber(_) => {
                    let digits = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
                    let number = (digits > 0).then(|| OsStr::from_bytes(&after[..digits]));
                    self.take(row, &called, number, number.is_some() || !after.is_empty())?;
                    &after[digits..]
                }
                Does::Refused(_)
                | Does::Bytes(_)
                | Does::Word(_)
                | Does::Text(_)
                | Does::MaybeWord(_)
                | Does::IgnoredWord => {
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
        row: &'static Row,
        called: &str,
        value: Option<&'a OsStr>,
        closed: bool,
    ) -> Result<(), UsageError> {
        let name = if called.len() == 2 { called.to_owned() } else { row.shown() };
        let next = if closed { None } else { self.words.as_slice().first().map(OsString::as_os_str) };
        let mut used_next = |is_value: fn(&OsStr) -> bool| {
            let used = next.filter(|word| is_value(word));
            if used.is_some() {
                self.words.next();
            }
            used
        };
        let no_value = || match value {
            Some(value) => {
                let value = value.to_string_lossy();
                Err(UsageError::new(format!("option {name} takes no value, but was given {value}")))
            }
            None => Ok(()),
        };
        let (stored, shown_value): (Stored, Option<&OsStr>) = match row.does {
            Does::Refused(reason) => {
                return Err(UsageError::new(format!("option {name} is not supported: {reason}")));
            }
            Does::IgnoredFlag => {
                no_value()?;
                self.typed.ignored.push(row.names[0]);
                return Ok(());
            }
            Does::IgnoredWord => {
                self.value(&name, value)?;
                self.typed.ignored.push(row.names[0]);
                return Ok(());
            }
            Does::Flag(set) => {
                no_value()?;
                set(&mut self.typed);
                (Ok(()), None)
            }
            Does::Word(set) => {
                let value = self.value(&name, value)?;
                (set(&mut self.typed, value), Some(value))
            }
            Does::Bytes(slot) => {
                let value = self.value(&name, value)?;
                *slot(&mut self.typed) = Some(value.as_bytes().to_vec());
                (Ok(()), Some(value))
            }
            Does::Text(set) => {
                let value = self.value(&name, value)?;
                (text(value).and_then(|value| set(&mut self.typed, value)), Some(value))
            }
            Does::MaybeWord(set) => {
                let value = value.or_else(|| used_next(|word| !word.as_bytes().starts_with(b"-")));
                set(&mut self.typed, value);
                (Ok(()), value)
            }
            Does::MaybeNumber(set) => {
                let value = value.or_else(|| used_next(is_number));
                (text(value.unwrap_or_default()).and_then(|v| set(&mut self.typed, value.map(|_| v))), value)
            }
            Does::AfterEquals(set) => {
                (text(value.unwrap_or_default()).and_then(|v| set(&mut self.typed, value.map(|_| v))), value)
            }
            Does::MaybeWhen(set) => {
                let value = value.or_else(|| used_next(is_when));
                (text(value.unwrap_or_default()).and_then(|v| set(&mut self.typed, value.map(|_| v))), value)
            }
        };
        self.typed.given.push(row.names[0]);
        self.typed.spelled.push(called.to_owned());
        stored.map_err(|reason| {
            let value = shown_value.unwrap_or_default().to_string_lossy();
            UsageError::new(format!("{name} {value}: {reason}"))
        })
    }

    /// The value of an option that must have one.
    fn value(&mut self, name: &str, attached: Option<&'a OsStr>) -> Result<&'a OsStr, UsageError> {
        match attached {
            Some(value) if !value.is_empty() => Ok(value),
            Some(_) => Err(UsageError::new(format!("option {name} needs a value"))),
            None => {
                let next = self.words.next().map(OsString::as_os_str);
                next.ok_or_else(|| UsageError::new(format!("option {name} needs a value")))
            }
        }
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
                    sources.push(InputSource { origin: Origin::Values(values), joined });
                }
                Holds::Files => {
                    for file in &after[..end] {
                        let joined = joined(sources.len());
                        sources.push(InputSource { origin: inputs::file(file), joined });
                    }
                }
            }
            rest = &after[end..];
        }
        self.typed.bare_separator = first < words.len() && self.typed.sources.is_empty();
    }
}

fn text(value: &OsStr) -> Result<&str, String> {
    value.to_str().ok_or_else(|| "is no UTF-8 text".to_owned())
}

fn is_number(word: &OsStr) -> bool {
    word.to_str().is_some_and(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_when(word: &OsStr) -> bool {
    ["auto", "always", "never"].into_iter().any(|when| word == when)
}
