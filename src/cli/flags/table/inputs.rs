//! Options about inputs: sources, columns, packing, replacement strings, pipes.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use super::super::row::Does::{Bytes, MaybeNumber, MaybeWord, Rename, Separator, Set, Text, Word};
use super::super::row::{OptionSection, Stored, flag, option, quiet, section, set};
use super::super::typed::{Flag, Typed};
use super::super::values;
use crate::inputs::{InputSource, Origin, Trim, unescape};
use crate::template::ReplacementName;

const GONE: &str = "the input would be gone after the first run: cut it into files, and compare over these";

#[rustfmt::skip]
pub(in crate::cli::flags) static INPUTS: OptionSection = section("Inputs", &[
    option(&["arg-file", "argfile", "a"], "FILE", "read values from FILE, one a line",
        Word(|t, v| { t.sources.push(InputSource::new(file(v))); Ok(()) })).brief(),
    flag(&["null", "0"], "values are separated by NUL bytes", Flag::Null).brief(),
    option(&["delimiter", "d"], "DELIM", r"values are separated by DELIM: \t, \n, \0, any text", Word(delimiter)).brief(),
    option(&["colsep", "col-sep", "C"], "REGEXP", "split each value into columns {1}, {2}, ...", Bytes(|t| &mut t.input.colsep)).brief(),
    option(&["trim"], "HOW", "cut blanks off values: n (nowhere), l (left), r (right), lr", Text(trim)).brief(),
    flag(&["link", "xapply"], "pair the sources instead of combining them", Flag::Link).brief(),
    flag(&["no-run-if-empty", "norunifempty", "r"], "skip empty lines", Flag::SkipBlank).brief(),
    option(&["E"], "END", "stop reading at the value END", Bytes(|t| &mut t.input.end_mark)).brief(),
    quiet(&["eof", "e"], MaybeWord(|t, v| t.input.end_mark = Some(v.unwrap_or_default().as_bytes().to_vec()))),
    flag(&["skip-first-line", "skipfirstline"], "skip the first line of standard input", Flag::SkipFirstLine).brief(),
    option(&["header"], "REGEXP", "with : the first line names the columns, {name} in the command", Bytes(|t| &mut t.input.header)),
    flag(&["csv"], "read values as CSV, with quoted fields", Flag::Csv),
    flag(&["shuf"], "run in random order", Flag::Shuf),
    quiet(&["arg-sep", "argsep"], Separator(|s| &mut s.values)),
    quiet(&["arg-file-sep", "argfilesep"], Separator(|s| &mut s.files)),
]);

#[rustfmt::skip]
pub(in crate::cli::flags) static PACKING: OptionSection = section("Packing", &[
    option(&["max-args", "maxargs", "n"], "N", "pass at most N values to a command", Text(|t, v| count(&mut t.input.max_args, v))).brief(),
    option(&["max-replace-args", "maxreplaceargs", "N"], "N", "same as -n, and available as {1} to {N}",
        Text(|t, v| count(&mut t.input.max_replace_args, v))).brief(),
    option(&["L"], "N", "pass at most N lines to a command; a trailing blank joins lines", Text(|t, v| count(&mut t.input.max_lines, v))).brief(),
    quiet(&["max-lines", "maxlines", "l"], MaybeNumber(|t, v| count(&mut t.input.lines, v.unwrap_or("1")))),
    flag(&["X"], "pass as many values as fit, repeating the word around {}", Flag::WithContext).brief(),
    flag(&["m"], "pass as many as fit, without repeating it", Flag::Multiple).brief(),
    flag(&["xargs"], "pass as many as fit, not spread over the slots", Flag::Xargs).brief(),
    option(&["max-chars", "maxchars", "s"], "BYTES", "keep command lines shorter than this", Text(|t, v| count(&mut t.input.max_chars, v))).brief(),
    quiet(&["exit", "x"], Set(Flag::Exit)),
]);

