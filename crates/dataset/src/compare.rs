//! Compares what a dataset has with what the platform has now, annotation by annotation.

use crate::differences::{AnnotationId, Differences, Scope};
use crate::store::revision;
use crate::{DatasetError, Store, label_content};
use labelrelay_event::changes::Kind;
use rusqlite::{Connection, OptionalExtension as _, Rows, Statement};
use sha2::{Digest as _, Sha256};
use std::cmp::Ordering;

/// Compares `ours` with `theirs`, which was made anew from the platform's API. The two need not have seen the same
/// events: what counts is what the annotations say.
///
/// # Errors
/// [`DatasetError`] when one of them cannot be read.
pub fn compare(ours: &Store, theirs: &Store, scope: &Scope) -> Result<Differences, DatasetError> {
    // One moment for all that is read: another process may take events in meanwhile.
    let moment = ours.db.unchecked_transaction().map_err(ours.failed())?;
    let mut differences = Differences::of(revision(&moment).map_err(ours.failed())?);
    let (mut mine, mut other) = (
        List::prepare(&ours.db).map_err(ours.failed())?,
        List::prepare(&theirs.db).map_err(theirs.failed())?,
    );
    merge(
        &mut mine.of(scope).map_err(ours.failed())?,
        &mut other.of(scope).map_err(theirs.failed())?,
        &mut differences,
    )
    .map_err(ours.failed())?;
    Ok(differences)
}

fn merge(
    ours: &mut Entries<'_>,
    theirs: &mut Entries<'_>,
    differences: &mut Differences,
) -> rusqlite::Result<()> {
    let (mut mine, mut other) = (ours.next()?, theirs.next()?);
    loop {
        let order = match (&mine, &other) {
            (None, None) => return Ok(()),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(mine), Some(other)) => mine.id.cmp(&other.id),
        };
        match order {
            Ordering::Less => {
                differences.extra.extend(mine.take().map(|it| it.id));
                mine = ours.next()?;
            }
            Ordering::Greater => {
                differences.missing.extend(other.take().map(|it| it.id));
                other = theirs.next()?;
            }
            Ordering::Equal => {
                if let Some((mine, other)) = mine.take().zip(other.take()) {
                    let parts = mine.differs_in(&other);
                    if parts.is_empty() {
                        differences.equal += 1;
                    } else {
                        differences.add_different(mine.id, parts);
                    }
                }
                (mine, other) = (ours.next()?, theirs.next()?);
            }
        }
    }
}

/// An annotation, and what it says.
struct Entry {
    id: AnnotationId,
    task: Option<String>,
    version: Option<String>,
    skipped: bool,
    ground_truth: bool,
    /// A header alone says that it is gone: it stays until the platform confirms it, and the platform has it.
    is_marked: bool,
    regions: [u8; 32],
    answers: [u8; 32],
    /// The digest of its task's data, where anybody told that.
    data: Option<[u8; 32]>,
}

impl Entry {
    /// Names of what the other one says otherwise.
    fn differs_in(&self, other: &Self) -> Vec<&'static str> {
        let both_data = self.data.zip(other.data);
        let differs = [
            ("task", self.task != other.task),
            (
                "data",
                both_data.is_some_and(|(one, another)| one != another),
            ),
            ("version", self.version != other.version),
            ("skipped", self.skipped != other.skipped),
            ("ground truth", self.ground_truth != other.ground_truth),
            ("deletion", self.is_marked != other.is_marked),
            ("regions", self.regions != other.regions),
            ("answers", self.answers != other.answers),
        ];
        let differs = differs.into_iter().filter(|(_, differs)| *differs);
        differs.map(|(name, _)| name).collect()
    }
}

/// The annotations of a source, in the order of kind and id.
struct List<'c> {
    db: &'c Connection,
    statement: Statement<'c>,
}

struct Entries<'s> {
    db: &'s Connection,
    rows: Rows<'s>,
}

