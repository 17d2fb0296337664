//! Takes over from another store what it has and this one has not, or has differently.

use super::annotation::empty;
use super::batch::Batch;
use super::changes::Table;
use super::task;
use crate::differences::{AnnotationId, Differences};
use crate::{DatasetError, Store, class_list};
use jiff::Timestamp;
use labelrelay_core::time;
use rusqlite::{OptionalExtension as _, Transaction};

/// Columns of an annotation but its row, which differs between two stores.
const COLUMNS: &str = "source, kind, annotation_id, project_id, task_id, version, ordering, state, deleted_by, author, \
     created_at, updated_at, skipped, ground_truth, workflow, relations, event_id, received_at, origin, sha256, raw, \
     consensus, benchmark";

impl Store {
    /// Mends `differences` from what the platform has, which is in `theirs`: takes over what is missing or different, and
    /// lets go what is extra: versions of it up to `until`, when the platform was asked, do not come back. Classes keep
    /// their numbers.
    ///
    /// # Errors
    /// [`DatasetError`]; nothing was mended then.
    pub fn adopt(
        &mut self,
        theirs: &Self,
        differences: &Differences,
        until: Timestamp,
    ) -> Result<(), DatasetError> {
        let failed = self.failed();
        // Attached, since both are files of one program, and rows go from one to the other in one statement.
        let path = theirs.dir.join(super::STATE);
        self.db
            .execute("ATTACH ?1 AS theirs", [path.to_string_lossy()])
            .map_err(&failed)?;
        let done = self.adopt_all(differences, &time::sequence(until));
        self.db.execute("DETACH theirs", []).map_err(&failed)?;
        done.map_err(failed)
    }

    fn adopt_all(&mut self, differences: &Differences, until: &str) -> rusqlite::Result<()> {
        let db = Batch::begin(&mut self.db)?;
        for id in &differences.extra {
            let_go(&db, id, until)?;
        }
        for id in differences.missing.iter().chain(&differences.different) {
            take_over(&db, id)?;
        }
        db.execute(
            "INSERT OR IGNORE INTO main.projects SELECT * FROM theirs.projects",
            [],
        )?;
        super::inputs::take_over(&db)?;
        super::scrub(&db)?;
        db.commit(!differences.are_none())
    }
}

fn row_of(db: &Transaction<'_>, schema: &str, id: &AnnotationId) -> rusqlite::Result<Option<i64>> {
    let statement = format!(
        "SELECT row FROM {schema}.annotations WHERE source = ?1 AND kind = ?2 AND annotation_id = ?3"
    );
    db.prepare_cached(&statement)?
        .query_row((&id.source, &id.kind, &id.id), |row| row.get(0))
        .optional()
}

/// The platform has it no more.
fn let_go(db: &Batch<'_>, id: &AnnotationId, until: &str) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO main.removals(source, kind, id, until) VALUES(?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET until = max(coalesce(until, ''), excluded.until)",
    )?
    .execute((&id.source, &id.kind, &id.id, until))?;
    let Some(row) = row_of(db, "main", id)? else {
        return Ok(());
    };
    empty(db, row)?;
    touch_one(
        db,
        "UPDATE main.annotations SET state = 'removed', deleted_by = 'pull', raw = NULL WHERE row = ?1
         RETURNING source, project_id, task_id, row",
        row,
    )
    .map(drop)
}

/// Runs a statement that changes the row of one annotation, and returns where it is; its row.
fn touch_one(db: &Batch<'_>, statement: &str, row: i64) -> rusqlite::Result<i64> {
    type Place = (String, Option<String>, Option<String>, i64);
    let (source, project, task, row): Place =
        db.prepare_cached(statement)?.query_row([row], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })?;
    let (project, task) = (project.as_deref(), task.as_deref());
    db.touch(Table::Annotations, &source, project, task)?;
    Ok(row)
}

