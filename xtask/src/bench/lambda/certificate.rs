//! A certificate authority for one run, and a bundle of roots in which it is one of many.

use crate::Outcome;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Paths of the distributions' roots; the first is that of Lambda's Amazon Linux.
const SYSTEM_ROOTS: [&str; 2] = [
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/certs/ca-certificates.crt",
];

pub(super) struct Certificates {
    /// The servers' certificate.
    pub(super) server: Arc<ServerConfig>,
    /// A client that trusts our authority alone, made ahead.
    pub(super) client: Arc<ClientConfig>,
    /// The certificates that clients trust: the system's roots and ours, so that reading them costs what it does in
    /// earnest.
    pub(super) bundle: PathBuf,
}

impl Certificates {
    pub(super) fn new(folder: &Path) -> Outcome<Self> {
        let authority_key = KeyPair::generate()?;
        let mut authority = CertificateParams::new(Vec::new())?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let root = authority.self_signed(&authority_key)?;
        let issuer = Issuer::new(authority, authority_key);

        let key = KeyPair::generate()?;
        let leaf = CertificateParams::new(vec!["localhost".into()])?.signed_by(&key, &issuer)?;
        let key = PrivateKeyDer::try_from(key.serialize_der())?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key)?;
        server.alpn_protocols = vec![b"http/1.1".to_vec()];

        let mut roots = RootCertStore::empty();
        roots.add(root.der().clone())?;
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();

        let bundle = folder.join("roots.pem");
        let system = SYSTEM_ROOTS
            .iter()
            .find_map(|path| std::fs::read_to_string(path).ok());
        std::fs::write(&bundle, system.unwrap_or_default() + "\n" + &root.pem())?;
        Ok(Self {
            server: Arc::new(server),
            client: Arc::new(client),
            bundle,
        })
    }
}
