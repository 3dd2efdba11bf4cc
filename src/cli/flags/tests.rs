//! Tests of the whole module, over lines as scripts have them.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::time::Duration;

use super::table;
use super::*;
use crate::inputs::{Combine, Header, InputSource, Joined, Origin, RowsPerJob, Separator, Split, Trim};
use crate::policy::HaltWhen;
use crate::template::ReplacementName;

fn os(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}

fn typed(words: &[&str]) -> Typed {
    parse(&os(words), Scope::ONE_WAY).unwrap()
}

fn complaint(words: &[&str]) -> String {
    parse(&os(words), Scope::ONE_WAY).unwrap_err().to_string()
}

/// The best names of the options of `line`.
fn given(line: &Typed) -> Vec<&'static str> {
    line.given.iter().map(|given| given.name).collect()
}

fn values(words: &[&str]) -> InputSource {
    InputSource::new(Origin::Values(words.iter().map(|word| word.as_bytes().to_vec()).collect()))
}

fn file(name: &str) -> InputSource {
    InputSource::new(Origin::File(name.into()))
}

#[test]
fn options_end_at_the_first_word_that_is_none() {
    let line = typed(&["-k", "echo", "-k", "-j", ":::", "a"]);
    assert_eq!(line.command, os(&["echo", "-k", "-j"]));
    assert_eq!(given(&line), ["keep-order"]);
    assert_eq!(typed(&["-k", "--", "-k", ":::", "a"]).command, os(&["-k"]));
    assert_eq!(typed(&["-", "x"]).command, os(&["-", "x"]));
}

#[test]
fn letters_may_stand_together_and_the_last_may_have_a_value() {
    for words in
        [&["-kj2"][..], &["-k", "-j2"], &["-kj", "2"], &["-k", "--jobs=2"], &["--keep-order", "--jobs", "2"]]
    {
        let line = typed(words);
        assert_eq!(
            (line.run.jobs.as_ref().and_then(JobsOption::one), given(&line)),
            (Some(JobCount::Exactly(2)), vec!["keep-order", "jobs"]),
            "{words:?}"
        );
    }
    let line = typed(&["-0m"]);
    assert!(line.has(Flag::Null) && line.has(Flag::Multiple));
    let jobs = |words: &[&str]| typed(words).run.jobs.and_then(|jobs| jobs.one());
    assert_eq!(jobs(&["-Xj1"]), Some(JobCount::Exactly(1)));
    assert_eq!(jobs(&["-uj400%"]), Some(JobCount::Percent(400.0)));
    assert_eq!(jobs(&["-j", "-1", "x"]), Some(JobCount::Minus(1)));
    assert_eq!(typed(&["-C "]).input.colsep.as_deref(), Some(&b" "[..]));
    assert_eq!(typed(&["-I,,", "x"]).renames[&ReplacementName::Value], b",,");
}

#[test]
fn values_that_may_be_missing_are_told_from_options_and_words() {
    let of = |words: &[&str]| {
        let line = typed(words);
        (line.renames.into_values().next().map(|v| String::from_utf8(v).unwrap()), line.command)
    };
    assert_eq!(of(&["-i", "x", "y"]), (Some("x".to_owned()), os(&["y"])));
    assert_eq!(of(&["-i", "-k", "y"]), (None, os(&["y"])));
    assert_eq!(of(&["-i,,", "y"]), (Some(",,".to_owned()), os(&["y"])));
    let lines = |words: &[&str]| (typed(words).input.lines, typed(words).command);
    assert_eq!(lines(&["-l", "x", "y"]), (Some(1), os(&["x", "y"])));
    assert_eq!(lines(&["-l", "5", "y"]), (Some(5), os(&["y"])));
    assert_eq!(lines(&["-l5k", "y"]), (Some(5), os(&["y"])));
    assert_eq!(lines(&["-kl", "3", "x"]), (Some(3), os(&["x"])));
}

