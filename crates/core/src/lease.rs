//! The right to do a piece of work alone.

use std::fmt;

/// The right to do a piece of work that one process at a time is to do. It lasts until this is dropped, or until the
/// process that has it dies or loses the queue. One that lost it may learn of that late, and goes on for a while after
/// another has got the right: so what is done under a lease must do no harm when two do it.
pub struct Lease {
    /// Ends the lease when it is dropped.
    held: Box<dyn Held>,
}

/// What a [`Lease`] is made of.
pub trait Held: Send + Sync {
    /// Tells whether it is still there, as far as this process knows.
    fn is_there(&self) -> bool {
        true
    }
}

/// Nothing, which nobody can take away.
impl Held for () {}

impl Lease {
    /// A lease that lasts as long as `held` is not dropped.
    ///
    /// ```
    /// use labelrelay_core::Lease;
    ///
    /// // Nobody else asks.
    /// let _lease = Lease::of(());
    /// ```
    pub fn of(held: impl Held + 'static) -> Self {
        Self {
            held: Box::new(held),
        }
    }

    /// Tells whether the lease lasts, as far as this process knows.
    #[must_use]
    pub fn lasts(&self) -> bool {
        self.held.is_there()
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").finish_non_exhaustive()
    }
}
