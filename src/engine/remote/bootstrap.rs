//! How a worker is begun at the other end of a remote shell: what is run there, and what
//! that says before the worker does.
//!
//! The login shell there may be any (sh, csh, fish) and may print what it likes: the script
//! has no quote, backslash, newline or exclamation mark that one of them would read, and
//! its words are known by a number that nobody can guess. A copy of this program is used only
//! where nobody but its owner can write to it or to its folder, and only if it is whole. Its
//! place is /var/tmp, so that a home has nothing in it that its owner did not put there, or
//! else ~/.cache. A copy that was cut off is removed; where the script was killed, by the next
//! one. Where no copy starts, python3 is handed its worker, which is put nowhere.
//! Pure: bytes in, bytes out.

use std::io;
use std::sync::Arc;

use super::python3;
use crate::text::printable;

/// What is before the script's words is skipped, up to here.
const LONGEST_CHATTER: usize = 1 << 20;

/// A word of the script is not longer.
const LONGEST_LINE: usize = 4096;

/// The program that can be copied there.
#[derive(Debug)]
pub(super) struct ProgramImage {
    pub(super) bytes: Vec<u8>,
    /// Its SHA-256 in hexadecimal digits.
    pub(super) digest: String,
    /// For what machines it is: `Linux x86_64`.
    pub(super) system: String,
}

/// Which worker is to be used there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkerChoice {
    /// A parsim in PATH that speaks the same protocol, else a copy of this program, else
    /// python3.
    Auto,
    /// This program there.
    Program(String),
    /// A copy of this program.
    Copy,
    /// [What](super::python3) python3 runs.
    Python3,
}

/// Tells where python3 is, if it is new enough: what PATH has may be a script that only looks
/// for it.
const FIND_PYTHON3: &str = "import sys; print(sys.executable if sys.version_info >= (3, 6) else 0)";

/// Runs as many bytes of standard input as are said, and reads no more than these.
const READ_PROGRAM: &str =
    "import io, sys; exec(io.BufferedReader(io.FileIO(0, closefd=False), 1).read(int(sys.argv[1])))";

/// The words of the script that begins a worker which speaks `protocol`.
pub(super) fn script(choice: &WorkerChoice, protocol: &str, nonce: u64) -> String {
    let tries = match choice {
        WorkerChoice::Auto => "try parsim; ".to_owned(),
        // The program's name has been looked at: nothing in it means anything to a shell.
        WorkerChoice::Program(program) => {
            format!("try \"{program}\"; say fail \"{program} is no parsim of this protocol\"; exit 1; ")
        }
        WorkerChoice::Copy => String::new(),
        WorkerChoice::Python3 => "py; ".to_owned(),
    };
    // Why there is no copy is said by who needs one.
    let otherwise = if *choice == WorkerChoice::Auto { "py \"$w\"" } else { "say fail \"$w\"; exit 1" };
    let length = python3::PROGRAM.len();
    let script = format!(
        "n={nonce:016x}; v={protocol}; u=$(umask); say() {{ echo \"parsim-$n $*\"; }}; \
         try() {{ [ \"$(\"$1\" worker --protocol 2>/dev/null </dev/null)\" = \"$v\" ] && say go && umask \"$u\" && exec \"$1\" worker; }}; \
         py() {{ p=$(python3 -ISc \"{FIND_PYTHON3}\" 2>/dev/null </dev/null); \
         case $p in /*) umask \"$u\"; say python3 \"$1\"; exec \"$p\" -ISc \"{READ_PROGRAM}\" {length} $n \"${{LC_CTYPE+=$LC_CTYPE}}\";; esac; \
         say fail \"${{1:+$1, and }}there is no python3 (3.6 or newer) there\"; exit 1; }}; \
         {tries}\
         say need $(uname -sm); read -r d s || exit 0; [ \"$d\" = no ] && py \"$s\"; i=$(id -u); g=; \
         own() {{ ls -ldn \"$1\" 2>/dev/null | {{ read -r p l o r; \
         case $p in [d-]????-??-*) [ \"$o\" = \"$i\" ];; *) false;; esac; }}; }}; \
         whole() {{ [ \"$(sha256sum <\"$1\" | cut -d\" \" -f1)\" = \"$d\" ]; }}; \
         check() {{ own \"$c\" && own \"$b\" && [ -f \"$b\" ] && whole \"$b\"; }}; \
         set -- \"${{PARSIM_CACHE:-/var/tmp/parsim-$i}}\" \"$HOME/.cache/parsim\"; \
         for c in \"$@\"; do b=$c/parsim-$d; check && {{ try \"$b\"; g=$b; }}; done; \
         umask 077; \
         for c in \"$@\"; do mkdir -p \"$c\" 2>/dev/null; own \"$c\" || continue; b=$c/parsim-$d; t=$b.$$; \
         find \"$c\" -name \"parsim-*.*\" -mtime +0 -exec rm -f {{}} + 2>/dev/null; \
         if [ -z \"$g\" ]; then say copy; head -c \"$s\" | {{ cat >\"$t\" || {{ cat >/dev/null; false; }}; }} && \
         {{ [ \"$(wc -c <\"$t\")\" -eq \"$s\" ] || {{ rm -f \"$t\"; exit 1; }}; }}; else cp \"$g\" \"$t\"; fi && \
         whole \"$t\" && chmod 700 \"$t\" && mv -f \"$t\" \"$b\" && g=$b; check && try \"$b\"; rm -f \"$t\"; done; \
         if [ -n \"$g\" ]; then w=\"the copy of parsim ($g) does not start there\"; \
         else w=\"parsim cannot be copied there, neither to $1 nor to $2: nobody else may write there, and there must be room\"; fi; {otherwise}"
    );
    format!("exec sh -c '{script}'")
}

