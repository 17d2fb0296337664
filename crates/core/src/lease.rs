//! The right to do a piece of work alone.

use std::fmt;

/// The right to do a piece of work that one process at a time is to do. It lasts until this is dropped, or until the
/// process that has it dies or loses the queue. One that lost it does not learn of that, and goes on for a while after
/// another has got the right: so what is done under a lease must do no harm when two do it.
pub struct Lease {
    /// Ends the lease when it is dropped.
    _held: Box<dyn Send>,
}

impl Lease {
    /// A lease that lasts as long as `held` is not dropped.
    ///
    /// ```
    /// use labelrelay_core::Lease;
    ///
    /// // Nobody else asks.
    /// let _lease = Lease::of(());
    /// ```
    pub fn of(held: impl Send + 'static) -> Self {
        Self {
            _held: Box::new(held),
        }
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").finish_non_exhaustive()
    }
}
