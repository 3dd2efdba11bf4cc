//! Options about inputs: sources, columns, packing, replacement strings, pipes.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use super::super::option::Does::{Bytes, Flag as On, MaybeNumber, MaybeWord, Text, Word};
use super::super::option::{Row, Stored};
use super::super::typed::{Flag, Typed};
use super::super::values;
use crate::inputs::{InputSource, Origin, Trim, unescape};

#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    Row { names: &["arg-file", "argfile", "a"], does: Word(|t, v| { t.sources.push(InputSource::new(file(v))); Ok(()) }) },
    Row { names: &["null", "0"], does: On(|t| t.flags.set(Flag::Null)) },
    Row { names: &["delimiter", "d"], does: Word(delimiter) },
    Row { names: &["colsep", "col-sep", "C"], does: Bytes(|t| &mut t.input.colsep) },
    Row { names: &["csv"], does: On(|t| t.flags.set(Flag::Csv)) },
    Row { names: &["trim"], does: Text(trim) },
    Row { names: &["header"], does: Bytes(|t| &mut t.input.header) },
    Row { names: &["E"], does: Bytes(|t| &mut t.input.end_mark) },
    Row { names: &["eof", "e"], does: MaybeWord(|t, v| t.input.end_mark = Some(v.unwrap_or_default().as_bytes().to_vec())) },
    Row { names: &["no-run-if-empty", "norunifempty", "r"], does: On(|t| t.flags.set(Flag::SkipBlank)) },
    Row { names: &["link", "xapply"], does: On(|t| t.flags.set(Flag::Link)) },
    Row { names: &["shuf"], does: On(|t| t.flags.set(Flag::Shuf)) },
    Row { names: &["skip-first-line", "skipfirstline"], does: On(|t| t.flags.set(Flag::SkipFirstLine)) },
    // Packing.
    Row { names: &["max-args", "maxargs", "n"], does: Text(|t, v| count(&mut t.input.max_args, v)) },
    Row { names: &["max-replace-args", "maxreplaceargs", "N"], does: Text(|t, v| count(&mut t.input.max_replace_args, v)) },
    Row { names: &["L"], does: Text(|t, v| count(&mut t.input.max_lines, v)) },
    Row { names: &["max-lines", "maxlines", "l"], does: MaybeNumber(|t, v| count(&mut t.input.lines, v.unwrap_or("1"))) },
    Row { names: &["X"], does: On(|t| t.flags.set(Flag::WithContext)) },
    Row { names: &["m"], does: On(|t| t.flags.set(Flag::Multiple)) },
    Row { names: &["xargs"], does: On(|t| t.flags.set(Flag::Xargs)) },
    Row { names: &["max-chars", "maxchars", "s"], does: Text(|t, v| count(&mut t.input.max_chars, v)) },
    Row { names: &["exit", "x"], does: On(|t| t.flags.set(Flag::Exit)) },
    // Replacement strings.
    Row { names: &["I"], does: Bytes(|t| &mut t.replacements.value) },
    Row { names: &["replace", "i"], does: MaybeWord(replace) },
    Row { names: &["extensionreplace", "er"], does: Bytes(|t| &mut t.replacements.no_extension) },
    Row { names: &["basenamereplace", "bnr"], does: Bytes(|t| &mut t.replacements.basename) },
    Row { names: &["dirnamereplace", "dnr"], does: Bytes(|t| &mut t.replacements.dirname) },
    Row { names: &["basenameextensionreplace", "bner"], does: Bytes(|t| &mut t.replacements.basename_no_extension) },
    Row { names: &["seqreplace"], does: Bytes(|t| &mut t.replacements.seq) },
    Row { names: &["slotreplace"], does: Bytes(|t| &mut t.replacements.slot) },
    Row { names: &["plus"], does: On(|t| t.flags.set(Flag::Plus)) },
    Row { names: &["quote", "q"], does: On(|t| t.flags.set(Flag::Quote)) },
    Row { names: &["shell-quote", "shellquote", "shell_quote"], does: On(|t| t.flags.set(Flag::ShellQuote)) },
    // Pipes.
    Row { names: &["pipe", "spreadstdin"], does: On(|t| t.flags.set(Flag::Pipe)) },
    Row { names: &["pipe-part", "pipepart"], does: On(|t| t.flags.set(Flag::PipePart)) },
    Row { names: &["block", "block-size", "blocksize"], does: Text(block) },
    Row { names: &["recstart"], does: Bytes(|t| &mut t.pipe.recstart) },
    Row { names: &["recend"], does: Bytes(|t| &mut t.pipe.recend) },
    Row { names: &["regexp", "regex"], does: On(|t| t.flags.set(Flag::Regexp)) },
    Row { names: &["remove-rec-sep", "removerecsep", "rrs"], does: On(|t| t.flags.set(Flag::RemoveRecSep)) },
    Row { names: &["round-robin", "roundrobin", "round"], does: On(|t| t.flags.set(Flag::RoundRobin)) },
    Row { names: &["cat"], does: On(|t| t.flags.set(Flag::Cat)) },
    Row { names: &["fifo"], does: On(|t| t.flags.set(Flag::Fifo)) },
    Row { names: &["tee"], does: On(|t| t.flags.set(Flag::Tee)) },
];

/// The source that a file name stands for.
pub(in super::super) fn file(name: &OsStr) -> Origin {
    if name == "-" { Origin::Stdin } else { Origin::File(name.into()) }
}

/// A size, or the number of blocks a slot gets, with a minus sign.
fn block(typed: &mut Typed, value: &str) -> Stored {
    if let Some(number) = value.strip_prefix('-') {
        return count(&mut typed.pipe.blocks_per_slot, number);
    }
    typed.pipe.block = Some(values::size(value)?);
    Ok(())
}

fn count(slot: &mut Option<usize>, value: &str) -> Stored {
    *slot = Some(values::count(value)?);
    Ok(())
}

fn delimiter(typed: &mut Typed, value: &OsStr) -> Stored {
    let delimiter = unescape(value.as_bytes());
    if delimiter.is_empty() {
        return Err("needs a delimiter of at least one byte".to_owned());
    }
    typed.input.delimiter = Some(delimiter);
    Ok(())
}

fn trim(typed: &mut Typed, value: &str) -> Stored {
    typed.input.trim = Some(match value {
        "n" => Trim::None,
        "l" => Trim::Left,
        "r" => Trim::Right,
        "lr" | "rl" => Trim::Both,
        _ => return Err("is not n, l, r, lr or rl".to_owned()),
    });
    Ok(())
}

fn replace(typed: &mut Typed, value: Option<&OsStr>) {
    if let Some(value) = value.filter(|value| !value.is_empty()) {
        typed.replacements.value = Some(value.as_bytes().to_vec());
    }
}