fn take_over(db: &Batch<'_>, id: &AnnotationId) -> rusqlite::Result<()> {
    let Some(theirs) = row_of(db, "theirs", id)? else {
        return Ok(());
    };
    if let Some(ours) = row_of(db, "main", id)? {
        empty(db, ours)?;
        touch_one(
            db,
            "DELETE FROM main.annotations WHERE row = ?1 RETURNING source, project_id, task_id, row",
            ours,
        )?;
    }
    let statement = format!(
        "INSERT INTO main.annotations({COLUMNS}) SELECT {COLUMNS} FROM theirs.annotations WHERE row = ?1
         RETURNING source, project_id, task_id, row"
    );
    let ours = touch_one(db, &statement, theirs)?;
    for (table, columns) in [
        (
            "regions",
            "position, region_id, name, labels, kind, unit, x, y, width, height, rotation, points, rle, mask_url,
             begins, ends, channel, text, image_width, image_height, item, parent_id, raw, frame",
        ),
        (
            "classifications",
            "position, name, answers, region_id, frame, item, parents",
        ),
    ] {
        let statement = format!(
            "INSERT INTO main.{table}(annotation, {columns})
             SELECT ?1, {columns} FROM theirs.{table} WHERE annotation = ?2"
        );
        db.prepare_cached(&statement)?.execute((ours, theirs))?;
    }
    // A removal of it was wrong, or of something before.
    db.prepare_cached("DELETE FROM main.removals WHERE source = ?1 AND kind = ?2 AND id = ?3")?
        .execute((&id.source, &id.kind, &id.id))?;
    // The same if another annotation of its task was taken for the only ground truth.
    db.prepare_cached(
        "DELETE FROM main.ground_truths
         WHERE (source, task_id) = (SELECT source, task_id FROM main.annotations WHERE row = ?1 AND ground_truth = 1)
             AND version > (SELECT coalesce(version, '') FROM main.annotations WHERE row = ?1)",
    )?
    .execute([ours])?;
    take_task_over(db, theirs)?;
    let mut labels = db.prepare_cached(
        "SELECT DISTINCT value FROM main.regions, json_each(labels) WHERE annotation = ?1 ORDER BY position",
    )?;
    let labels: Vec<String> = labels
        .query_map([ours], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for label in labels {
        let schema: Option<Option<String>> = db
            .prepare_cached("SELECT schema_id FROM theirs.classes WHERE name = ?1")?
            .query_row([&label], |row| row.get(0))
            .optional()?;
        class_list::note(db, &label, schema.flatten().as_deref(), "")?;
    }
    Ok(())
}

/// Takes over the task of an annotation in this row of theirs.
fn take_task_over(db: &Batch<'_>, annotation: i64) -> rusqlite::Result<()> {
    let of: Option<(String, String)> = db
        .prepare_cached(
            "SELECT source, task_id FROM theirs.annotations WHERE row = ?1 AND task_id IS NOT NULL",
        )?
        .query_row([annotation], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((source, id)) = of else {
        return Ok(());
    };
    let before = task::place(db, &source, &id)?;
    // An event about something else may have made the row here, with nothing else in it. Or it is that of a task that is gone,
    // and the platform has given its id again.
    db.prepare_cached(
        "INSERT INTO main.tasks SELECT * FROM theirs.tasks WHERE source = ?1 AND task_id = ?2
         ON CONFLICT DO UPDATE SET data = coalesce(excluded.data, data),
             project_id = coalesce(excluded.project_id, project_id),
             external_id = coalesce(excluded.external_id, external_id),
             media_url = coalesce(excluded.media_url, media_url),
             width = coalesce(excluded.width, width), height = coalesce(excluded.height, height),
             agreement = coalesce(excluded.agreement, agreement),
             created_at = coalesce(excluded.created_at, created_at),
             deleted = excluded.deleted, seen_at = max(seen_at, excluded.seen_at)",
    )?
    .execute((&source, &id))?;
    // It may have moved to another project.
    let after = task::place(db, &source, &id)?;
    for place in [before, after].into_iter().flatten() {
        let project = place.project.as_deref();
        db.touch(Table::Tasks, &source, project, Some(&id))?;
    }
    match task::project_of(db, &source, &id)? {
        Some(project) => task::tell_annotations(db, &source, &id, &project).map(drop),
        None => Ok(()),
    }
}
