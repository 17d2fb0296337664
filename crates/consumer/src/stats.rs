//! Counts of what was done.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts of what a consumer did since it was made. Events, unless another thing is said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Messages, repeats included.
    pub received: u64,
    /// Done with: handled, repeats, and rejected ones.
    pub acknowledged: u64,
    /// Handled before.
    pub repeats: u64,
    /// Changes that handlers were done with.
    pub changes: u64,
    /// Changes that were older than what was handled before, or the same.
    pub stale: u64,
    /// Changes of kinds that no handler is for.
    pub unwanted: u64,
    /// Given back, to come again: a handler failed or asked for it, the event cannot be read, or the state failed.
    pub retried: u64,
    /// Became dead letters, since a handler said so, or since they failed too often.
    pub rejected: u64,
    /// Could not be read.
    pub unreadable: u64,
}

macro_rules! counters {
    ($($name:ident),*) => {
        /// Counts as they rise.
        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            $(pub(crate) $name: AtomicU64,)*
        }

        impl Counters {
            pub(crate) fn shown(&self) -> Stats {
                Stats { $($name: self.$name.load(Ordering::Relaxed),)* }
            }
        }
    };
}

counters!(
    received,
    acknowledged,
    repeats,
    changes,
    stale,
    unwanted,
    retried,
    rejected,
    unreadable
);

/// Adds to a count.
pub(crate) fn add(counter: &AtomicU64, count: usize) {
    counter.fetch_add(count as u64, Ordering::Relaxed);
}
