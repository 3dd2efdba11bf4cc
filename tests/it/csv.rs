//! The second exercise: which files there are, every byte of them, and what
//! becomes of the others when one cannot be written.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::support::Fresh;

/// Each of the notebook's files.
const NOTEBOOK: &str = "a68d1dd0601b9c3e6b3f8cd09569430f59361f3eb9d086a40fea9adf34ff1576";

/// Beyond this mean NumPy's own counts depend on the platform's maths library.
const LARGEST_EXACT_MEAN: f64 = 1e10;

fn sha256(path: impl AsRef<Path>) -> String {
    let bytes =
        fs::read(path.as_ref()).unwrap_or_else(|error| panic!("{}: {error}", path.as_ref().display()));
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|file| format!("x{file:06}.csv")).collect()
}

/// The cases of `kind` that NumPy itself computed.
fn golden(kind: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/numpy.json");
    let golden: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let cases = golden["cases"].as_array().unwrap();
    cases.iter().filter(|case| case["kind"] == kind).cloned().collect()
}

/// A number or a text of JSON as a word of a command line.
fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Draws the one file of `case` and compares it with NumPy's.
fn check(fresh: &Fresh, case: &Value, options: &str) {
    let params = &case["params"];
    let (rows, cols) = (&params["rows"], &params["cols"]);
    let ran = fresh.parsim(&format!("csv --parallel --files 1 --rows {rows} --cols {cols} {options}")).run();
    ran.exits(0).is_quiet();
    let found = sha256(fresh.path("data_parallel/x000000.csv"));
    ran.expect(case["expect"]["csv_sha256"] == found.as_str(), &format!("the bytes of {}", case["id"]));
}

/// The mean of `case`, where it is one that can be drawn exactly.
fn exact_mean(case: &Value) -> Option<String> {
    let lam = word(&case["params"]["lam"]["repr"]);
    (lam.parse::<f64>().unwrap() <= LARGEST_EXACT_MEAN).then_some(lam)
}

#[test]
fn the_line_users_type_first_writes_the_notebooks_twenty_files() {
    let fresh = Fresh::new();
    let ran = fresh.parsim("csv --parallel --files 20").run();
    ran.exits(0).is_quiet().says("note: all files hold one matrix, ").says("; --matrix per-file ");
    // How to see both ways stands before the last word.
    let end = "\nto see both ways side by side: parsim csv --files 20\n20 files written to data_parallel (59.9 MB)\n";
    ran.expect(ran.stdout.ends_with(end), "what was written at the end");
    assert_eq!(fresh.names("data_parallel"), names(20));
    assert_eq!(fresh.names("."), ["data_parallel"]);
    for name in names(20) {
        assert_eq!(sha256(fresh.path("data_parallel").join(name)), NOTEBOOK);
    }
}

#[test]
fn both_ways_fill_both_folders_with_the_same_files() {
    let fresh = Fresh::new();
    let ran = fresh.parsim("csv --files 3 --runs 1").run();
    ran.exits(0).is_quiet().says("3 of 3 files identical").does_not_say("to see both ways");
    ran.says("data_serial/x000000.csv read back as 1,000 x 1,000 numbers");
    for folder in ["data_serial", "data_parallel"] {
        assert_eq!(fresh.names(folder), names(3));
        for name in names(3) {
            assert_eq!(sha256(fresh.path(folder).join(name)), NOTEBOOK);
        }
    }
}

#[test]
fn poisson_counts_of_the_legacy_interface_are_numpys() {
    let fresh = Fresh::new();
    let mut checked = 0;
    for case in golden("legacy_poisson") {
        let Some(lam) = exact_mean(&case) else { continue };
        check(&fresh, &case, &format!("--seed {} --lam {lam}", case["params"]["seed"]));
        checked += 1;
    }
    assert_eq!(checked, 47);
}

#[test]
fn poisson_counts_of_default_rng_are_numpys_whatever_the_size_of_the_seed() {
    let fresh = Fresh::new();
    let mut checked = 0;
    for case in golden("generator_poisson") {
        let (Some(lam), Some(seed)) = (exact_mean(&case), case["params"]["entropy"].as_str()) else {
            continue;
        };
        if case["params"].get("spawn_key").is_none() {
            check(&fresh, &case, &format!("--rng numpy --seed {seed} --lam {lam}"));
            checked += 1;
        }
    }
    assert_eq!(checked, 21);
}

