//! Work that one transaction had no time for. It is in the file as long as it is not done, so that a crash loses none.

use labelrelay_core::derive::{Cause, Told};
use labelrelay_core::told::Statement;
use rusqlite::{Connection, OptionalExtension as _};

/// Statements, or ids of one statement, that one row holds.
const IN_A_ROW: usize = 2000;

/// Content of a row.
pub(super) struct Kept {
    pub(super) seq: u64,
    pub(super) told: Told,
}

/// Keeps what event `seq` tells besides what was done.
pub(super) fn keep(
    db: &Connection,
    seq: u64,
    cause: &Cause,
    statements: Vec<Statement>,
) -> rusqlite::Result<()> {
    let mut insert = db.prepare_cached("INSERT INTO ledger_rest(seq, told) VALUES(?1, ?2)")?;
    for statements in rows(statements) {
        let told = text(cause, statements)?;
        insert.execute((seq.cast_signed(), told))?;
    }
    Ok(())
}

/// The number of the row that was kept first, and its content if it can be read.
pub(super) fn first(db: &Connection) -> rusqlite::Result<Option<(i64, Option<Kept>)>> {
    db.prepare_cached("SELECT number, seq, told FROM ledger_rest ORDER BY number LIMIT 1")?
        .query_row([], |row| {
            let told = row.get_ref(2)?.as_str().ok();
            let told = told.and_then(|told| serde_json::from_str(told).ok());
            let seq = row.get::<_, i64>(1)?.cast_unsigned();
            Ok((row.get(0)?, told.map(|told| Kept { seq, told })))
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
    statements: Vec<Statement>,
) -> rusqlite::Result<()> {
    if statements.is_empty() {
        remove(db, number)?;
    } else {
        db.prepare_cached("UPDATE ledger_rest SET told = ?2 WHERE number = ?1")?
            .execute((number, text(cause, statements)?))?;
    }
    Ok(())
}

fn text(cause: &Cause, statements: Vec<Statement>) -> rusqlite::Result<String> {
    let told = Told {
        cause: cause.clone(),
        statements,
    };
    serde_json::to_string(&told)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

/// Parts statements into rows, so that doing some of a long list does not write all of it again.
fn rows(statements: Vec<Statement>) -> Vec<Vec<Statement>> {
    let mut rows = Vec::new();
    let mut row = Vec::new();
    let parted = |ids: &[i64], statement: &dyn Fn(Vec<i64>) -> Statement| {
        let part = |ids: &[i64]| vec![statement(ids.to_vec())];
        ids.chunks(IN_A_ROW).map(part).collect::<Vec<_>>()
    };
    for statement in statements {
        match statement {
            Statement::AnnotationsGone { ids, are_several } => {
                let gone = |ids| Statement::AnnotationsGone { ids, are_several };
                rows.extend(parted(&ids, &gone));
            }
            Statement::TasksGone(ids) => rows.extend(parted(&ids, &Statement::TasksGone)),
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
