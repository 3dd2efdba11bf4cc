//! Who is trusted, the handshake, and when the certificate expires that is shown in it.

use std::io;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::connection::{DeadlineStream, Timings};
use super::{HttpError, HttpErrorKind, UrlHost};
use crate::vo::read_datetime;

/// Which authorities are trusted besides those of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Roots {
    /// Those that Mozilla trusts, as of the build.
    #[default]
    Bundled,
    /// Those of this system.
    System,
}

/// Who is trusted to say who somebody is.
#[derive(Clone, Debug)]
pub struct Trust {
    config: Arc<ClientConfig>,
}

impl Trust {
    /// The authorities of `roots`, and those in the PEM file `more`.
    ///
    /// # Errors
    /// When a file cannot be read or holds no certificate.
    pub fn new(roots: Roots, more: Option<&Path>) -> anyhow::Result<Self> {
        let mut store = RootCertStore::empty();
        match roots {
            Roots::Bundled => store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
            Roots::System => {
                let found = rustls_native_certs::load_native_certs();
                let (added, _) = store.add_parsable_certificates(found.certs);
                let why = found.errors.first().map(|error| format!(": {error}")).unwrap_or_default();
                ensure!(added > 0, "no certificate authorities found on this system{why}");
            }
        }
        if let Some(path) = more {
            let read = || format!("cannot read certificates from {}", path.display());
            let mut n_read = 0;
            for certificate in CertificateDer::pem_file_iter(path).with_context(read)? {
                store.add(certificate.with_context(read)?).with_context(read)?;
                n_read += 1;
            }
            ensure!(n_read > 0, "{}: it holds no certificate", read());
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .context("cannot prepare TLS")?
            .with_root_certificates(store)
            .with_no_client_auth();
        Ok(Self { config: Arc::new(config) })
    }

    /// Greets on `stream`, and tells when the other side's certificate expires, in
    /// seconds since 1970.
    pub(super) fn greet(
        &self,
        host: &UrlHost,
        mut stream: DeadlineStream,
        timings: &Timings,
    ) -> Result<(StreamOwned<ClientConnection, DeadlineStream>, Option<i64>), HttpError> {
        let failed = |text: String| HttpError::new(HttpErrorKind::Tls, text);
        let name = match host {
            UrlHost::Address(address) => ServerName::from(*address),
            UrlHost::Name(name) => ServerName::try_from(name.trim_end_matches('.').to_owned())
                .map_err(|_| failed("the host's name cannot be certified".to_owned()))?,
        };
        let mut connection = ClientConnection::new(Arc::clone(&self.config), name)
            .map_err(|error| failed(format!("prepare TLS: {error}")))?;
        while connection.is_handshaking() {
            if let Err(error) = connection.complete_io(&mut stream) {
                let said = match error.kind() {
                    io::ErrorKind::UnexpectedEof => "closed in the TLS handshake".to_owned(),
                    _ => in_words(&error),
                };
                // What the stream knows is what happened; the rest is TLS's own.
                return Err(timings.with(|noted| noted.error.clone()).unwrap_or_else(|| failed(said)));
            }
        }
        let expires = connection.peer_certificates().and_then(<[_]>::first).and_then(|leaf| not_after(leaf));
        Ok((StreamOwned::new(connection, stream), expires))
    }
}

/// What went wrong, in words also where the library has none of its own.
fn in_words(error: &io::Error) -> String {
    let text = error.to_string();
    if text.contains("CaUsedAsEndEntity") {
        return "invalid peer certificate: it is that of an authority (CA:TRUE), which no server may show"
            .to_owned();
    }
    text
}

/// The end of a certificate's validity (RFC 5280, 4.1), found by walking its DER, in seconds since 1970; `None` where the
/// bytes are no certificate.
fn not_after(certificate: &[u8]) -> Option<i64> {
    let (_, whole, _) = element(certificate)?;
    let (_, mut fields, _) = element(whole)?;
    // An explicit version, if any; then serial number, algorithm and issuer.
    if fields.first() == Some(&0xa0) {
        fields = element(fields)?.2;
    }
    for _ in 0..3 {
        fields = element(fields)?.2;
    }
    let (_, validity, _) = element(fields)?;
    let (_, _, rest) = element(validity)?;
    let (tag, time, _) = element(rest)?;
    let time = std::str::from_utf8(time).ok().filter(|time| time.is_ascii())?;
    let (century, rest) = match tag {
        // UTCTime: two digits of the year, of this century below 50.
        0x17 => (if time.get(..2)?.parse::<u8>().ok()? < 50 { "20" } else { "19" }, time),
        // GeneralizedTime: four digits.
        0x18 => (time.get(..2)?, time.get(2..)?),
        _ => return None,
    };
    let [year, month, day, hour, minute, second] =
        [0, 2, 4, 6, 8, 10].map(|at| rest.get(at..at + 2).unwrap_or_default());
    read_datetime(&format!("{century}{year}-{month}-{day}T{hour}:{minute}:{second}Z"))
}

/// Tag, content, and what follows, of the first element.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f).min(8))?;
        let fold = |length: usize, byte: &u8| length.checked_mul(256)?.checked_add(usize::from(*byte));
        (digits.iter().try_fold(0, fold)?, rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wrapped(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[tag, 0x82], &length[..], content].concat()
    }

    fn certificate(end: &[u8]) -> Vec<u8> {
        let validity = [wrapped(0x17, b"200101000000Z"), end.to_vec()].concat();
        let fields = [
            wrapped(0xa0, &[2]),
            wrapped(2, &[1]),
            wrapped(0x30, &[]),
            wrapped(0x30, &[]),
            wrapped(0x30, &validity),
        ];
        wrapped(0x30, &wrapped(0x30, &fields.concat()))
    }

    #[test]
    fn both_forms_of_time_are_read() {
        assert_eq!(not_after(&certificate(&wrapped(0x17, b"260102030405Z"))), Some(1_767_323_045));
        assert_eq!(not_after(&certificate(&wrapped(0x18, b"20260102030405Z"))), Some(1_767_323_045));
        assert_eq!(not_after(&certificate(&wrapped(0x0c, b"20260102030405Z"))), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = not_after(&bytes);
            let _ = not_after(&certificate(&bytes));
        }
    }
}