#[test]
fn old_and_odd_spellings_are_known() {
    for spelling in [
        "--xapply",
        "--dryrun",
        "--linebuffer",
        "--line-buffered",
        "--lb",
        "--cf",
        "--keeporder",
        "--no-notice",
        "--will-cite",
        "--gnu",
        "--plain",
        "--silent",
        "--compress",
        "--no-run-if-empty",
        "--roundrobin",
        "--resumefailed",
        "--NULL",
        "--keep",
    ] {
        assert_eq!(typed(&[spelling, "x"]).command, os(&["x"]), "{spelling}");
    }
    for spelling in [
        "--maxargs",
        "--max-procs",
        "--block-size",
        "--halt-on-error",
        "--env",
        "--tmpdir",
        "-P",
        "--argfile",
    ] {
        assert_eq!(typed(&[spelling, "1", "x"]).command, os(&["x"]), "{spelling}");
    }
    assert_eq!(typed(&["--will-cite", "--nn"]).ignored, ["will-cite", "will-cite"]);
}

#[test]
fn sources_come_in_the_order_of_the_line_after_those_of_options() {
    let line = typed(&["-a", "f1", "echo", ":::", "a", "b", "::::", "f2", "-", ":::+", "x"]);
    let linked = InputSource { joined: Joined::Linked, ..values(&["x"]) };
    assert_eq!(
        line.sources,
        [file("f1"), values(&["a", "b"]), file("f2"), InputSource::new(Origin::Stdin), linked]
    );
}

#[test]
fn the_first_source_on_the_line_is_linked_to_nothing() {
    assert_eq!(typed(&["-a", "f1", "echo", ":::+", "a"]).sources, [file("f1"), values(&["a"])]);
    let linked = InputSource { joined: Joined::Linked, ..file("f2") };
    assert_eq!(typed(&["echo", "::::+", "f1", "f2"]).sources, [file("f1"), linked]);
}

#[test]
fn a_separator_with_nothing_around_it_means_standard_input() {
    for separator in [":::", "::::", ":::+"] {
        let line = typed(&["echo", separator]);
        assert!(line.sources.is_empty() && line.bare_separator, "{separator}");
    }
    assert_eq!(typed(&["echo", ":::", ":::"]).sources, [values(&[]), values(&[])]);
    assert_eq!(typed(&["echo", "::::", ":::", "a"]).sources, [values(&["a"])]);
    assert_eq!(typed(&["-a", "f", "echo", ":::"]).sources, [file("f")]);
    assert!(!typed(&["echo"]).bare_separator);
}

#[test]
fn separators_can_be_renamed() {
    let line = typed(&["--arg-sep", ",,", "--arg-file-sep=//", "echo", ",,", "a", ":::", "//", "f"]);
    assert_eq!(line.sources, [values(&["a", ":::"]), file("f")]);
}

#[test]
fn values_only_after_an_equals_sign_are_never_taken_from_the_command() {
    let line = typed(&["--progress", "always", "x"]);
    assert!(line.has(Flag::Bar) && line.output.progress.is_none());
    assert_eq!(line.command, os(&["always", "x"]));
    assert_eq!(typed(&["--progress=never", "x"]).output.progress, Some(When::Never));
    assert_eq!(typed(&["--color", "echo"]).output.color, None);
    assert_eq!(typed(&["--color", "never", "echo"]).output.color, Some(When::Never));
    assert_eq!(typed(&["--summary", "never"]).output.summary, Some(When::Never));
}

#[test]
fn a_beginning_that_gnu_parallel_knows_stays_its_own() {
    assert!(typed(&["--retry"]).has(Flag::RetryFailed));
    assert_eq!(typed(&["--records", "f"]).output.records, Some("f".into()));
    assert_eq!(typed(&["--warm", "2"]).study.warmup, Some(2));
}

#[test]
fn complaints_name_the_option_and_what_was_perhaps_meant() {
    assert_eq!(complaint(&["--jbos", "2"]), "unknown option --jbos: did you mean --jobs?");
    assert_eq!(
        complaint(&["--bogus-option-xyz"]),
        "unknown option --bogus-option-xyz; see parsim parallel --help"
    );
    assert_eq!(complaint(&["-Kk"]), "unknown option -Kk; see parsim parallel --help");
    assert_eq!(complaint(&["-kK"]), "unknown option -K in -kK");
    assert_eq!(complaint(&["--jobs"]), "option --jobs needs a value: --jobs N");
    assert_eq!(complaint(&["--jobs="]), "option --jobs needs a value: --jobs N");
    assert_eq!(complaint(&["--keep-order=1"]), "option --keep-order takes no value, but was given 1");
    assert_eq!(complaint(&["--max-a=x"]), "--max-args x: not a whole number");
    assert_eq!(complaint(&["--max", "3"]).split(" may be ").next(), Some("option --max"));
    assert!(
        complaint(&["--ssh-worker", "a;b"]).starts_with("--ssh-worker a;b: expected auto, copy, python3, or")
    );
    assert!(complaint(&["--halt", "foo"]).starts_with("--halt foo: expected never, or"));
}

