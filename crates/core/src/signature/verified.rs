//! Proof that a secret's holder sent something.

use crate::secret::Secret;
use std::sync::Arc;

/// Something that was proven to come from somebody who knows a secret. Only [`signature`](crate::signature)
/// makes one: the fields are visible in no other module.
#[derive(Debug)]
pub struct Verified<T> {
    pub(super) inner: T,
    pub(super) by: Arc<str>,
}

impl<T> Verified<T> {
    /// The verified thing.
    pub fn get(&self) -> &T {
        &self.inner
    }

    /// Name of the secret that matched.
    pub fn by(&self) -> &str {
        &self.by
    }
}

/// Shared list of live secrets, as [`SecretRing`](crate::secret::SecretRing) hands it out.
pub type LiveSecrets = Arc<[Secret]>;
