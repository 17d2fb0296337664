//! One secret: its bytes, its name, and how long it lives.

use super::encoding;
use super::error::SecretError;
use jiff::Timestamp;
use labelrelay_event::Digest;
use secrecy::{ExposeSecret, SecretBox};
use std::fmt;
use std::sync::Arc;

/// One live secret. Cheap to clone; `Debug` shows its name and fingerprint alone.
#[derive(Clone)]
pub struct Secret {
    name: Arc<str>,
    value: Arc<SecretBox<[u8]>>,
    /// The same text in another encoding, where that has other bytes. As secret as the first form.
    other: Option<Arc<SecretBox<[u8]>>>,
    not_after: Option<Timestamp>,
}

impl Secret {
    /// A secret called `name` in logs.
    ///
    /// # Errors
    /// [`SecretError`] when it is empty: an HMAC with an empty key is one that everybody can make.
    pub fn new(name: impl Into<Arc<str>>, value: impl Into<Vec<u8>>) -> Result<Self, SecretError> {
        let (name, value) = (name.into(), value.into());
        if value.is_empty() {
            return Err(SecretError::permanent(format!(
                "the secret `{name}` is empty"
            )));
        }
        let other = encoding::other(&value);
        let other = other.map(|form| Arc::new(SecretBox::new(form.into_boxed_slice())));
        Ok(Self {
            name,
            other,
            value: Arc::new(SecretBox::new(value.into_boxed_slice())),
            not_after: None,
        })
    }

    /// The same secret, refused after `end`: what a previous secret gets during a rotation.
    #[must_use]
    pub fn until(mut self, end: Option<Timestamp>) -> Self {
        self.not_after = end;
        self
    }

    /// Name in logs: where it comes from.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Length in bytes.
    pub fn bytes(&self) -> usize {
        self.expose().len()
    }

    /// First eight hex digits of its SHA-256: enough to tell two secrets apart, too little to guess one.
    pub fn fingerprint(&self) -> String {
        let mut hex = Digest::of(self.expose()).to_hex();
        hex.truncate(8);
        hex
    }

    /// Tells whether it may still be used at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.not_after.is_none_or(|end| now <= end)
    }

    /// The secret itself, for whoever checks, signs or shows it.
    pub fn expose(&self) -> &[u8] {
        self.value.expose_secret()
    }
}

impl Secret {
    /// Name in logs, for whoever keeps it longer than the secret.
    pub(crate) fn shared_name(&self) -> Arc<str> {
        Arc::clone(&self.name)
    }

    /// Forms that a sender may show in a header: it, and the same text in Latin-1 or UTF-8. Two at most.
    pub(crate) fn shown_forms(&self) -> impl Iterator<Item = &[u8]> {
        let other = self.other.as_deref().map(ExposeSecret::expose_secret);
        std::iter::once(self.expose()).chain(other)
    }

    /// Forms that a sender may sign with: it, and, where it is no UTF-8, the UTF-8 of the same text, because that is
    /// what platforms sign with. Two at most.
    pub(crate) fn signing_forms(&self) -> impl Iterator<Item = &[u8]> {
        let is_text = std::str::from_utf8(self.expose()).is_ok();
        self.shown_forms().take(if is_text { 1 } else { 2 })
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} {} [redacted])", self.name, self.fingerprint())
    }
}