/// What is heard and said before there is a worker.
pub(super) struct Prelude {
    mark: String,
    line: Vec<u8>,
    n_heard: usize,
    image: Arc<dyn Fn() -> io::Result<Arc<ProgramImage>> + Send + Sync>,
    /// The program that is being copied there.
    copied: Option<Arc<ProgramImage>>,
    /// What is still to be said.
    pending: Vec<u8>,
    n_said: usize,
    /// Whether the script said a word.
    has_answered: bool,
    /// The first line that was none of the script's.
    pub(super) chatter: Option<String>,
    /// Whether python3 will do where this program does not run.
    may_be_python3: bool,
    /// Why it is python3 that runs there, where nobody asked for that.
    pub(super) substitution: Option<String>,
}

/// What a piece of the stream came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// There is no worker yet.
    Nothing,
    /// There is one, which has said this.
    Worker(Vec<u8>),
    /// There will be none, for this reason.
    Failed(String),
}

impl Prelude {
    /// The script's words have this number; the program that may be copied comes from `image`.
    pub(super) fn new(
        choice: &WorkerChoice,
        nonce: u64,
        image: Arc<dyn Fn() -> io::Result<Arc<ProgramImage>> + Send + Sync>,
    ) -> Self {
        Self {
            mark: format!("parsim-{nonce:016x} "),
            line: Vec::new(),
            n_heard: 0,
            image,
            copied: None,
            pending: Vec::new(),
            n_said: 0,
            has_answered: false,
            chatter: None,
            may_be_python3: *choice == WorkerChoice::Auto,
            substitution: None,
        }
    }

    /// Whether the script runs there.
    pub(super) fn has_answered(&self) -> bool {
        self.has_answered
    }

    /// What is to be said next.
    pub(super) fn pending(&self) -> &[u8] {
        if self.n_said < self.pending.len() {
            return &self.pending[self.n_said..];
        }
        let image = self.copied.as_ref().map_or(&[][..], |image| &image.bytes);
        image.get(self.n_said - self.pending.len()..).unwrap_or_default()
    }

    /// So much of it was said.
    pub(super) fn said(&mut self, n_bytes: usize) {
        self.n_said += n_bytes;
    }

    /// Takes note of `bytes`.
    pub(super) fn hear(&mut self, bytes: &[u8]) -> Heard {
        for (place, byte) in bytes.iter().enumerate() {
            self.n_heard += 1;
            if *byte != b'\n' {
                // What is longer is none of the script's words.
                if self.line.len() < LONGEST_LINE {
                    self.line.push(*byte);
                }
                continue;
            }
            let line = String::from_utf8_lossy(&std::mem::take(&mut self.line)).into_owned();
            // A shell may have printed something without a newline.
            let Some((_, word)) = line.split_once(&*self.mark) else {
                if !line.trim().is_empty() {
                    self.chatter.get_or_insert_with(|| printable(line.trim()));
                }
                continue;
            };
            match self.word(word.trim_end()) {
                Heard::Nothing => {}
                Heard::Worker(_) => return Heard::Worker(bytes[place + 1..].to_vec()),
                failed @ Heard::Failed(_) => return failed,
            }
        }
        if self.n_heard > LONGEST_CHATTER && self.copied.is_none() {
            return Heard::Failed(
                "prints on and on before a worker begins: look at what its shell runs at a login".to_owned(),
            );
        }
        Heard::Nothing
    }

    fn say(&mut self, text: String) -> Heard {
        (self.pending, self.n_said) = (text.into_bytes(), 0);
        Heard::Nothing
    }

    /// This program cannot be copied there.
    fn no_copy(&mut self, why: &str) -> Heard {
        if self.may_be_python3 {
            return self.say(format!("no {}\n", why.replace('\n', " ")));
        }
        Heard::Failed(format!(
            "has no parsim in PATH that speaks this protocol, and {why}: install parsim there"
        ))
    }

