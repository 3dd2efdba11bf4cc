//! The programs that run batches, and how each is told to run the same one.

use std::path::PathBuf;
use std::sync::OnceLock;

use crate::program::find;

/// A program that runs a batch of which each input line is one argument.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    /// How it is called for `command` with two jobs at a time.
    argv: fn(&[&str]) -> Option<Vec<String>>,
    /// Whether outputs come in input order.
    pub(crate) in_order: bool,
    /// Whether it takes many times as long as the others.
    pub(crate) is_slow: bool,
}

impl Peer {
    /// The words that start it, if the machine has it.
    pub(crate) fn argv(&self, command: &[&str]) -> Option<Vec<String>> {
        let argv = (self.argv)(command)?;
        find(&argv[0]).map(|_| argv)
    }
}

/// All but parsim itself.
pub(crate) const PEERS: &[Peer] = &[
    Peer {
        name: "xargs -P2 -n1",
        argv: |command| Some(words(&["xargs", "-P2", "-n1"], command)),
        in_order: false,
        is_slow: false,
    },
    Peer {
        name: "rust-parallel -j2 -k",
        argv: |command| Some(words(&["rust-parallel", "-j2", "-k"], command)),
        in_order: true,
        is_slow: false,
    },
    Peer {
        name: "GNU parallel -j2 -k",
        argv: |command| {
            // Other programs go by that name.
            let is_gnu = find("parallel").is_some_and(|path| {
                std::fs::read_to_string(path).is_ok_and(|script| script.contains("GNU Parallel"))
            });
            is_gnu.then(|| words(&["parallel", "--will-cite", "-j2", "-k"], command))
        },
        in_order: true,
        is_slow: true,
    },
];

/// parsim, built with this bench.
pub(crate) fn parsim(options: &[&str], command: &[&str]) -> Vec<String> {
    words(&[&[env!("CARGO_BIN_EXE_parsim"), "parallel"], options].concat(), command)
}

/// A loop of vfork, exec and wait4 in C on two threads: what the machine can do.
/// It discards what jobs write.
pub(crate) fn bare_loop() -> Option<PathBuf> {
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    BUILT
        .get_or_init(|| {
            let compiler = find("cc")?;
            let source = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/batch/loop.c");
            let program = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bare-loop");
            let mut build = std::process::Command::new(compiler);
            build.args(["-O2", "-pthread", "-o"]).arg(&program).arg(source);
            build.status().is_ok_and(|status| status.success()).then_some(program)
        })
        .clone()
}

fn words(first: &[&str], command: &[&str]) -> Vec<String> {
    first.iter().chain(command).map(|&word| word.to_owned()).collect()
}
