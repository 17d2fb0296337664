//! The certificate authorities that are trusted.

use aws_smithy_http_client::tls::{TlsContext, TrustStore};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use labelrelay_core::BackEndError;
use labelrelay_core::config::Lookup;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// The system's authorities (`SSL_CERT_FILE` says where else they are), or those in the file that
/// `AWS_CA_BUNDLE` names instead, as AWS's own tools understand it.
pub(crate) fn trust(lookup: Lookup<'_>) -> Result<TlsContext, BackEndError> {
    let store = match lookup.text("AWS_CA_BUNDLE")? {
        Some(path) => bundle(&path)?,
        None => TrustStore::default(),
    };
    TlsContext::builder()
        .with_trust_store(store)
        .build()
        .map_err(|error| {
            let problem = format!("cannot be used for TLS: {error}");
            BackEndError::of_variable("AWS_CA_BUNDLE", problem, "name a file of PEM certificates")
        })
}

fn bundle(path: &str) -> Result<TrustStore, BackEndError> {
    let unusable = |problem: &str| {
        let problem = format!("names {path}, which {problem}");
        let cure = "name a file of PEM certificates, or unset it";
        BackEndError::of_variable("AWS_CA_BUNDLE", problem, cure)
    };
    let read = std::fs::read(path);
    let bytes = read.map_err(|error| unusable(&format!("cannot be read: {error}")))?;
    let mut store = TrustStore::empty().with_native_roots(false);
    let mut found = false;
    for certificate in CertificateDer::pem_slice_iter(&bytes) {
        let certificate = certificate.map_err(|error| unusable(&format!("is not PEM: {error}")))?;
        // The trust store takes what it is given, and panics at what rustls does not understand.
        if RootCertStore::empty().add(certificate.clone()).is_ok() {
            store.add_pem_certificate(pem(&certificate));
            found = true;
        }
    }
    if found {
        Ok(store)
    } else {
        Err(unusable("holds no certificate of an authority"))
    }
}

fn pem(certificate: &CertificateDer<'_>) -> String {
    let text = STANDARD.encode(certificate);
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}
