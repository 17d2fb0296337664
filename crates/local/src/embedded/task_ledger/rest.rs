//! Work that one transaction had no time for. It is in the file as long as it is not done, so that a crash loses none.

use labelrelay_core::derive::{Cause, EventFacts};
use labelrelay_core::task_facts::TaskFact;
use rusqlite::{Connection, OptionalExtension as _};

/// Facts, or ids of one fact, that one row holds.
const IN_A_ROW: usize = 2000;

/// Content of a row.
pub(super) struct Kept {
    pub(super) seq: u64,
    pub(super) event: EventFacts,
}

/// Keeps the facts of event `seq` that were not taken in.
pub(super) fn keep(
    db: &Connection,
    seq: u64,
    cause: &Cause,
    facts: Vec<TaskFact>,
) -> rusqlite::Result<()> {
    let mut insert = db.prepare_cached("INSERT INTO ledger_rest(seq, told) VALUES(?1, ?2)")?;
    for facts in rows(facts) {
        insert.execute((seq.cast_signed(), text(cause, facts)?))?;
    }
    Ok(())
}

/// The number of the row that was kept first, and its content if it can be read.
pub(super) fn first(db: &Connection) -> rusqlite::Result<Option<(i64, Option<Kept>)>> {
    db.prepare_cached("SELECT number, seq, told FROM ledger_rest ORDER BY number LIMIT 1")?
        .query_row([], |row| {
            let text = row.get_ref(2)?.as_str().ok();
            let event = text.and_then(|text| serde_json::from_str(text).ok());
            let seq = row.get::<_, i64>(1)?.cast_unsigned();
            Ok((row.get(0)?, event.map(|event| Kept { seq, event })))
        })
        .optional()
}

/// Removes a row.
pub(super) fn remove(db: &Connection, number: i64) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM ledger_rest WHERE number = ?1")?
        .execute([number])
        .map(|_| ())
}

/// Puts what is left of a row in its place, or removes it when nothing is.
pub(super) fn replace(
    db: &Connection,
    number: i64,
    cause: &Cause,
    facts: Vec<TaskFact>,
) -> rusqlite::Result<()> {
    if facts.is_empty() {
        remove(db, number)?;
    } else {
        db.prepare_cached("UPDATE ledger_rest SET told = ?2 WHERE number = ?1")?
            .execute((number, text(cause, facts)?))?;
    }
    Ok(())
}

fn text(cause: &Cause, facts: Vec<TaskFact>) -> rusqlite::Result<String> {
    let event = EventFacts {
        cause: cause.clone(),
        facts,
    };
    serde_json::to_string(&event)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

/// Parts facts into rows, so that doing some of a long list does not write all of it again.
fn rows(facts: Vec<TaskFact>) -> Vec<Vec<TaskFact>> {
    let mut rows = Vec::new();
    let mut row = Vec::new();
    let parted = |ids: &[i64], fact: &dyn Fn(Vec<i64>) -> TaskFact| {
        let part = |ids: &[i64]| vec![fact(ids.to_vec())];
        ids.chunks(IN_A_ROW).map(part).collect::<Vec<_>>()
    };
    for fact in facts {
        match fact {
            TaskFact::AnnotationsGone { ids, are_several } => {
                let gone = |ids| TaskFact::AnnotationsGone { ids, are_several };
                rows.extend(parted(&ids, &gone));
            }
            TaskFact::TasksGone(ids) => rows.extend(parted(&ids, &TaskFact::TasksGone)),
            other => row.push(other),
        }
        if row.len() >= IN_A_ROW {
            rows.push(std::mem::take(&mut row));
        }
    }
    if !row.is_empty() {
        rows.push(row);
    }
    rows
}