#[test]
fn uniform_numbers_are_the_random_of_both_interfaces() {
    let fresh = Fresh::new();
    let mut checked = 0;
    for (kind, dist, seed, rng) in [
        ("legacy_other", "random_sample", "seed", "numpy-legacy"),
        ("generator_other", "random", "entropy", "numpy"),
    ] {
        for case in golden(kind).iter().filter(|case| case["params"]["dist"] == dist) {
            check(
                &fresh,
                case,
                &format!("--dist uniform --rng {rng} --seed {}", word(&case["params"][seed])),
            );
            checked += 1;
        }
    }
    assert_eq!(checked, 4);
}

#[test]
fn a_matrix_per_file_takes_the_seeds_behind_the_first_or_the_spawned_ones() {
    let fresh = Fresh::new();
    let line = "csv --files 20 --rows 200 --cols 200 --seed 123 --matrix per-file";
    let mut checked = 0;
    fresh.parsim(&format!("{line} --parallel -j 3")).run().exits(0);
    for case in golden("legacy_poisson_per_file") {
        let file = case["params"]["seed"].as_u64().unwrap() - 123;
        let found = sha256(fresh.path(format!("data_parallel/x{file:06}.csv")));
        assert_eq!(case["expect"]["csv_sha256"], found.as_str(), "{}", case["id"]);
        checked += 1;
    }
    fresh.parsim(&format!("{line} --serial --rng numpy")).run().exits(0);
    for case in golden("generator_poisson") {
        let Some(file) = case["params"]["spawn_key"][0].as_u64() else { continue };
        let found = sha256(fresh.path(format!("data_serial/x{file:06}.csv")));
        assert_eq!(case["expect"]["csv_sha256"], found.as_str(), "{}", case["id"]);
        checked += 1;
    }
    assert_eq!(checked, 20);
}

#[test]
fn what_numpy_refuses_is_refused_in_its_words_before_anything_is_made() {
    let fresh = Fresh::new();
    let mut lines = Vec::new();
    for (kind, rng) in [("error_legacy_poisson", "numpy-legacy"), ("error_generator_poisson", "numpy")] {
        for case in golden(kind) {
            let lam = word(&case["params"]["lam"]);
            if !lam.starts_with('[') && case["expect"]["ok"] == false {
                lines.push((format!("csv --rng {rng} --lam={lam}"), case));
            }
        }
    }
    for (kind, rng) in [("error_seed", "numpy-legacy"), ("error_default_rng", "numpy")] {
        for case in golden(kind) {
            let seed = word(&case["params"]["seed"]).trim_matches('\'').to_owned();
            // Of a dtype NumPy speaks where parsim never had one.
            let told = !word(&case["expect"]["message"]).contains("dtype");
            if !seed.starts_with('[') && told {
                lines.push((format!("csv --rng {rng} --seed {seed}"), case));
            }
        }
    }
    for case in golden("error_shape") {
        let shape = &case["params"]["shape"];
        lines.push((format!("csv --rows {} --cols {}", shape[0], shape[1]), case));
    }
    assert_eq!(lines.len(), 2 * 6 + 3 + 3 + 2);
    for (line, case) in lines {
        fresh.parsim(&line).run().refuses(&word(&case["expect"]["message"]));
    }
    let too_big =
        "array is too big; `arr.size * arr.dtype.itemsize` is larger than the maximum possible size";
    fresh.parsim("csv --rows 4611686018427387904 --cols 2").run().refuses(too_big);
    fresh.parsim("csv --dist uniform --high inf").run().refuses("Range exceeds valid bounds");
    fresh.parsim("csv --dist uniform --low 5 --high 2 --rng numpy").run().refuses("high - low < 0");
    let beyond_generator = "high - low range exceeds valid bounds";
    fresh.parsim("csv --dist uniform --high inf --rng numpy").run().refuses(beyond_generator);
    let beyond = "Seed must be between 0 and 2**32 - 1";
    fresh.parsim("csv --seed 4294967295 --matrix per-file --files 2").run().refuses(beyond);
    assert!(fresh.names(".").is_empty());
}

