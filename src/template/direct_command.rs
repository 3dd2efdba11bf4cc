//! Which templates need no shell, and a job's argument vector made of those.
//!
//! Knows text only: whether the shell at hand reads start-up files, whether a
//! function has the program's name and where PATH finds it is decided elsewhere.

use super::numbers::Numbers;
use super::piece::{Piece, PieceGroup, What};
use super::render::{PieceSink, Quoting, Template, walk};
use crate::byte_list::ByteList;

/// A template whose lines every shell would only split into words.
#[derive(Clone, Debug)]
pub struct DirectCommand {
    groups: Vec<PieceGroup>,
    program: Vec<u8>,
    keeps_empty_words: bool,
}

impl DirectCommand {
    /// The template without its shell, if it needs none: its words are plain, and
    /// the first of them is a program's name. The answer holds for every job.
    pub fn of(template: &Template, quoting: Quoting) -> Option<Self> {
        let groups = match quoting {
            Quoting::Shell => plain_words(&template.groups)?,
            Quoting::Words => template.groups.clone(),
            Quoting::None => return None,
        };
        let pieces = || groups.iter().flat_map(|group| &group.pieces);
        let mut program = Vec::new();
        for piece in pieces() {
            match piece {
                Piece::Text(text) => program.extend_from_slice(text),
                Piece::Replacement(_) => return None,
                // Words that are not quoted may have blanks before them.
                Piece::Break if program.is_empty() && quoting == Quoting::Shell => {}
                Piece::Break => break,
            }
        }
        let quoted = quoting == Quoting::Words;
        let is_name = quoted || !program.iter().any(|byte| b"=%".contains(byte));
        let is_builtin = BUILTINS.split_ascii_whitespace().any(|name| name.as_bytes() == program);
        let asks_shell =
            |piece: &Piece| matches!(piece, Piece::Replacement(it) if matches!(it.what, What::Shell(_)));
        let is_direct = !program.is_empty() && is_name && !is_builtin && !pieces().any(asks_shell);
        is_direct.then_some(Self { groups, program, keeps_empty_words: quoted })
    }

    /// The program's name, the first word of every job.
    pub fn program(&self) -> &[u8] {
        &self.program
    }

    /// The words that a shell would make of the job's line.
    pub fn render_argv<V: AsRef<[u8]>>(&self, values: &[V], numbers: &Numbers) -> ByteList {
        let mut argv = ByteList::new();
        let mut sink =
            ArgvWriter { argv: &mut argv, begun: false, keeps_empty_words: self.keeps_empty_words };
        walk(&self.groups, values, numbers, &mut sink);
        sink.end_word();
        argv
    }
}

/// The words that mean something to a shell itself, so that some common shell would not
/// look them up in PATH: the builtins, keywords and default aliases of dash 0.5.12,
/// bash 5.2, zsh 5.9, ksh93u+m and mksh 59, without `sleep` (ksh93) and `nohup` (an alias
/// there), which do what the programs of these names do.
const BUILTINS: &str = "
    ! - . : [ [[ ]] alias autoload bg bind bindkey break builtin bye caller case cd chdir command
    compadd comparguments compcall compctl compdescribe compfiles compgen compgroups complete
    compopt compound compquote compset comptags comptry compvalues continue coproc declare dirs
    disable disown do done echo echotc echoti elif else emulate enable end enum esac eval exec exit
    export false fc fg fi float for foreach function functions getln getopts global hash help hist
    histed history if in integer jobs kill let limit local log login logout mapfile mknod nameref
    namespace newgrp nocorrect noglob popd print printf private pushd pushln pwd r read readarray
    readonly realpath redirect rehash rename repeat return run-help sched select set setopt setvar
    shift shopt source stop suspend test then time times trap true ttyctl type typeset ulimit umask
    unalias unfunction unhash unlimit unset unsetopt until vared wait whence where which
    which-command while zcompile zformat zle zmodload zparseopts zregexparse zstyle { }";

/// The groups with blanks as ends of words, if every text in them is plain.
fn plain_words(groups: &[PieceGroup]) -> Option<Vec<PieceGroup>> {
    let mut words = groups.to_vec();
    for group in &mut words {
        let mut pieces = Vec::with_capacity(group.pieces.len());
        for piece in group.pieces.drain(..) {
            let Piece::Text(text) = piece else {
                pieces.push(piece);
                continue;
            };
            for (at, word) in text.split(|byte| b" \t".contains(byte)).enumerate() {
                // zsh puts a program's path in place of `=name`.
                if !word.iter().copied().all(is_plain) || word.starts_with(b"=") {
                    return None;
                }
                if at > 0 {
                    pieces.push(Piece::Break);
                }
                if !word.is_empty() {
                    pieces.push(Piece::Text(word.to_vec()));
                }
            }
        }
        group.pieces = pieces;
    }
    Some(words)
}

/// Whether a byte stands for itself in every shell, wherever in a word it is.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_./+,:@%=".contains(&byte)
}

/// Fills an argument vector.
struct ArgvWriter<'a> {
    argv: &'a mut ByteList,
    begun: bool,
    keeps_empty_words: bool,
}

impl PieceSink for ArgvWriter<'_> {
    fn text(&mut self, text: &[u8]) {
        self.begun |= self.keeps_empty_words || !text.is_empty();
        self.argv.put(text);
    }

    fn value(&mut self, value: &[u8]) {
        self.begun = true;
        self.argv.put(value);
    }

    fn end_word(&mut self) {
        if self.begun {
            self.argv.end();
            self.begun = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::TemplateOptions;

    #[test]
    fn programs_are_no_builtins() {
        for (word, is_builtin) in [("gzip", false), ("ls", false), ("/bin/echo", false), ("sleep", false)]
            .into_iter()
            .chain([("python3", false), ("ech", false), ("echoo", false)])
            .chain([("!", true), ("echo", true), ("which-command", true), ("}", true)])
        {
            let template = Template::command(&[word, "x"], &TemplateOptions::default()).unwrap();
            assert_eq!(DirectCommand::of(&template, Quoting::Words).is_none(), is_builtin, "{word}");
        }
    }
}
