//! Looks through all that the ledger knows, a little at a time, and removes what is of no more use.
//!
//! - What is gone, a week after that was told. So long it is kept from coming back by an event that comes late: one
//!   that waited in the fallback, over a long weekend too.
//! - What belongs to a project that is gone, at the same age.
//! - What was told longest ago, where there is more than there may be.

use super::damage::is_one_row;
use super::tables::{self, GONE, TASK_GONE};
use crate::sqlite::{begin, set_setting};
use jiff::SignedDuration;
use rusqlite::{Connection, Row};
use std::collections::HashMap;
use std::time::Duration;

/// Time for which a thing that is gone is remembered.
pub(super) const KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Interval between two looks through all.
pub(super) const EVERY: Duration = Duration::from_secs(3600);

/// Rows of one step; half a millisecond.
const ROWS: usize = 1000;

/// So many groups are written between two steps, while there is no idle moment.
const GROUPS: u32 = 64;

/// Things that are known at most, about. In the file they take 120 bytes each.
const MOST: u64 = 1_000_000;
const THING_BYTES: u64 = 120;

/// Projects of which one look notes that they are gone.
const MOST_PROJECTS: usize = 10_000;

/// The part of the queue's largest size that is the ledger's: one in so many.
const PART: u64 = 8;

/// The schedule, and the look that is under way.
pub(super) struct Sweep {
    most: u64,
    /// As of the last look.
    pub(super) things: u64,
    /// The queue was read up to this event then.
    pub(super) through: u64,
    pub(super) lowest: i64,
    pub(super) due: Duration,
    groups: u32,
    pub(super) look: Option<Look>,
}

/// A look that is under way.
#[derive(Default)]
pub(super) struct Look {
    pub(super) after: Key,
    pub(super) kept: u64,
    pub(super) lowest: Option<i64>,
    /// Number of an event: knowledge from before it goes, whatever it is.
    forgets_before: i64,
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

pub(super) struct Thing {
    pub(super) key: Key,
    state: i64,
    version: Option<String>,
    project: Option<String>,
    seq: i64,
}

impl Sweep {
    pub(super) fn new(max_file_bytes: Option<u64>) -> Self {
        let fits = max_file_bytes.map_or(MOST, |bytes| bytes / PART / THING_BYTES);
        Self {
            most: fits.min(MOST),
            things: 0,
            through: 0,
            lowest: 0,
            due: Duration::ZERO,
            groups: 0,
            look: None,
        }
    }

    pub(super) fn things(&self) -> u64 {
        self.things
    }

    /// Tells whether there may be more than there should be: an event tells of one thing, mostly.
    fn may_be_over(&self, through: u64) -> bool {
        self.things
            .saturating_add(through.saturating_sub(self.through))
            > self.most
    }

    pub(super) fn is_due(&mut self, now: Duration, through: u64, is_idle: bool) -> bool {
        let is_over = self.may_be_over(through);
        if self.look.is_none() && now < self.due && !is_over {
            return false;
        }
        self.groups += 1;
        if !(is_idle || is_over || self.groups > GROUPS) {
            return false;
        }
        self.groups = 0;
        true
    }

    pub(super) fn begin(&mut self, through: u64) -> Look {
        let (lowest, through) = (self.lowest, through.cast_signed());
        let forgets_before = if self.things > self.most {
            lowest.saturating_add((through.saturating_sub(lowest) / 4).max(1))
        } else {
            0
        };
        Look {
            forgets_before,
            ..Look::default()
        }
    }
}

impl Look {
    /// Decides of one thing; those that go, and whether one of them may still be there.
    pub(super) fn decide(
        &mut self,
        db: &Connection,
        thing: Thing,
        cutoff: &str,
        goes: &mut Vec<Key>,
    ) -> rusqlite::Result<bool> {
        let (source, task, annotation) = &thing.key;
        let is_task = *annotation == 0;
        let is_gone = if is_task {
            thing.state == TASK_GONE
        } else {
            thing.state == GONE
        };
        let is_old = thing.version.as_deref().is_some_and(|then| then < cutoff);
        // Knowledge that may be read again stays, so that it changes nothing then.
        let may_go = thing.seq <= self.marked;
        if is_task {
            let project = thing.project.map(|project| (source.clone(), project));
            let gone = project.and_then(|project| self.projects.get(&project));
            let gone = gone.filter(|gone| thing.seq < **gone);
            self.leaving = gone.map(|gone| (source.clone(), *task, *gone));
        }
        let is_leaving = self
            .leaving
            .as_ref()
            .is_some_and(|(of, id, gone)| of == source && id == task && thing.seq < *gone);
        if *annotation < 0 {
            if is_old && may_go && self.projects.len() < MOST_PROJECTS {
                let project = (source.clone(), annotation.unsigned_abs().to_string());
                self.projects.insert(project, thing.seq);
                self.last.push(thing.key);
            }
        } else if may_go && ((is_gone && is_old) || is_leaving) {
            goes.push(thing.key);
        } else if !is_gone && self.forgets(db, &thing.key, thing.seq)? {
            goes.push(thing.key);
            return Ok(true);
        } else {
            self.kept += 1;
            self.lowest = Some(
                self.lowest
                    .map_or(thing.seq, |lowest| lowest.min(thing.seq)),
            );
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

pub(super) fn some(db: &Connection, after: &Key) -> rusqlite::Result<Vec<Thing>> {
    let thing = |row: &Row<'_>| {
        Ok(Thing {
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
        thing,
    )?
    .filter(|thing| !thing.as_ref().is_err_and(is_one_row))
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
        for thing in some(&db, &look.after).unwrap() {
            look.decide(&db, thing, "2026", &mut goes).unwrap();
        }
        let goes: Vec<_> = goes.iter().map(|(_, task, id)| (*task, *id)).collect();
        assert_eq!(goes, [(8, 0), (8, 4), (10, 0)]);
    }
}
