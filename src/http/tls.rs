//! Who is trusted, and the handshake.

use std::io;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::connection::{Notes, Wire};
use super::{Host, HttpError, HttpErrorKind, cert_expiry};

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
            let read = || format!("read certificate authorities from {}", path.display());
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
            .context("prepare TLS")?
            .with_root_certificates(store)
            .with_no_client_auth();
        Ok(Self { config: Arc::new(config) })
    }

    /// Greets on `wire`, and tells when the other side's certificate expires, in
    /// seconds since 1970.
    pub(super) fn greet(
        &self,
        host: &Host,
        mut wire: Wire,
        notes: &Notes,
    ) -> Result<(StreamOwned<ClientConnection, Wire>, Option<i64>), HttpError> {
        let failed = |text: String| HttpError::new(HttpErrorKind::Tls, text);
        let name = match host {
            Host::Address(address) => ServerName::from(*address),
            Host::Name(name) => ServerName::try_from(name.trim_end_matches('.').to_owned())
                .map_err(|_| failed("the host's name cannot be certified".to_owned()))?,
        };
        let mut connection = ClientConnection::new(Arc::clone(&self.config), name)
            .map_err(|error| failed(format!("prepare TLS: {error}")))?;
        while connection.is_handshaking() {
            if let Err(error) = connection.complete_io(&mut wire) {
                // What the wire knows is what happened; the rest is TLS's own.
                return Err(notes
                    .with(|noted| noted.trouble.clone())
                    .unwrap_or_else(|| failed(said(&error))));
            }
        }
        let expires = connection
            .peer_certificates()
            .and_then(<[_]>::first)
            .and_then(|leaf| cert_expiry::not_after(leaf));
        Ok((StreamOwned::new(connection, wire), expires))
    }
}

fn said(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return "closed in the TLS handshake".to_owned();
    }
    error.to_string()
}
