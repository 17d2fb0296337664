//! The step that everything after it stands on: is the body what somebody with a secret sent?

use super::body_check::BodyCheck;
use super::body_reader::BodyReader;
use super::parts::Parts;
use super::refusal::Refusal;
use super::secret_lookup::SecretLookup;
use crate::payload::Payload;
use crate::request::RequestHead;
use crate::secret::SecretError;
use crate::signature::{
    ClaimedSignature, CredentialError, HeaderProof, LiveSecrets, SecretHeader, SignatureCheck,
    Verified,
};
use crate::source::Source;
use labelrelay_event::Digest;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use std::time::Duration;

/// Checks credentials: those of the head before the body is read, a body's signature after its last byte.
pub(super) struct Verifier {
    lookup: SecretLookup,
    body_reader: Arc<BodyReader>,
}

/// Why a body is not verified.
pub(super) enum VerifyError {
    /// No secret made the signature of this body; these were tried.
    Credential(CredentialError, LiveSecrets, Box<Payload>),
    /// The secrets cannot be read.
    Secrets(SecretError),
}

impl VerifyError {
    /// The body that is refused, for the observer alone: nobody has vouched for it.
    pub(super) fn payload(&self) -> Option<&Payload> {
        match self {
            Self::Credential(_, _, payload) => Some(payload),
            Self::Secrets(_) => None,
        }
    }
}

impl From<VerifyError> for Refusal {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Credential(error, tried, _) => Self::credential(&error, &tried),
            VerifyError::Secrets(error) => error.into(),
        }
    }
}

impl Verifier {
    pub(super) fn new(parts: &Parts, body_reader: Arc<BodyReader>) -> Self {
        Self {
            lookup: SecretLookup::new(parts),
            body_reader,
        }
    }

    /// Checks a header's secret, or begins to check the signature of the body that follows.
    pub(super) async fn begin(
        &self,
        source: &Source,
        head: &RequestHead,
        deadline: Duration,
    ) -> Result<BodyCheck, Refusal> {
        if let Some(scheme) = &source.header {
            let proof = self.header_proof(source, scheme, head, deadline).await?;
            return Ok(BodyCheck::Header(proof, Sha256::new()));
        }
        let claimed = ClaimedSignature::from_head(head)?;
        let secrets = self.live_secrets(source, deadline).await?;
        let check = SignatureCheck::new(claimed, &secrets);
        Ok(BodyCheck::Signature(check, claimed, secrets))
    }

    async fn header_proof(
        &self,
        source: &Source,
        scheme: &SecretHeader,
        head: &RequestHead,
        deadline: Duration,
    ) -> Result<HeaderProof, Refusal> {
        let shown = scheme.shown(head)?;
        let mut tried = self.live_secrets(source, deadline).await?;
        loop {
            let mismatch = match shown.check(&tried) {
                Ok(proof) => return Ok(proof),
                Err(error) => error,
            };
            let fresh = Box::pin(self.fresher_secrets(source, deadline, &tried)).await?;
            let Some(fresh) = fresh else {
                return Err(Refusal::credential(&mismatch, &tried));
            };
            tried = fresh;
        }
    }

    /// The digest of the body, and the body as verified.
    pub(super) async fn finish(
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
        let mut missed = match outcome {
            Ok(verified) => return (digest, Ok(verified)),
            Err((payload, mismatch)) => (payload, mismatch, secrets),
        };
        let outcome = loop {
            let (payload, mismatch, tried) = missed;
            let fresh = Box::pin(self.fresher_secrets(source, deadline, &tried)).await;
            let again = match fresh {
                Ok(Some(fresh)) => Box::pin(self.check_again(claimed, fresh, payload)).await,
                Ok(None) => break Err(VerifyError::Credential(mismatch, tried, Box::new(payload))),
                Err(error) => break Err(VerifyError::Secrets(error)),
            };
            match again {
                Err(VerifyError::Credential(mismatch, tried, payload)) => {
                    missed = (*payload, mismatch, tried);
                }
                outcome => break outcome,
            }
        };
        (digest, outcome)
    }

    /// The signature of a body that has arrived, against secrets that were not at hand when it did.
    async fn check_again(
        &self,
        claimed: ClaimedSignature,
        fresh: LiveSecrets,
        payload: Payload,
    ) -> Result<Verified<Payload>, VerifyError> {
        let mut check = SignatureCheck::new(claimed, &fresh);
        let mut stream = payload.stream();
        loop {
            match self.body_reader.next_piece(&mut stream).await {
                Ok(Some(chunk)) => check.update(&chunk),
                Ok(None) => break,
                Err(error) => {
                    return Err(VerifyError::Secrets(SecretError::transient(format!(
                        "the body cannot be read back: {error}"
                    ))));
                }
            }
        }
        drop(stream);
        let (_, outcome) = check.finish(payload);
        outcome.map_err(|(payload, mismatch)| {
            VerifyError::Credential(mismatch, fresh, Box::new(payload))
        })
    }

    async fn live_secrets(
        &self,
        source: &Source,
        deadline: Duration,
    ) -> Result<LiveSecrets, SecretError> {
        let live = source.secrets.live();
        self.lookup.in_time(source, deadline, live).await
    }

    /// The secrets to try after `tried` did not match, if there are any. What another delivery's look-up brought
    /// meanwhile may be the newest secret alone: so ask until nothing is left to try.
    async fn fresher_secrets(
        &self,
        source: &Source,
        deadline: Duration,
        tried: &LiveSecrets,
    ) -> Result<Option<LiveSecrets>, SecretError> {
        let fresher = source.secrets.after_miss(tried);
        self.lookup.in_time(source, deadline, fresher).await
    }
}
