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
                let both = mine.as_ref().zip(other.as_ref());
                if both.is_some_and(|(mine, other)| mine.says_the_same(other)) {
                    differences.equal += 1;
                } else {
                    differences.different.extend(mine.take().map(|it| it.id));
                }
                (mine, other) = (ours.next()?, theirs.next()?);
            }
        }
    }
}

/// An annotation, and the digest of what it says.
struct Entry {
    id: AnnotationId,
    content: [u8; 32],
    /// The digest of its task's data, where anybody told that.
    about: Option<[u8; 32]>,
}

impl Entry {
    fn says_the_same(&self, other: &Self) -> bool {
        let is_about_another = self
            .about
            .zip(other.about)
            .is_some_and(|(one, another)| one != another);
        self.content == other.content && !is_about_another
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
        let mut hash = Sha256::new();
        let said: (Option<String>, Option<String>, bool, bool) =
            (row.get(4)?, row.get(5)?, row.get(6)?, row.get(7)?);
        hash.update(format!("{said:?}"));
        // One that a header alone says is gone stays until the platform confirms it, and the platform has it.
        let is_marked: bool = row.get(8)?;
        hash.update([u8::from(is_marked)]);
        let (source, kind): (String, String) = (row.get(0)?, row.get(1)?);
        let mut about = None;
        if kind == Kind::Label.as_str() {
            label_content::add(self.db, row.get(3)?, &mut hash)?;
        } else {
            content(self.db, row.get(3)?, &mut hash)?;
            if let Some(task) = &said.0 {
                about = task_data(self.db, &source, task)?;
            }
        }
        Ok(Some(Entry {
            id: AnnotationId {
                source,
                kind,
                id: row.get(2)?,
            },
            content: hash.finalize().into(),
            about,
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
fn content(db: &Connection, annotation: i64, hash: &mut Sha256) -> rusqlite::Result<()> {
    for (statement, columns) in [
        (
            "SELECT region_id, name, labels, kind, unit, x, y, width, height, rotation, points, rle, mask_url, begins,
                 ends, channel, text, image_width, image_height, item
             FROM regions WHERE annotation = ?1 ORDER BY position",
            20,
        ),
        (
            "SELECT name, answers, region_id, frame, item, parents
             FROM classifications WHERE annotation = ?1 ORDER BY position",
            6,
        ),
    ] {
        let mut statement = db.prepare_cached(statement)?;
        let mut rows = statement.query([annotation])?;
        while let Some(row) = rows.next()? {
            for column in 0..columns {
                hash.update(format!("{:?}", row.get_ref(column)?));
                hash.update("\0");
            }
            hash.update("\n");
        }
        hash.update("\n");
    }
    Ok(())
}
