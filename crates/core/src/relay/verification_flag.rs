//! Result of the verification, for an adapter that has to know it before the answer, or whatever that says.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Result of a request's verification so far. A header secret is compared before the body is read, a signature after
/// its last byte. The status does not tell: a verified request may get 503, and so may any other. Clones share the
/// value.
#[derive(Debug, Clone, Default)]
pub struct Verification(Arc<AtomicBool>);

impl Verification {
    /// Tells whether somebody with a secret has sent the request.
    pub fn succeeded(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn succeeds(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