#[test]
fn typed_values_have_types() {
    let line = typed(&[
        "--timeout",
        "1.5m",
        "--delay=5",
        "--halt",
        "now,fail=1",
        "--block",
        "10k",
        "--nice",
        "-5",
        "--memfree",
        "1K",
    ]);
    assert_eq!(line.run.timeout, Some(Timeout::After(Duration::from_secs(90))));
    assert_eq!(line.run.delay.map(|delay| delay.pause), Some(Duration::from_secs(5)));
    assert_eq!(line.run.halt.map(|halt| halt.when), Some(HaltWhen::Now));
    assert_eq!((line.pipe.block, line.run.nice, line.run.memfree), (Some(10_000), Some(-5), Some(1024)));
}

#[test]
fn reading_follows_from_several_options() {
    let reading = |words: &[&str]| typed(words).reading().unwrap();
    assert_eq!(reading(&["-0"]).delimiter, b"\0");
    assert_eq!(reading(&["-0", "-d", r"\t"]).delimiter, b"\t");
    let columns = reading(&["-C", ",", "--header", ":", "--xapply"]);
    assert_eq!((columns.split, columns.trim), (Split::At(b",".to_vec()), Trim::Both));
    assert_eq!((columns.header, columns.combine), (Some(Header::First), Combine::Link));
    assert_eq!(reading(&["-C", ",", "--trim", "n"]).trim, Trim::None);
    assert_eq!(reading(&["--header", ":"]).split, Split::At(b"\t".to_vec()));
    assert_eq!(reading(&["--csv", "-C", ";"]).split, Split::Csv(b';'));
    assert!(typed(&["--csv", "-C", "::"]).reading().is_err());
}

#[test]
fn packing_follows_from_several_options() {
    let slots = NonZeroUsize::new(3).unwrap();
    let packing = |words: &[&str]| {
        let RowsPerJob { at_most, slots, insert_nothing, limit, room: _ } = typed(words).packing(slots, 1000);
        (at_most.map(NonZeroUsize::get), slots.is_some(), insert_nothing, limit)
    };
    assert_eq!(packing(&[]), (Some(1), false, false, 1000));
    assert_eq!(packing(&["-n2"]), (Some(2), false, false, 1000));
    assert_eq!(packing(&["-n2", "-N0"]), (Some(1), false, true, 1000));
    assert_eq!(packing(&["-l0"]), (Some(1), false, false, 1000));
    assert_eq!(packing(&["-X", "-s20"]), (None, true, false, 19));
    assert_eq!(packing(&["-m", "-n4"]), (Some(4), true, false, 1000));
    assert_eq!(packing(&["--xargs"]), (None, false, false, 1000));
    let repeats = |words: &[&str]| typed(words).repeats_words();
    assert!(repeats(&["-X"]) && repeats(&["-N2"]) && repeats(&["-L2"]) && repeats(&["-N4", "-m"]));
    assert!(!repeats(&["-n2"]) && !repeats(&["-m"]) && !repeats(&["-l2"]) && !repeats(&["-L2", "-m"]));
}

#[test]
fn blocks_follow_from_several_options() {
    let separator = |words: &[&str]| typed(words).block_spec().unwrap().separator;
    let bytes = |end: &str, start: &str| Separator::Bytes { end: end.into(), start: start.into() };
    assert_eq!(separator(&["--pipe"]), bytes("\n", ""));
    assert_eq!(separator(&["--recstart", ">"]), bytes("", ">"));
    assert_eq!(separator(&["--recend", r"\n\n", "--recstart", ">"]), bytes("\n\n", ">"));
    assert_eq!(separator(&["-L2", "--recstart", ">"]), bytes("\n", ""));
    assert!(typed(&["--block", "0"]).block_spec().is_err());
}

