//! Verdicts: what comparisons with the platform found.

use rusqlite::{Connection, OptionalExtension as _, Row};
use serde::{Deserialize, Serialize};

/// Counts of a comparison with the platform, and when that was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Verdict {
    /// When the platform was asked, RFC 3339.
    pub at: String,
    /// The attribute `source` of the events that were compared.
    pub source: String,
    /// Ids of the projects that were compared; nothing is said of others.
    pub projects: Vec<String>,
    /// Annotations of which both say the same.
    pub equal: u64,
    /// Annotations that only the platform has.
    pub missing: u64,
    /// Annotations that only the dataset has.
    pub extra: u64,
    /// Annotations of which the two say different things.
    pub different: u64,
    /// `false` if the platform does not say what is gone: then `extra` says nothing.
    #[serde(default = "checked")]
    pub deletions_checked: bool,
}

/// What a verdict says that was written before there were others.
const fn checked() -> bool {
    true
}

/// Stands in the state for the number of annotations that only the dataset has, where nobody can tell it.
pub(crate) const UNKNOWN: i64 = -1;

impl Verdict {
    /// Tells whether the dataset has what the platform has.
    pub fn is_equal(&self) -> bool {
        (self.missing, self.extra, self.different) == (0, 0, 0)
    }
}

/// The last verdict; with `revision`, the last one of that state.
pub(crate) fn last(db: &Connection, revision: Option<i64>) -> rusqlite::Result<Option<Verdict>> {
    db.prepare_cached(
        "SELECT at, source, projects, equal, missing, extra, different FROM verdicts
         WHERE ?1 IS NULL OR revision = ?1 ORDER BY number DESC LIMIT 1",
    )?
    .query_row([revision], read)
    .optional()
}

fn read(row: &Row<'_>) -> rusqlite::Result<Verdict> {
    let projects: String = row.get(2)?;
    let count = |column: usize| row.get(column).map(i64::cast_unsigned);
    Ok(Verdict {
        at: row.get(0)?,
        source: row.get(1)?,
        projects: serde_json::from_str(&projects).unwrap_or_default(),
        equal: count(3)?,
        missing: count(4)?,
        extra: row.get(5).map(|extra: i64| extra.max(0).cast_unsigned())?,
        different: count(6)?,
        deletions_checked: row.get(5).map(|extra: i64| extra != UNKNOWN)?,
    })
}
