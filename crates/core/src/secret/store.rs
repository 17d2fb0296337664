//! Stores that a secret can be written to: by whoever connects a platform, never by a relay.

use super::error::SecretError;
use super::value::Secret;
use crate::BoxFuture;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// A secret's place in a cloud's store, where a first value or a newer one can be put.
///
/// Nothing is ever taken away: a store keeps the value before the newest one, and readers take both
/// ([`SecretSource::fetch`](super::SecretSource::fetch)). So a rotation is two writes. The first puts the new
/// secret there, and both are good. The second puts the same one there again, so that both values that are read are the
/// new one.
///
/// An answer may be lost, and somebody else may write at the same time. So whoever writes reads
/// [`held`](Self::held) directly before and after, and goes by what it says.
pub trait SecretStore: Send + Sync {
    /// Values that readers take now, the newest first, two at most; empty if the store has none of that name.
    ///
    /// # Errors
    /// [`SecretError`] when the store cannot be read, or may not be.
    fn held(&self) -> BoxFuture<'_, Result<Vec<Secret>, SecretError>>;

    /// Puts the first value there. What somebody else put there meanwhile is not replaced, as far as the store can
    /// promise that.
    ///
    /// # Errors
    /// [`SecretError`] when there is one already, or the store does not take it. If it is
    /// [retryable](SecretError::retryable), the value may be there all the same; else nothing has changed.
    fn create<'a>(&'a self, value: &'a str) -> BoxFuture<'a, Result<(), SecretError>>;

    /// Puts a newer value there; the one before it stays good.
    ///
    /// # Errors
    /// [`SecretError`] when there is none yet, or the store does not take it. If it is
    /// [retryable](SecretError::retryable), the value may be there all the same; else nothing has changed.
    fn add<'a>(&'a self, value: &'a str) -> BoxFuture<'a, Result<(), SecretError>>;
}

/// Bytes of a secret that are enough to tell something of it.
const TELLING: usize = 8;

/// A store's own words about a write of `value`, or a remark instead if they repeat a part of it, plainly or in base64:
/// what refuses a request may quote it.
#[must_use]
pub fn words_without<'a>(value: &str, words: &'a str) -> &'a str {
    let encoded = STANDARD_NO_PAD.encode(value);
    let tells = |secret: &str| {
        let bytes = secret.as_bytes();
        bytes.windows(TELLING.min(bytes.len()).max(1)).any(|part| {
            words
                .as_bytes()
                .windows(part.len())
                .any(|found| found == part)
        })
    };
    if tells(value) || tells(&encoded) {
        "its words are left out, because they repeat what was written"
    } else {
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_repeat_a_part_of_the_secret_are_left_out() {
        let value = "a-secret-of-24-letters-x";
        for told in [
            "bad value a-secret-of-24-letters-x",
            "bad value 'secret-of…'",
            "bad body YS1zZWNyZXQtb2YtMjQtbGV0dGVycy14",
        ] {
            assert!(words_without(value, told).contains("left out"), "{told}");
        }
        let harmless = "User is not allowed to write the secret";
        assert_eq!(words_without(value, harmless), harmless);
    }
}