    fn word(&mut self, word: &str) -> Heard {
        self.has_answered = true;
        let (word, rest) = word.split_once(' ').unwrap_or((word, ""));
        match word {
            "go" => Heard::Worker(Vec::new()),
            "need" => match (self.image)() {
                Err(error) => self.no_copy(&format!("this parsim cannot be read to be copied: {error}")),
                Ok(image) if image.system != rest => self.no_copy(&format!(
                    "this parsim ({}) does not run on {}",
                    image.system,
                    printable(rest)
                )),
                Ok(image) => self.say(format!("{} {}\n", image.digest, image.bytes.len())),
            },
            "python3" => {
                self.copied = None;
                self.substitution = Some(printable(rest)).filter(|why| !why.is_empty());
                self.say(python3::PROGRAM.to_owned())
            }
            "copy" => match (self.image)() {
                Ok(image) => {
                    // The script asks again where there was no room for it, and has read all
                    // of it by then.
                    self.copied = Some(image);
                    self.n_said = self.pending.len();
                    Heard::Nothing
                }
                Err(error) => Heard::Failed(error.to_string()),
            },
            "fail" => Heard::Failed(printable(rest)),
            other => Heard::Failed(format!("says {:?}, which means nothing", printable(other))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONCE: u64 = 0xabc;

    fn prelude() -> Prelude {
        let image = || {
            let (bytes, digest) = (b"program".to_vec(), "d1".to_owned());
            Ok(Arc::new(ProgramImage { bytes, digest, system: "Linux x86_64".to_owned() }))
        };
        Prelude::new(&WorkerChoice::Copy, NONCE, Arc::new(image))
    }

    #[test]
    fn a_login_shell_may_print_what_it_likes_before_the_worker_begins() {
        let mut prelude = prelude();
        assert_eq!(
            prelude.hear(b"Welcome!\nparsim-0000000000000abd go\nno newline: parsim-0000"),
            Heard::Nothing
        );
        assert_eq!(prelude.hear(b"000000000abc go\n\0\x01R"), Heard::Worker(b"\0\x01R".to_vec()));
        assert_eq!(prelude.chatter.as_deref(), Some("Welcome!"));
    }

    #[test]
    fn the_program_is_copied_where_there_is_none() {
        let mut prelude = prelude();
        assert_eq!(prelude.hear(b"parsim-0000000000000abc need Linux x86_64\n"), Heard::Nothing);
        assert_eq!(prelude.pending(), b"d1 7\n");
        prelude.said(5);
        assert!(prelude.pending().is_empty());
        assert_eq!(prelude.hear(b"parsim-0000000000000abc copy\n"), Heard::Nothing);
        prelude.said(3);
        assert_eq!(prelude.pending(), b"gram");
        prelude.said(4);
        assert!(prelude.pending().is_empty());
        assert_eq!(prelude.hear(b"parsim-0000000000000abc go\n"), Heard::Worker(Vec::new()));
    }

    #[test]
    fn python3_is_handed_its_worker_where_no_copy_runs() {
        let mut prelude = Prelude { may_be_python3: true, ..prelude() };
        assert_eq!(prelude.hear(b"parsim-0000000000000abc need Linux aarch64\n"), Heard::Nothing);
        assert_eq!(prelude.pending(), b"no this parsim (Linux x86_64) does not run on Linux aarch64\n");
        prelude.said(prelude.pending().len());
        assert_eq!(prelude.hear(b"parsim-0000000000000abc python3 because\n"), Heard::Nothing);
        assert_eq!(prelude.pending(), python3::PROGRAM.as_bytes());
        prelude.said(python3::PROGRAM.len());
        assert_eq!(prelude.hear(b"parsim-0000000000000abc go\n"), Heard::Worker(Vec::new()));
        assert_eq!(prelude.substitution.as_deref(), Some("because"));
    }

    #[test]
    fn why_there_is_none_is_told() {
        let failed = |said: &[u8]| match prelude().hear(said) {
            Heard::Failed(why) => why,
            other => panic!("{other:?}"),
        };
        assert!(
            failed(b"parsim-0000000000000abc need Linux aarch64\n").contains("does not run on Linux aarch64")
        );
        assert_eq!(failed(b"parsim-0000000000000abc fail x\x1b[1m y\n"), r"x\u{1b}[1m y");
        assert!(failed(&vec![b'y'; LONGEST_CHATTER + 1]).contains("on and on"));
    }

    #[test]
    fn no_login_shell_reads_anything_in_the_script() {
        let program = WorkerChoice::Program("/opt/parsim".to_owned());
        for choice in [WorkerChoice::Auto, WorkerChoice::Copy, WorkerChoice::Python3, program] {
            let whole = script(&choice, "parsim-worker/5", NONCE);
            let inner = whole.strip_prefix("exec sh -c '").unwrap().strip_suffix('\'').unwrap();
            assert!(!inner.contains(['\'', '\\', '\n', '!', '`']), "{inner}");
        }
    }
}
