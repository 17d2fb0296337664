//! Inputs: which events were taken in, by source and queue.

use super::batch::Batch;
use crate::input::Input;
use jiff::Timestamp;
use rusqlite::{Connection, Transaction};
use std::collections::BTreeMap;

/// The table of inputs. Times are in microseconds since 1970.
pub(super) const TABLE: &str = "
CREATE TABLE IF NOT EXISTS inputs(
    source TEXT NOT NULL,
    queue TEXT NOT NULL,                -- empty if nobody told it
    events INTEGER NOT NULL,
    first INTEGER,
    last INTEGER,
    PRIMARY KEY(source, queue)
) STRICT, WITHOUT ROWID;
";

/// What happens to the row that is there when another one comes.
const ADDED: &str = "ON CONFLICT DO UPDATE SET events = events + excluded.events, \
     first = min(coalesce(first, excluded.first), coalesce(excluded.first, first)), \
     last = max(coalesce(last, excluded.last), coalesce(excluded.last, last))";

/// Events that a transaction took in, by source.
#[derive(Default)]
pub(super) struct Taken(BTreeMap<String, Came>);

/// Events of one source.
#[derive(Default)]
struct Came {
    events: i64,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
}

impl Taken {
    /// Adds an event of `source` that the relay received then.
    pub(super) fn add(&mut self, source: &str, at: Option<Timestamp>) {
        let came = match self.0.get_mut(source) {
            Some(came) => came,
            None => self.0.entry(source.to_owned()).or_default(),
        };
        came.events += 1;
        came.last = came.last.max(at);
        came.first = match (came.first, at) {
            (Some(first), Some(at)) => Some(first.min(at)),
            (first, at) => first.or(at),
        };
    }

    /// When the relay received the newest of them.
    pub(super) fn newest(&self) -> Option<Timestamp> {
        self.0.values().filter_map(|came| came.last).max()
    }

    /// Notes them as taken from this queue.
    pub(super) fn note(&self, db: &Transaction<'_>, queue: &str) -> rusqlite::Result<()> {
        let statement = format!("INSERT INTO inputs VALUES(?1, ?2, ?3, ?4, ?5) {ADDED}");
        let mut add = db.prepare_cached(&statement)?;
        let at = |time: Option<Timestamp>| time.map(Timestamp::as_microsecond);
        for (source, came) in &self.0 {
            add.execute((source, queue, came.events, at(came.first), at(came.last)))?;
        }
        Ok(())
    }
}

/// Adds the inputs of another state, which is attached as `theirs`.
pub(super) fn take_over(db: &Batch<'_>) -> rusqlite::Result<()> {
    let statement =
        format!("INSERT INTO main.inputs SELECT * FROM theirs.inputs WHERE true {ADDED}");
    db.execute(&statement, []).map(drop)
}

/// All inputs up to now.
pub(super) fn read(db: &Connection) -> rusqlite::Result<Vec<Input>> {
    let written = |at: Option<i64>| {
        let at = Timestamp::from_microsecond(at?).ok()?;
        Some(at.to_string())
    };
    db.prepare("SELECT source, queue, events, first, last FROM inputs ORDER BY source, queue")?
        .query_map([], |row| {
            let queue: String = row.get(1)?;
            Ok(Input {
                source: row.get(0)?,
                queue: Some(queue).filter(|queue| !queue.is_empty()),
                events: row.get(2).map(i64::cast_unsigned)?,
                first: written(row.get(3)?),
                last: written(row.get(4)?),
            })
        })?
        .collect()
}
