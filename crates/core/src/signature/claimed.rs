//! Signature headers, taken apart.

use super::error::CredentialError;
use crate::request::RequestHead;

/// Header of Labelbox's HMAC-SHA1 signature.
pub const SIGNATURE_HEADER: &str = "x-hub-signature";
/// Header of the HMAC-SHA256 signature that one version of Labelbox's documents used.
pub const SIGNATURE_256_HEADER: &str = "x-hub-signature-256";

/// Signatures that a request claims, taken apart but not yet checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimedSignature {
    pub(super) sha1: Option<[u8; 20]>,
    pub(super) sha256: Option<[u8; 32]>,
}

impl ClaimedSignature {
    /// Takes the signature headers of `head` apart.
    ///
    /// # Errors
    /// [`CredentialError`] when there is none, or when one is malformed or stands twice.
    pub fn from_head(head: &RequestHead) -> Result<Self, CredentialError> {
        let sha1 = signature_line(head, SIGNATURE_HEADER, "sha1")?;
        let sha256 = signature_line(head, SIGNATURE_256_HEADER, "sha256")?;
        if sha1.is_none() && sha256.is_none() {
            return Err(CredentialError::Missing {
                expected: "X-Hub-Signature",
            });
        }
        Ok(Self { sha1, sha256 })
    }
}

fn signature_line<const N: usize>(
    head: &RequestHead,
    header: &'static str,
    algorithm: &'static str,
) -> Result<Option<[u8; N]>, CredentialError> {
    let Some(line) = head
        .single(header)
        .map_err(|_| CredentialError::Doubled { header })?
    else {
        return Ok(None);
    };
    // A proxy joins repeated lines with commas (RFC 9110, section 5.3).
    if line.contains(&b',') {
        return Err(CredentialError::Doubled { header });
    }
    let malformed = CredentialError::Malformed {
        header,
        expected: algorithm,
        digits: N * 2,
    };
    let Some(hex) = line
        .strip_prefix(algorithm.as_bytes())
        .and_then(|rest| rest.strip_prefix(b"="))
    else {
        return Err(malformed);
    };
    unhex(hex).map(Some).ok_or(malformed)
}

fn unhex<const N: usize>(hex: &[u8]) -> Option<[u8; N]> {
    let mut out = [0; N];
    if hex.len() != N * 2 {
        return None;
    }
    for (place, pair) in out.iter_mut().zip(hex.chunks_exact(2)) {
        let &[high, low] = pair else { return None };
        let nibble = |c: u8| char::from(c).to_digit(16);
        *place = u8::try_from(nibble(high)? << 4 | nibble(low)?).ok()?;
    }
    Some(out)
}
