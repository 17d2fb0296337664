//! The dataset's age and last verdict, for whoever looks on while another process works on it.

use crate::snapshot::{Snapshot, newest};
use crate::store::{open_read_only, revision};
use crate::verdict::{self, Verdict};
use crate::{DatasetError, store};
use jiff::Timestamp;
use std::path::Path;

/// A dataset, as it is known from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// The newest snapshot, if there is one.
    pub snapshot: Option<Snapshot>,
    /// The state has changes that no snapshot has.
    pub has_changed_since: bool,
    /// When the relay received the newest event that was taken in.
    pub newest_event: Option<Timestamp>,
    /// The last comparison with the platform, if there was one.
    pub verdict: Option<Verdict>,
    /// The state has changed since that comparison.
    pub has_changed_since_verdict: bool,
    /// Events that could not be read, and are dead letters.
    pub unreadable: u64,
}

/// Looks at the dataset in `dir`, and neither waits for the process that works on it nor disturbs it.
///
/// ```
/// use labelrelay_dataset::{Store, status};
/// # let dir = tempfile::tempdir()?;
/// # let dir = dir.path();
///
/// let store = Store::open(dir)?; // as long as it works, no other process may
/// let status = status(dir)?;
/// assert_eq!((status.snapshot, status.verdict), (None, None));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`DatasetError`] when there is no dataset, or when it cannot be read.
pub fn status(dir: impl AsRef<Path>) -> Result<Status, DatasetError> {
    let dir = dir.as_ref();
    let (db, path) = open_read_only(dir)?;
    let failed = DatasetError::database(&path);
    // One moment for all that is read.
    let moment = db.unchecked_transaction().map_err(&failed)?;
    let now = revision(&moment).map_err(&failed)?;
    let newest = newest(&moment).map_err(&failed)?;
    let verdict = verdict::last(&moment, None).map_err(&failed)?;
    let of_now = verdict::last(&moment, Some(now)).map_err(&failed)?;
    Ok(Status {
        has_changed_since: newest.as_ref().is_none_or(|(at, _)| *at != now),
        snapshot: newest.map(|(_, snapshot)| snapshot),
        newest_event: store::newest_event(&moment).map_err(&failed)?,
        has_changed_since_verdict: verdict.is_some() && verdict != of_now,
        verdict,
        unreadable: store::unreadable::count(&moment).map_err(&failed)?,
    })
}
