//! Man pages, completions and the version: what is installed beside the program.

use std::fs;
use std::io::Write as _;

use crate::support::Fresh;

#[test]
fn the_version_is_that_of_the_package_with_the_commit_where_there_is_one() {
    let fresh = Fresh::new();
    for flag in ["--version", "-V"] {
        let ran = fresh.parsim(flag).run();
        let rest = ran.stdout.strip_prefix(concat!("parsim ", env!("CARGO_PKG_VERSION")));
        let rest = rest.and_then(|rest| rest.strip_suffix('\n')).unwrap_or("no version");
        let commit = rest.strip_prefix(" (").and_then(|rest| rest.strip_suffix(')'));
        let is_commit = |commit: &str| {
            let sha1 = commit.split([' ', ',']).next().unwrap();
            sha1.len() >= 7 && sha1.chars().all(|digit| digit.is_ascii_hexdigit())
        };
        ran.exits(0).is_quiet();
        ran.expect(rest.is_empty() || commit.is_some_and(is_commit), "name, version, perhaps a commit");
    }
    let for_scripts = fresh.parsim("parallel --version").run();
    for_scripts.exits(0).expect(for_scripts.stdout.starts_with("GNU parallel 20221122\n"), "the date first");
    for_scripts.says(", accepts GNU parallel ");
}

#[test]
fn every_subcommand_has_a_man_page_and_all_are_listed() {
    let fresh = Fresh::new();
    fresh.parsim("man --out-dir share/man1").run().exits(0).is_quiet();
    let whole = fresh.parsim("man").run();
    whole.exits(0).is_quiet().says(".SH NAME\nparsim \\- ").says("\n.SH \"EXIT STATUS\"\n");
    let names = fresh.names("share/man1");
    assert!(names.len() >= 10, "{names:?}");
    for name in names.iter().filter(|name| *name != "parsim.1") {
        let page = fs::read_to_string(fresh.path("share/man1").join(name)).unwrap();
        let subcommand = name.strip_prefix("parsim-").and_then(|name| name.strip_suffix(".1")).unwrap();
        whole.says(&format!("\nparsim\\-{}(1)\n", subcommand.replace('-', "\\-")));
        assert!(page.contains(".SH NAME\n") && page.contains(".SH \"SEE ALSO\"\n"), "{name}: {page}");
        assert_eq!(fresh.parsim(&format!("man {subcommand}")).run().stdout, page);
    }
    fresh
        .parsim("man parallel")
        .run()
        .says("\\fB\\-\\-joblog\\fR")
        .says("\n.SH \"DELIBERATE DIFFERENCES\"\n");
    let hosts = fresh.parsim("man hosts").run();
    hosts.says("\\fB\\-\\-sshlogin\\fR").says("\\fB\\-\\-ssh\\-worker\\fR").says("round trip");
    fresh.parsim("man nothing").run().refuses("there is no subcommand 'nothing'");
}

/// Loads the completions, and shows what they offer for the last word.
const COMPLETE: &str = r#"
eval "$(parsim completions bash)"
compopt() { :; }
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_parsim_batch parsim "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf "%s\n" "${COMPREPLY[@]}"
"#;

