//! The number of the state, which grows with each transaction that changes something.

use rusqlite::Transaction;

/// Notes that the next snapshot may differ from the last one.
pub(super) fn note_change(db: &Transaction<'_>) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO main.state VALUES('revision', 1) ON CONFLICT DO UPDATE SET value = value + 1",
        [],
    )
    .map(drop)
}
