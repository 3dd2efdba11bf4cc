//! Standard output and standard error as others leave them: closed, or in a mode in
//! which a write does not wait.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;

use crate::support::{Fresh, Line};

/// Where a stream goes: who reads, and what parsim gets.
struct Way {
    reader: File,
    writer: File,
}

/// Such a stream whose writes do not wait, by its name for messages.
fn ways() -> [(&'static str, Way); 2] {
    let (reader, writer) = std::io::pipe().unwrap();
    let pipe = Way { reader: OwnedFd::from(reader).into(), writer: OwnedFd::from(writer).into() };
    let (reader, writer) = UnixStream::pair().unwrap();
    let socket = Way { reader: OwnedFd::from(reader).into(), writer: OwnedFd::from(writer).into() };
    let ways = [("a pipe", pipe), ("a socket", socket)];
    for (_, way) in &ways {
        set_nonblocking(&way.writer);
    }
    ways
}

#[expect(unsafe_code, reason = "std sets this flag on sockets only")]
fn set_nonblocking(file: &File) {
    let flags = flags(file);
    // SAFETY: takes plain flags, of the test's own descriptor.
    unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETFL, flags | libc::O_NONBLOCK) };
}

#[expect(unsafe_code, reason = "std does not tell a descriptor's flags")]
fn flags(file: &File) -> i32 {
    // SAFETY: F_GETFL only reads the flags of an open descriptor.
    unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GETFL) }
}

/// Whether a write would find no room.
#[expect(unsafe_code, reason = "no poll in std")]
fn is_full(file: &File) -> bool {
    let mut watch = libc::pollfd { fd: file.as_raw_fd(), events: libc::POLLOUT, revents: 0 };
    // SAFETY: one entry, which is ours and lives through the call.
    unsafe { libc::poll(&raw mut watch, 1, 0) == 0 }
}

/// Runs `line` with `way` as stdout or stderr, of which nobody reads anything before
/// it is full. What came, and the status.
fn run_into(line: Line, is_stdout: bool, way: Way) -> (Vec<u8>, Option<i32>) {
    let Way { mut reader, writer } = way;
    let given = writer.try_clone().unwrap();
    let mut line = if is_stdout { line.stdout(given) } else { line.stderr(given) };
    let mut child = line.command().spawn().unwrap();
    // Its own copy goes, so that the end is seen.
    drop(line);
    while !is_full(&writer) && child.try_wait().unwrap().is_none() {
        thread::yield_now();
    }
    assert_ne!(flags(&writer) & libc::O_NONBLOCK, 0, "the mode is another");
    drop(writer);
    let mut read = Vec::new();
    reader.read_to_end(&mut read).unwrap();
    (read, child.wait().unwrap().code())
}

#[test]
fn a_stdout_that_does_not_wait_gets_all_output_in_every_mode_and_no_job_is_blamed() {
    let lines: usize = (1..=300_000).map(|n: u32| n.to_string().len() + 1).sum();
    for (mode, tags) in
        [("-k", 0), ("--group", 0), ("--line-buffer", 0), ("-u", 0), ("-k --line-buffer", 0), ("--tag", 2)]
    {
        for (kind, way) in ways() {
            let fresh = Fresh::new();
            let line = fresh.parsim(&format!("parallel -j1 {mode} --joblog log seq 300000;true ::: a b"));
            let line = line.stderr(File::create(fresh.path("err")).unwrap());
            let (read, status) = run_into(line, true, way);
            let told = fs::read_to_string(fresh.path("err")).unwrap();
            assert_eq!((status, told.as_str()), (Some(0), ""), "{mode} to {kind}");
            assert_eq!(read.len(), 2 * (lines + tags * 300_000), "{mode} to {kind}");
        }
    }
}

#[test]
fn a_stderr_that_does_not_wait_gets_all_messages() {
    let lines: usize = (1..=300_000).map(|n: u32| n.to_string().len() + 1).sum();
    for mode in ["-k", "--group", "--line-buffer", "-u"] {
        for (kind, way) in ways() {
            let line = Fresh::new();
            let line = line.parsim(&format!("parallel -j1 {mode} --summary=never")).args([
                "seq 300000 >&2; exit {}",
                ":::",
                "0",
                "3",
            ]);
            let (read, status) = run_into(line.stdout(std::process::Stdio::null()), false, way);
            let told = String::from_utf8_lossy(&read[2 * lines.min(read.len() / 2)..]).into_owned();
            assert_eq!(status, Some(1), "{mode} to {kind}: {told}");
            assert!(told.contains("exit 3\n") && told.contains("job 2 failed"), "{mode} to {kind}: {told}");
            assert!(read.len() > 2 * lines && told.lines().count() == 2, "{mode} to {kind}: {told}");
        }
    }
}