#[test]
fn no_name_belongs_to_two_options() {
    // Of two meanings one is GNU parallel's.
    let theirs = ["cleanup", "verbose"];
    let rows = table::rows().filter(|row| row.scope.has(Scope::COMPARE) || !theirs.contains(&row.names[0]));
    let mut names: Vec<&str> = rows.flat_map(|row| row.names).copied().collect();
    names.sort_unstable();
    let doubled: Vec<&str> = names.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
    assert_eq!(doubled, [""; 0]);
}

/// The options of GNU parallel 20221122, as its own table has them: `|` between the
/// names of one.
const GNU: &str = "\
    debug|D xargs m X v sql sql-master|sqlmaster sql-worker|sqlworker sql-and-worker|sqlandworker \
    joblog|jl results|result|res resume resume-failed|resumefailed retry-failed|retryfailed silent \
    keep-order|keeporder|k no-keep-order|nokeeporder|nok|no-k group g ungroup|u \
    latest-line|latestline|ll line-buffer|line-buffered|linebuffer|linebuffered|lb tmux \
    tmux-pane|tmuxpane null|0 quote|q parens rpl plus I extensionreplace|er U basenamereplace|bnr \
    dirnamereplace|dnr basenameextensionreplace|bner seqreplace slotreplace jobs|j delay \
    ssh-delay|sshdelay load noswap max-line-length-allowed|maxlinelengthallowed \
    number-of-cpus|numberofcpus number-of-sockets|numberofsockets number-of-cores|numberofcores \
    number-of-threads|numberofthreads use-sockets-instead-of-threads|usesocketsinsteadofthreads \
    use-cores-instead-of-threads|usecoresinsteadofthreads \
    use-cpus-instead-of-cores|usecpusinsteadofcores shell-quote|shellquote|shell_quote nice tag \
    tag-string|tagstring ctag ctag-string|ctagstring color|colour \
    color-failed|colour-failed|colorfailed|colourfailed|color-fail|colour-fail|colorfail|colourfail|cf \
    onall nonall filter-hosts|filterhosts|filter-host sshlogin|S sshloginfile|slf controlmaster|M \
    ssh transfer-file|transferfile|transfer-files|transferfiles|tf return trc transfer cleanup \
    basefile|bf template|tmpl B ctrl-c|ctrlc no-ctrl-c|no-ctrlc|noctrlc work-dir|workdir|wd W \
    rsync-opts|rsyncopts tmpdir|tempdir \
    use-compress-program|compress-program|usecompressprogram|compressprogram \
    use-decompress-program|decompress-program|usedecompressprogram|decompressprogram compress \
    open-tty|o tty T H dry-run|dryrun|dr progress eta bar total-jobs|totaljobs|total shuf \
    arg-sep|argsep arg-file-sep|argfilesep trim env recordenv|record-env session plain profile|J \
    tollef gnu link|xapply linkinputsource|xapplyinputsource \
    will-cite|willcite|nn|nonotice|no-notice halt-on-error|haltonerror|halt limit memfree memsuspend \
    retries timeout term-seq|termseq max-procs|maxprocs|P delimiter|d max-chars|maxchars|s \
    arg-file|argfile|a no-run-if-empty|norunifempty|r replace|i E eof|e \
    process-slot-var|processslotvar max-args|maxargs|n max-replace-args|maxreplaceargs|N \
    col-sep|colsep|C csv help|h L max-lines|maxlines|l interactive|p verbose|t version|V \
    min-version|minversion show-limits|showlimits exit|x semaphore \
    semaphore-timeout|semaphoretimeout|st semaphore-name|semaphorename|id fg bg wait \
    shebang|hashbang _pipe-means-argfiles Y skip-first-line|skipfirstline bug pipe|spreadstdin \
    round-robin|roundrobin|round recstart recend regexp|regex remove-rec-sep|removerecsep|rrs \
    output-as-files|outputasfiles|files block-size|blocksize|block block-timeout|blocktimeout|bt \
    header cat fifo pipe-part|pipepart tee shard bin group-by|groupby \
    hgrp|hostgrp|hostgroup|hostgroups embed filter _parset shell-completion|shellcompletion _test";

