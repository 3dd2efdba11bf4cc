//! How jobs end, and how they fail to start.

use std::path::{Path, PathBuf};

use super::*;

/// Has another process write a file to be executed: were it open for writing
/// here, a child of another test could hold it open a little longer.
fn write(worker: &mut JobRunner<'_>, path: &Path, text: &str, mode: &str) -> PathBuf {
    let command = shell();
    let words = ["sh", "-c", "printf '%s\\n' \"$1\" >\"$0\" && chmod $2 \"$0\""];
    let words = words.into_iter().chain([path.to_str().unwrap(), text, mode]);
    let argv = Words::from_words(words).unwrap();
    assert!(collect(worker, Job::new(&command, &argv)).unwrap().report.ended.is_success());
    path.to_owned()
}

#[test]
fn a_status_and_a_signal_are_reported_as_they_are() {
    either_way(|_, worker| {
        assert!(sh(worker, "exit 0").report.ended.is_success());
        assert_eq!(sh(worker, "exit 7").report.ended, ProcessEnd::Exited(7));
        assert_eq!(sh(worker, "exit 255").report.ended, ProcessEnd::Exited(255));
        let ProcessEnd::Signaled { signal, .. } = sh(worker, "kill -TERM $$").report.ended else { panic!() };
        assert_eq!(signal, libc::SIGTERM);
        let report = sh(worker, "kill -KILL $$").report;
        assert_eq!(report.ended, ProcessEnd::Signaled { signal: libc::SIGKILL, core_dumped: false });
        assert_eq!((report.cause, report.out_of_memory.unwrap_or(false)), (None, false));
    });
}

#[test]
fn a_job_gets_its_words_its_variables_its_directory_and_its_niceness() {
    either_way(|_, worker| {
        let dir = tempfile::tempdir().unwrap();
        let here = dir.path().canonicalize().unwrap();
        let command = Command { directory: Some(here.clone()), nice: Some(7), ..shell() };
        let text = "echo \"$0|$1|$2|$PARALLEL_SEQ|$PATH\"; pwd; nice";
        let argv = Words::from_words(["sh", "-c", text, "zero", "", "a b"]).unwrap();
        let mut variables = Words::new();
        variables.push_variable("PARALLEL_SEQ", "12").unwrap();
        let ran = collect(worker, Job { variables: &variables, ..Job::new(&command, &argv) }).unwrap();
        let path = std::env::var("PATH").unwrap();
        assert_eq!(ran.out, format!("zero||a b|12|{path}\n{}\n7\n", here.display()));
    });
}

#[test]
fn a_program_that_cannot_be_run_says_why() {
    either_way(|_, worker| {
        let dir = tempfile::tempdir().unwrap();
        let mut file = |name: &str, text: &str, mode| write(worker, &dir.path().join(name), text, mode);
        let plain = file("plain", "#!/bin/sh", "644");
        let orphan = file("orphan", &format!("#!{}/missing", dir.path().display()), "755");
        let text = file("text", "exit 0", "755");
        let mut start = |path: &Path| {
            let (command, argv) = (program(path.to_str().unwrap()), Words::from_words(["x"]).unwrap());
            collect(worker, Job::new(&command, &argv)).err().unwrap()
        };
        assert!(matches!(start(&dir.path().join("missing")), StartError::NotFound));
        assert!(matches!(start(&plain.join("x")), StartError::NotFound));
        assert!(matches!(start(&orphan), StartError::NotFound));
        assert!(matches!(start(&plain), StartError::Denied));
        assert!(matches!(start(dir.path()), StartError::Denied));
        assert!(matches!(start(&text), StartError::NoInterpreter));
    });
}

#[test]
fn a_script_without_an_interpreter_line_runs_through_sh() {
    either_way(|_, worker| {
        let dir = tempfile::tempdir().unwrap();
        let path = write(worker, &dir.path().join("script"), "echo \"$# $1\"", "755");
        let command = program(path.to_str().unwrap());
        let argv = Words::from_words(["script", "a b"]).unwrap();
        let refused = collect(worker, Job::new(&command, &argv)).err().unwrap();
        assert!(matches!(refused, StartError::NoInterpreter), "{refused:?}");
        let argv = argv.through(&[], &command.program);
        assert_eq!(collect(worker, Job::new(&shell(), &argv)).unwrap().out, "1 a b\n");
    });
}

#[test]
fn too_long_an_argument_and_a_missing_directory_are_told_apart() {
    either_way(|_, worker| {
        let command = shell();
        let argv = script(&" ".repeat(200 * 1024));
        let error = collect(worker, Job::new(&command, &argv)).err().unwrap();
        assert!(matches!(error, StartError::TooLong), "{error:?}");
        let command = Command { directory: Some("/dev/null/missing".into()), ..shell() };
        let argv = script(":");
        let error = collect(worker, Job::new(&command, &argv)).err().unwrap();
        assert!(matches!(error, StartError::Directory(_)), "{error:?}");
        // The worker is as good as new.
        assert!(sh(worker, ":").report.ended.is_success());
    });
}

#[test]
fn without_any_words_the_program_goes_by_its_path() {
    either_way(|_, worker| {
        let ran = collect(worker, Job::new(&program("/bin/true"), &Words::new())).unwrap();
        assert!(ran.report.ended.is_success());
    });
}
