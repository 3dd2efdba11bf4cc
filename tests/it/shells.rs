//! Which shell runs jobs, and what it knows and is given there.

use std::fs;
use std::os::unix::fs::symlink;

use crate::support::{Fresh, Line, Ran};

/// A line that `parsim` is followed by, as a script of `shell` has it, in which it is
/// not the last: a shell may put that in its own place.
fn script(fresh: &Fresh, shell: &str, lines: &str) -> Line {
    fs::write(fresh.path("script"), format!("{lines}\ntrue\n")).unwrap();
    // No start-up files of whoever runs the tests, and none left to them.
    fresh.shell(&format!("{shell} script")).env("HOME", fresh.path("home"))
}

fn said(shell: &str, lines: &str) -> String {
    ran(shell, lines).exits(0).stdout.clone()
}

fn ran(shell: &str, lines: &str) -> Ran {
    script(&Fresh::new(), shell, lines).env("SHELL", "/bin/false").run()
}

fn is_here(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).exists())
}

#[test]
fn a_script_s_jobs_run_in_the_shell_that_runs_the_script() {
    for (shell, job, output) in [
        ("bash", "v=(x y); [[ {} == a* ]] && echo ${v[1]}", "y\n"),
        ("zsh", "v=(x y); echo ${v[1]} ${(U):-{}}", "x A\n"),
        ("dash", "echo {} \"${BASH_VERSION-}${ZSH_VERSION-}${KSH_VERSION-}\"; :", "a \n"),
        ("sh", "echo {} ${ZSH_VERSION-}; :", "a\n"),
        ("ksh", "v=(x y); echo {} ${KSH_VERSION:+ksh}", "a ksh\n"),
        ("mksh", "echo {} ${KSH_VERSION:+ksh}", "a ksh\n"),
        ("busybox sh", "echo {} ${BB_ASH_VERSION+busybox}; :", "a busybox\n"),
        ("fish", "set v x y; echo $v[2] {}", "y a\n"),
        ("tcsh", "set v = (x y); echo $v[2] {}", "y a\n"),
        ("rc", "v=(x y); echo $v(2) {}", "y a\n"),
    ] {
        if !is_here(shell.split(' ').next().unwrap()) {
            continue;
        }
        let said = said(shell, &format!("parsim parallel '{job}' ::: a"));
        // Not every ash tells that it is busybox's.
        let usual = output.replace(" busybox", "");
        assert!(said == output || said == usual && shell.contains("busybox"), "{shell}: {said:?}");
    }
}

#[test]
fn what_stands_between_a_script_and_parsim_does_not_hide_its_shell() {
    let job = "parallel '[[ {} == a ]] && echo {}; :' ::: a";
    for between in ["timeout 60", "nice", "env", "timeout 60 nice env"] {
        assert_eq!(said("bash", &format!("{between} parsim {job}")), "a\n", "{between}");
    }
    if is_here("make") {
        // What needs no shell make starts itself.
        let makefile = "printf 'x:\\n\\t@parsim parallel -a commands\\n' >makefile";
        let commands = "echo '[[ a == a ]] && echo ${BASH_VERSION:+bash}' >commands";
        assert_eq!(said("bash", &format!("{makefile}\n{commands}\nmake -f makefile x")), "bash\n");
    }
}

#[test]
fn comparisons_and_what_is_run_around_them_use_the_same_shell() {
    let hooks = "--prepare '[[ a == a ]] && echo before >>log' --cleanup '[[ a == a ]] && echo after >>log'";
    let lines = format!("parsim compare {hooks} '[[ {{}} == a ]] && echo {{}} >>log; :' ::: a && cat log");
    let ran = ran("bash", &lines);
    ran.exits(0).says("before\na\nafter\nbefore\na\nafter\n");
}

