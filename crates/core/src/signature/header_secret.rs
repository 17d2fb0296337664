//! Secrets in a header, for platforms that sign nothing.

use super::claimed::{SIGNATURE_256_HEADER, SIGNATURE_HEADER};
use super::error::CredentialError;
use super::verified::Verified;
use crate::identity::bounded;
use crate::request::RequestHead;
use crate::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use subtle::{Choice, ConstantTimeEq};

/// Header in which a source without signatures carries its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretHeader {
    /// `Authorization: Bearer <secret>`, or `Authorization: Basic` with the secret as password.
    Authorization,
    /// `<name>: <secret>`.
    Named(http::HeaderName),
}

impl SecretHeader {
    /// The secret that a request shows.
    ///
    /// # Errors
    /// [`CredentialError`] when there is none, or when it is malformed or stands twice.
    pub fn shown(&self, head: &RequestHead) -> Result<ShownSecret, CredentialError> {
        match self {
            Self::Named(name) => match head.single(name.as_str()) {
                Err(_) => Err(CredentialError::DoubledNamed {
                    header: name.to_string(),
                }),
                Ok(None) => Err(CredentialError::MissingNamed {
                    header: name.to_string(),
                }),
                Ok(Some(line)) => Ok(ShownSecret(line.into())),
            },
            Self::Authorization => {
                let header = "authorization";
                let line = head
                    .single(header)
                    .map_err(|_| CredentialError::Doubled { header })?;
                let line = line.ok_or(CredentialError::Missing {
                    expected: "Authorization",
                })?;
                authorization(line)
            }
        }
    }
}

fn authorization(line: &[u8]) -> Result<ShownSecret, CredentialError> {
    let malformed = CredentialError::Basic;
    let space = line
        .iter()
        .position(|&b| b == b' ')
        .ok_or(CredentialError::Scheme)?;
    let (scheme, rest) = line.split_at(space);
    let rest = rest.trim_ascii();
    if scheme.eq_ignore_ascii_case(b"bearer") {
        Ok(ShownSecret(rest.into()))
    } else if scheme.eq_ignore_ascii_case(b"basic") {
        let decoded = STANDARD.decode(rest).map_err(|_| malformed.clone())?;
        // RFC 7617: the user id holds no colon, the password may.
        let colon = decoded
            .iter()
            .position(|&b| b == b':')
            .ok_or(malformed.clone())?;
        Ok(ShownSecret(
            decoded.get(colon + 1..).unwrap_or_default().into(),
        ))
    } else {
        Err(CredentialError::Scheme)
    }
}

/// A secret that a request showed; not yet compared. Never printed.
pub struct ShownSecret(Box<[u8]>);

impl ShownSecret {
    /// Compares with every live secret.
    ///
    /// # Errors
    /// [`CredentialError::Mismatch`].
    pub fn check(&self, secrets: &[Secret]) -> Result<HeaderProof, CredentialError> {
        // Hashes of both sides are compared, so that neither content nor length shows in the time.
        let shown = Sha256::digest(&self.0);
        let mut by = None;
        for secret in secrets {
            // All forms are compared, whatever the first one says.
            let equal = secret.shown_forms().fold(Choice::from(0), |equal, form| {
                equal | shown.as_slice().ct_eq(Sha256::digest(form).as_slice())
            });
            if bool::from(equal) && by.is_none() {
                by = Some(secret.shared_name());
            }
        }
        by.map(|by| HeaderProof { by })
            .ok_or(CredentialError::Mismatch)
    }
}

impl std::fmt::Debug for ShownSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ShownSecret([redacted])")
    }
}

/// Proof that a request's head showed a live secret; vouches for the body that follows it.
#[derive(Debug)]
pub struct HeaderProof {
    by: Arc<str>,
}

impl HeaderProof {
    /// The body that came with the head.
    pub(crate) fn vouch<T>(self, inner: T) -> Verified<T> {
        Verified { inner, by: self.by }
    }
}

/// The credential headers that a request carries, by name alone: for the log of a refusal.
pub fn credential_headers(head: &RequestHead, scheme: Option<&SecretHeader>) -> Vec<String> {
    let mut names = vec![SIGNATURE_HEADER, SIGNATURE_256_HEADER, "authorization"];
    if let Some(SecretHeader::Named(name)) = scheme {
        names.push(name.as_str());
    }
    names
        .into_iter()
        .filter(|name| head.headers.contains_key(*name))
        .map(bounded)
        .collect()
}
