//! Workers on other machines: a remote shell connects with each, and the worker is at the
//! other end of its standard streams.
//!
//! One connection a host. The client's own words go to a file, for they say why there is no
//! worker. Knows nothing of what workers say.

use std::collections::BTreeSet;
use std::collections::hash_map::RandomState;
use std::fs::File;
use std::hash::{BuildHasher as _, Hasher as _};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::BorrowedFd;
use std::os::unix::fs::FileExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

use super::bootstrap::{Heard, Prelude, ProgramImage, WorkerChoice, script};
use super::protocol::PROTOCOL;
use super::sshlogin::SshLogin;
use super::transport::{Process, Transport, WorkerStream};
use crate::process::with_first_limits;
use crate::sync::Mutex;
use crate::task::NodeName;
use crate::temporary::unnamed_file;
use crate::text::printable;

/// Of what a remote shell has to say, so much is told.
const LONGEST_REASON: usize = 2000;

/// What is usually said before the reason, by a key that is new or a banner.
const BESIDE_THE_POINT: [&str; 2] = ["Warning: Permanently added", "Pseudo-terminal will not"];

/// Connects with workers on one other machine.
pub struct SshHost {
    login: SshLogin,
    node: NodeName,
    worker: WorkerChoice,
    image: OwnProgram,
}

/// This program as a file, read once for all hosts, when the first asks for it.
#[derive(Clone)]
pub struct OwnProgram {
    path: PathBuf,
    system: String,
    image: Arc<OnceLock<Arc<ProgramImage>>>,
    /// The hosts of which was told that it does not run there.
    told_of: Arc<Mutex<BTreeSet<String>>>,
}

impl OwnProgram {
    /// That at `path`, which runs on machines of which uname says `system`: `Linux x86_64`.
    pub fn new(path: PathBuf, system: String) -> Self {
        Self { path, system, image: Arc::default(), told_of: Arc::default() }
    }

    fn get(&self) -> io::Result<Arc<ProgramImage>> {
        if let Some(image) = self.image.get() {
            return Ok(Arc::clone(image));
        }
        let bytes = std::fs::read(&self.path)?;
        let digest = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        let system = self.system.clone();
        Ok(Arc::clone(self.image.get_or_init(|| Arc::new(ProgramImage { bytes, digest, system }))))
    }
}

impl SshHost {
    /// The host of `login`.
    pub fn new(login: SshLogin, worker: WorkerChoice, image: OwnProgram) -> Self {
        let node = NodeName { login: login.text.clone(), host: login.host().to_owned() };
        Self { login, node, worker, image }
    }

    /// What connects with the host and begins a worker there.
    fn command(&self, nonce: u64) -> Command {
        let usual = ["ssh".to_owned()];
        let words = if self.login.command.is_empty() { &usual[..] } else { &self.login.command };
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        if words[0].rsplit('/').next() == Some("ssh") {
            // Nobody is there to be asked, and bytes pass as they are.
            command.args(["-T", "-o", "BatchMode=yes"]);
        }
        if let Some(port) = self.login.port {
            command.arg("-p").arg(port.to_string());
        }
        command.arg(&self.login.target).arg(script(&self.worker, PROTOCOL, nonce));
        command
    }
}

impl Transport for SshHost {
    fn open(&self) -> anyhow::Result<Box<dyn WorkerStream>> {
        // Nobody guesses what a hasher begins with.
        let nonce = RandomState::new().build_hasher().finish();
        let errors = unnamed_file().context("cannot make a file for what the remote shell says")?;
        let mut command = self.command(nonce);
        let child = with_first_limits(&mut command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors.try_clone().context("cannot open a file again")?)
            // A terminal's Ctrl-C is for parsim, which ends what runs there before it hangs up.
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let image = self.image.clone();
        Ok(Box::new(SshStream {
            process: Process::new(child)?,
            prelude: Some(Prelude::new(&self.worker, nonce, Arc::new(move || image.get()))),
            failed: None,
            remark: None,
            told_of: Arc::clone(&self.image.told_of),
            errors,
            name: self.login.text.clone(),
        }))
    }

