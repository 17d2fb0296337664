//! Certificates that this machine trusts.

use std::sync::Arc;
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Certificates that this machine trusts, read when it is needed first.
#[derive(Default)]
pub struct TrustedRoots(OnceCell<TlsConnector>);

impl TrustedRoots {
    /// Tells whether this machine trusts anybody.
    ///
    /// # Errors
    /// The cure, if it trusts nobody.
    pub async fn check(&self) -> Result<(), String> {
        self.connector().await.map(|_| ())
    }

    pub(crate) async fn connector(&self) -> Result<&TlsConnector, String> {
        let read = async { Ok::<_, String>(TlsConnector::from(Arc::new(tls_config()?))) };
        self.0.get_or_try_init(|| read).await
    }
}

/// Trusts what this machine trusts, so that a company's own authority works as it does elsewhere.
fn tls_config() -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(
            "this machine trusts no certificate authority: install its CA certificates".to_owned(),
        );
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}
