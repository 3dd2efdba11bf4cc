//! Typical mistakes: each answer is one line that names the cause and the next step, and
//! nothing is done or left.

use std::fs;
use std::os::unix::process::CommandExt as _;

use crate::support::{Fresh, Ran};

/// What is typed, the cause as the answer names it, and the next step.
#[rustfmt::skip]
const MISTAKES: &[(&str, &str, &str)] = &[
    // Subcommands and their places.
    ("slep", "there is no subcommand 'slep'", "did you mean 'sleep'?"),
    ("nonsense", "there is no subcommand 'nonsense'", "see parsim --help"),
    ("cvs ::: a", "there is no subcommand 'cvs'", "did you mean 'csv'?"),
    ("paralell echo ::: a", "there is no subcommand 'paralell'", "did you mean 'parallel'?"),
    ("help cvs", "there is no help on 'cvs'", "did you mean 'csv'?"),
    ("man cvs", "there is no subcommand 'cvs'", "did you mean 'csv'?"),
    ("echo ::: a", "there is no subcommand 'echo'", "to run a command over inputs: parsim parallel echo ::: a"),
    ("ls -l", "there is no subcommand 'ls'", "to run a command over inputs: parsim parallel ls -l ::: ..."),
    ("no-program :::: f", "there is no subcommand 'no-program'", "parsim parallel no-program :::: f"),
    ("-j2 echo ::: 1", "options stand behind a subcommand", "did you mean parsim parallel -j2 echo ::: 1?"),
    ("-j2 sleep {} ::: 1 2", "options stand behind a subcommand", "did you mean parsim parallel -j2 sleep {} ::: 1 2?"),
    ("-j2 compare sleep ::: 1", "options stand behind the subcommand", "did you mean parsim compare -j2 sleep ::: 1?"),
    ("sleep {} ::: 1 2", "parsim sleep takes no inputs", "did you mean parsim parallel sleep {} ::: 1 2?"),
    ("csv ::: a", "unexpected argument :::", "see parsim csv-gen --help"),
    ("--jobs 4 csv", "options stand behind the subcommand", "did you mean parsim csv --jobs 4?"),
    ("--color always", "unknown option --color", "options stand behind a subcommand, as in parsim csv"),
    ("parallel csv --files 2", "csv is a workload", "parsim csv --parallel"),
    ("compare csv", "csv is a workload, which runs both ways by itself", "parsim csv-gen"),
    ("compare", "nothing to run was given", "parsim compare sleep {} ::: 0.1 0.2"),
    ("compare a b", "there are no inputs", "parsim compare a ::: b"),
    ("compare gzip -k x.log", "there are no inputs", "parsim compare gzip -k ::: x.log"),
    ("compare 'sleep 1' 'sleep 2'", "there are no inputs", "parsim compare ::: 'sleep 1' 'sleep 2'"),
    // Names of options.
    ("csv --fiels 3", "unknown option --fiels", "did you mean --files? See parsim csv-gen --help"),
    ("csv --file 3", "unknown option --file", "did you mean --files?"),
    ("parallel --tga echo ::: 1", "unknown option --tga", "did you mean --tag?"),
    ("parallel --export-jsn x echo ::: 1", "unknown option --export-jsn", "did you mean --export-json?"),
    ("parallel --nonsense echo ::: 1", "unknown option --nonsense", "see parsim parallel --help"),
    ("compare --nonsense echo ::: 1", "unknown option --nonsense", "see parsim compare --help"),
    ("parallel --max 3 echo ::: 1", "option --max may be", "--max-args or --max-replace-args"),
    ("parallel --runs 10 echo ::: 1", "--runs is for both ways", "use parsim compare"),
    ("compare --parallel echo ::: 1", "--parallel is not supported", "use parsim parallel"),
    ("compare --joblog log echo ::: 1", "--joblog does not go with compare", "parsim parallel keep logs"),
    ("csv --setup true", "unknown option --setup", "--prepare CMD"),
    ("parallel -S -x echo ::: 1", "-S", "does not begin with a hyphen"),
    ("parallel --semaphore echo", "--semaphore is not supported", "see flock(1)"),
    // Values.
    ("parallel --timeout abc true ::: 1", "--timeout abc: expected seconds", "90s"),
    ("parallel --timeout -5 true ::: 1", "--timeout -5: expected seconds", "90s"),
    ("parallel --halt foo true ::: 1", "--halt foo: expected never", "now,fail=1"),
    ("parallel -j abc true ::: 1", "-j abc: give N, N%", "or a file with one of these"),
    ("parallel --jobs", "option --jobs needs a value", "--jobs N"),
    ("parallel --retries x true ::: 1", "--retries x", "not a whole number"),
    ("parallel --memfree 2X true ::: 1", "--memfree 2X: expected a size", "64k or 1.5G"),
    ("parallel --summary=perhaps true ::: 1", "--summary perhaps", "expected auto, always or never"),
    ("parallel --colsep '(' echo ::: a", "--colsep is not a regular expression", "unclosed group"),
    ("serial -j 4 echo ::: a", "serial means one task at a time", "leave -j out, or run it in parallel"),
    ("compare --runs 0 true ::: 1", "--runs 0", "must be at least 1"),
    ("compare --min-speedup fast true ::: 1", "--min-speedup fast", "expected a number of at least 0"),
    ("csv --files x", "--files x: not a whole number", "see parsim csv-gen --help"),
    ("csv --files 99999999999999999999", "--files 99999999999999999999: too large", "--help"),
    ("csv --rng nump", "--rng nump: expected one of numpy-legacy, numpy, fast", "did you mean numpy?"),
    ("csv --dist normal", "NumPy's streams", "add --rng fast"),
    ("csv --progress never", "--progress takes its value after an equals sign", "--progress=<WHEN>"),
    ("csv --serial=3", "option --serial takes no value", "see parsim csv-gen --help"),
    ("csv --jobs", "option --jobs needs a value", "--jobs <N>; see parsim csv-gen --help"),
    ("csv -j 4-2", "--jobs 4-2", "1,2,4 or 1-8, upwards"),
    ("csv --serial -j 2", "serial means one task at a time", "leave -j out"),
    ("csv --serial --min-speedup 2", "--min-speedup and --fail-if-slower compare both ways", "leave --serial out"),
    ("csv extra", "unexpected argument extra", "see parsim csv-gen --help"),
    ("sleep --runs 0", "--runs 0", "at least 1; see parsim sleep --help"),
    ("sleep --runs -1", "--runs -1", "not a whole number"),
    ("sleep --tasks -1", "--tasks -1", "not a whole number; see parsim sleep --help"),
    ("sleep --seconds x", "--seconds x: not a number", "see parsim sleep --help"),
    ("sleep --seconds -1", "--seconds -1", "give a time of 0 or more seconds"),
    ("sleep --seconds nan", "--seconds NaN", "give a time of 0 or more seconds"),
    ("sleep --seconds 1e300", "--seconds 1", "too long to wait for"),
    // Files.
    ("parallel -a nowhere echo", "cannot open nowhere", "no such file"),
    ("parallel echo :::: nowhere", "cannot open nowhere", "no such file"),
    ("parallel --joblog no/log true ::: 1", "--joblog no/log", "no such file or directory"),
    ("parallel --resume true ::: 1", "--resume-failed need --joblog FILE", "or --results OUT"),
    ("parallel --export-json no/x true ::: 1", "cannot open no/x for --export-json", "no such file"),
    ("parallel --shell no-shell 'true;' ::: 1", "cannot run the shell no-shell", "--shell PATH names another"),
    ("parallel --no-shell 'true | true' ::: 1", "--no-shell: the command needs a shell", "leave --no-shell out"),
    ("parallel --pipe", "--pipe needs a command", "parsim parallel --pipe wc -l"),
    ("parallel --block 1M echo ::: a", "--block needs --pipe", "what jobs read"),
    ("report", "an argument is missing: <STUDY.json>", "see parsim report --help"),
    ("report nowhere.json", "cannot read nowhere.json", "no such file"),
    ("completions", "an argument is missing: <SHELL>", "see parsim completions --help"),
    ("completions tcsh", "SHELL tcsh: expected one of bash, zsh, fish", "parsim completions --help"),
];