#[test]
fn variables_name_a_shell_and_one_that_cannot_run_is_passed_over_and_told() {
    let job = "parsim parallel 'echo $0; :' ::: a";
    let dash = format!("PARALLEL_SHELL=/bin/sh {job}");
    assert_eq!(said("bash", &dash), "/bin/sh\n");
    assert_eq!(
        said("bash", &format!("PARALLEL_SHELL=bash PARSIM_SHELL=sh {job} | grep -o '[^/]*$'")),
        "sh\n"
    );
    for (shell, why) in [
        ("/no/such/shell", "no such program"),
        ("/", "not executable"),
        ("/etc/passwd", "not executable"),
        ("no-such-shell", "no such program"),
        ("/bin/false", "runs no commands"),
    ] {
        let ran = ran("bash", &format!("PARALLEL_SHELL={shell} {job}"));
        ran.exits(0)
            .says("/bash\n")
            .tells_one_line(&format!("$PARALLEL_SHELL: {shell}: {why}; jobs run in /"));
    }
    ran("bash", "parsim parallel --shell /no/such 'echo | cat' ::: a || exit $?").exits(255);
}

#[test]
fn the_shell_of_an_account_that_nobody_logs_into_is_passed_over() {
    let fresh = Fresh::new();
    symlink("/bin/false", fresh.path("nologin")).unwrap();
    for shell in [fresh.path("nologin").to_str().unwrap(), "/bin/false", "/bin/true", "/no/such", "/", "x/y"]
    {
        // Nothing between parsim and the tests' own ancestors but a process of none.
        let ran = script(&fresh, "sh", "parsim parallel 'echo {} | tr a b' ::: a").env("SHELL", shell).run();
        ran.exits(0).is_quiet().expect(ran.stdout == "b\n", "the job ran");
    }
}

#[test]
fn a_value_is_one_word_in_fish_and_no_command() {
    if !is_here("fish") {
        return;
    }
    let fresh = Fresh::new();
    let values = ["C:\\\\dir\\x", "a\\'b", "a\\'b\\';touch hit;#", "'", "\\", "$x(y)", "a\nb"];
    let line = fresh.parsim("parallel -0 -k").env("PARALLEL_SHELL", "fish").env("HOME", fresh.path("home"));
    let ran = line.args(["printf '%s\\0' {};:", ":::"]).args(values).run();
    ran.exits(0).expect(ran.stdout == values.map(|value| format!("{value}\0")).concat(), "the values");
    let ran = fresh
        .parsim("parallel -k -q printf %s\\n")
        .env("PARALLEL_SHELL", "fish")
        .env("HOME", fresh.path("home"))
        .args([":::", "a\\'b"])
        .run();
    ran.exits(0).expect(ran.stdout == "a\\'b\n", "quoted words");
    let ran = fresh
        .parsim("parallel --shellquote")
        .env("PARALLEL_SHELL", "fish")
        .env("HOME", fresh.path("home"))
        .args([":::", "a\\'b"])
        .run();
    ran.exits(0).expect(ran.stdout == "'a\\\\\\'b'\n", "quoted for fish");
    assert!(!fresh.path("hit").exists(), "a value was run");
}

#[test]
fn exported_functions_are_known_however_jobs_are_offered_what_they_read() {
    let f = "f() { echo \"$1 $(cat $2)\"; }; export -f f; printf 'x\\n' >in";
    for (line, output) in [
        ("parsim parallel --pipe --fifo 'f a {}' <in", "a x\n"),
        ("parsim parallel --pipe --cat 'f b {}' <in", "b x\n"),
        ("parsim parallel --pipe f c <in", "c x\n"),
        ("parsim parallel --pipe-part -a in f d", "d x\n"),
        ("parsim parallel --pipe-part --fifo -a in f e {}", "e x\n"),
        ("parsim parallel --pipe --tee f {} ::: g <in", "g x\n"),
        ("parsim parallel --pipe --round-robin f h <in", "h x\n"),
        ("parsim parallel -q f ::: i <in", "i \n"),
        // Other variables that are none to sh.
        ("env a.b=c parsim parallel --pipe --fifo 'env | grep ^a.b=; cat {}' <in", "a.b=c\nx\n"),
        // A function of the name of what stands between is not run in its place.
        ("cat() { echo mine; }; export -f cat; parsim parallel --pipe --fifo 'command cat {}' <in", "x\n"),
    ] {
        assert_eq!(said("bash", &format!("{f}\n{line}")), output, "{line}");
    }
}