    fn is_far(&self) -> bool {
        true
    }

    fn node(&self) -> Option<&NodeName> {
        Some(&self.node)
    }
}

/// The way to one worker.
struct SshStream {
    process: Process,
    /// Until there is a worker.
    prelude: Option<Prelude>,
    /// Why there will be none.
    failed: Option<String>,
    /// What is to be told of it.
    remark: Option<String>,
    told_of: Arc<Mutex<BTreeSet<String>>>,
    errors: File,
    name: String,
}

impl SshStream {
    /// What the remote shell said at last.
    fn reason(&self) -> Option<String> {
        let mut said = vec![0; LONGEST_REASON];
        let end = self.errors.metadata().ok()?.len();
        let length = self.errors.read_at(&mut said, end.saturating_sub(LONGEST_REASON as u64)).ok()?;
        let said = String::from_utf8_lossy(&said[..length]).into_owned();
        let lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
        let mut lines = lines.filter(|line| !BESIDE_THE_POINT.iter().any(|start| line.starts_with(start)));
        lines.next_back().map(printable)
    }
}

impl Read for SshStream {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let Some(prelude) = &mut self.prelude else { return self.process.read(bytes) };
        let mut piece = [0; 4096];
        let room = piece.len().min(bytes.len());
        loop {
            let length = self.process.read(&mut piece[..room])?;
            if length == 0 {
                return Ok(0);
            }
            match prelude.hear(&piece[..length]) {
                Heard::Nothing => {
                    // What it asked for is said as soon as there is room for it.
                    say_pending(prelude, &mut self.process)?;
                }
                Heard::Worker(said) => {
                    let why = prelude.substitution.take();
                    // Once a host, however often it is connected with.
                    self.remark = why.filter(|_| self.told_of.lock().insert(self.name.clone()));
                    self.prelude = None;
                    if said.is_empty() {
                        return self.process.read(bytes);
                    }
                    bytes[..said.len()].copy_from_slice(&said);
                    return Ok(said.len());
                }
                Heard::Failed(why) => {
                    self.failed = Some(why.clone());
                    // As if it had ended: why is told by how it ended.
                    return Ok(0);
                }
            }
        }
    }
}

/// Says as much of what the script asked for as can be without waiting.
fn say_pending(prelude: &mut Prelude, process: &mut Process) -> io::Result<()> {
    while !prelude.pending().is_empty() {
        match process.write(prelude.pending()) {
            Ok(length) => prelude.said(length),
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

impl Write for SshStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.prelude {
            Some(prelude) => {
                say_pending(prelude, &mut self.process)?;
                Err(ErrorKind::WouldBlock.into())
            }
            None => self.process.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl WorkerStream for SshStream {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.process.descriptor()
    }

    fn write_descriptor(&self) -> Option<BorrowedFd<'_>> {
        // What waits for the worker does not make this one busy.
        let has_room_for_something =
            self.prelude.as_ref().is_none_or(|prelude| !prelude.pending().is_empty());
        self.process.write_descriptor().filter(|_| has_room_for_something)
    }

    fn is_connecting(&self) -> bool {
        self.prelude.as_ref().is_some_and(|prelude| !prelude.has_answered())
    }

    fn remark(&self) -> Option<&str> {
        self.remark.as_deref()
    }

    fn hang_up(&mut self) {
        self.process.hang_up();
    }

    fn reap(&mut self, patience: Duration) -> Option<String> {
        if self.failed.is_some() {
            // Nothing more is to come from it.
            self.process.reap(Duration::ZERO);
            return self.failed.take();
        }
        let how = self.process.reap(patience);
        let chatter = self.prelude.as_ref().and_then(|prelude| prelude.chatter.clone());
        let said = self.reason().or_else(|| chatter.map(|line| format!("it says {line:?}")));
        match (how, said) {
            (Some(how), Some(said)) => Some(format!("{how}: {said}")),
            (None, Some(said)) if self.prelude.is_some() => Some(format!("ended: {said}")),
            (how, _) => how,
        }
    }
}
