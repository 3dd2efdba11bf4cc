//! Options of GNU parallel that parsim accepts without effect, or refuses.

use super::super::jobs::JobsOption;
use super::super::row::Does::{IgnoredFlag, IgnoredWord, Refused, Text};
use super::super::row::{OptionSection, Stored, quiet, section};
use super::super::typed::Typed;
use super::super::values;

const HERE: &str = "parsim runs on this machine only";
const PERL: &str = "parsim evaluates no Perl";
const SQL: &str = "parsim keeps no jobs in databases; see --records and --export-csv";
const SEMAPHORE: &str = "parsim is no semaphore; see flock(1)";
const TMUX: &str = "parsim runs no jobs in tmux; see --line-buffer";
const SPREAD: &str = "parsim does not sort input by its values; see --pipe and --round-robin";
const RETIRED: &str = "GNU parallel has retired this option";

#[rustfmt::skip]
pub(super) static FOREIGN: OptionSection = section("Of GNU parallel", &[
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
    // Other machines.
    quiet(&["sshlogin", "S"], Text(login)),
    quiet(&["sshloginfile", "slf"], Refused(HERE)),
    quiet(&["ssh"], Refused(HERE)),
    quiet(&["ssh-delay", "sshdelay"], Refused(HERE)),
    quiet(&["controlmaster", "M"], Refused(HERE)),
    quiet(&["onall"], Refused(HERE)),
    quiet(&["nonall"], Refused(HERE)),
    quiet(&["filter-hosts", "filterhosts", "filter-host"], Refused(HERE)),
    quiet(&["hostgroups", "hostgroup", "hostgrp", "hgrp"], Refused(HERE)),
    quiet(&["transfer-file", "transferfile", "transfer-files", "transferfiles", "tf"], Refused(HERE)),
    quiet(&["transfer"], Refused(HERE)),
    quiet(&["return"], Refused(HERE)),
    quiet(&["trc"], Refused(HERE)),
    quiet(&["basefile", "bf"], Refused(HERE)),
    quiet(&["rsync-opts", "rsyncopts"], Refused(HERE)),
    // Other programs.
    quiet(&["tmux"], Refused(TMUX)),
    quiet(&["tmux-pane", "tmuxpane"], Refused(TMUX)),
    quiet(&["sql"], Refused(SQL)),
    quiet(&["sql-master", "sqlmaster"], Refused(SQL)),
    quiet(&["sql-worker", "sqlworker"], Refused(SQL)),
    quiet(&["sql-and-worker", "sqlandworker"], Refused(SQL)),
    quiet(&["semaphore"], Refused(SEMAPHORE)),
    quiet(&["semaphore-timeout", "semaphoretimeout", "st"], Refused(SEMAPHORE)),
    quiet(&["semaphore-name", "semaphorename", "id"], Refused(SEMAPHORE)),
    quiet(&["fg"], Refused(SEMAPHORE)),
    quiet(&["bg"], Refused(SEMAPHORE)),
    quiet(&["wait"], Refused(SEMAPHORE)),
    // Perl, and files that hold options.
    quiet(&["rpl"], Refused(PERL)),
    quiet(&["parens"], Refused(PERL)),
    quiet(&["filter"], Refused(PERL)),
    quiet(&["profile", "J"], Refused("parsim reads no profiles; default options are in $PARSIM")),
    quiet(&["session"], Refused("parsim passes the whole environment on")),
    quiet(&["recordenv", "record-env"], Refused("parsim passes the whole environment on")),
    quiet(&["embed"], Refused("parsim is one file: copy the program")),
    quiet(&["shebang", "hashbang"], Refused("parsim is no interpreter of scripts; see -a FILE")),
    quiet(&["shell-completion", "shellcompletion"], Refused("see parsim completions")),
    quiet(&["_parset"], Refused("parsim sets no variables of the shell; see --results")),
    quiet(&["_pipe-means-argfiles"], Refused("this is internal to GNU parallel")),
    quiet(&["bug"], Refused("this is internal to GNU parallel")),
    // Ways of running that parsim does not have.
    quiet(&["block-timeout", "blocktimeout", "bt"], Refused("parsim hands on blocks as they fill; see -N")),
    quiet(&["shard"], Refused(SPREAD)),
    quiet(&["bin"], Refused(SPREAD)),
    quiet(&["group-by", "groupby"], Refused(SPREAD)),
    quiet(&["template", "tmpl"], Refused("parsim fills in no template files")),
    quiet(&["limit"], Refused("parsim asks no program for leave; see --load and --memfree")),
    quiet(&["interactive", "p"], Refused("parsim asks no questions; see --dry-run")),
    quiet(&["latest-line", "latestline", "ll"], Refused("parsim shows no line per job; see --line-buffer and --bar")),
    quiet(&["linkinputsource", "xapplyinputsource"], Refused("see :::+ and --link")),
    quiet(&["tollef"], Refused(RETIRED)),
    quiet(&["ctrl-c", "ctrlc"], Refused(RETIRED)),
    quiet(&["no-ctrl-c", "no-ctrlc", "noctrlc"], Refused(RETIRED)),
    quiet(&["g"], Refused(RETIRED)),
    quiet(&["B"], Refused(RETIRED)),
    quiet(&["H"], Refused(RETIRED)),
    quiet(&["T"], Refused(RETIRED)),
    quiet(&["U"], Refused(RETIRED)),
    quiet(&["W"], Refused(RETIRED)),
    quiet(&["Y"], Refused(RETIRED)),
]);

/// `:` is this machine, and `4/:` is up to four jobs on it.
fn login(typed: &mut Typed, value: &str) -> Stored {
    match value.strip_suffix(':').map(|jobs| (jobs, jobs.strip_suffix('/'))) {
        Some(("", _)) => {}
        Some((_, Some(jobs))) => {
            let jobs = values::count(jobs)?.max(1).to_string();
            typed.run.jobs.get_or_insert_with(|| JobsOption::parse(jobs.as_ref()));
        }
        _ => return Err(HERE.to_owned()),
    }
    Ok(())
}
