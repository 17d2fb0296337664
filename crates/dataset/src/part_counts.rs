//! Counts of a snapshot that writes no samples. The counts of a part are kept until the part changes, so that only
//! changed parts are counted again.

use crate::counts::Counts;
use crate::selection::{self, Policy};
use crate::store::{parts, revision};
use rusqlite::Connection;

/// Sum of the counts of all parts, for a snapshot with the options `options`. Copies of media are not known here.
pub(crate) fn total(db: &Connection, policy: &Policy, options: &str) -> rusqlite::Result<Counts> {
    let revision = revision(db)?;
    let mut all = Counts::default();
    for part in parts::all(db)? {
        let kept = part.counts(options);
        if let Some(kept) = kept.and_then(|kept| serde_json::from_str::<Counts>(kept).ok()) {
            all.add(&kept);
            continue;
        }
        let counts = Counts::from(selection::count(db, policy, &part)?);
        let text = serde_json::to_string(&counts).unwrap_or_default();
        part.keep_counts(db, &text, revision, options)?;
        all.add(&counts);
    }
    Ok(all)
}
