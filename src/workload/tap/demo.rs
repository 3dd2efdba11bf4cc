//! Four services inside parsim, so that the lesson works without a network.
//!
//! Real sockets on the loopback and real answers, each after a wait that stands
//! for the way there and back. Everything a check can ask for is answered.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;

use super::services::Service;

/// Name, wait and start of each service.
const SERVICES: [(&str, u64, &str); 4] = [
    ("near", 100, "2025-11-03T08:15:00Z"),
    ("next", 200, "2025-06-21T10:00:00Z"),
    ("far", 300, "2024-12-24T18:30:00Z"),
    ("farthest", 400, "2023-03-14T15:09:26Z"),
];

/// A request's head is not longer than this.
const HEAD: usize = 16 << 10;

/// Services that run as long as this lives.
#[derive(Debug)]
pub(super) struct Demo {
    servers: Vec<Server>,
}

#[derive(Debug)]
struct Server {
    address: SocketAddr,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Demo {
    /// Starts them, each on a port of the loopback that is free.
    pub(super) fn start() -> anyhow::Result<(Self, Vec<Service>)> {
        let mut demo = Self { servers: Vec::new() };
        let mut services = Vec::new();
        for (name, wait, since) in SERVICES {
            let server = Server::start(Duration::from_millis(wait), since)
                .context("start a service for --demo on the loopback")?;
            let url = format!("http://{}/tap", server.address);
            services.push(Service::new(&url, Some(format!("{name} ({wait} ms)")), "")?);
            demo.servers.push(server);
        }
        Ok((demo, services))
    }
}

impl Server {
    fn start(wait: Duration, since: &'static str) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let over = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&over);
        let serve = move || {
            for stream in listener.incoming() {
                if seen.load(Ordering::SeqCst) {
                    return;
                }
                // Whoever breaks off is asked nothing.
                let _ = stream.and_then(|stream| answer(stream, wait, since));
            }
        };
        let thread = std::thread::Builder::new().name("demo".to_owned()).spawn(serve)?;
        Ok(Self { address, over, thread: Some(thread) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        // Wakes it from waiting for somebody to ask.
        let woken = TcpStream::connect(self.address).is_ok();
        if let Some(thread) = self.thread.take().filter(|_| woken) {
            let _ = thread.join();
        }
    }
}

fn answer(mut stream: TcpStream, wait: Duration, since: &str) -> io::Result<()> {
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
    while request.len() < end + length.unwrap_or(0).min(HEAD) {
        let count = stream.read(&mut piece)?;
        if count == 0 {
            return Ok(());
        }
        request.extend_from_slice(&piece[..count]);
    }
    std::thread::sleep(wait);
    let path = head.split(' ').nth(1).unwrap_or("").split('?').next().unwrap_or("");
    let (status, body) = match path {
        "/tap/availability" => ("200 OK", availability(since)),
        "/tap/sync" => ("200 OK", ROW.to_owned()),
        "/tap/capabilities" => ("200 OK", CAPABILITIES.to_owned()),
        "/tap/tables" => ("200 OK", TABLES.to_owned()),
        _ => ("404 Not Found", String::new()),
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: text/xml\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

fn availability(since: &str) -> String {
    format!(
        "<availability xmlns=\"http://www.ivoa.net/xml/VOSIAvailability/v1.0\"><available>true</available><upSince>{since}</upSince></availability>"
    )
}

const ROW: &str = "<VOTABLE version=\"1.4\" xmlns=\"http://www.ivoa.net/xml/VOTable/v1.3\"><RESOURCE type=\"results\"><INFO name=\"QUERY_STATUS\" value=\"OK\"/><TABLE><FIELD name=\"table_name\" datatype=\"char\" arraysize=\"*\"/><DATA><TABLEDATA><TR><TD>tap_schema.tables</TD></TR></TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>";

const CAPABILITIES: &str = "<c:capabilities xmlns:c=\"http://www.ivoa.net/xml/VOSICapabilities/v1.0\"><capability standardID=\"ivo://ivoa.net/std/TAP\"><interface><accessURL use=\"base\">/tap</accessURL></interface></capability></c:capabilities>";

const TABLES: &str = "<t:tableset xmlns:t=\"http://www.ivoa.net/xml/VOSITables/v1.0\"><schema><name>tap_schema</name><table><name>tap_schema.tables</name></table></schema></t:tableset>";
