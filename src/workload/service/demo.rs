//! Services inside parsim, so that lessons work without a network.
//!
//! Real sockets on the loopback and real answers, each after a wait that stands
//! for the way there and back.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use crate::workload::Sharing;

/// A request's head is not longer than this.
const HEAD: usize = 16 << 10;

/// What is sent with it neither.
const BODY: usize = 1 << 20;

/// What is asked of it.
#[derive(Clone, Copy, Debug)]
pub struct DemoRequest<'a> {
    /// Path and query.
    pub path: &'a str,
    /// What was sent with it.
    pub body: &'a [u8],
}

/// What it answers: a document, or that there is none.
type Answer = dyn Fn(&DemoRequest<'_>) -> Option<String> + Send + Sync;

/// A service that runs as long as this lives.
#[derive(Debug)]
pub struct DemoServer {
    address: SocketAddr,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl DemoServer {
    /// Refuses --demo where those who ask it cannot reach it.
    ///
    /// # Errors
    /// Where tasks are done on other machines.
    pub fn check_sharing(sharing: Sharing) -> anyhow::Result<()> {
        ensure!(
            sharing != Sharing::Nothing,
            "--demo asks a service inside this parsim, which other machines cannot reach: leave it out, or -S"
        );
        Ok(())
    }

    /// Starts one on a port of the loopback that is free. After `wait` it gives the
    /// document that `answer` has for what is asked, however many ask at a time.
    pub fn start(
        wait: Duration,
        answer: impl Fn(&DemoRequest<'_>) -> Option<String> + Send + Sync + 'static,
    ) -> anyhow::Result<Self> {
        Self::serve(wait, Arc::new(answer)).context("cannot start a service for --demo on the loopback")
    }

    fn serve(wait: Duration, answer: Arc<Answer>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let over = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&over);
        let serve = move || {
            for stream in listener.incoming() {
                if seen.load(Ordering::SeqCst) {
                    return;
                }
                let answer = Arc::clone(&answer);
                // Whoever breaks off is asked nothing; whom there is no thread for neither.
                let talk = move || stream.and_then(|stream| reply(stream, wait, &*answer));
                let _ = std::thread::Builder::new().name("demo".to_owned()).spawn(talk);
            }
        };
        let thread = std::thread::Builder::new().name("demo".to_owned()).spawn(serve)?;
        Ok(Self { address, over, thread: Some(thread) })
    }

    /// Where it is asked: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for DemoServer {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        // Wakes it from waiting for somebody to ask.
        let woken = TcpStream::connect(self.address).is_ok();
        if let Some(thread) = self.thread.take().filter(|_| woken) {
            let _ = thread.join();
        }
    }
}

fn reply(mut stream: TcpStream, wait: Duration, answer: &Answer) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut request = Vec::new();
    let mut piece = [0; 2048];
    let end = loop {
        let count = stream.read(&mut piece)?;
        request.extend_from_slice(&piece[..count]);
        let end = request.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(end) = end {
            break end + 4;
        }
        if count == 0 || request.len() > HEAD {
            return Ok(());
        }
    };
    let head = String::from_utf8_lossy(&request[..end]).into_owned();
    // What is left unread would turn the answer into a reset.
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    while request.len() < end + length.unwrap_or(0).min(BODY) {
        let count = stream.read(&mut piece)?;
        if count == 0 {
            return Ok(());
        }
        request.extend_from_slice(&piece[..count]);
    }
    std::thread::sleep(wait);
    let asked = DemoRequest { path: head.split(' ').nth(1).unwrap_or(""), body: &request[end..] };
    let (status, body) = match answer(&asked) {
        Some(document) => ("200 OK", document),
        None => ("404 Not Found", String::new()),
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: text/xml\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}