impl<'c> List<'c> {
    fn prepare(db: &'c Connection) -> rusqlite::Result<Self> {
        let statement = db.prepare(
            "SELECT source, kind, annotation_id, row, task_id, version, skipped, ground_truth, deleted_by IS NOT NULL
             FROM annotations
             WHERE source = ?1 AND state = 'present'
                 AND (json_array_length(?2) = 0 OR project_id IN (SELECT value FROM json_each(?2))) ORDER BY kind, annotation_id",
        )?;
        Ok(Self { db, statement })
    }

    fn of(&mut self, scope: &Scope) -> rusqlite::Result<Entries<'_>> {
        let projects = serde_json::to_string(&scope.projects).unwrap_or_default();
        Ok(Entries {
            db: self.db,
            rows: self.statement.query((&scope.source, projects))?,
        })
    }
}

impl Entries<'_> {
    fn next(&mut self) -> rusqlite::Result<Option<Entry>> {
        let Some(row) = self.rows.next()? else {
            return Ok(None);
        };
        let (source, kind): (String, String) = (row.get(0)?, row.get(1)?);
        let (number, task): (i64, Option<String>) = (row.get(3)?, row.get(4)?);
        let (regions, answers, data) = if kind == Kind::Label.as_str() {
            let regions = label_content::regions(self.db, number)?;
            (regions, label_content::answers(self.db, number)?, None)
        } else {
            let data = match &task {
                Some(task) => task_data(self.db, &source, task)?,
                None => None,
            };
            let regions = content(self.db, REGIONS, number)?;
            (regions, content(self.db, ANSWERS, number)?, data)
        };
        Ok(Some(Entry {
            id: AnnotationId {
                source,
                kind,
                id: row.get(2)?,
            },
            task,
            version: row.get(5)?,
            skipped: row.get(6)?,
            ground_truth: row.get(7)?,
            is_marked: row.get(8)?,
            regions,
            answers,
            data,
        }))
    }
}

/// The digest of what a task of Label Studio is about: no event says that this has changed. Its members are in one order and
/// one form, since a delivery and the API write them differently. What no value can hold is as it is written.
fn task_data(db: &Connection, source: &str, task: &str) -> rusqlite::Result<Option<[u8; 32]>> {
    let data: Option<Option<String>> = db
        .prepare_cached("SELECT data FROM tasks WHERE source = ?1 AND task_id = ?2")?
        .query_row((source, task), |row| row.get(0))
        .optional()?;
    Ok(data.flatten().map(|data| {
        let read = serde_json::from_str::<serde_json::Value>(&data);
        let said = read.map_or(data, |value| value.to_string());
        Sha256::digest(said).into()
    }))
}

/// Whatever stands in the tables of regions and answers. The platform's own JSON is left out: a delivery and the API
/// write it differently.
const REGIONS: (&str, usize) = (
    "SELECT region_id, name, labels, kind, unit, x, y, width, height, rotation, points, rle, mask_url, begins,
         ends, channel, text, image_width, image_height, item
     FROM regions WHERE annotation = ?1 ORDER BY position",
    20,
);
const ANSWERS: (&str, usize) = (
    "SELECT name, answers, region_id, frame, item, parents
     FROM classifications WHERE annotation = ?1 ORDER BY position",
    6,
);

/// The digest of what a statement says of an annotation, in so many columns.
fn content(
    db: &Connection,
    (statement, columns): (&str, usize),
    annotation: i64,
) -> rusqlite::Result<[u8; 32]> {
    let mut hash = Sha256::new();
    let mut statement = db.prepare_cached(statement)?;
    let mut rows = statement.query([annotation])?;
    while let Some(row) = rows.next()? {
        for column in 0..columns {
            hash.update(format!("{:?}", row.get_ref(column)?));
            hash.update("\0");
        }
        hash.update("\n");
    }
    Ok(hash.finalize().into())
}
