//! Options of GNU parallel that parsim accepts without effect, or refuses.

use super::super::option::Does::{IgnoredFlag, IgnoredWord, Refused, Text};
use super::super::option::{Row, Stored};
use super::super::typed::Typed;
use super::super::values::{self, Jobs};

const HERE: &str = "parsim runs on this machine only";
const PERL: &str = "parsim evaluates no Perl";
const SQL: &str = "parsim keeps no jobs in databases; see --records and --export-csv";
const SEMAPHORE: &str = "parsim is no semaphore; see flock(1)";
const TMUX: &str = "parsim runs no jobs in tmux; see --line-buffer";
const SPREAD: &str = "parsim does not sort input by its values; see --pipe and --round-robin";
const RETIRED: &str = "GNU parallel has retired this option";

#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    // No effect: either the way parsim is, or of no use here.
    Row { names: &["will-cite", "willcite", "nn", "nonotice", "no-notice"], does: IgnoredFlag },
    Row { names: &["gnu"], does: IgnoredFlag },
    Row { names: &["plain"], does: IgnoredFlag },
    Row { names: &["silent"], does: IgnoredFlag },
    Row { names: &["color-failed", "colour-failed", "colorfailed", "colourfailed", "color-fail", "colour-fail", "colorfail", "colourfail", "cf"], does: IgnoredFlag },
    Row { names: &["compress"], does: IgnoredFlag },
    Row { names: &["compress-program", "use-compress-program", "usecompressprogram", "compressprogram"], does: IgnoredWord },
    Row { names: &["decompress-program", "use-decompress-program", "usedecompressprogram", "decompressprogram"], does: IgnoredWord },
    Row { names: &["use-sockets-instead-of-threads", "usesocketsinsteadofthreads"], does: IgnoredFlag },
    Row { names: &["use-cores-instead-of-threads", "usecoresinsteadofthreads"], does: IgnoredFlag },
    Row { names: &["use-cpus-instead-of-cores", "usecpusinsteadofcores"], does: IgnoredFlag },
    Row { names: &["show-limits", "showlimits"], does: IgnoredFlag },
    Row { names: &["debug", "D"], does: IgnoredWord },
    Row { names: &["_test"], does: IgnoredWord },
    // Other machines.
    Row { names: &["sshlogin", "S"], does: Text(login) },
    Row { names: &["sshloginfile", "slf"], does: Refused(HERE) },
    Row { names: &["ssh"], does: Refused(HERE) },
    Row { names: &["ssh-delay", "sshdelay"], does: Refused(HERE) },
    Row { names: &["controlmaster", "M"], does: Refused(HERE) },
    Row { names: &["onall"], does: Refused(HERE) },
    Row { names: &["nonall"], does: Refused(HERE) },
    Row { names: &["filter-hosts", "filterhosts", "filter-host"], does: Refused(HERE) },
    Row { names: &["hostgroups", "hostgroup", "hostgrp", "hgrp"], does: Refused(HERE) },
    Row { names: &["transfer-file", "transferfile", "transfer-files", "transferfiles", "tf"], does: Refused(HERE) },
    Row { names: &["transfer"], does: Refused(HERE) },
    Row { names: &["return"], does: Refused(HERE) },
    Row { names: &["trc"], does: Refused(HERE) },
    Row { names: &["basefile", "bf"], does: Refused(HERE) },
    Row { names: &["rsync-opts", "rsyncopts"], does: Refused(HERE) },
    // Other programs.
    Row { names: &["tmux"], does: Refused(TMUX) },
    Row { names: &["tmux-pane", "tmuxpane"], does: Refused(TMUX) },
    Row { names: &["sql"], does: Refused(SQL) },
    Row { names: &["sql-master", "sqlmaster"], does: Refused(SQL) },
    Row { names: &["sql-worker", "sqlworker"], does: Refused(SQL) },
    Row { names: &["sql-and-worker", "sqlandworker"], does: Refused(SQL) },
    Row { names: &["semaphore"], does: Refused(SEMAPHORE) },
    Row { names: &["semaphore-timeout", "semaphoretimeout", "st"], does: Refused(SEMAPHORE) },
    Row { names: &["semaphore-name", "semaphorename", "id"], does: Refused(SEMAPHORE) },
    Row { names: &["fg"], does: Refused(SEMAPHORE) },
    Row { names: &["bg"], does: Refused(SEMAPHORE) },
    Row { names: &["wait"], does: Refused(SEMAPHORE) },
    // Perl, and files that hold options.
    Row { names: &["rpl"], does: Refused(PERL) },
    Row { names: &["parens"], does: Refused(PERL) },
    Row { names: &["filter"], does: Refused(PERL) },
    Row { names: &["profile", "J"], does: Refused("parsim reads no profiles; default options are in $PARSIM") },
    Row { names: &["session"], does: Refused("parsim passes the whole environment on") },
    Row { names: &["recordenv", "record-env"], does: Refused("parsim passes the whole environment on") },
    Row { names: &["embed"], does: Refused("parsim is one file: copy the program") },
    Row { names: &["shebang", "hashbang"], does: Refused("parsim is no interpreter of scripts; see -a FILE") },
    Row { names: &["shell-completion", "shellcompletion"], does: Refused("see parsim completions") },
    Row { names: &["_parset"], does: Refused("parsim sets no variables of the shell; see --results") },
    Row { names: &["_pipe-means-argfiles"], does: Refused("this is internal to GNU parallel") },
    Row { names: &["bug"], does: Refused("this is internal to GNU parallel") },
    // Ways of running that parsim does not have.
    Row { names: &["block-timeout", "blocktimeout", "bt"], does: Refused("parsim hands on blocks as they fill; see -N") },
    Row { names: &["shard"], does: Refused(SPREAD) },
    Row { names: &["bin"], does: Refused(SPREAD) },
    Row { names: &["group-by", "groupby"], does: Refused(SPREAD) },
    Row { names: &["template", "tmpl"], does: Refused("parsim fills in no template files") },
    Row { names: &["limit"], does: Refused("parsim asks no program for leave; see --load and --memfree") },
    Row { names: &["interactive", "p"], does: Refused("parsim asks no questions; see --dry-run") },
    Row { names: &["latest-line", "latestline", "ll"], does: Refused("parsim shows no line per job; see --line-buffer and --bar") },
    Row { names: &["linkinputsource", "xapplyinputsource"], does: Refused("see :::+ and --link") },
    Row { names: &["tollef"], does: Refused(RETIRED) },
    Row { names: &["ctrl-c", "ctrlc"], does: Refused(RETIRED) },
    Row { names: &["no-ctrl-c", "no-ctrlc", "noctrlc"], does: Refused(RETIRED) },
    Row { names: &["g"], does: Refused(RETIRED) },
    Row { names: &["B"], does: Refused(RETIRED) },
    Row { names: &["H"], does: Refused(RETIRED) },
    Row { names: &["T"], does: Refused(RETIRED) },
    Row { names: &["U"], does: Refused(RETIRED) },
    Row { names: &["W"], does: Refused(RETIRED) },
    Row { names: &["Y"], does: Refused(RETIRED) },
];

/// `:` is this machine, and `4/:` is up to four jobs on it.
fn login(typed: &mut Typed, value: &str) -> Stored {
    let Some(jobs) = value.strip_suffix(':') else { return Err(HERE.to_owned()) };
    if let Some(jobs) = jobs.strip_suffix('/') {
        typed.run.jobs = typed.run.jobs.take().or(Some(Jobs::Exactly(values::count(jobs)?.max(1))));
    } else if !jobs.is_empty() {
        return Err(HERE.to_owned());
    }
    Ok(())
}
