//! A file of an identity that cannot be used.

use std::fmt;

/// The file of a federated token or of a certificate cannot be used: which, and why.
#[derive(Debug)]
pub(crate) struct IdentityFileError(pub(super) String);

impl fmt::Display for IdentityFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for IdentityFileError {}
