//! A command while it runs: signals, waiting for something, and its end.
//!
//! Does not know what is expected of it.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::Ran;

/// What takes longer hangs: the slowest test takes a twentieth of it.
const PATIENCE: Duration = Duration::from_secs(60);

/// What does not come about in this time does not come at all.
const WAITING: Duration = Duration::from_secs(20);

/// A command that runs.
pub(crate) struct Started {
    child: Child,
    command: Command,
    stdout: Option<Collected>,
    stderr: Option<Collected>,
}

/// What came through a pipe so far, and the thread that reads it to its end.
struct Collected {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Started {
    pub(super) fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let (stdout, stderr) = (child.stdout.take().map(collect), child.stderr.take().map(collect));
        Self { child, command, stdout, stderr }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Sends a signal, by its name without SIG, to this process alone.
    pub(crate) fn signal(&self, name: &str) {
        kill(name, &self.id().to_string());
    }

    /// Sends a signal to this process and what it started, as a terminal does.
    pub(crate) fn signal_all(&self, name: &str) {
        kill(name, &format!("-{}", self.id()));
    }

    /// Waits until `ready` holds; a process that ends before is a failure.
    #[track_caller]
    pub(crate) fn until(&mut self, what: &str, mut ready: impl FnMut() -> bool) {
        let start = Instant::now();
        loop {
            // Asked for first: what it has done by its end counts.
            let is_running = self.is_running();
            if ready() {
                break;
            }
            assert!(is_running, "{:?} ended before {what}", self.command);
            assert!(start.elapsed() < WAITING, "{:?}: waited too long for {what}", self.command);
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Waits until it has told `text` on stderr.
    #[track_caller]
    pub(crate) fn until_it_tells(&mut self, text: &str) {
        let told = Arc::clone(&self.stderr.as_ref().unwrap().bytes);
        self.until(&format!("{text:?} on stderr"), || {
            String::from_utf8_lossy(&told.lock().unwrap()).contains(text)
        });
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn end(self) -> Ran {
        self.end_within(PATIENCE)
    }

    /// Waits for its end; what takes longer is killed and a failure.
    #[track_caller]
    pub(crate) fn end_within(mut self, patience: Duration) -> Ran {
        let start = Instant::now();
        let in_time = loop {
            if !self.is_running() {
                break true;
            }
            if start.elapsed() > patience {
                break false;
            }
            thread::sleep(Duration::from_millis(1));
        };
        if !in_time || !self.is_read_to_its_end() {
            // What it left running holds the pipes open.
            self.signal_all("KILL");
        }
        let text = |stream: Option<Collected>| {
            stream.map_or_else(String::new, |Collected { bytes, reader }| {
                reader.join().unwrap();
                String::from_utf8_lossy(&bytes.lock().unwrap()).into_owned()
            })
        };
        let ran = Ran {
            status: self.child.wait().unwrap(),
            stdout: text(self.stdout.take()),
            stderr: text(self.stderr.take()),
            command: format!("{:?}", self.command),
            folder: self.command.get_current_dir().unwrap().to_owned(),
        };
        ran.expect(in_time, &format!("it to end within {patience:?}"));
        ran
    }

    /// Whether its pipes are closed, soon after its end.
    fn is_read_to_its_end(&self) -> bool {
        let is_finished =
            |stream: &Option<Collected>| stream.as_ref().is_none_or(|stream| stream.reader.is_finished());
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(500) {
            if is_finished(&self.stdout) && is_finished(&self.stderr) {
                return true;
            }
            thread::sleep(Duration::from_millis(1));
        }
        false
    }
}

impl Drop for Started {
    /// A test that failed leaves nothing running.
    fn drop(&mut self) {
        if self.is_running() {
            self.signal_all("KILL");
            let _ = self.child.wait();
        }
    }
}

fn kill(name: &str, whom: &str) {
    // It may be gone already, which is for the caller to find out.
    let kill = format!("kill -s {name} -- {whom}");
    Command::new("/bin/sh").args(["-c", &kill]).stderr(Stdio::null()).status().unwrap();
}

fn collect(mut stream: impl Read + Send + 'static) -> Collected {
    let bytes = Arc::new(Mutex::new(Vec::new()));
    let collected = Arc::clone(&bytes);
    let reader = thread::spawn(move || {
        let mut piece = [0; 1 << 12];
        loop {
            let length = stream.read(&mut piece).unwrap();
            if length == 0 {
                break;
            }
            collected.lock().unwrap().extend_from_slice(&piece[..length]);
        }
    });
    Collected { bytes, reader }
}