/// What Perl's `Getopt::Long` makes of `name` there: the option of that name, or the
/// only one with a name that begins so.
fn in_gnu(name: &str) -> Option<&'static str> {
    let called = |option: &&str| option.split('|').any(|known| known == name);
    let begins = |option: &&str| option.split('|').any(|known| known.len() > 1 && known.starts_with(name));
    let mut begun = GNU.split_whitespace().filter(begins);
    match (GNU.split_whitespace().find(called), begun.next(), begun.next()) {
        (Some(option), ..) | (None, Some(option), None) => Some(option),
        _ => None,
    }
}

#[test]
fn every_option_of_gnu_parallel_is_a_row_by_all_of_its_names() {
    for option in GNU.split_whitespace() {
        for name in option.split('|') {
            let row = table::rows().find(|row| row.is_called(name) && row.is_gnu);
            assert!(row.is_some(), "{name}");
        }
    }
}

#[test]
fn no_option_of_its_own_takes_a_name_or_a_beginning_that_gnu_parallel_resolves() {
    for row in table::rows().filter(|row| !row.is_gnu) {
        for name in row.names.iter().filter(|name| row.scope.has(Scope::COMPARE) && name.len() > 1) {
            for length in 1..=name.len() {
                let typed = &name[..length];
                let Some(theirs) = in_gnu(typed) else { continue };
                let [ours] = table::long(typed, Scope::ONE_WAY)[..] else { panic!("--{typed}") };
                let is_theirs = theirs.split('|').any(|name| ours.is_called(name));
                assert!(is_theirs && ours.is_gnu, "--{typed} is {}", ours.shown());
            }
        }
    }
    let of = |name: &str, scope| match table::long(name, scope)[..] {
        [row] => (row.names[0], row.is_gnu),
        _ => panic!("--{name}"),
    };
    assert_eq!(of("time", Scope::ONE_WAY), ("timeout", true));
    assert_eq!(of("cleanup", Scope::ONE_WAY), ("cleanup", true));
    assert_eq!(of("cleanup", Scope::COMPARE), ("cleanup", false));
}

#[test]
fn compare_takes_every_option_that_help_tells_of_it() {
    for row in help::compared().into_iter().flat_map(|(_, rows)| rows) {
        let value = match row.value {
            "" => None,
            "WHEN" => Some("never"),
            "HOW" => Some("lr"),
            "SEQUENCE" => Some("TERM,25"),
            "WHO" => Some("processes"),
            "UNIT" => Some("ms"),
            "TIME" => Some("1h"),
            "WHICH" => Some("auto"),
            "ARG" => Some("-Cx"),
            _ => Some("1"),
        };
        let words = match value {
            // A step needs something to step through.
            Some(step) if row.value == "STEP" => {
                let scan = ["--parameter-scan", "x", "1", "2"].map(str::to_owned).to_vec();
                [scan, vec![row.shown(), step.to_owned()]].concat()
            }
            _ if row.value.contains(' ') => vec![row.shown(), "1".to_owned(), "1".to_owned(), "1".to_owned()],
            Some(value) if row.does.takes_value_after_equals() => vec![format!("{}={value}", row.shown())],
            Some(value) => vec![row.shown(), value.to_owned()],
            None => vec![row.shown()],
        };
        let words: Vec<OsString> = words.into_iter().map(Into::into).collect();
        let typed = parse(&words, Scope::COMPARE).unwrap_or_else(|error| panic!("{}: {error}", row.shown()));
        assert!(typed.given.iter().all(|given| given.not_compared.is_none()), "{}", row.shown());
    }
}

#[test]
fn what_clap_asks_of_a_command_holds() {
    generated::documented().debug_assert();
    command().debug_assert();
}

#[test]
fn options_that_several_subcommands_have_are_the_same_row() {
    let whole = generated::documented();
    let has = |name: &str, long: &str| {
        let command = whole.find_subcommand(name).unwrap();
        command.get_arguments().filter(|arg| arg.get_long() == Some(long)).count()
    };
    assert_eq!((has("parallel", "joblog"), has("serial", "joblog"), has("compare", "joblog")), (1, 1, 0));
    assert_eq!((has("parallel", "export-json"), has("compare", "export-json")), (1, 1));
    assert_eq!((has("parallel", "runs"), has("compare", "runs"), has("sleep", "runs")), (0, 1, 1));
}
