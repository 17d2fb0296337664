//! Proof of origin while a body arrives.

use crate::signature::{ClaimedSignature, HeaderProof, LiveSecrets, SignatureCheck};
use sha2::{Digest as _, Sha256};

/// Sees every byte of a body, and proves in the end who sent it.
pub(super) enum BodyCheck {
    /// The head proved itself; only the digest is needed.
    Header(HeaderProof, Sha256),
    /// The body proves itself.
    Signature(SignatureCheck, ClaimedSignature, LiveSecrets),
}

impl BodyCheck {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Header(_, digest) => digest.update(bytes),
            Self::Signature(check, ..) => check.update(bytes),
        }
    }
}
