//! A service principal's certificate: its key signs an assertion for each token. The form is that of
//! [Microsoft's page](https://learn.microsoft.com/entra/identity-platform/certificate-credentials).

use super::file_error::IdentityFileError;
use async_trait::async_trait;
use azure_core::Uuid;
use azure_core::error::{Error, ErrorKind, Result as AzureResult};
use azure_core::http::ClientMethodOptions;
use azure_core::time::OffsetDateTime;
use azure_identity::ClientAssertion;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use labelrelay_core::secret::read_file;
use rustls::SignatureScheme;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, Signer};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::path::PathBuf;

/// Whoever sees an assertion may ask for tokens with it for so long, so it is short: what Microsoft advises. It is made
/// anew for each token.
const LIFETIME_S: i64 = 10 * 60;

/// A file with a certificate and its key in PEM, read each time: it may be renewed.
#[derive(Debug)]
pub(super) struct CertificateFile {
    pub(super) path: PathBuf,
    /// Whom it identifies.
    pub(super) client: String,
    /// Address that gives tokens out for it.
    pub(super) audience: String,
    /// Tells whether all certificates of the file go along.
    pub(super) with_chain: bool,
}

#[async_trait]
impl ClientAssertion for CertificateFile {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> AzureResult<String> {
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let unusable = |told: String| Error::new(ErrorKind::Credential, IdentityFileError(told));
        let file = read_file(&self.path).map_err(|error| unusable(error.message))?;
        self.assertion(&file, now).map_err(|problem| {
            let path = self.path.display();
            unusable(format!("its certificate's file {path} {problem}"))
        })
    }
}

impl CertificateFile {
    /// An assertion that is good from `now` on, or what is wrong with the file.
    fn assertion(&self, file: &[u8], now: i64) -> Result<String, &'static str> {
        let (certificates, signer) = certificates_and_signer(file)?;
        let own = certificates.first().ok_or(NO_CERTIFICATE)?;
        let thumbprint = URL_SAFE_NO_PAD.encode(Sha256::digest(own));
        let header = if self.with_chain {
            let chain: Vec<_> = certificates
                .iter()
                .map(|one| STANDARD.encode(one))
                .collect();
            json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint, "x5c": chain })
        } else {
            json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint })
        };
        let claims = json!({
            "aud": self.audience,
            "exp": now + LIFETIME_S,
            "iat": now,
            "iss": self.client,
            "jti": Uuid::new_v4().to_string(),
            "nbf": now,
            "sub": self.client,
        });
        let unsigned = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header.to_string()),
            URL_SAFE_NO_PAD.encode(claims.to_string())
        );
        let signature = signer.sign(unsigned.as_bytes());
        let signature = signature.map_err(|_| "has a key that does not sign")?;
        Ok(format!("{unsigned}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

const NO_CERTIFICATE: &str = "has no certificate that belongs to its key";
const NO_RSA_KEY: &str = "has no RSA key of 2048 to 4096 bits, which Entra ID asks for";

/// The certificates of a file, that of its key first, and what signs with the key.
fn certificates_and_signer(
    file: &[u8],
) -> Result<(Vec<CertificateDer<'static>>, Box<dyn Signer>), &'static str> {
    // PKCS #12 is a sequence in DER; text in PEM begins otherwise.
    if file.first() == Some(&0x30) {
        return Err(
            "is PKCS #12 and not PEM; openssl pkcs12 -in FILE -nodes -out NEW.pem makes one of it",
        );
    }
    if String::from_utf8_lossy(file).contains("ENCRYPTED") {
        return Err(
            "has a key with a password; openssl pkey -in FILE -out NEW.key makes one without, to be put beside the certificate",
        );
    }
    let key = PrivateKeyDer::from_pem_slice(file).map_err(|_| "has no private key in PEM")?;
    let key = any_supported_type(&key).map_err(|_| NO_RSA_KEY)?;
    let signer = key.choose_scheme(&[SignatureScheme::RSA_PSS_SHA256]);
    let signer = signer.ok_or(NO_RSA_KEY)?;
    let mut certificates = CertificateDer::pem_slice_iter(file)
        .collect::<Result<Vec<CertificateDer<'static>>, _>>()
        .map_err(|_| "has a certificate that cannot be read")?;
    let own = certificates.iter().position(|one| {
        let pair = CertifiedKey::new(vec![one.clone()], key.clone());
        pair.keys_match().is_ok()
    });
    let own = certificates.remove(own.ok_or(NO_CERTIFICATE)?);
    certificates.insert(0, own);
    Ok((certificates, signer))
}
