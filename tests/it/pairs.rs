//! Options about inputs and packing beside those that give jobs blocks to read:
//! each has its effect there, or is refused by name.

use crate::support::Fresh;

/// What an option is to do beside another.
enum Does {
    /// The jobs print this.
    Says(&'static str),
    /// It is refused by the name it was given, and so is the other.
    Refused(&'static str),
}

use Does::{Refused, Says};

/// The ways of giving jobs blocks: the name, the options and what each job runs.
const MODES: [(&str, &str, &str); 6] = [
    ("--pipe", "--pipe --block 4", "cat; echo -"),
    ("--pipe-part", "--pipe-part -a in --block 3", "cat; echo -"),
    ("--round-robin", "--pipe --round-robin -j1 --block 4", "cat; echo -"),
    ("--cat", "--cat --block 4", "cat {}; echo -"),
    ("--fifo", "--fifo --block 4", "cat {}; echo -"),
    ("--tee", "--pipe --tee", "cat; echo -"),
];

const INPUT: &str = "1\n2\n3\n4\n5\n";

fn ask(mode: (&str, &str, &str), option: &str, does: &Does, values: &str) {
    let (name, options, command) = mode;
    let fresh = Fresh::new();
    std::fs::write(fresh.path("in"), INPUT).unwrap();
    let script = format!("parsim parallel -k {options} {option} '{command}' {values} <in");
    let ran = fresh.shell(&script).run();
    match does {
        Says(text) => {
            ran.exits(0).is_quiet();
            assert_eq!(ran.stdout, *text, "{script}");
        }
        Refused(other) => {
            // `-N3` is `-N`; of two options one is enough.
            let mut names = option.split(' ').filter(|word| word.starts_with('-')).map(|word| match word {
                long if long.starts_with("--") => long.split('=').next().unwrap(),
                short => &short[..2],
            });
            let is_named = option.is_empty() || names.any(|name| ran.stderr.contains(name));
            ran.exits(255).tells(other).expect(is_named, "the option's name");
            ran.expect(ran.stdout.is_empty(), "no job ran");
            assert!(options.contains(name), "{name}");
        }
    }
}

#[test]
fn what_is_about_values_is_refused_where_jobs_are_given_none() {
    let options = [
        "-0",
        "--null",
        "-d,",
        "--delimiter ,",
        "--colsep ,",
        "--trim lr",
        "-E 3",
        "--eof=3",
        "--link",
        "-X",
        "-m",
        "--xargs",
        "-s 100",
        "--max-chars=100",
        "-x",
        "--shuf",
    ];
    for mode in MODES {
        for option in options {
            ask(mode, option, &Refused(mode.1.split(' ').next().unwrap()), "");
        }
    }
}

#[test]
fn what_is_about_values_has_its_effect_where_jobs_are_given_some() {
    let [pipe, _, _, cat, fifo, tee] = MODES;
    let named =
        |mode: (&'static str, &'static str, &'static str)| (mode.0, mode.1, "cat >/dev/null; echo {}");
    let all: [(&str, &str, &str); 9] = [
        ("-d ,", "::: a,b", "a\nb\n"),
        ("-0", "::: a b", "a\nb\n"),
        ("--colsep ,", "::: a,b", "a b\n"),
        ("--trim lr", "::: ' a '", "a\n"),
        ("-E b", "::: a b", "a\n"),
        ("-r", "::: ' ' a", "a\n"),
        ("--skip-first-line", "::: a b", "b\n"),
        ("-X", "::: a b", "a b\n"),
        ("--link", "::: a b ::: c d", "a c\nb d\n"),
    ];
    for (option, values, says) in all {
        ask(named(tee), &format!("{option} -j1"), &Says(says), values);
        let first = says.lines().next().map(|line| format!("{line}\n")).unwrap();
        // One value for each block; what is over has none.
        let mode = (pipe.0, "--pipe --block 100 -j1", "cat >/dev/null; echo {}");
        let ran = format!("parsim parallel -k {} {option} '{}' {values} <in", mode.1, mode.2);
        let fresh = Fresh::new();
        std::fs::write(fresh.path("in"), INPUT).unwrap();
        assert_eq!(fresh.shell(&ran).run().exits(0).is_quiet().stdout, first, "{option}");
    }
    // How values are ordered has no meaning for blocks.
    ask(pipe, "--shuf", &Refused("--pipe"), "::: a b");
    for mode in [cat, fifo] {
        ask(mode, "", &Refused(":::"), "::: a b");
    }
}

#[test]
fn what_is_about_blocks_has_its_effect_or_is_refused() {
    let by_mode: [(&str, [Does; 6]); 12] = [
        ("", {
            const CUT: &str = "1\n2\n-\n3\n4\n-\n5\n-\n";
            [
                Says(CUT),
                Says("1\n2\n-\n3\n4\n-\n5\n-\n"),
                Says("1\n2\n3\n4\n5\n-\n"),
                Says(CUT),
                Says(CUT),
                Says("1\n2\n3\n4\n5\n-\n"),
            ]
        }),
        ("-N3", {
            const CUT: &str = "1\n2\n3\n-\n4\n5\n-\n";
            [Says(CUT), Says(CUT), Says("1\n2\n3\n4\n5\n-\n"), Says(CUT), Says(CUT), Refused("--tee")]
        }),
        ("-n3", {
            const CUT: &str = "1\n2\n3\n-\n4\n5\n-\n";
            [Says(CUT), Says(CUT), Says("1\n2\n3\n4\n5\n-\n"), Says(CUT), Says(CUT), Refused("--tee")]
        }),
        ("-L1 -N3", {
            const CUT: &str = "1\n2\n3\n-\n4\n5\n-\n";
            [Says(CUT), Says(CUT), Says("1\n2\n3\n4\n5\n-\n"), Says(CUT), Says(CUT), Refused("--tee")]
        }),
        ("-l2", {
            const CUT: &str = "1\n2\n-\n3\n4\n-\n5\n-\n";
            [Says(CUT), Says(CUT), Says("1\n2\n3\n4\n5\n-\n"), Says(CUT), Says(CUT), Refused("--tee")]
        }),
        ("--skip-first-line", {
            const CUT: &str = "2\n3\n-\n4\n5\n-\n";
            [Says(CUT), Says(CUT), Says("2\n3\n4\n5\n-\n"), Says(CUT), Says(CUT), Refused("--tee")]
        }),
        ("--header :", {
            const CUT: &str = "1\n2\n3\n-\n1\n4\n5\n-\n";
            [Says(CUT), Says(CUT), Says("1\n2\n3\n4\n5\n-\n"), Says(CUT), Says(CUT), Refused("--tee")]
        }),
        ("--skip-first-line --header :", {
            const CUT: &str = "2\n3\n4\n-\n2\n5\n-\n";
            [Says(CUT), Says(CUT), Says("2\n3\n4\n5\n-\n"), Says(CUT), Says(CUT), Refused("--tee")]
        }),
        ("--recend 3", {
            const CUT: &str = "1\n2\n3-\n\n4\n5\n-\n";
            [Says(CUT), Says(CUT), Says("1\n2\n3\n4\n5\n-\n"), Says(CUT), Says(CUT), Refused("--tee")]
        }),
        ("--recstart 3", {
            const CUT: &str = "1\n2\n-\n3\n4\n5\n-\n";
            [Says(CUT), Says(CUT), Says("1\n2\n3\n4\n5\n-\n"), Says(CUT), Says(CUT), Refused("--tee")]
        }),
        ("--rrs", {
            const CUT: &str = "12-\n34-\n5-\n";
            [Says(CUT), Says(CUT), Says("12345-\n"), Says(CUT), Says(CUT), Refused("--tee")]
        }),
        ("-r", {
            const CUT: &str = "1\n2\n-\n3\n4\n-\n5\n-\n";
            [
                Says(CUT),
                Refused("--pipe-part"),
                Says("1\n2\n3\n4\n5\n-\n"),
                Says(CUT),
                Says(CUT),
                Refused("--tee"),
            ]
        }),
    ];
    for (option, does) in &by_mode {
        for (mode, does) in MODES.into_iter().zip(does) {
            ask(mode, option, does, "");
        }
    }
}

#[test]
fn what_belongs_together_is_refused_apart() {
    let fresh = Fresh::new();
    let refused = |line: &str, names: [&str; 2]| {
        let ran = fresh.shell(&format!("seq 3 | parsim parallel {line}")).run();
        ran.exits(255).tells(names[0]).tells(names[1]);
        ran.expect(ran.stdout.is_empty(), "no job ran");
    };
    for option in ["--block 1k", "--recstart a", "--recend a", "--regexp", "--rrs", "--round-robin", "--tee"]
    {
        refused(&format!("{option} echo"), [option.split(' ').next().unwrap(), "--pipe"]);
    }
    refused("--cat --fifo cat", ["--cat", "--fifo"]);
    refused("--cat -q cat", ["-q", "--cat"]);
    refused("--pipe --tee --round-robin cat", ["--round-robin", "--tee"]);
    refused("--pipe --tee --cat cat ::: a", ["--cat", "--tee"]);
    refused("--pipe --round-robin --retries 2 cat", ["--retries", "--round-robin"]);
    refused("--pipe --round-robin --joblog l --resume cat", ["--resume", "--round-robin"]);
    refused("--pipe --joblog l --retry-failed cat", ["--retry-failed", "--pipe"]);
    refused("--pipe --csv --recend ';' cat", ["--recend", "--csv"]);
    refused("--pipe -L2 --recend ';' cat", ["--recend", "-L"]);
    let ran = fresh.parsim("compare --recend x echo ::: a").run();
    ran.exits(255).tells("--recend").tells("compare");
}

#[test]
fn a_default_that_does_not_go_with_what_was_typed_is_left_out() {
    let fresh = Fresh::new();
    for (defaults, line) in [("-k --block 10M", "echo ::: a"), ("-r -0", "--pipe cat")] {
        let script = format!("printf 'a\\n' | PARSIM='{defaults}' parsim parallel {line}");
        assert_eq!(fresh.shell(&script).run().exits(0).is_quiet().stdout, "a\n", "{defaults}");
    }
}

#[test]
fn blank_lines_are_left_out_of_blocks_where_that_is_asked_for() {
    let says = |input: &str, rest: &str| {
        let script = format!("printf '{input}' | parsim parallel -k -r --pipe {rest}");
        Fresh::new().shell(&script).run().exits(0).is_quiet().stdout.clone()
    };
    for blank in ["\\n", " \\t\\n\\n", "\\n  ", ""] {
        assert_eq!(says(blank, "'echo ran; cat'"), "", "{blank:?}");
        assert_eq!(says(blank, "-N1 'echo ran; cat'"), "", "{blank:?}");
    }
    assert_eq!(says("a\\n\\n \\n b\\n\\nc", "-N2 'cat; echo -'"), "a\n b\n-\nc-\n");
    assert_eq!(says("\\n\\na\\n\\nb\\n", "--header : -N1 'cat; echo -'"), "\na\n-\n\nb\n-\n");
    assert_eq!(says("\\na\\n", "--round-robin -j2 -N1 'cat; echo -'"), "a\n-\n");
}

#[test]
fn the_name_of_what_a_job_reads_is_its_last_argument_unless_it_stands_elsewhere() {
    let says = |rest: &str| {
        let script = format!("seq 4 | parsim parallel -k {rest}");
        Fresh::new().shell(&script).run().exits(0).is_quiet().stdout.clone()
    };
    assert_eq!(says("--cat wc -l | cut -c1-3"), "4 /\n");
    assert_eq!(says("--cat -N2 'test -f'"), "");
    assert_eq!(says("--fifo -N2 'test -p'; seq 2 | parsim parallel --fifo cat"), "1\n2\n");
    assert_eq!(says("--cat -N2 'head -n1 {} | tr 13 ab'"), "a\nb\n");
    assert_eq!(says("--pipe --round-robin -j2 -N1 --cat 'cat {}; echo -'"), "1\n3\n-\n2\n4\n-\n");
    assert_eq!(says("--pipe --round-robin -j2 -N1 --fifo 'cat {}; echo -'"), "1\n3\n-\n2\n4\n-\n");
}

#[test]
fn jobs_that_take_turns_lose_no_file_and_read_a_header_once() {
    let says = |rest: &str| Fresh::new().shell(rest).run().exits(0).is_quiet().stdout.clone();
    let script =
        "seq 3 >a; seq 4 6 >b; parsim parallel -k -j2 --pipe-part -a a -a b --round-robin -N1 'paste -sd,'";
    assert_eq!(says(script), "1,3,5\n2,4,6\n");
    let script = "seq 7 | parsim parallel -k -j2 --pipe --round-robin --header : -N1 'paste -sd,'";
    assert_eq!(says(script), "1,2,4,6\n1,3,5,7\n");
}
