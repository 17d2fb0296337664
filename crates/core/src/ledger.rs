//! The memory of reconciliation: which things of a platform were seen so far, live or not, so that only news is
//! sent and a deletion is noticed.

use jiff::Timestamp;
use std::collections::BTreeSet;
use std::error::Error as StdError;

/// A thing on a platform.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Kind, as in event types: `annotation`.
    pub kind: String,
    /// Id on the platform.
    pub id: String,
}

impl Key {
    /// The thing of this kind with this id.
    pub fn new(kind: impl Into<String>, id: impl Into<String>) -> Self {
        Self {
            kind: kind.into(),
            id: id.into(),
        }
    }
}

/// Change of a thing since the ledger knew it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Not known before.
    Created,
    /// Known in another version.
    Updated,
    /// Known before, and gone.
    Deleted,
}

/// Knowledge of a thing: its newest event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// Id of the project that it is in.
    pub project: Option<String>,
    /// Id of what holds it within the project: an annotation's task.
    pub holder: Option<String>,
    /// Id of the newest event about it.
    pub event_id: String,
    /// Version that this event had. Of a thing that is gone: the newest version that was known of it, or until when its
    /// deletion counts, if none was.
    pub sequence: Option<String>,
    /// `true` if the thing is gone.
    pub gone: bool,
    /// Of a deletion that was delivered: when that was, written as a version is. It is about no version that is newer. A
    /// ledger keeps it in place of the version, if it knew none.
    pub until: Option<String>,
}

impl Known {
    /// Tells whether `other`, of the same thing, says nothing that this does not say. Versions compare as strings;
    /// without versions, only the same event is old.
    ///
    /// After a deletion, a version newer than all known ones is another thing with the same id: on `SQLite`, Label Studio
    /// gives the ids of its newest tasks and annotations again. (Or the deletion has overtaken the last version. Then the
    /// next look finds the thing missing once more.) So a deletion that was [delivered](Self::until) before the version that
    /// is there says nothing of it: it is about the thing that had the id earlier. Where the platform's clock is ahead of
    /// ours, it may be about this one after all: the next look finds it missing then.
    pub fn covers(&self, other: &Self) -> bool {
        match (self.gone, other.gone) {
            (true, true) => true,
            (true, false) => !self.is_older(other),
            (false, true) => other.until.is_some() && self.sequence > other.until,
            (false, false) => {
                self.event_id == other.event_id || !self.is_older(other) && self.has_version(other)
            }
        }
    }

    fn has_version(&self, other: &Self) -> bool {
        self.sequence.is_some() && other.sequence.is_some()
    }

    /// `true` if `other` has a version, and this has an older one or none.
    fn is_older(&self, other: &Self) -> bool {
        other.sequence.is_some() && self.sequence < other.sequence
    }
}

/// A look at everything in a project that was not finished: another run goes on with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walk {
    /// Number of the pass in which it began: what was seen in that pass or a later one is not missing.
    pub pass: u64,
    /// Moment of the platform's clock at which it began.
    pub began: Option<Timestamp>,
    /// The last place that was looked at, in the platform's own words: the rest is left.
    pub after: String,
}

/// The things of one source that were seen, with a watermark for each of its projects. Object-safe, blocking:
/// each call is small. One process at a time has it.
///
/// A recorded call survives a crash; a crash between a send and its record leaves a repeat, with the
/// same id, at worst.
pub trait Ledger: Send {
    /// Knowledge of each of these things.
    ///
    /// # Errors
    /// [`LedgerError`] when it cannot be read.
    fn known(&self, keys: &[Key]) -> Result<Vec<Option<Known>>, LedgerError>;

    /// Records what was seen, unless more is known already. In a pass through a project, `pass` is its
    /// number: things that were seen in it are not missing. `queue_position` moves the mark up to which the
    /// queue was read.
    ///
    /// # Errors
    /// [`LedgerError`]; nothing of it is recorded then.
    fn record(
        &mut self,
        seen: &[(Key, Known)],
        pass: Option<u64>,
        queue_position: Option<u64>,
    ) -> Result<(), LedgerError>;

    /// Number of the last event of the queue that was read; 0 at first.
    ///
    /// # Errors
    /// [`LedgerError`] when it cannot be read.
    fn queue_position(&self) -> Result<u64, LedgerError>;

