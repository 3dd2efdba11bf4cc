//! What is drawn on a terminal, with a pair of pseudo-terminals for one.

use std::fs::{self, File};
use std::io::Read as _;
use std::os::fd::{FromRawFd as _, OwnedFd};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use crate::support::Fresh;

/// What a terminal shows.
pub(crate) struct Shown {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Shown {
    /// What it has shown by now.
    pub(crate) fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().unwrap()).into_owned()
    }

    /// All that it showed, once nobody writes there any more.
    pub(crate) fn join(self) -> thread::Result<String> {
        self.reader.join()?;
        Ok(String::from_utf8_lossy(&self.bytes.lock().unwrap()).into_owned())
    }
}

/// A terminal of 100 columns: the end for a program, and what it will show.
pub(crate) fn terminal() -> (OwnedFd, Shown) {
    terminal_of(100)
}

/// The same in another width.
#[expect(unsafe_code, reason = "std cannot open a pseudo-terminal")]
pub(crate) fn terminal_of(columns: u16) -> (OwnedFd, Shown) {
    let (mut master, mut slave) = (-1, -1);
    let size = libc::winsize { ws_row: 30, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: openpty writes two descriptors, and takes null for a name and for
    // the usual settings; the descriptors are then ours alone.
    let (master, slave) = unsafe {
        let opened = libc::openpty(
            &raw mut master,
            &raw mut slave,
            std::ptr::null_mut(),
            std::ptr::null(),
            &raw const size,
        );
        assert_eq!(opened, 0, "no pseudo-terminal: {}", std::io::Error::last_os_error());
        (File::from_raw_fd(master), OwnedFd::from_raw_fd(slave))
    };
    let bytes = Arc::<Mutex<Vec<u8>>>::default();
    let shown = Arc::clone(&bytes);
    let reader = thread::spawn(move || {
        let mut piece = [0; 4096];
        // Linux ends it with EIO when nobody has the other end open any more.
        while let Ok(length @ 1..) = (&master).read(&mut piece) {
            shown.lock().unwrap().extend_from_slice(&piece[..length]);
        }
    });
    (slave, Shown { bytes, reader })
}

#[test]
fn work_that_lasts_has_a_bar_and_short_work_has_none() {
    let fresh = Fresh::new();
    let shown = |options: &str, term: &str| {
        let (stderr, shown) = terminal();
        let line = fresh.parsim(&format!("sleep --serial {options}")).env("TERM", term);
        line.stderr(stderr).run().exits(0).says("results 1, 2, 3, 4");
        shown.join().unwrap()
    };
    // On a machine that stalls what is short may last.
    assert!((0..30).any(|_| !shown("--seconds 0.001", "xterm").contains(" done")));
    for (options, term, is_drawn) in [
        ("--seconds 0.2", "xterm", true),
        ("--seconds 0.2 --progress=always", "xterm", true),
        ("--seconds 0.2 --progress=never", "xterm", false),
        ("--seconds 0.2", "dumb", false),
    ] {
        let shown = shown(options, term);
        assert_eq!(shown.contains("/4 done"), is_drawn, "{options} on {term}: {shown:?}");
    }
}

#[test]
fn a_first_task_that_lasts_is_shown_with_the_time_it_takes() {
    let fresh = Fresh::new();
    let (stderr, shown) = terminal();
    let line = fresh.parsim("sleep --serial --tasks 1 --seconds 3").env("TERM", "xterm");
    line.stderr(stderr).run().exits(0);
    let shown = shown.join().unwrap();
    // Nothing happens between the start and the end of the only task.
    for text in ["0/1 done, 1 running", "(1 s)", "(2 s)"] {
        assert!(shown.contains(text), "{text}: {shown:?}");
    }
    assert!(!shown.contains("ETA"), "nobody knows yet how long it takes: {shown:?}");
}

#[test]
fn colours_come_on_a_terminal_that_wants_them() {
    let fresh = Fresh::new();
    for (option, environment, colored) in [
        ("", ("TERM", "xterm"), true),
        ("--color never", ("TERM", "xterm"), false),
        ("", ("TERM", "dumb"), false),
        ("", ("NO_COLOR", "1"), false),
    ] {
        let (stdout, shown) = terminal();
        let (name, value) = environment;
        let line = fresh.parsim(&format!("sleep --serial --seconds 0 {option}")).env("TERM", "xterm");
        line.env(name, value).stdout(stdout).run().exits(0).is_quiet();
        let shown = shown.join().unwrap();
        assert!(shown.contains("results 1, 2, 3, 4"), "{shown:?}");
        assert_eq!(shown.contains('\u{1b}'), colored, "{option} {environment:?}: {shown:?}");
    }
}

#[test]
fn pictures_come_on_a_terminal_or_when_asked_for() {
    let fresh = Fresh::new();
    let (stdout, shown) = terminal();
    let line = "sleep --tasks 3 --seconds 0.02 --runs 1";
    fresh.parsim(line).env("TERM", "xterm").stdout(stdout).run().exits(0).is_quiet();
    let shown = shown.join().unwrap();
    assert!(shown.contains("serial   █") && shown.contains("lanes      -j "), "{shown}");
    assert!(shown.lines().all(|line| line.chars().filter(|c| "█▒·".contains(*c)).count() <= 100), "{shown}");

    fresh.parsim(line).run().exits(0).does_not_say("lanes").does_not_say("█");
    let ran = fresh.parsim(&format!("{line} --lanes --ascii -j 1,2 --export-json study.json")).run();
    ran.exits(0).says("lanes      -j 2").says("o speed-up over serial");
    ran.expect(ran.stdout.is_ascii(), "nothing but ASCII");
    let saved = std::fs::read_to_string(fresh.path("study.json")).unwrap();
    assert!(saved.starts_with('{') && !saved.contains("####"), "{saved}");
}

#[test]
fn the_pair_of_functions_runs_when_a_terminal_offers_no_lines() {
    let fresh = Fresh::new();
    let (stdin, shown) = terminal();
    let ran = fresh.parsim("parallel").stdin(stdin).run();
    ran.exits(0).tells_one_line("this is the exercise `parsim sleep --parallel`").says("results 1, 2, 3, 4");
    assert_eq!(shown.join().unwrap(), "");
}

/// A batch whose jobs read the terminal, with `first` typed at once and `second`
/// when the first job has begun; what it ended with is in `status`.
fn typed(fresh: &Fresh, jobs: &str, first: &str, second: &str) {
    fs::write(fresh.path("batch"), format!("exec parsim parallel --shell /bin/sh --tty {jobs}")).unwrap();
    // Something has to open a terminal, and to type.
    let script = "timeout -k 1 20 script -qec 'sh ./batch' /dev/null >shown; echo $? >status";
    let began = || fresh.path("began").exists();
    fresh.shell(script).env("PARSIM_SHELL", "/bin/sh").run_fed(first, began, second);
}

#[test]
fn jobs_read_what_is_typed_one_after_another() {
    let fresh = Fresh::new();
    typed(&fresh, "'echo >began; read x; echo $x for {} >>got' ::: a b", "one\n", "two\n");
    assert_eq!(fs::read_to_string(fresh.path("got")).unwrap(), "one for a\ntwo for b\n");
    assert_eq!(fs::read_to_string(fresh.path("status")).unwrap(), "0\n");
}

#[test]
fn an_interrupt_that_is_typed_ends_the_batch_and_not_only_the_job_that_reads() {
    let fresh = Fresh::new();
    // Who has read a line has the terminal.
    typed(&fresh, "'read x; echo {} >>log; : >began; read x' ::: a b", "go\n", "\u{3}");
    assert_eq!(fs::read_to_string(fresh.path("log")).unwrap(), "a\n");
    assert_eq!(fs::read_to_string(fresh.path("status")).unwrap(), "130\n");
}

#[test]
fn a_job_that_is_stopped_goes_on_where_no_shell_could_continue_it() {
    let fresh = Fresh::new();
    // Later than a job is left alone that was just brought to the foreground.
    typed(
        &fresh,
        "'read x; sleep 0.3; echo >began; read x; echo $x for {} >got' ::: a",
        "go\n",
        "\u{1a}one\n",
    );
    assert_eq!(fs::read_to_string(fresh.path("got")).unwrap(), "one for a\n");
    assert_eq!(fs::read_to_string(fresh.path("status")).unwrap(), "0\n");
}

/// Runs `line`, whose job or hook asks in vain for the terminal, until it was told;
/// then Ctrl-C is typed. What was shown, and the exit status.
fn asked_in_vain(line: &str) -> (String, String) {
    let fresh = Fresh::new();
    fs::write(fresh.path("batch"), format!("exec parsim {line}")).unwrap();
    let script = "timeout -k 1 20 script -qfec 'sh ./batch' /dev/null >shown; echo $? >status";
    let is_told = || fs::read_to_string(fresh.path("shown")).is_ok_and(|shown| shown.contains("asks for"));
    fresh.shell(script).env("SHELL", "/bin/sh").env("TERM", "xterm").run_fed("", is_told, "\u{3}");
    let read = |name| String::from_utf8_lossy(&fs::read(fresh.path(name)).unwrap()).into_owned();
    (read("shown"), read("status"))
}

#[test]
fn a_job_that_asks_for_the_terminal_is_told_of_with_the_way_out_and_can_be_ended() {
    let told = "parsim: job 1 has stopped: it asks for the terminal; parsim parallel --tty lends it";
    for batch in ["parallel", "parallel --bar", "parallel --progress=always -k", "serial", "compare"] {
        for job in ["read x </dev/tty", "stty -echo </dev/tty"] {
            let (shown, status) = asked_in_vain(&format!("{batch} --shell /bin/sh '{job}; :' ::: a"));
            assert!(shown.contains(told), "{batch} {job}: {shown}");
            assert_eq!(shown.matches(told).count(), 1, "{batch} {job}: {shown}");
            assert_eq!(status, "130\n", "{batch} {job}: {shown}");
        }
    }
    let (shown, status) = asked_in_vain("sleep --seconds 0 --prepare 'read x </dev/tty; :'");
    let told = "parsim: \"read x </dev/tty; :\" has stopped: it asks for the terminal, which it is not given";
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words(&shown).contains(told), "{shown}");
    assert_eq!(status, "130\n", "{shown}");
}