/// Runs `line` with a stdout that is full of other bytes, which are read only once it
/// waits or has ended.
fn behind_others(line: Line, mut way: Way) -> (String, Option<i32>) {
    let mut before = 0;
    while let Ok(written) = way.writer.write(&[b'.'; 4096]) {
        before += written;
    }
    let Way { mut reader, writer } = way;
    let mut line = line.stdout(writer);
    let mut child = line.command().spawn().unwrap();
    drop(line);
    let stat = format!("/proc/{}/stat", child.id());
    // Asleep, twice in a row: if that is for something else, less is tested.
    let sleeps = || fs::read_to_string(&stat).is_ok_and(|stat| stat.contains(") S "));
    while child.try_wait().unwrap().is_none() && !(sleeps() && sleeps()) {
        thread::yield_now();
    }
    let mut read = String::new();
    reader.read_to_string(&mut read).unwrap();
    (read.split_off(before), child.wait().unwrap().code())
}

#[test]
fn what_parsim_itself_tells_waits_for_room_too() {
    let fresh = Fresh::new();
    fresh.parsim("sleep --tasks 1 --seconds 0 --serial --export-json study.json").run().exits(0);
    for (line, part) in [
        ("cpus", "usable"),
        ("--help", "compare"),
        ("help gnu", "parallel"),
        ("report study.json", "serial"),
        ("report study.json --export-json -", "\"schema\""),
        ("parallel --joblog - true ::: a", "Exitval"),
        ("parallel --records - true ::: a", "{\"seq\":0,"),
        ("parallel --dry-run echo ::: a", "echo a"),
        ("compare echo ::: a b", "identical"),
    ] {
        for (kind, way) in ways() {
            let (read, status) = behind_others(fresh.parsim(line).stderr(std::process::Stdio::null()), way);
            assert_eq!(status, Some(0), "{line} to {kind}: {read}");
            assert!(read.contains(part), "{line} to {kind}: {read}");
        }
    }
}

#[test]
fn output_of_jobs_for_a_stdout_that_was_closed_is_an_error_that_is_told() {
    for mode in ["", "-k", "--line-buffer", "-u", "--tag", "-k --line-buffer", "--dry-run", "--files"] {
        let fresh = Fresh::new();
        let line = format!("parsim parallel -j1 {mode} --joblog log echo ::: a b c >&-");
        let ran = fresh.shell(&line).run();
        ran.exits(255).tells("standard output is closed");
        let log = fs::read_to_string(fresh.path("log")).unwrap_or_default();
        let done = log.lines().skip(1).filter(|row| row.split('\t').nth(6) == Some("0")).count();
        ran.expect(done == 0, &format!("{mode}: no job to be logged as done: {log}"));
    }
    Fresh::new().shell("parsim parallel --joblog - true ::: a >&-").run().exits(255);
}

#[test]
fn jobs_that_print_nothing_on_a_closed_stdout_are_done() {
    for line in [
        "parallel true ::: a b",
        "parallel -u true ::: a b",
        "parallel --results out echo ::: a",
        "parallel 'echo {} >&2' ::: a",
        "parallel --pipe 'cat >/dev/null' </dev/null",
    ] {
        Fresh::new().shell(&format!("parsim {line} >&-")).run().exits(0);
    }
}

#[test]
fn a_closed_stderr_changes_no_status_and_hangs_nobody() {
    for (line, status) in [
        ("parallel 'echo {} >&2; echo {}' ::: a b", 0),
        ("parallel -u 'echo {} >&2; echo {}' ::: a b", 0),
        ("parallel 'exit 3' ::: a b", 2),
        ("parallel --progress=always --summary=always true ::: a", 0),
        ("parallel --nonsense", 255),
        ("compare true ::: a", 0),
    ] {
        Fresh::new().shell(&format!("parsim {line} 2>&-")).run().exits(status);
        Fresh::new().shell(&format!("parsim {line} >/dev/null 2>&- <&-")).run().exits(status);
    }
}