    /// Begins a pass through a project: its number, higher than that of any before.
    ///
    /// # Errors
    /// [`LedgerError`] when it cannot be written.
    fn begin(&mut self, project: &str) -> Result<u64, LedgerError>;

    /// Up to `max` things of the project that are known to be there, but were not seen in this pass; those
    /// after `after`.
    ///
    /// # Errors
    /// [`LedgerError`] when it cannot be read.
    fn missing(
        &self,
        project: &str,
        pass: u64,
        after: Option<&Key>,
        max: usize,
    ) -> Result<Vec<(Key, Known)>, LedgerError>;

    /// Number of things of a kind that are known to be there in the project.
    ///
    /// # Errors
    /// [`LedgerError`] when it cannot be read.
    fn count(&self, project: &str, kind: &str) -> Result<u64, LedgerError>;

    /// When a pass last looked at everything in the project, by our own clock.
    ///
    /// # Errors
    /// [`LedgerError`] when it cannot be read.
    fn last_full_pass(&self, project: &str) -> Result<Option<Timestamp>, LedgerError>;

    /// Moment of the platform's clock up to which the project was read.
    ///
    /// # Errors
    /// [`LedgerError`] when it cannot be read.
    fn watermark(&self, project: &str) -> Result<Option<Timestamp>, LedgerError>;

    /// Notes the end of a pass: the project was read to its end, and everything sent. `full` is the time, if it
    /// looked at everything.
    ///
    /// # Errors
    /// [`LedgerError`] when it cannot be written; the watermark is where it was then.
    fn finish(
        &mut self,
        project: &str,
        watermark: Timestamp,
        full: Option<Timestamp>,
    ) -> Result<(), LedgerError>;

    /// Notes projects of which a delivery told. A run that breaks off has read it, and another one will not.
    ///
    /// # Errors
    /// [`LedgerError`] when it cannot be written; none of them is noted then.
    fn note_deliveries(&mut self, projects: &BTreeSet<&str>) -> Result<(), LedgerError>;

    /// Notes so many changes in the project that no delivery brought.
    ///
    /// # Errors
    /// [`LedgerError`] when it cannot be written.
    fn note_undelivered(&mut self, project: &str, changes: u64) -> Result<(), LedgerError>;

    /// Of these projects, those with such changes and without any delivery since this was last asked, and the number of
    /// their changes. At the end of a run: what is noted from now on counts for the next one.
    ///
    /// # Errors
    /// [`LedgerError`] when it cannot be written; nothing is forgotten then.
    fn take_silent(&mut self, projects: &[&str]) -> Result<Vec<(String, u64)>, LedgerError>;

    /// The look at everything in the project that was not finished, if there is one.
    ///
    /// # Errors
    /// [`LedgerError`] when it cannot be read.
    fn walk(&self, project: &str) -> Result<Option<Walk>, LedgerError>;

    /// Keeps how far a look at everything is; `None`: there is none. [`finish`](Self::finish) with a time for `full`
    /// ends it, too.
    ///
    /// # Errors
    /// [`LedgerError`] when it cannot be written.
    fn keep_walk(&mut self, project: &str, walk: Option<&Walk>) -> Result<(), LedgerError>;

    /// Projects with a pass behind them, and not forgotten.
    ///
    /// # Errors
    /// [`LedgerError`] when it cannot be read.
    fn projects(&self) -> Result<Vec<String>, LedgerError>;

    /// Forgets a project and everything in it.
    ///
    /// # Errors
    /// [`LedgerError`] when it cannot be written.
    fn forget(&mut self, project: &str) -> Result<(), LedgerError>;
}

/// Why a ledger could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("ledger: {message}")]
#[non_exhaustive]
pub struct LedgerError {
    /// Problem and, where known, its cure.
    pub message: String,
    /// `true` if the error may pass without a change of the configuration.
    pub retryable: bool,
    /// Cause.
    #[source]
    pub source: Option<Box<dyn StdError + Send + Sync>>,
}

impl LedgerError {
    /// An error that may pass.
    pub fn transient(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            retryable: true,
            source: None,
        }
    }

    /// An error that somebody has to mend.
    pub fn permanent(message: impl Into<String>) -> Self {
        Self {
            retryable: false,
            ..Self::transient(message)
        }
    }

    /// The same error, with what it came from.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}
