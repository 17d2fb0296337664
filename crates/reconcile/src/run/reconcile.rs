//! A run's parts, its figures, and why it ends early.

use crate::platform::{Platform, PlatformError};
use crate::progress::Progress;
use crate::sink::{Sink, SinkError};
use jiff::Timestamp;
use labelrelay_core::config::SourceConfig;
use labelrelay_core::{Clock, Ledger, LedgerError};
use std::sync::Arc;
use std::time::Duration;

/// Everything that a run goes by.
pub struct Reconcile<'a> {
    /// The source as which the deliveries would have come.
    pub source: &'a SourceConfig,
    /// The platform to look through.
    pub platform: Arc<dyn Platform>,
    /// Versions that were seen so far.
    pub ledger: &'a mut dyn Ledger,
    /// The queue's side: every event goes there.
    pub sink: &'a mut dyn Sink,
    /// Receiver of the progress.
    pub progress: &'a dyn Progress,
    /// For the time at which something was found.
    pub clock: &'a dyn Clock,
    /// Time before the watermark at which a pass begins: for what is committed later than it says, and for clocks
    /// of several servers of one platform.
    pub overlap: Duration,
    /// An older thing is remembered and not sent, unless it was known before.
    pub begin: Option<Timestamp>,
    /// Look at everything, though the platform counts as many things as are known.
    pub full: bool,
    /// Projects that were deleted, as the operator says, though the platform only does not show them.
    pub deleted_projects: &'a [String],
}

/// Figures of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// Projects that were looked through.
    pub projects: u64,
    /// Things that the platform holds in them.
    pub entities: u64,
    /// Events sent for things that were not known.
    pub created: u64,
    /// Events sent for versions that were not known.
    pub updated: u64,
    /// Events sent for things that are gone.
    pub deleted: u64,
    /// Of what was to be sent, what came live in the same moment.
    pub repeats: u64,
    /// New, but of a type that the source does not forward, or older than what shall be sent.
    pub passed_over: u64,
    /// Events that the queue will never take. Each was warned of, and the watermark of its project is where it
    /// was.
    pub refused: u64,
    /// Projects that are no longer seen, for whatever reason.
    pub vanished: Vec<String>,
    /// Of the events sent, changes that a delivery should have brought. Neither what was there before the first look at a
    /// project is one, nor a deletion. Where the queue does not tell what was delivered, every change is one.
    pub undelivered: u64,
    /// Projects with such changes, and without any delivery since the last run that came to its end. What a run found that
    /// broke off since then counts, too.
    pub silent: Vec<String>,
    /// The changes in these projects.
    pub silent_changes: u64,
}

/// Why a run ended early. Watermarks of projects that were not finished are where they were.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The platform did not tell.
    #[error(transparent)]
    Platform(#[from] PlatformError),
    /// The ledger cannot be read or written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The queue did not take what was found.
    #[error("queue: {0}")]
    Sink(#[from] SinkError),
}
