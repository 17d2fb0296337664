//! Memory of a consumer: which events it handled, and the newest version of each thing.

#[cfg(feature = "dynamodb")]
mod dynamodb;
mod holders;
#[cfg(any(feature = "dynamodb", feature = "postgres", feature = "sqlite"))]
mod host;
#[cfg(any(feature = "dynamodb", feature = "postgres", feature = "sqlite"))]
mod key_text;
#[cfg(any(feature = "dynamodb", feature = "postgres"))]
mod leases;
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(feature = "sqlite")]
mod sqlite_file;

#[cfg(feature = "dynamodb")]
pub use dynamodb::DynamoState;
pub use memory::MemoryState;
#[cfg(feature = "postgres")]
pub use postgres::PostgresState;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteState;

use labelrelay_core::BoxFuture;
use labelrelay_event::changes::Key;
use std::collections::HashMap;
use std::time::Duration;

/// Time for which an event's id is remembered: no queue keeps a message for longer, its dead letters included.
pub const REMEMBERED: Duration = Duration::from_secs(35 * 86_400);

/// Knowledge of a thing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// The newest version that was handled; `None` if it has none.
    pub version: Option<String>,
    /// A handler was called for it, which may have failed, and it was not removed since.
    pub is_there: bool,
    /// Every version up to this is gone; empty if none is.
    pub until: String,
    /// Keys of the things that hold it, nearest first.
    pub parents: Vec<Key<'static>>,
}

/// The memory of a consumer. Many tasks use one, and several processes what lies behind it. Object-safe.
///
/// In one process, one consumer and its clones use it: they keep things apart among themselves, and a state keeps them apart
/// from those of other processes.
///
/// A change is handled in this order: [`enter`](Self::enter), the handler, [`leave`](Self::leave). A removal is noted before
/// [`below`](Self::below) is asked for, and `enter` writes the parents before it looks at what is known of them. So of a
/// thing and the removal of what holds it, handled at the same time, at least one sees the other: both steps must be seen by
/// all in the order in which they are done.
///
/// Every function fails with a [`StateError`] when what is remembered cannot be read or written.
pub trait State: Send + Sync {
    /// Tells whether the event was handled to its end.
    fn was_handled<'a>(&'a self, event: &'a str) -> BoxFuture<'a, Result<bool, StateError>>;

    /// Remembers an event that was handled to its end.
    fn handled<'a>(&'a self, event: &'a str) -> BoxFuture<'a, Result<(), StateError>>;

    /// Leases the thing for as long as `lease`, and writes what holds it. Returns what was known before of it and of all that
    /// hold it; `None` if another process has it.
    ///
    /// If it `comes`, writes too that it is there, held by `parents`: a handler that fails, or a process that ends, may have
    /// left it with the user already, and a removal of what holds it must take it.
    fn enter<'a>(
        &'a self,
        key: &'a Key<'static>,
        parents: &'a [Key<'static>],
        lease: Duration,
        comes: bool,
    ) -> BoxFuture<'a, Result<Option<HashMap<Key<'static>, Known>>, StateError>>;

    /// Ends the lease, writes what is `known` now (all but `until`, which [`remove`](Self::remove) alone writes), and
    /// remembers `event` as handled. Returns `false`, and writes nothing, if the lease had run out and somebody else took it.
    fn leave<'a>(
        &'a self,
        key: &'a Key<'static>,
        known: Option<&'a Known>,
        event: Option<&'a str>,
    ) -> BoxFuture<'a, Result<bool, StateError>>;

    /// Prolongs all leases of this process: to `lease` from now on.
    fn keep(&self, lease: Duration) -> BoxFuture<'_, Result<(), StateError>>;

    /// Notes that every version of the thing up to `until` is gone.
    fn remove<'a>(
        &'a self,
        key: &'a Key<'static>,
        until: &'a str,
    ) -> BoxFuture<'a, Result<(), StateError>>;

    /// Everything that was ever entered with this thing among its parents.
    fn below<'a>(
        &'a self,
        key: &'a Key<'static>,
    ) -> BoxFuture<'a, Result<Vec<Key<'static>>, StateError>>;

    /// Makes everything durable that was written. Nothing is acknowledged before.
    fn sync(&self) -> BoxFuture<'_, Result<(), StateError>>;
}

/// Why the state cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("state: {message}")]
pub struct StateError {
    message: String,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl StateError {
    /// Problem and, where it is known, the cure.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            source: None,
        }
    }

    /// The same error, with what it came from.
    #[must_use]
    pub fn caused_by(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.source = Some(source.into());
        self
    }
}