#[test]
fn sizes_that_cannot_be_meant_are_refused_by_the_name_of_their_option() {
    let fresh = Fresh::new();
    fresh.parsim("csv --files -1").run().refuses("--files -1: give 0 or more");
    fresh
        .parsim("csv --rng fast --dist exponential --scale 0")
        .run()
        .refuses("--scale 0: give a number above 0");
    fresh.parsim("csv --dist normal").run().refuses("add --rng fast");
    for (options, told) in [
        ("--lam 3 --dist uniform", "--lam has no effect with --dist uniform: it goes with --dist poisson"),
        ("--low 3", "--low has no effect with --dist poisson: it goes with --dist uniform"),
        ("--high 3 --rng fast --dist normal", "--high has no effect with --dist normal"),
        ("--loc 3 --rng fast --dist exponential", "--loc has no effect with --dist exponential"),
        ("--scale 2", "it goes with --dist normal and --dist exponential"),
    ] {
        fresh.parsim(&format!("csv {options}")).run().refuses(told);
    }
    assert!(fresh.names(".").is_empty());
}

#[test]
fn a_mean_of_minus_zero_is_zero() {
    let fresh = Fresh::new();
    fresh.parsim("csv --parallel --files 1 --rows 1 --cols 2 --lam -0.0").run().exits(0);
    assert_eq!(fs::read(fresh.path("data_parallel/x000000.csv")).unwrap(), b"0,0\n");
}

/// Draws one file each way and with each width, and tells what it always was.
fn the_same_however_drawn(fresh: &Fresh, options: &str) -> String {
    let line = format!("csv --rng fast --matrix per-file --files 1 {options}");
    fresh.parsim(&format!("{line} --serial")).run().exits(0);
    let expected = sha256(fresh.path("data_serial/x000000.csv"));
    for jobs in [1, 2, 3, 8] {
        let ran = fresh.parsim(&format!("{line} --parallel -j {jobs}")).run();
        ran.exits(0).expect(sha256(fresh.path("data_parallel/x000000.csv")) == expected, "the serial bytes");
        assert_eq!(fresh.names("data_parallel"), names(1));
    }
    expected
}

#[test]
fn the_fast_generator_gives_the_same_bytes_whatever_the_threads_for_a_split_file() {
    // More than 8 blocks of 131,072 values: nine tasks.
    let fresh = Fresh::new();
    the_same_however_drawn(&fresh, "--rows 1100 --cols 1000");
    let ran =
        fresh.parsim("csv --rng fast --matrix per-file --files 1 --rows 1000 --cols 1000 --parallel").run();
    // A file of eight blocks is one task, and begins as the longer one does.
    ran.exits(0).says("   1 file, ");
    let (split, whole) = (fresh.path("data_serial/x000000.csv"), fresh.path("data_parallel/x000000.csv"));
    let (split, whole) = (fs::read_to_string(split).unwrap(), fs::read_to_string(whole).unwrap());
    assert_eq!((whole.lines().count(), split.lines().count()), (1000, 1100));
    assert!(split.starts_with(&whole));
}

#[test]
fn the_bytes_of_the_fast_generator_are_part_of_the_format() {
    let fresh = Fresh::new();
    // Two blocks of one task.
    let size = "--rows 300 --cols 500";
    let poisson = the_same_however_drawn(&fresh, size);
    assert_eq!(poisson, "790655d35b797d1f62c048f73f1a2c38153890c1f9f24d9572b0ef7e70a7ee02");
    let uniform = the_same_however_drawn(&fresh, &format!("{size} --dist uniform --low -1"));
    assert_eq!(uniform, "55771e4346d551e490590ae3de24b14b978ca53733862f6adac8c94188e098e8");
}

#[test]
fn normal_and_exponential_numbers_have_their_mean_and_deviation() {
    let fresh = Fresh::new();
    for (options, mean, deviation) in
        [("--dist normal --loc 5 --scale 2", 5.0, 2.0), ("--dist exponential --scale 3", 3.0, 3.0)]
    {
        the_same_however_drawn(&fresh, &format!("--rows 200 --cols 200 {options}"));
        let text = fs::read_to_string(fresh.path("data_serial/x000000.csv")).unwrap();
        let values: Vec<f64> =
            text.lines().flat_map(|line| line.split(',')).map(|field| field.parse().unwrap()).collect();
        assert_eq!(values.len(), 40_000);
        let found = values.iter().sum::<f64>() / 40_000.0;
        let squares = values.iter().map(|value| (value - found).powi(2)).sum::<f64>();
        // The seed is fixed, so this holds always or never: six standard errors.
        assert!((found - mean).abs() < 0.1, "{options}: mean {found}");
        assert!(((squares / 40_000.0).sqrt() - deviation).abs() < 0.1, "{options}: squares {squares}");
    }
}