#[test]
fn a_meter_that_ends_in_a_carriage_return_is_seen_as_it_moves() {
    for (mode, expected) in [
        ("--line-buffer", "10%\r20%\r\ndone\n"),
        ("--line-buffer --tag", "a\t10%\ra\t20%\r\na\tdone\n"),
        ("-k --line-buffer --tag", "a\t10%\ra\t20%\r\na\tdone\n"),
    ] {
        let fresh = Fresh::new();
        let out = fresh.path("out");
        let line = fresh.parsim(&format!("parallel {mode}")).args([
            r"mkfifo gate gate2; printf '10%%\r20%%\r'; cat gate; printf '\ndone\n'; cat gate2; : ",
            ":::",
            "a",
        ]);
        let mut started = line.stdout(File::create(&out).unwrap()).start();
        let mut shows = |text: &str| {
            started.until(text, || fs::read_to_string(&out).unwrap().ends_with(text));
        };
        shows("20%\r");
        open(&fresh.path("gate"));
        shows("done\n");
        open(&fresh.path("gate2"));
        started.end().exits(0);
        assert_eq!(fs::read_to_string(&out).unwrap(), expected, "{mode}");
    }
}

/// Lets whoever reads the FIFO go on.
fn open(gate: &Path) {
    drop(OpenOptions::new().write(true).open(gate).unwrap());
}

#[test]
fn a_tag_stands_before_each_piece_that_a_carriage_return_ends() {
    let fresh = Fresh::new();
    for (printed, expected) in [
        (r"a\rb\nc", "x\ta\rx\tb\nx\tc"),
        (r"a\r\nb\r\n", "x\ta\r\nx\tb\r\n"),
        (r"a\r\r\n\n", "x\ta\rx\t\r\nx\t\n"),
    ] {
        for mode in ["--tag", "--tag --line-buffer"] {
            let script = format!("printf '{printed}'; : ");
            let ran = fresh.parsim(&format!("parallel {mode}")).args([script.as_str(), ":::", "x"]).run();
            ran.exits(0).expect(ran.stdout == expected, &format!("{mode}: {expected:?}"));
        }
    }
}

#[test]
fn every_write_to_stdout_and_stderr_goes_through_the_type_that_waits() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![sources.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let is_exempt =
                path == sources.join("build.rs") || path.components().any(|part| part.as_os_str() == "tests");
            let text = fs::read_to_string(&path).unwrap();
            for (number, line) in text.lines().enumerate().filter(|_| !is_exempt) {
                for stream in ["io::stdout()", "io::stderr()"] {
                    let asks = [".is_terminal()", ".as_fd()", ")"];
                    for (at, _) in line.match_indices(stream) {
                        let rest = &line[at + stream.len()..];
                        let is_fine = asks.iter().any(|ask| rest.starts_with(ask));
                        assert!(is_fine, "{}:{}: {line}", path.display(), number + 1);
                    }
                }
            }
        }
    }
}

#[test]
fn a_study_and_a_list_come_through_a_stdin_that_does_not_wait() {
    let fresh = Fresh::new();
    fresh.parsim("sleep --tasks 2 --seconds 0 --serial --export-json study").run().exits(0);
    fs::write(fresh.path("list"), "http://127.0.0.1:1/tap one\n").unwrap();
    for (line, from, status) in
        [("report -", "study", 0), ("tap --urls - --serial --progress=never --timeout 5", "list", 1)]
    {
        let bytes = fs::read(fresh.path(from)).unwrap();
        let ran = |stdin: File, write: &mut dyn FnMut()| {
            let mut line = fresh.parsim(line).stdin(stdin).stdout(File::create(fresh.path("out")).unwrap());
            let mut child = line.command().spawn().unwrap();
            drop(line);
            write();
            assert_eq!(child.wait().unwrap().code(), Some(status), "{from}");
            fs::read_to_string(fresh.path("out")).unwrap().lines().count()
        };
        let (mut theirs, ours) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let lines = ran(OwnedFd::from(ours).into(), &mut || {
            // In two pieces: before the first one there is nothing to be read.
            let (first, second) = bytes.split_at(bytes.len() / 2);
            theirs.write_all(first).unwrap();
            theirs.write_all(second).unwrap();
            theirs.shutdown(std::net::Shutdown::Write).unwrap();
        });
        let expected = ran(File::open(fresh.path(from)).unwrap(), &mut || {});
        assert_eq!(lines, expected, "{from}");
    }
}