#[rustfmt::skip]
pub(in crate::cli::flags) static REPLACEMENTS: OptionSection = OptionSection {
    brief: "Strings",
    sample: "{} {.} {/} {//} {/.} {#} {%} {1} {2.} {-1}; ",
    intro: "  {} the value, {.} without extension, {/} basename, {//} folder, {/.} both,
  {#} the job's number, {%} its slot, {1} {2.} {-1/} one of several
",
    ..section("Replacement strings (parsim help gnu has them all)", &[
        option(&["I"], "STR", "another name for {}", Rename(ReplacementName::Value)).brief(),
        quiet(&["replace", "i"], MaybeWord(replace)),
        quiet(&["extensionreplace", "er"], Rename(ReplacementName::WithoutExtension)),
        quiet(&["basenamereplace", "bnr"], Rename(ReplacementName::Basename)),
        quiet(&["dirnamereplace", "dnr"], Rename(ReplacementName::Dirname)),
        quiet(&["basenameextensionreplace", "bner"], Rename(ReplacementName::BasenameWithoutExtension)),
        quiet(&["seqreplace"], Rename(ReplacementName::Seq)),
        quiet(&["slotreplace"], Rename(ReplacementName::Slot)),
        flag(&["plus"], "also {..} {+/} {%suffix} {/from/to} and others", Flag::Plus).brief(),
        flag(&["quote", "q"], "quote the command's own words, too", Flag::Quote).brief(),
    ])
};

#[rustfmt::skip]
pub(in crate::cli::flags) static BLOCKS: OptionSection = section("Blocks of standard input", &[
    flag(&["pipe", "spreadstdin"], "give each job a block of standard input, cut between records", Flag::Pipe).not_compared(GONE),
    option(&["block", "block-size", "blocksize"], "SIZE", "block size (default 1M; a longer record up to 256M)", Text(block)).not_compared(GONE),
    option(&["recstart"], "STR", ENDS, Bytes(|t| &mut t.pipe.recstart)).not_compared(GONE),
    option(&["recend"], "STR", ENDS, Bytes(|t| &mut t.pipe.recend)).not_compared(GONE),
    flag(&["regexp", "regex"], "treat --recstart and --recend as patterns", Flag::Regexp).not_compared(GONE),
    flag(&["rrs", "remove-rec-sep", "removerecsep"], "remove the separators", Flag::RemoveRecSep).not_compared(GONE),
    flag(&["round-robin", "roundrobin", "round"], "deal the blocks out to -j jobs that keep running", Flag::RoundRobin).not_compared(GONE),
    flag(&["cat"], IN_A_FILE, Flag::Cat).not_compared(GONE),
    flag(&["fifo"], IN_A_FILE, Flag::Fifo).not_compared(GONE),
    flag(&["tee"], "give every job all of the input", Flag::Tee).not_compared(GONE),
    flag(&["pipe-part", "pipepart"], "as --pipe, but jobs read parts of the files of -a: of at least\n--block SIZE, or, by --block -N, N for each slot (default 10)", Flag::PipePart).not_compared(GONE),
]);

const ENDS: &str = "text that records begin or end with";
const IN_A_FILE: &str = "give the block as a file or a named pipe, called {} (else the last argument)";

/// The source that a file name stands for.
pub(in crate::cli::flags) fn file(name: &OsStr) -> Origin {
    if name == "-" { Origin::Stdin } else { Origin::File(name.into()) }
}

/// A size, or the number of blocks a slot gets, with a minus sign.
fn block(typed: &mut Typed, value: &str) -> Stored {
    if let Some(number) = value.strip_prefix('-') {
        return count(&mut typed.pipe.blocks_per_slot, number);
    }
    set(&mut typed.pipe.block, values::size(value))
}

fn count(slot: &mut Option<usize>, value: &str) -> Stored {
    set(slot, values::count(value))
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
    let ways =
        [("n", Trim::None), ("l", Trim::Left), ("r", Trim::Right), ("lr", Trim::Both), ("rl", Trim::Both)];
    set(
        &mut typed.input.trim,
        values::named(value, &ways).ok_or_else(|| "expected n, l, r, lr or rl".to_owned()),
    )
}

fn replace(typed: &mut Typed, value: Option<&OsStr>) {
    if let Some(value) = value.filter(|value| !value.is_empty()) {
        typed.renames.insert(ReplacementName::Value, value.as_bytes().to_vec());
    }
}
