//! The signature of one body, checked while the body arrives.

use super::claimed::ClaimedSignature;
use super::error::CredentialError;
use super::verified::Verified;
use crate::secret::Secret;
use hmac::{Hmac, KeyInit, Mac};
use labelrelay_event::Digest;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use subtle::{Choice, ConstantTimeEq};

/// Checks the signatures of one body, with every live secret at once, while the body arrives.
/// Computes the body's SHA-256 on the way, which the envelope needs anyway.
pub struct SignatureCheck {
    claimed: ClaimedSignature,
    candidates: Vec<Candidate>,
    digest: Sha256,
}

struct Candidate {
    /// Name of the secret.
    name: Arc<str>,
    sha1: Option<Hmac<Sha1>>,
    sha256: Option<Hmac<Sha256>>,
}

/// Bytes of a body that go through one hash before the next one gets it: a piece stays in the
/// first-level cache between the two.
const STRIDE_BYTES: usize = 8 * 1024;

impl SignatureCheck {
    /// A check of what `claimed` says, against `secrets`.
    pub fn new(claimed: ClaimedSignature, secrets: &[Secret]) -> Self {
        let forms = secrets
            .iter()
            .flat_map(|secret| secret.signing_forms().map(move |form| (secret, form)));
        let candidates = forms
            .map(|(secret, form)| Candidate {
                name: secret.shared_name(),
                // HMAC takes keys of any length; an error here would mean "matches nothing".
                sha1: claimed.sha1.and_then(|_| Hmac::new_from_slice(form).ok()),
                sha256: claimed.sha256.and_then(|_| Hmac::new_from_slice(form).ok()),
            })
            .collect();
        Self {
            claimed,
            candidates,
            digest: Sha256::new(),
        }
    }

    /// Takes the next bytes of the body.
    pub fn update(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(STRIDE_BYTES) {
            for candidate in &mut self.candidates {
                if let Some(mac) = &mut candidate.sha1 {
                    mac.update(piece);
                }
                if let Some(mac) = &mut candidate.sha256 {
                    mac.update(piece);
                }
            }
            self.digest.update(piece);
        }
    }

    /// After the last byte: the name of the secret that made the signature. For tools that look at
    /// recorded deliveries; it proves nothing to the pipeline.
    pub fn matched(self) -> Option<String> {
        self.finish(())
            .1
            .ok()
            .map(|verified| verified.by().to_owned())
    }

    /// After the last byte: the body's digest, and the proof, if one of the secrets made the
    /// signature. Where both headers stand, both must match.
    ///
    /// # Errors
    /// [`CredentialError::Mismatch`]; `inner` is given back, for another try with fresher secrets.
    pub(crate) fn finish<T>(self, inner: T) -> (Digest, Result<Verified<T>, (T, CredentialError)>) {
        let digest = Digest::from_bytes(self.digest.finalize().into());
        let mut matched = None;
        for candidate in self.candidates {
            let sha1 = matches(
                candidate.sha1,
                self.claimed.sha1.as_ref().map(<[u8; 20]>::as_slice),
            );
            let sha256 = matches(
                candidate.sha256,
                self.claimed.sha256.as_ref().map(<[u8; 32]>::as_slice),
            );
            // All candidates are computed whatever the first one says; which one matched is no secret.
            if bool::from(sha1 & sha256) && matched.is_none() {
                matched = Some(candidate.name);
            }
        }
        let outcome = match matched {
            Some(by) => Ok(Verified { inner, by }),
            None => Err((inner, CredentialError::Mismatch)),
        };
        (digest, outcome)
    }
}

/// Constant time in the tag's contents. A signature that was not claimed agrees with everything;
/// [`ClaimedSignature`] makes sure that at least one was.
fn matches<M: Mac>(mac: Option<M>, claimed: Option<&[u8]>) -> Choice {
    match (mac, claimed) {
        (Some(mac), Some(claimed)) => mac.finalize().into_bytes().as_slice().ct_eq(claimed),
        (None, None) => Choice::from(1),
        _ => Choice::from(0),
    }
}
