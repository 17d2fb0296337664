//! The two writes of a rotation in a cloud's store. Somebody else may write there at the same time, and an answer may
//! get lost: so the store is read directly before each write and after it, and what it holds decides.

use crate::connect::report::Problem;
use labelrelay_core::config::SecretRef;
use labelrelay_core::secret::SecretError;
use labelrelay_core::{Secret, SecretStore};
use std::time::Duration;

/// Reads of a store until it shows what was written: some show it a little later.
const READS: u32 = 5;

const BETWEEN_READS: Duration = Duration::from_secs(1);

/// A cure for a store that holds what no rotation of ours put there.
const ANOTHER_WRITES: &str = "see that no other program writes there. The newest two values must have the secret that the webhooks send: if none of them is it, put it there again at once, as the newest; Label Studio shows it in the webhooks' headers. Then run this again";

pub(super) struct InStore {
    store: Box<dyn SecretStore>,
    pub(super) reference: SecretRef,
    between_reads: Duration,
}

impl InStore {
    pub(super) fn new(store: Box<dyn SecretStore>, reference: &SecretRef) -> Self {
        Self {
            store,
            reference: reference.clone(),
            between_reads: BETWEEN_READS,
        }
    }

    /// Secrets when a rotation begins: the old one, and the new one if a rotation broke off.
    pub(super) async fn held(&self) -> Result<(Secret, Option<Secret>), Problem> {
        let mut held = self
            .values()
            .await
            .map_err(|error| Problem::Step(error.message))?;
        match (held.pop(), held.pop()) {
            (Some(old), newer) => Ok((old, newer)),
            (None, _) => Err(Problem::Step(format!(
                "there is no secret in {}: leave out --rotate, and one is made",
                self.reference
            ))),
        }
    }

    /// Puts `new` there, beside `old`. `by_hand` is what to do if the store does not take it.
    ///
    /// # Errors
    /// Words that say what became of it, and what to do. No webhook has been changed yet.
    pub(super) async fn begin(
        &self,
        old: &Secret,
        new: &Secret,
        by_hand: &str,
    ) -> Result<(), String> {
        let reference = &self.reference;
        let before = self.values().await.map_err(|error| error.message)?;
        if !are(&before, &[old]) {
            return Err(format!(
                "{reference} holds other secrets than a moment ago. Nothing was changed from here; {ANOTHER_WRITES}"
            ));
        }
        let written = self.add(new).await;
        let problem = match &written {
            Ok(()) => "it does not show it".to_owned(),
            Err(error) => error.message.clone(),
        };
        match self.shown(&[new, old]).await {
            Ok(held) if are(&held, &[new, old]) => Ok(()),
            Ok(held) if are(&held, &[old]) && is_refusal(&written) => Err(format!(
                "{problem}. No secret and no webhook was changed. By hand: {by_hand}"
            )),
            Ok(held) if !are(&held, &[old]) => Err(format!(
                "{reference} holds other secrets than this command put there. No webhook was changed; {ANOTHER_WRITES}"
            )),
            _ => Err(format!(
                "whether {reference} took the new secret is not known: {problem}. No webhook was changed. Add no version by hand: in five minutes, run this again, which goes on with what is there"
            )),
        }
    }

    /// Puts `new` there once more. Readers take the newest two values: both are the new one then.
    ///
    /// # Errors
    /// Words that say what became of it, and what to do. The webhooks have the new secret.
    pub(super) async fn end(&self, new: &Secret) -> Result<(), String> {
        let reference = &self.reference;
        let foreign = || {
            format!(
                "the newest secret in {reference} is not the one that the webhooks were given; {ANOTHER_WRITES}"
            )
        };
        let before = self
            .values()
            .await
            .map_err(|error| format!("{}; both secrets are good: run this again", error.message))?;
        if are(&before, &[new]) {
            return Ok(());
        }
        if !is_newest(&before, new) {
            return Err(foreign());
        }
        let written = self.add(new).await;
        let problem = match &written {
            Ok(()) => "it does not show it".to_owned(),
            Err(error) => error.message.clone(),
        };
        match self.shown(&[new]).await {
            Ok(held) if are(&held, &[new]) => Ok(()),
            Ok(held) if !is_newest(&held, new) => Err(foreign()),
            Ok(_) if is_refusal(&written) => Err(format!(
                "the new secret cannot take the old one's place: {problem}; both are good. Run this again, or do it by hand: put the newest value of {reference} there once more"
            )),
            _ => Err(format!(
                "whether {reference} took the old secret away is not known: {problem}. The webhooks have the new one, which is good. See whether the newest two values there are the same; if not, put the newest there once more"
            )),
        }
    }

    async fn add(&self, secret: &Secret) -> Result<(), SecretError> {
        let value = std::str::from_utf8(secret.expose());
        let value = value.map_err(|error| SecretError::permanent(error.to_string()))?;
        self.store.add(value).await
    }

    /// Values that readers take, each once, the newest first.
    async fn values(&self) -> Result<Vec<Secret>, SecretError> {
        let mut held = self.store.held().await?;
        held.dedup_by(|later, earlier| later.expose() == earlier.expose());
        Ok(held)
    }

    /// Values that the store holds, as soon as they are the `expected` ones, else after some reads.
    async fn shown(&self, expected: &[&Secret]) -> Result<Vec<Secret>, SecretError> {
        let mut held = self.values().await;
        for _ in 1..READS {
            if held.as_ref().is_ok_and(|held| are(held, expected)) {
                break;
            }
            tokio::time::sleep(self.between_reads).await;
            held = self.values().await;
        }
        held
    }
}

/// The store said that it does not take it, so no late answer changes that.
fn is_refusal(written: &Result<(), SecretError>) -> bool {
    written.as_ref().is_err_and(|error| !error.retryable)
}

fn are(held: &[Secret], expected: &[&Secret]) -> bool {
    let held = held.iter().map(Secret::expose);
    held.eq(expected.iter().map(|secret| secret.expose()))
}

fn is_newest(held: &[Secret], secret: &Secret) -> bool {
    held.first()
        .is_some_and(|newest| newest.expose() == secret.expose())
}

#[cfg(test)]
mod tests;