/// The same of services.
#[cfg(feature = "net")]
#[rustfmt::skip]
const OF_SERVICES: &[(&str, &str, &str)] = &[
    ("tap --insecure http://h", "unknown option --insecure", "--cacert FILE"),
    ("tap --urls nowhere", "cannot read URLs from nowhere", "no such file"),
    ("tap no-url", "no-url: no scheme", "http:// or https://"),
    ("tap --cacert nowhere http://127.0.0.1:1", "cannot read certificates from nowhere", "no such file"),
    ("tap --format nagio --demo", "--format nagio: expected one of text, json-lines, nagios", "did you mean nagios?"),
];

#[cfg(not(feature = "net"))]
const OF_SERVICES: &[(&str, &str, &str)] = &[];

fn answer(fresh: &Fresh, line: &str) -> Ran {
    fresh.parsim("").args(shell_words::split(line).unwrap()).run()
}

#[test]
fn typical_mistakes_are_answered_in_one_line_with_cause_and_next_step() {
    let fresh = Fresh::new();
    for (line, cause, next) in MISTAKES.iter().chain(OF_SERVICES) {
        let ran = answer(&fresh, line);
        ran.refuses(cause).tells(next);
        ran.expect(!ran.stderr.contains("os error"), "no number of the system's");
    }
    assert!(fresh.names(".").is_empty());
}

#[test]
fn a_file_that_is_no_study_is_answered_with_what_it_is_not() {
    let fresh = Fresh::new();
    fs::write(fresh.path("notes.txt"), "notes\n").unwrap();
    answer(&fresh, "report notes.txt").refuses("cannot read notes.txt: not a study that parsim saved");
}

#[test]
fn what_parsim_is_called_is_no_word_of_the_line() {
    let fresh = Fresh::new();
    let called = |name: &str, line: &str| {
        let mut line = fresh.parsim(line);
        line.command().arg0(name);
        line.run()
    };
    for name in ["csv", "/x/help", ":::", "--jobs", ""] {
        called(name, "--jobs 4").refuses("unknown option --jobs: options stand behind a subcommand");
        called(name, "--jobs 4 sleep").refuses("did you mean parsim sleep --jobs 4?");
        called(name, "slep").refuses("there is no subcommand 'slep': did you mean 'sleep'?");
    }
}
