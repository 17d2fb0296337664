//! The ledger's tables in the queue file. A program that does not know them leaves them as they are.

use super::damage::NotOpen;
use crate::sqlite::{begin, set_setting, setting};
use rusqlite::Connection;

const FORMAT_NAME: &str = "ledger_format";
const FORMAT: i64 = 1;

/// The queue's events up to this one were read.
pub(super) const THROUGH: &str = "ledger_through";

/// A thing that the ledger does not know may be there: something was forgotten that is still there, or events were pruned
/// unread. All that was told before the event of this number may be out of date. 0: the ledger misses nothing.
pub(super) const GAPS: &str = "ledger_gaps";

/// The queue's events up to this one were there before the ledger.
pub(in crate::embedded) const LEARNED: &str = "ledger_learned";

/// A task and its annotations are neighbours, and an annotation leads to its task: a change touches two pages.
const TABLES: &str = "
CREATE TABLE ledger_things(
    source TEXT NOT NULL,
    task INTEGER NOT NULL,              -- 0: not known
    annotation INTEGER NOT NULL,        -- 0: this row is about the task itself; below 0, of task 0: about a project that is gone
    state INTEGER NOT NULL,             -- annotation: 0 gone, 1 there, 2 there and counts; task: 1 labelled, 2 gone, 3 labelled as it seems
    version TEXT,                       -- its version; once it is gone, when that was told; of a task: of the annotation that told its state
    overlap INTEGER,                    -- task: annotations that it needs
    unlisted INTEGER NOT NULL DEFAULT 0,-- task: annotations that count and of which no event told
    project TEXT,                       -- of a task
    seq INTEGER NOT NULL,               -- the last event that told
    PRIMARY KEY(source, task, annotation)
) STRICT, WITHOUT ROWID;
CREATE INDEX ledger_annotations ON ledger_things(source, annotation) WHERE annotation != 0;
CREATE TABLE ledger_rest(               -- what one transaction had no time for
    number INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL,               -- the event that states it
    told TEXT NOT NULL                  -- its facts
) STRICT;
";

/// States of an annotation.
pub(super) const GONE: i64 = 0;
pub(super) const THERE: i64 = 1;
pub(super) const COUNTS: i64 = 2;

/// State of a task: it is gone, with all its annotations.
pub(super) const TASK_GONE: i64 = 2;

/// State of a task: the first event about it said that others had completed it. Nobody was told of that, and the event of
/// one of these others may still come.
pub(super) const TASK_ASSUMED: i64 = 3;

/// A look at every column: tables of another kind are found out before they are needed.
const LOOK: [&str; 2] = [
    "SELECT source, task, annotation, state, version, overlap, unlisted, project, seq
     FROM ledger_things INDEXED BY ledger_annotations WHERE annotation != 0 LIMIT 1",
    "SELECT number, seq, told FROM ledger_rest LIMIT 1",
];

/// Makes the tables where there are none; `last` is the queue's last event.
pub(super) fn make(db: &Connection, last: u64) -> Result<(), NotOpen> {
    match setting(db, FORMAT_NAME)? {
        Some(FORMAT) => {}
        Some(newer) if newer > FORMAT => {
            return Err(NotOpen::for_good(format!(
                "the ledger in it has format {newer}, this program knows {FORMAT}: use the newer program"
            )));
        }
        Some(other) => {
            let never = format!("the ledger's format {other} never existed");
            return Err(NotOpen::for_good(never));
        }
        None => create(db, last)?,
    }
    for look in LOOK {
        db.prepare(look)?.exists([])?;
    }
    Ok(())
}

fn create(db: &Connection, last: u64) -> rusqlite::Result<()> {
    let transaction = begin(db)?;
    transaction.execute_batch(TABLES)?;
    set_setting(&transaction, LEARNED, last.cast_signed())?;
    set_setting(&transaction, THROUGH, 0)?;
    set_setting(&transaction, FORMAT_NAME, FORMAT)?;
    transaction.commit()
}