#[test]
fn other_files_are_left_as_found_and_counted() {
    let fresh = Fresh::new();
    fs::create_dir(fresh.path("data_parallel")).unwrap();
    for name in ["x000000.csv", "x000005.csv", "notes", ".gitignore"] {
        fs::write(fresh.path("data_parallel").join(name), "old").unwrap();
    }
    let ran = fresh.parsim("csv --parallel --files 2 --rows 1 --cols 1").run();
    ran.exits(0).says("note: 2 other files in data_parallel were left untouched\n");
    assert_eq!(
        fresh.names("data_parallel"),
        [".gitignore", "notes", "x000000.csv", "x000001.csv", "x000005.csv"]
    );
    for (name, is_old) in
        [("x000000.csv", false), ("x000005.csv", true), ("notes", true), (".gitignore", true)]
    {
        let content = fs::read_to_string(fresh.path("data_parallel").join(name)).unwrap();
        assert_eq!(content == "old", is_old, "{name} holds {content:?}");
    }
}

#[test]
fn the_folders_can_be_elsewhere() {
    let fresh = Fresh::new();
    let ran = fresh.parsim("csv --files 1 --rows 1 --cols 1 --runs 1 --out-dir deep/er").run();
    ran.exits(0)
        .says("serial   1 file written to deep/er/data_serial/x000000.csv (3 B)\n")
        .says("parallel 1 file written to deep/er/data_parallel/x000000.csv (3 B)\n");
    assert_eq!(fresh.names("deep/er"), ["data_parallel", "data_serial"]);
}

#[test]
fn a_directory_in_the_way_of_a_file_costs_that_file_only() {
    let fresh = Fresh::new();
    fs::create_dir_all(fresh.path("data_parallel/x000001.csv")).unwrap();
    let ran = fresh.parsim("csv --parallel --files 3 --rows 2 --cols 2").run();
    ran.exits(1);
    ran.says(
        "failed: x000001.csv: cannot write data_parallel/x000001.csv: a directory has this name (parallel)\n",
    );
    ran.says("\n2 of 3 files done, in data_parallel\n");
    assert_eq!(fresh.names("data_parallel"), names(3));
    assert!(fresh.path("data_parallel/x000002.csv").is_file());
}

#[test]
fn nobody_is_sent_to_files_none_of_which_was_written() {
    let fresh = Fresh::new();
    for file in names(2) {
        fs::create_dir_all(fresh.path("data_parallel").join(file)).unwrap();
    }
    let ran = fresh.parsim("csv --files 2 --rows 2 --cols 2").run();
    ran.exits(2).says("serial   2 files written to data_serial (24 B)\n");
    ran.does_not_say("to data_parallel").does_not_say("in data_parallel");
}

#[test]
fn failures_of_both_ways_are_counted_as_distinct_files() {
    let fresh = Fresh::new();
    for name in ["data_serial/x000000.csv", "data_parallel/x000000.csv", "data_parallel/x000002.csv"] {
        fs::create_dir_all(fresh.path(name)).unwrap();
    }
    let ran = fresh.parsim("csv --files 4 --rows 2 --cols 2").run();
    ran.exits(2).says("2 of 4 files identical");
    ran.says("failed: x000000.csv: cannot write data_serial/x000000.csv: a directory has this name (serial and parallel)\n");
    ran.says(
        "failed: x000002.csv: cannot write data_parallel/x000002.csv: a directory has this name (parallel)\n",
    );
    assert_eq!(ran.stdout.matches("failed: ").count(), 2);
}

#[test]
fn a_full_disk_fails_files_by_name_and_leaves_nothing_partial() {
    let fresh = Fresh::new();
    // A limit of 2 or 4 KiB on a file's size, as the shell counts, stands for the disk.
    let limited = "trap '' XFSZ; ulimit -f 4; exec parsim csv --parallel --matrix per-file";
    let ran = fresh.shell(&format!("{limited} --files 3 --rows 1000 --cols 5")).run();
    ran.exits(3).says("failed: x000002.csv: cannot write data_parallel/x000002.csv: file too large");
    assert!(fresh.names("data_parallel").is_empty());

    // A split file: its first blocks fail, the others are given up, the next file is tried.
    let ran = fresh.shell(&format!("{limited} --rng fast --files 2 --rows 1100 --cols 1000")).run();
    ran.exits(2).says("failed: x000000.csv block 1: cannot write data_parallel/x000000.csv: file too large");
    ran.says("failed: x000001.csv block 1: cannot write data_parallel/x000001.csv: file too large");
    assert!(fresh.names("data_parallel").is_empty());
    // Blocks that were given up count among all.
    let larger = limited.replace("-f 4", "-f 1024");
    let ran = fresh.shell(&format!("{larger} -j1 --rng fast --files 2 --rows 1100 --cols 1000")).run();
    ran.exits(2).says(" of 18 blocks done, in data_parallel\n");

    // What fits is written.
    fresh.shell(&format!("{limited} --files 2 --rows 10 --cols 5")).run().exits(0);
    assert_eq!(fresh.names("data_parallel"), names(2));
}

