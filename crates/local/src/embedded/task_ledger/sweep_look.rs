//! One look through all that the ledger knows: what of it goes.

use super::damage::is_one_row;
use super::tables::{self, GONE, TASK_GONE};
use crate::sqlite::{begin, set_setting};
use rusqlite::{Connection, Row};
use std::collections::HashMap;

/// Rows of one step; half a millisecond.
const ROWS: usize = 1000;

/// Of so many things, the look keeps the event of one, so as to know what was told longest ago.
pub(super) const SAMPLE: u64 = 64;

/// Projects of which one look notes that they are gone.
const MOST_PROJECTS: usize = 10_000;

/// A look that is under way.
#[derive(Default)]
pub(super) struct Look {
    pub(super) after: Key,
    pub(super) kept: u64,
    pub(super) samples: Vec<i64>,
    /// Number of an event: knowledge from before it goes, whatever it is.
    pub(super) forgets_before: i64,
    /// Projects that are gone, and the event that told it.
    projects: HashMap<(String, String), i64>,
    /// The task that is being looked at belongs to a project that was gone at this event.
    leaving: Option<(String, i64, i64)>,
    /// The task that is being looked at goes with all its annotations, because it was told longest ago, or stays.
    forgetting: Option<(String, i64, bool)>,
    /// Rows of projects, that go when all is looked through.
    pub(super) last: Vec<Key>,
    /// Rows that were not removed, because another program wrote; and whether one of them may still be there.
    pub(super) undone: Vec<Key>,
    pub(super) forgets: bool,
    /// The mark when it began. What was told after that stays.
    pub(super) marked: i64,
}

/// Source, task and annotation.
pub(super) type Key = (String, i64, i64);

/// What a look needs of one row.
pub(super) struct LedgerRow {
    pub(super) key: Key,
    state: i64,
    version: Option<String>,
    project: Option<String>,
    seq: i64,
}

impl Look {
    pub(super) fn begin(forgets_before: i64, marked: i64) -> Self {
        Self {
            forgets_before,
            marked,
            ..Self::default()
        }
    }

    /// Decides of one row; those that go, and whether one of them may still be there.
    pub(super) fn decide(
        &mut self,
        db: &Connection,
        row: LedgerRow,
        cutoff: &str,
        goes: &mut Vec<Key>,
    ) -> rusqlite::Result<bool> {
        let (source, task, annotation) = &row.key;
        let is_task = *annotation == 0;
        let is_gone = if is_task {
            row.state == TASK_GONE
        } else {
            row.state == GONE
        };
        let is_old = row.version.as_deref().is_some_and(|then| then < cutoff);
        // Knowledge that may be read again stays, so that it changes nothing then.
        let may_go = row.seq <= self.marked;
        if is_task {
            let project = row.project.map(|project| (source.clone(), project));
            let gone = project.and_then(|project| self.projects.get(&project));
            let gone = gone.filter(|gone| row.seq < **gone);
            self.leaving = gone.map(|gone| (source.clone(), *task, *gone));
        }
        let is_leaving = self
            .leaving
            .as_ref()
            .is_some_and(|(of, id, gone)| of == source && id == task && row.seq < *gone);
        if *annotation < 0 {
            if is_old && may_go && self.projects.len() < MOST_PROJECTS {
                let project = (source.clone(), annotation.unsigned_abs().to_string());
                self.projects.insert(project, row.seq);
                self.last.push(row.key);
            }
        } else if may_go && ((is_gone && is_old) || is_leaving) {
            goes.push(row.key);
        } else if !is_gone && self.forgets(db, &row.key, row.seq)? {
            goes.push(row.key);
            return Ok(true);
        } else {
            if self.kept.is_multiple_of(SAMPLE) {
                self.samples.push(row.seq);
            }
            self.kept += 1;
        }
        Ok(false)
    }

    /// Tells whether a thing goes because it was told so long ago. A task goes with all its annotations, or none of
    /// them: without one, it would seem to be open.
    fn forgets(&mut self, db: &Connection, key: &Key, seq: i64) -> rusqlite::Result<bool> {
        let (source, task, _) = key;
        if seq >= self.forgets_before {
            return Ok(false);
        }
        if let Some((of, id, goes)) = &self.forgetting
            && of == source
            && id == task
        {
            return Ok(*goes);
        }
        let newest: i64 = db
            .prepare_cached("SELECT max(seq) FROM ledger_things WHERE source = ?1 AND task = ?2")?
            .query_row((source, task), |row| row.get(0))?;
        let goes = newest < self.forgets_before && newest <= self.marked;
        self.forgetting = Some((source.clone(), *task, goes));
        Ok(goes)
    }
}

/// The next rows of a look.
pub(super) fn next_rows(db: &Connection, after: &Key) -> rusqlite::Result<Vec<LedgerRow>> {
    let read = |row: &Row<'_>| {
        Ok(LedgerRow {
            key: (row.get(0)?, row.get(1)?, row.get(2)?),
            state: row.get(3)?,
            // A row that cannot be read is forgotten when it is needed.
            version: row.get(4).unwrap_or_default(),
            project: row.get(5).unwrap_or_default(),
            seq: row.get(6)?,
        })
    };
    db.prepare_cached(
        "SELECT source, task, annotation, state, version, project, seq FROM ledger_things
         WHERE (source, task, annotation) > (?1, ?2, ?3) ORDER BY source, task, annotation LIMIT ?4",
    )?
    .query_map(
        (&after.0, after.1, after.2, i64::try_from(ROWS).unwrap_or(i64::MAX)),
        read,
    )?
    .filter(|row| !row.as_ref().is_err_and(is_one_row))
    .collect()
}

pub(super) fn remove(
    db: &Connection,
    goes: &[Key],
    marked: i64,
    gaps: Option<i64>,
) -> rusqlite::Result<()> {
    let transaction = begin(db)?;
    for key in goes {
        db.prepare_cached(
            "DELETE FROM ledger_things WHERE source = ?1 AND task = ?2 AND annotation = ?3 AND seq <= ?4",
        )?
        .execute((&key.0, key.1, key.2, marked))?;
    }
    if let Some(gaps) = gaps {
        set_setting(db, tables::GAPS, gaps)?;
    }
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema;

    /// Red if a task's row goes though one of its annotations is new, or what went just now is forgotten.
    #[test]
    fn a_task_is_forgotten_whole_and_what_is_gone_not_before_a_week() {
        let dir = tempfile::TempDir::new().unwrap();
        let db = schema::new_in(&dir);
        tables::make(&db, 0).unwrap();
        db.execute_batch(
            "INSERT INTO ledger_things(source, task, annotation, state, version, seq) VALUES
                ('a', 7, 0, 1, NULL, 1), ('a', 7, 1, 2, NULL, 1), ('a', 7, 2, 2, NULL, 90),
                ('a', 8, 0, 1, NULL, 2), ('a', 8, 3, 0, '2026', 2), ('a', 8, 4, 2, NULL, 2),
                ('a', 9, 0, 2, '2026', 3), ('a', 10, 0, 2, '2025', 3)",
        )
        .unwrap();
        let mut look = Look {
            forgets_before: 50,
            marked: 100,
            ..Look::default()
        };
        let mut goes = Vec::new();
        for row in next_rows(&db, &look.after).unwrap() {
            look.decide(&db, row, "2026", &mut goes).unwrap();
        }
        let goes: Vec<_> = goes.iter().map(|(_, task, id)| (*task, *id)).collect();
        assert_eq!(goes, [(8, 0), (8, 4), (10, 0)]);
    }
}
