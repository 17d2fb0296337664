//! The step that everything after it stands on: is the body what somebody with a secret sent?

use super::Relay;
use super::receive::BodyCheck;
use crate::clock::within;
use crate::payload::Payload;
use crate::secret::SecretError;
use crate::signature::{CredentialError, LiveSecrets, SignatureCheck, Verified};
use crate::source::Source;
use labelrelay_event::Digest;
use sha2::Digest as _;
use std::time::Duration;

/// Why a body is not verified.
pub(super) enum VerifyError {
    /// No secret made its signature; these were tried.
    Credential(CredentialError, LiveSecrets),
    /// The secrets cannot be read.
    Secrets(SecretError),
}

impl Relay {
    /// The digest of the body, and the body as verified.
    pub(super) async fn verify(
        &self,
        source: &Source,
        check: BodyCheck,
        payload: Payload,
        deadline: Duration,
    ) -> (Digest, Result<Verified<Payload>, VerifyError>) {
        let (check, claimed, secrets) = match check {
            BodyCheck::Header(proof, digest) => {
                return (
                    Digest::from_bytes(digest.finalize().into()),
                    Ok(proof.vouch(payload)),
                );
            }
            BodyCheck::Signature(check, claimed, secrets) => (check, claimed, secrets),
        };
        let (digest, outcome) = check.finish(payload);
        let (payload, mismatch) = match outcome {
            Ok(verified) => return (digest, Ok(verified)),
            Err(missed) => missed,
        };
        let looked = self.in_time(source, deadline, source.secrets.after_miss(&secrets));
        let fresh = match looked.await {
            Ok(Some(fresh)) => fresh,
            Ok(None) => return (digest, Err(VerifyError::Credential(mismatch, secrets))),
            Err(error) => return (digest, Err(VerifyError::Secrets(error))),
        };
        let mut again = SignatureCheck::new(claimed, &fresh);
        let mut stream = payload.stream();
        loop {
            match self.next_piece(&mut stream).await {
                Ok(Some(chunk)) => again.update(&chunk),
                Ok(None) => break,
                Err(error) => {
                    let error =
                        SecretError::transient(format!("the body cannot be read back: {error}"));
                    return (digest, Err(VerifyError::Secrets(error)));
                }
            }
        }
        drop(stream);
        let (_, outcome) = again.finish(payload);
        (
            digest,
            outcome.map_err(|(_, mismatch)| VerifyError::Credential(mismatch, fresh)),
        )
    }

    /// A look-up of a source's secrets, but no longer than the sender waits.
    pub(super) async fn in_time<T>(
        &self,
        source: &Source,
        deadline: Duration,
        look_up: impl Future<Output = Result<T, SecretError>>,
    ) -> Result<T, SecretError> {
        let clock = &*self.parts.clock;
        let left = deadline.saturating_sub(clock.monotonic());
        let outcome = within(clock, left, look_up).await;
        if let Some(error) = source.secrets.untold_failure() {
            self.parts.observer.secrets_unreadable(&source.name, &error);
        }
        outcome.unwrap_or_else(|_| {
            Err(SecretError::transient(
                "the secret store did not answer in time",
            ))
        })
    }
}
