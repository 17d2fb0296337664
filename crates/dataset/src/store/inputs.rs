//! Inputs: which events were taken in, by source and queue.

use super::batch::Batch;
use crate::input::Input;
use jiff::Timestamp;
use labelrelay_event::Event;
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

/// Events of one source.
#[derive(Default)]
struct Came {
    events: i64,
    first: Option<i64>,
    last: Option<i64>,
}

/// Notes events that were taken in, each with the time at which the relay received it.
pub(super) fn note(
    db: &Transaction<'_>,
    queue: &str,
    events: &[(&Event<'_>, Option<Timestamp>)],
) -> rusqlite::Result<()> {
    let mut inputs: BTreeMap<&str, Came> = BTreeMap::new();
    for (event, at) in events {
        let came = inputs.entry(&event.attributes().source).or_default();
        came.events += 1;
        let at = at.map(Timestamp::as_microsecond);
        came.last = came.last.max(at);
        came.first = match (came.first, at) {
            (Some(first), Some(at)) => Some(first.min(at)),
            (first, at) => first.or(at),
        };
    }
    let statement = format!("INSERT INTO inputs VALUES(?1, ?2, ?3, ?4, ?5) {ADDED}");
    let mut add = db.prepare_cached(&statement)?;
    for (source, came) in inputs {
        add.execute((source, queue, came.events, came.first, came.last))?;
    }
    Ok(())
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