#[test]
fn bash_completes_subcommands_options_their_values_and_the_command_of_a_batch() {
    let fresh = Fresh::new();
    fs::write(fresh.path("complete"), COMPLETE).unwrap();
    fs::write(fresh.path("two words"), "").unwrap();
    for (line, expected) in [
        ("csv --file", "--files"),
        ("csv --rng numpy-", "numpy-legacy"),
        ("csv --progress = al", "always"),
        ("parallel --jobl", "--joblog"),
        ("compare --jobl", ""),
        ("compare --warm", "--warmup"),
        ("help gn", "gnu"),
        ("completions zs", "zsh"),
        ("man para", "parallel"),
        ("man comp", "compare completions"),
        ("parallel --arg-file tw", "two words"),
        ("compare --outputs tw", "two words"),
        ("parallel --summary ne", "never"),
        // A command is found behind options, with values and without.
        ("serial disown", "disown"),
        ("parallel -k --joblog = x -j 2 --bar disown", "disown"),
        ("parallel -P 2 --max-procs 2 disown", "disown"),
        ("parallel --cleanup disown", "disown"),
        // So it is behind inputs with names, whoever's letters they are.
        ("compare --parameter-list x a,b disown", "disown"),
        ("compare --parameter-scan x 1 2 disown", "disown"),
        ("compare -L x a,b disown", "disown"),
        ("compare -L 2 disown", "disown"),
        ("compare -P x 1 2.5 -D 0.5 disown", "disown"),
        ("compare -P 2 -u ms disown", "disown"),
        ("compare -P jobs disown", "disown"),
        // What follows it is its own, or the files that bash offers by itself.
        ("parallel disown --jobl", ""),
        ("parallel disown ::: disown", ""),
    ] {
        let ran = fresh.shell(&format!("bash complete parsim {line}")).run();
        // A program of a builtin's name is offered once more.
        let mut offered: Vec<&str> = ran.stdout.lines().filter(|line| !line.is_empty()).collect();
        offered.dedup();
        ran.exits(0).is_quiet().expect(offered.join(" ") == expected, expected);
    }
}

/// Whether `shell` is here; says so where it is not.
fn has(shell: &str) -> bool {
    let is_here = Fresh::new().shell(&format!("command -v {shell}")).run().has_exited(0);
    if !is_here {
        let line = format!("{shell} is not installed: its completions were not tried\n");
        let _ = std::io::stderr().write_all(line.as_bytes());
    }
    is_here
}

#[test]
fn fish_completes_options_before_the_command_of_a_batch_and_the_commands_own_behind_it() {
    if !has("fish") {
        return;
    }
    let fresh = Fresh::new();
    fs::write(fresh.path("two words"), "").unwrap();
    for (line, expected) in [
        ("csv --files", "--files"),
        ("man para", "parallel"),
        ("completions zs", "zsh"),
        ("parallel --jobl", "--joblog"),
        ("parallel -k -j 2 --jobl", "--joblog"),
        ("parallel -a tw", "two words"),
        ("parallel cat tw", "two words"),
        ("parallel cat --jobl", ""),
        ("parallel -j 2 cat --jobl", ""),
        ("compare --parameter-list x a,b cat tw", "two words"),
        ("compare --parameter-scan x 1 2 cat tw", "two words"),
        ("compare --parameter-scan x 1 2 --warm", "--warmup"),
        ("compare -L x a,b --warm", "--warmup"),
        ("compare -L x a,b cat tw", "two words"),
        ("compare -L 2 cat tw", "two words"),
        ("compare -P x 1 2.5 -D 0.5 cat tw", "two words"),
        ("parallel -P 2 cat tw", "two words"),
        ("compare --jobl", ""),
        ("compare --warm", "--warmup"),
        ("report tw", "two words"),
    ] {
        let script = format!("fish -c 'parsim completions fish | source; complete -C \"parsim {line}\"'");
        let ran = fresh.shell(&script).env("HOME", fresh.path(".")).run();
        let offered: Vec<&str> =
            ran.stdout.lines().map(|line| line.split('\t').next().unwrap_or_default()).collect();
        ran.exits(0).expect(offered.join(" ") == expected, expected);
    }
}

#[test]
fn zsh_takes_its_completions() {
    if !has("zsh") {
        return;
    }
    let script = "parsim completions zsh >_parsim && zsh -f -c \
        'autoload -Uz compinit && compinit -u -D && fpath=(. $fpath) && autoload -Uz +X _parsim && zsh -n _parsim'";
    Fresh::new().shell(script).run().exits(0).is_quiet();
}

#[test]
fn other_shells_are_told_the_same_options() {
    let fresh = Fresh::new();
    let zsh = fresh.parsim("completions zsh").run();
    zsh.exits(0).is_quiet().says("#compdef parsim\n").says("'--joblog=[").says("_cmdambivalent");
    let fish = fresh.parsim("completions fish").run();
    fish.exits(0).is_quiet().says(" -l joblog -d ").says("(__parsim_complete_command)");
    fresh.parsim("completions tcsh").run().refuses("SHELL tcsh").tells("parsim completions --help");
    fresh.parsim("completions").run().refuses("SHELL");
}
