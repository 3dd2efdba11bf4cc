//! A server on the loopback that answers as a test says, well or badly.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Nobody waits longer for anything here.
const PATIENCE: Duration = Duration::from_secs(30);

/// A request that came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// Without the query.
    pub(crate) path: String,
    /// Line by line.
    pub(crate) head: String,
    pub(crate) body: String,
    /// How many requests came before it.
    pub(crate) before: usize,
    /// The number of the connection on which it came, and of the request there.
    pub(crate) connection: (usize, usize),
    /// Where the server is: `http://127.0.0.1:1234`.
    pub(crate) server: String,
}

/// What becomes of a request.
pub(crate) enum Reply {
    /// These bytes, then the end.
    Bytes(Vec<u8>),
    /// These bytes, and then the next request.
    Keep(Vec<u8>),
    /// These bytes, and then nothing, for ever.
    Hang(Vec<u8>),
}

impl Reply {
    /// A document with a sound head.
    pub(crate) fn xml(body: impl AsRef<[u8]>) -> Self {
        Self::with("200 OK", &["Content-Type: text/xml"], body)
    }

    pub(crate) fn with(status: &str, headers: &[&str], body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let mut bytes = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n", body.len()).into_bytes();
        for header in headers {
            bytes.extend(format!("{header}\r\n").into_bytes());
        }
        bytes.extend(b"\r\n");
        bytes.extend(body);
        Self::Bytes(bytes)
    }
}

/// The server; it is gone when this is dropped.
pub(crate) struct Stub {
    address: SocketAddr,
    scheme: &'static str,
    over: Arc<AtomicBool>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

type Answers = Arc<dyn Fn(&Asked) -> Reply + Send + Sync>;

impl Stub {
    /// Answers every request as `answers` says, each on a thread of its own.
    pub(crate) fn start(answers: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        Self::serve("http", Arc::new(answers), None)
    }

    /// The same over TLS, with certificate and key from a PEM file of tests/data.
    pub(crate) fn secure(
        certificate: &str,
        answers: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tls").join(certificate);
        let chain = vec![CertificateDer::from_pem_file(&path).unwrap()];
        let key = PrivateKeyDer::from_pem_file(&path).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        Self::serve("https", Arc::new(answers), Some(Arc::new(config)))
    }

    fn serve(scheme: &'static str, answers: Answers, config: Option<Arc<rustls::ServerConfig>>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let over = Arc::new(AtomicBool::new(false));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let stub = Self { address, scheme, over: Arc::clone(&over), asked: Arc::clone(&asked) };
        let server = stub.url("");
        thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let (answers, asked) = (Arc::clone(&answers), Arc::clone(&asked));
                let (server, config) = (server.clone(), config.clone());
                thread::spawn(move || {
                    stream.set_read_timeout(Some(PATIENCE)).unwrap();
                    match config {
                        None => talk_on(stream, number, &server, &answers, &asked),
                        Some(config) => {
                            let connection = rustls::ServerConnection::new(config).unwrap();
                            let stream = rustls::StreamOwned::new(connection, stream);
                            talk_on(stream, number, &server, &answers, &asked);
                        }
                    }
                });
            }
        });
        stub
    }

    /// The URL of `path`, which begins with a slash.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }

    /// Host and port.
    pub(crate) fn authority(&self) -> String {
        self.address.to_string()
    }

    /// Every request so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

/// All requests of a connection. Whoever breaks off is no concern of the test.
fn talk_on(
    mut stream: impl Read + Write,
    number: usize,
    server: &str,
    answers: &Answers,
    asked: &Mutex<Vec<Asked>>,
) {
    let mut n_asked = 0;
    while talk(&mut stream, (number, n_asked), server, answers, asked) {
        n_asked += 1;
    }
}

/// One request, one answer; whether there may be another one.
fn talk(
    stream: &mut (impl Read + Write),
    connection: (usize, usize),
    server: &str,
    answers: &Answers,
    asked: &Mutex<Vec<Asked>>,
) -> bool {
    let mut bytes = Vec::new();
    // Byte by byte, so that what is left unread can break the connection off.
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => bytes.push(byte[0]),
            _ => return false,
        }
        if bytes == b"\x16" {
            // A greeting of TLS where none is spoken: answered as web servers do.
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
            return false;
        }
        if bytes == b"GET /reset" {
            return false;
        }
    }
    let head = String::from_utf8_lossy(&bytes).into_owned();
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    if stream.read_exact(&mut body).is_err() {
        return false;
    }
    let path = head.split(' ').nth(1).unwrap().split('?').next().unwrap().to_owned();
    let body = String::from_utf8(body).unwrap();
    let request = {
        let mut asked = asked.lock().unwrap();
        let before = asked.len();
        let request = Asked { path, head, body, before, connection, server: server.to_owned() };
        asked.push(request.clone());
        request
    };
    match answers(&request) {
        Reply::Keep(bytes) => return stream.write_all(&bytes).and_then(|()| stream.flush()).is_ok(),
        Reply::Bytes(bytes) => {
            let _ = stream.write_all(&bytes).and_then(|()| stream.flush());
        }
        Reply::Hang(bytes) => {
            let _ = stream.write_all(&bytes).and_then(|()| stream.flush());
            // A wait with a limit is cut short when the tests are stopped and continued.
            while stream.read(&mut byte).is_err_and(|error| error.kind() == ErrorKind::Interrupted) {}
        }
    }
    false
}
