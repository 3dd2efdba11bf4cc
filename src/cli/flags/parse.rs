//! Words into options, command and sources.
//!
//! Options as Perl's `Getopt::Long` reads them with bundling and without
//! permuting, for that is what scripts were written against.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;

use super::hyperfine::{self, Meant};
use super::named;
use super::row::{Does, OptionRow, Separators};
use super::table;
use super::typed::{Scope, Typed};
use super::usage_error::unknown;
use super::values::When;
use crate::cli::exit::{Fault, refuse};
use crate::inputs::{InputSource, Joined, Origin};

/// Parses the words after `serial`, `parallel` or `compare`, whichever of these is
/// the `scope`.
///
/// # Errors
/// An option that is unknown, refused, without its value or with a wrong one.
pub fn parse(words: &[OsString], scope: Scope) -> Result<Typed, Fault> {
    let separators = Separators { values: ":::".into(), files: "::::".into() };
    let mut parser = Parser { words: words.iter(), scope, typed: Typed::default(), separators };
    parser.options()?;
    let input = &parser.typed.input;
    let named = named::sources(&input.named, input.step).map_err(Fault::Usage)?;
    // In front of the others, which may have any number of columns.
    parser.typed.sources.splice(..0, named);
    parser.operands();
    Ok(parser.typed)
}

impl Separators {
    /// What `word` begins, if anything.
    fn begins(&self, word: &OsStr) -> Option<(Holds, Joined)> {
        let kinds = [(&self.values, Holds::Values), (&self.files, Holds::Files)];
        kinds.into_iter().filter(|(separator, _)| !separator.is_empty()).find_map(|(separator, holds)| {
            match word.as_bytes().strip_prefix(separator.as_bytes())? {
                b"" => Some((holds, Joined::Product)),
                b"+" => Some((holds, Joined::Linked)),
                _ => None,
            }
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
        let (name, value) = match long.iter().position(|byte| *byte == b'=') {
            Some(at) => (&long[..at], Some(OsStr::from_bytes(&long[at + 1..]))),
            None => (long, None),
        };
        let name = String::from_utf8_lossy(name);
        let called = format!("--{name}");
        if self.takes_as_hyperfine(&called, value)? {
            return Ok(());
        }
        match table::long(&name, self.scope)[..] {
            [] => refuse(unknown(&called, self.scope)),
            [row] => self.take(row, &called, value, value.is_some()),
            ref rows => {
                let names: Vec<String> = rows.iter().map(|row| row.shown()).collect();
                refuse(format!("option {} may be {}", word.display(), names.join(" or ")))
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
                return refuse(if rest.len() == letters.len() {
                    unknown(&whole, self.scope)
                } else {
                    format!("unknown option {called} in {whole}")
                });
            };
            let attached = (!after.is_empty()).then(|| OsStr::from_bytes(after));
            if self.takes_as_hyperfine(&called, attached)? {
                return Ok(());
            }
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

    /// Takes an option of `compare` that can only be meant as hyperfine's, if this is one.
    fn takes_as_hyperfine(&mut self, called: &str, attached: Option<&'a OsStr>) -> Result<bool, Fault> {
        if self.scope != Scope::COMPARE {
            return Ok(false);
        }
        match hyperfine::meant(called, attached, self.words.as_slice()) {
            None => return Ok(false),
            Some(Meant::Told(what_to_do)) => {
                let value = attached.or_else(|| self.words.as_slice().first().map(OsString::as_os_str));
                let value = value.unwrap_or_default().to_string_lossy();
                let value = shell_words::quote(&value);
                return refuse(format!("{called} {value}: {}", what_to_do.replace("{}", &value)));
            }
            Some(Meant::Option(name)) => {
                for row in table::long(name, self.scope) {
                    self.take(row, called, attached, attached.is_some())?;
                }
            }
        }
        Ok(true)
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
        if let Does::Words(count, set) = row.does {
            let mut words: Vec<&OsStr> = value.into_iter().collect();
            while words.len() < count {
                match self.words.next() {
                    Some(word) => words.push(word),
                    None => return refuse(format!("option {name} needs {}", row.value)),
                }
            }
            self.typed.given.push(row.given(called));
            let told = || words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
            return set(&mut self.typed, &words).or_else(|why| refuse(format!("{name} {}: {why}", told())));
        }
        let mut from_next = |is_value: fn(&OsStr) -> bool| {
            let next = self.words.as_slice().first().filter(|word| !closed && is_value(word))?;
            self.words.next();
            Some(next.as_os_str())
        };
        let value = match row.does {
            Does::Refused(reason) => return refuse(format!("option {name} is not supported: {reason}")),
            does if does.is_flag() => match value {
                Some(value) => {
                    let value = value.display();
                    return refuse(format!("option {name} takes no value, but was given {value}"));
                }
                None => None,
            },
            Does::MaybeWord(_) => value.or_else(|| from_next(|word| !word.as_bytes().starts_with(b"-"))),
            Does::MaybeNumber(_) => value.or_else(|| {
                from_next(|word| !word.is_empty() && word.as_bytes().iter().all(u8::is_ascii_digit))
            }),
            Does::MaybeWhen(_) => {
                value.or_else(|| from_next(|word| When::ALL.iter().any(|(name, _)| word == *name)))
            }
            Does::AfterEquals(_) => value,
            _ => match value.or_else(|| from_next(|_| true)) {
                Some(word) if value.is_none() || !word.is_empty() => Some(word),
                _ => return refuse(format!("option {name} needs a value: {called} {}", row.value)),
            },
        };
        match row.does {
            Does::Separator(word) => value.unwrap_or_default().clone_into(word(&mut self.separators)),
            Does::IgnoredFlag | Does::IgnoredWord => self.typed.ignored.push(row.names[0]),
            _ => self.typed.given.push(row.given(called)),
        }
        let stored = row.does.store(&mut self.typed, value);
        stored.or_else(|reason| refuse(format!("{name} {}: {reason}", value.unwrap_or_default().display())))
    }

    /// Reads the command and its sources.
    fn operands(&mut self) {
        let words = self.words.as_slice();
        let begins = |word: &OsString| self.separators.begins(word);
        let until = |words: &[OsString]| words.iter().take_while(|word| begins(word).is_none()).count();
        let first = until(words);
        self.typed.command = words[..first].to_vec();
        let before = self.typed.sources.len();
        let mut rest = &words[first..];
        while let [separator, after @ ..] = rest {
            let Some((holds, joined)) = begins(separator) else { break };
            let end = until(after);
            let origins = match holds {
                // Alone it is no source, as `cat FILE | parallel echo :::` shows.
                Holds::Values if words.len() == first + 1 => Vec::new(),
                Holds::Values => {
                    vec![Origin::Values(after[..end].iter().map(|word| word.as_bytes().to_vec()).collect())]
                }
                Holds::Files => after[..end].iter().map(|file| table::file(file)).collect(),
            };
            for origin in origins {
                // The first on the line has nothing to be linked to.
                let is_first = self.typed.sources.len() == before;
                let joined = if is_first { Joined::Product } else { joined };
                self.typed.sources.push(InputSource { joined, ..InputSource::new(origin) });
            }
            rest = &after[end..];
        }
        self.typed.bare_separator = first < words.len() && self.typed.sources.is_empty();
    }
}