#[test]
fn a_text_without_an_interpreter_line_is_run_by_the_shell() {
    let text = "printf '[[ $1 == a ]] && f $1\\n' >text; chmod +x text; f() { echo f$1; }; export -f f";
    assert_eq!(said("bash", &format!("{text}\nparsim parallel ./text ::: a")), "fa\n");
}

#[test]
fn definitions_of_the_caller_are_known_to_jobs_and_not_handed_on() {
    let defined = "export PARALLEL_ENV='v=\"a b\"; f() { echo \"f$1 $v$(cat)\"; }'; printf 'x\\n' >in";
    for (line, output) in [
        ("parsim parallel -k f ::: 1 2", "f1 a b\nf2 a b\n"),
        ("parsim parallel 'echo \"${v}{}\" \"${PARALLEL_ENV-none}\"' ::: 1", "a b1 none\n"),
        ("parsim serial f ::: 1", "f1 a b\n"),
        ("printf 'f 1\\n' | parsim parallel", "f1 a b\n"),
        ("parsim parallel --pipe f 2 <in", "f2 a bx\n"),
        ("parsim parallel --pipe --cat 'f 3; cat {}' <in", "f3 a bx\nx\n"),
        ("parsim parallel --pipe --fifo 'cat {}; f 4' <in", "x\nf4 a b\n"),
        ("parsim parallel -j1 -X f ::: 5 6", "f5 a b\n"),
        ("parsim parallel --dry-run f ::: 7", "f 7\n"),
        ("parsim parallel --joblog log f ::: 8; tail -n1 log | cut -f9", "f8 a b\nf 8\n"),
        ("parsim compare f ::: 9 >report && echo same", "same\n"),
        ("PARALLEL_ENV=in; echo 'g() { echo g$1; }' >in; parsim parallel g ::: 1", "g1\n"),
        ("printf 'h() {\\001echo h$1;}\\001' >in; PARALLEL_ENV=$(cat in) parsim parallel h ::: 1", "h1\n"),
        // A program's name may be a function's.
        ("PARALLEL_ENV='expr() { echo mine; }' parsim parallel expr ::: 1", "mine\n"),
    ] {
        assert_eq!(said("bash", &format!("{defined}\n{line}")), output, "{line}");
        assert_eq!(said("sh", &format!("{defined}\n{line}")), output, "{line} in sh");
    }
    let ran = ran("bash", "PARALLEL_ENV=f=1 parsim parallel --no-shell echo ::: 1 || exit $?");
    ran.exits(255).tells_one_line("--no-shell");
    let ran = script(&Fresh::new(), "bash", "PARALLEL_ENV=. parsim parallel echo ::: 1 || exit $?").run();
    ran.exits(255).tells_one_line("$PARALLEL_ENV");
}

#[test]
fn long_definitions_leave_room_for_long_lines() {
    let long = "v=$(printf %090000d 0); PARALLEL_ENV=\"set -- other arguments; v=$v\"; export PARALLEL_ENV";
    let job = "parsim parallel 'echo ${#v} $(printf %s {} | wc -c) ${parsim_line-}' ::: $(printf %060000d 0)";
    for shell in ["bash", "dash", "zsh", "ksh", "mksh", "busybox sh"] {
        if is_here(shell.split(' ').next().unwrap()) {
            assert_eq!(said(shell, &format!("{long}\n{job}")), "90000 60000\n", "{shell}");
        }
    }
}

#[test]
fn aliases_among_the_definitions_are_known_in_every_shell_that_has_them() {
    let fresh = Fresh::new();
    let greets = |shell: &str, definition: &str| {
        if is_here(shell) {
            let line = script(&fresh, shell, "parsim parallel greet ::: you");
            let ran = line.env("PARALLEL_ENV", definition).run();
            ran.exits(0).expect(ran.stdout == "hi you\n", shell);
        }
    };
    greets("bash", "shopt -s expand_aliases\nalias greet='echo hi'");
    for shell in ["zsh", "dash", "ksh", "mksh", "tcsh"] {
        let equals = if shell == "tcsh" { " " } else { "=" };
        greets(shell, &format!("alias greet{equals}'echo hi'"));
    }
    greets("fish", "function greet\u{1}echo hi $argv\u{1}end");
}
