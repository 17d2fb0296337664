//! Errors of reading secrets.

/// Why secrets could not be read.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
#[non_exhaustive]
pub struct SecretError {
    /// `true` if the same look-up may succeed later, although nobody changes anything.
    pub retryable: bool,
    /// Problem and cure. Never holds a secret.
    pub message: String,
}

impl SecretError {
    /// An error that somebody has to mend.
    pub fn permanent(message: impl Into<String>) -> Self {
        Self {
            retryable: false,
            message: message.into(),
        }
    }

    /// An error that may pass.
    pub fn transient(message: impl Into<String>) -> Self {
        Self {
            retryable: true,
            message: message.into(),
        }
    }
}
