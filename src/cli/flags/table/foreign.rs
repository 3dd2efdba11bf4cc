//! Options of GNU parallel that parsim accepts without effect, or refuses.

use std::sync::LazyLock;

use super::super::row::Does::{IgnoredFlag, IgnoredWord, Refused};
use super::super::row::{OptionRow, OptionSection, quiet, section};

#[rustfmt::skip]
pub(super) static FOREIGN: OptionSection = OptionSection { more: Some(&REFUSED), ..section("Of GNU parallel", &[
    // No effect: either the way parsim is, or of no use here.
    quiet(&["will-cite", "willcite", "nn", "nonotice", "no-notice"], IgnoredFlag),
    quiet(&["gnu"], IgnoredFlag),
    quiet(&["plain"], IgnoredFlag),
    quiet(&["silent"], IgnoredFlag),
    quiet(&["color-failed", "colour-failed", "colorfailed", "colourfailed", "color-fail", "colour-fail", "colorfail", "colourfail", "cf"], IgnoredFlag),
    quiet(&["compress"], IgnoredFlag),
    quiet(&["compress-program", "use-compress-program", "usecompressprogram", "compressprogram"], IgnoredWord),
    quiet(&["decompress-program", "use-decompress-program", "usedecompressprogram", "decompressprogram"], IgnoredWord),
    quiet(&["use-sockets-instead-of-threads", "usesocketsinsteadofthreads"], IgnoredFlag),
    quiet(&["use-cores-instead-of-threads", "usecoresinsteadofthreads"], IgnoredFlag),
    quiet(&["use-cpus-instead-of-cores", "usecpusinsteadofcores"], IgnoredFlag),
    quiet(&["show-limits", "showlimits"], IgnoredFlag),
    quiet(&["debug", "D"], IgnoredWord),
    quiet(&["_test"], IgnoredWord),
]) };

/// A row for each option that parsim refuses.
static REFUSED: LazyLock<Vec<OptionRow>> = LazyLock::new(|| {
    REASONS.iter().flat_map(|(why, options)| options.iter().map(|names| quiet(names, Refused(why)))).collect()
});

/// Why parsim refuses options: other machines, other programs, Perl, files that hold
/// options, ways of running that it does not have. Help shows these in this order.
#[rustfmt::skip]
pub(in crate::cli::flags) const REASONS: &[(&str, &[&[&str]])] = &[
    ("files go through the connection, without rsync", &[&["rsync-opts", "rsyncopts"]]),
    ("parsim runs no jobs in tmux; see --line-buffer", &[&["tmux"], &["tmux-pane", "tmuxpane"]]),
    ("parsim keeps no jobs in databases; see --records and --export-csv", &[
        &["sql"], &["sql-master", "sqlmaster"], &["sql-worker", "sqlworker"], &["sql-and-worker", "sqlandworker"],
    ]),
    ("parsim is not a semaphore; see flock(1)", &[
        &["semaphore"], &["semaphore-timeout", "semaphoretimeout", "st"], &["semaphore-name", "semaphorename", "id"], &["fg"], &["bg"], &["wait"],
    ]),
    ("parsim evaluates no Perl", &[&["rpl"], &["parens"], &["filter"]]),
    ("parsim reads no profiles; default options are in $PARSIM", &[&["profile", "J"]]),
    ("parsim passes the whole environment on", &[&["session"], &["recordenv", "record-env"]]),
    ("parsim is one file: copy the program", &[&["embed"]]),
    ("parsim does not run scripts; see -a FILE", &[&["shebang", "hashbang"]]),
    ("see parsim completions", &[&["shell-completion", "shellcompletion"]]),
    ("parsim sets no variables of the shell; see --results", &[&["_parset"]]),
    ("this is internal to GNU parallel", &[&["_pipe-means-argfiles"], &["bug"]]),
    ("parsim hands on blocks as they fill; see -N", &[&["block-timeout", "blocktimeout", "bt"]]),
    ("parsim does not sort input by its values; see --pipe and --round-robin", &[&["shard"], &["bin"], &["group-by", "groupby"]]),
    ("parsim fills in no template files", &[&["template", "tmpl"]]),
    ("parsim does not ask another program before it starts a job; see --load and --memfree", &[&["limit"]]),
    ("parsim asks no questions; see --dry-run", &[&["interactive", "p"]]),
    ("see :::+ and --link", &[&["linkinputsource", "xapplyinputsource"]]),
    ("GNU parallel has retired this option", &[
        &["tollef"], &["ctrl-c", "ctrlc"], &["no-ctrl-c", "no-ctrlc", "noctrlc"], &["g"], &["B"], &["H"], &["T"], &["U"], &["W"], &["Y"],
    ]),
];
