//! TLS with a certificate that nobody else has.

use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use tempfile::NamedTempFile;

/// A certificate for the loopback address and its key.
pub(super) struct Identity {
    config: Arc<ServerConfig>,
    file: NamedTempFile,
}

impl Identity {
    pub(super) fn new() -> Self {
        let names = ["127.0.0.1".to_owned(), "localhost".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key.into())
            .unwrap();
        let file = NamedTempFile::new().unwrap();
        std::fs::write(file.path(), made.cert.pem()).unwrap();
        Self {
            config: Arc::new(config),
            file,
        }
    }

    pub(super) fn file(&self) -> &Path {
        self.file.path()
    }

    pub(super) fn accept(&self, stream: &TcpStream) -> StreamOwned<ServerConnection, TcpStream> {
        let session = ServerConnection::new(Arc::clone(&self.config)).unwrap();
        StreamOwned::new(session, stream.try_clone().unwrap())
    }
}