#[test]
fn a_folder_that_is_a_file_fails_every_file_by_name() {
    let fresh = Fresh::new();
    fs::write(fresh.path("data_serial"), "a file").unwrap();
    let ran = fresh.parsim("csv --serial --files 2 --rows 1 --cols 1").run();
    ran.exits(2);
    for name in names(2) {
        ran.says(&format!("failed: {name}: cannot write data_serial/{name}: not a directory"));
    }
    assert_eq!(fs::read_to_string(fresh.path("data_serial")).unwrap(), "a file");
}

#[test]
fn a_folder_that_may_not_be_written_to_fails_every_file_by_name() {
    use std::os::unix::fs::PermissionsExt as _;
    let fresh = Fresh::new();
    fs::create_dir(fresh.path("data_serial")).unwrap();
    fs::set_permissions(fresh.path("data_serial"), fs::Permissions::from_mode(0o555)).unwrap();
    if fs::write(fresh.path("data_serial/probe"), "").is_ok() {
        // Root may write everywhere.
        return;
    }
    let ran = fresh.parsim("csv --serial --files 2 --rows 1 --cols 1").run();
    ran.exits(2).says("failed: x000001.csv: cannot write data_serial/x000001.csv: permission denied");
}

#[test]
fn a_run_of_many_small_files_writes_them_all() {
    let fresh = Fresh::new();
    fresh.parsim("csv --parallel --files 2000 --rows 1 --cols 1 -j 64").run().exits(0).is_quiet();
    assert_eq!(fresh.names("data_parallel"), names(2000));
}

#[test]
fn what_a_run_writes_stays_out_of_git() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["data_serial", "data_parallel"] {
        let ignored = |name: &str| {
            let file = format!("{folder}/{name}");
            Command::new("git").args(["check-ignore", "-q", &file]).current_dir(root).status().ok()?.code()
        };
        let status = ignored("x000000.csv");
        if status == Some(0) {
            assert_eq!(ignored(".gitignore"), Some(1), "{folder}/.gitignore would not be committed");
            continue;
        }
        assert_ne!(status, Some(1), "{folder}/x000000.csv would show up in git status");
        // Without git, or outside of a clone, the rules themselves are read.
        let rules = fs::read_to_string(root.join(folder).join(".gitignore")).unwrap();
        let rules: Vec<&str> = rules.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(rules, ["*", "!.gitignore"]);
    }
}

#[test]
fn a_folder_of_any_name_is_written_to() {
    use std::os::unix::ffi::OsStrExt as _;
    let fresh = Fresh::new();
    let name = std::ffi::OsStr::from_bytes(b"not UTF-8: \xff");
    let ran = fresh.parsim("csv --serial --files 1 --rows 1 --cols 1 --out-dir").args([name]).run();
    ran.exits(0).is_quiet();
    assert!(fresh.path(name).join("data_serial/x000000.csv").is_file());
}

#[test]
fn a_limit_on_the_size_of_files_fails_them_by_name_without_being_asked_to() {
    let fresh = Fresh::new();
    let script = "ulimit -f 4; exec parsim csv --parallel --files 2 --rows 1000 --cols 5";
    let ran = fresh.shell(script).run();
    ran.exits(2).says("failed: x000001.csv: cannot write data_parallel/x000001.csv: file too large");
    assert!(fresh.names("data_parallel").is_empty());
}

#[test]
fn a_batch_without_end_starts_at_once_and_can_be_stopped() {
    let fresh = Fresh::new();
    let mut started = fresh.parsim("csv --parallel --files 9223372036854775807 --rows 1 --cols 1").start();
    started.until("its first file is there", || fresh.path("data_parallel/x000000.csv").exists());
    started.signal("TERM");
    started.end().ends_by_signal(libc::SIGTERM);
}
