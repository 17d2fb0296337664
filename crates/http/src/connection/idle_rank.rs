//! Order in which idle connections make room for new ones.

use std::time::Instant;

/// Rank of an idle connection: the smallest is the first to go when there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Idle {
    pub(super) rank: IdleRank,
    pub(super) since: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum IdleRank {
    /// Nobody waits for us, and nothing that was verified ever came from there.
    Unproven,
    /// There is always something to do for it, but none of it was verified: it asks on and on.
    Stranger,
    /// Has brought an event, and idles now.
    Proven,
    /// Brings a body too slowly, and whose it is will be known after the last byte.
    Body,
    /// The same of somebody who has a secret: its head has shown it, or a request before did.
    ProvenBody,
}

impl Idle {
    /// Tells whether the connection brings no body, and has never brought anything that was verified.
    pub(crate) fn has_brought_nothing(&self) -> bool {
        self.rank <= IdleRank::Stranger
    }

    pub(crate) fn is_body(&self) -> bool {
        self.rank >= IdleRank::Body
    }

    pub(crate) fn is_proven_body(&self) -> bool {
        self.rank == IdleRank::ProvenBody
    }
}
