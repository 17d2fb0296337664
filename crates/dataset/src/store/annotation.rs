//! Annotations and labels, as rows.

use super::removal::{self, Gone};
use super::version::{Compared, compare};
use crate::class_list;
use crate::geometry::Geometry;
use labelrelay_event::Event;
use labelrelay_event::changes::{Annotation, Answer, Changed, Classification, Kind, Order, Region};
use rusqlite::{OptionalExtension as _, Transaction};
use serde_json::{Value, json};

struct Known {
    version: Option<String>,
    deleted_by: Option<String>,
    task: Option<String>,
    project: Option<String>,
}

/// Takes in an annotation, if it is newer than what is known; `true` if it is.
pub(super) fn take_in(
    db: &Transaction<'_>,
    event: &Event<'_>,
    changed: &Changed<'_>,
    record: &Annotation<'_>,
) -> rusqlite::Result<bool> {
    let key = &changed.key;
    let known = known(db, &key.source, key.kind, &key.id)?;
    let held = |kinds: &[Kind]| {
        let parent = changed.parents.iter().find(|it| kinds.contains(&it.kind));
        parent.map(|parent| parent.id.to_string())
    };
    let task = held(&[Kind::Task, Kind::DataRow])
        .or_else(|| known.as_ref().and_then(|known| known.task.clone()));
    let project =
        held(&[Kind::Project]).or_else(|| known.as_ref().and_then(|known| known.project.clone()));
    let project = match (project, &task) {
        (None, Some(task)) => super::task::project_of(db, &key.source, task)?,
        (project, _) => project,
    };
    let version = changed.version.as_deref();
    let gone = {
        let task_kind = if key.kind == Kind::Label {
            Kind::DataRow
        } else {
            Kind::Task
        };
        let holders = [
            Some((key.kind, &*key.id)),
            task.as_deref().map(|task| (task_kind, task)),
            project.as_deref().map(|project| (Kind::Project, project)),
        ];
        removal::is_gone(db, &key.source, holders.into_iter().flatten(), version)?
    };
    let mut compared = match &known {
        Some(known) => compare(known.version.as_deref(), version, changed.order),
        None => Compared::Newer,
    };
    let is_marked = known
        .as_ref()
        .is_some_and(|known| known.deleted_by.as_deref() == Some("header"));
    // Sent again on purpose; or the platform's API contradicts a header.
    if compared == Compared::Same
        && (event.attributes().replayedtime.is_some() || is_marked != (gone == Gone::ByHeader))
    {
        compared = Compared::Newer;
    }
    if !gone.lets_in(compared) {
        return Ok(false);
    }
    if changed.order == Order::Unknown && !is_first_time(db, event, changed)? {
        return Ok(false);
    }
    let is_settled = compared != Compared::Unsettled && changed.order == Order::Newer;
    let author = record.author.as_deref();
    let is_forgotten = author.is_some_and(|author| is_forgotten(db, author));
    let row = write(
        db,
        event,
        changed,
        record,
        &Holders {
            task: task.as_deref(),
            project: project.as_deref(),
            is_settled,
            is_marked: gone == Gone::ByHeader,
            is_forgotten,
        },
    )?;
    if let (Some(task), Some(version)) = (&task, version)
        && record.ground_truth == Some(true)
        && event.attributes().origin.is_none()
    {
        one_ground_truth(db, row, &key.source, task, version)?;
    }
    if let Some(task) = &task {
        super::task::note(db, &key.source, task, project.as_deref())?;
    }
    empty(db, row)?;
    for (position, region) in record.regions.iter().enumerate() {
        write_region(db, row, position, region, is_forgotten)?;
        for label in &region.labels {
            class_list::note(db, label, &event.attributes().receivedtime)?;
        }
    }
    for (position, answered) in record.classifications.iter().enumerate() {
        write_classification(db, row, position, answered)?;
    }
    Ok(true)
}

/// Removes what an annotation holds.
pub(super) fn empty(db: &Transaction<'_>, row: i64) -> rusqlite::Result<()> {
    for table in ["regions", "classifications"] {
        db.prepare_cached(&format!("DELETE FROM main.{table} WHERE annotation = ?1"))?
            .execute([row])?;
    }
    Ok(())
}

/// Label Studio has one ground truth a task. Whoever sets another one takes it from the others, and no event tells that:
/// not even their version changes.
fn one_ground_truth(
    db: &Transaction<'_>,
    row: i64,
    source: &str,
    task: &str,
    version: &str,
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE annotations SET ground_truth = 0
         WHERE source = ?1 AND task_id = ?2 AND row != ?3 AND ground_truth = 1 AND coalesce(version, '') < ?4",
    )?
    .execute((source, task, row, version))?;
    // This event may have come late.
    db.prepare_cached(
        "UPDATE annotations SET ground_truth = 0
         WHERE row = ?3 AND EXISTS (SELECT 1 FROM annotations AS others
             WHERE others.source = ?1 AND others.task_id = ?2 AND others.row != ?3 AND others.ground_truth = 1
                 AND others.origin IS NULL AND others.version > ?4)",
    )?
    .execute((source, task, row, version))
    .map(drop)
}

/// Notes a change that no version puts in order; `false` if it was taken in before, and is not sent again on purpose.
pub(super) fn is_first_time(
    db: &Transaction<'_>,
    event: &Event<'_>,
    changed: &Changed<'_>,
) -> rusqlite::Result<bool> {
    let (key, attributes) = (&changed.key, event.attributes());
    let noted = db
        .prepare_cached("INSERT OR IGNORE INTO unsettled VALUES(?1, ?2, ?3, ?4)")?
        .execute((&*key.source, &attributes.id, key.kind.as_str(), &*key.id))?;
    Ok(noted > 0 || attributes.replayedtime.is_some())
}

fn known(
    db: &Transaction<'_>,
    source: &str,
    kind: Kind,
    id: &str,
) -> rusqlite::Result<Option<Known>> {
    db.prepare_cached(
        "SELECT version, deleted_by, task_id, project_id FROM annotations
         WHERE source = ?1 AND kind = ?2 AND annotation_id = ?3",
    )?
    .query_row((source, kind.as_str(), id), |row| {
        Ok(Known {
            version: row.get(0)?,
            deleted_by: row.get(1)?,
            task: row.get(2)?,
            project: row.get(3)?,
        })
    })
    .optional()
}

struct Holders<'a> {
    task: Option<&'a str>,
    project: Option<&'a str>,
    is_settled: bool,
    is_marked: bool,
    is_forgotten: bool,
}

fn write(
    db: &Transaction<'_>,
    event: &Event<'_>,
    changed: &Changed<'_>,
    record: &Annotation<'_>,
    with: &Holders<'_>,
) -> rusqlite::Result<i64> {
    let attributes = event.attributes();
    let origin = attributes.origin.clone().map(Box::<str>::from);
    let relations: Vec<Value> = record
        .relations
        .iter()
        .map(|it| json!({"from": it.from, "to": it.to, "direction": it.direction, "labels": it.labels}))
        .collect();
    let author = record.author.as_deref();
    db.prepare_cached(
        "INSERT INTO annotations(source, kind, annotation_id, project_id, task_id, version, ordering, state, deleted_by,
             author, created_at, updated_at, skipped, ground_truth, workflow, event_id, received_at, origin, sha256, raw, relations)
         VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, 'present', ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)
         ON CONFLICT DO UPDATE SET project_id = excluded.project_id, task_id = excluded.task_id,
             version = coalesce(excluded.version, version), ordering = excluded.ordering, state = 'present',
             deleted_by = excluded.deleted_by, author = excluded.author, created_at = excluded.created_at,
             updated_at = excluded.updated_at, skipped = excluded.skipped, ground_truth = excluded.ground_truth,
             workflow = excluded.workflow, event_id = excluded.event_id, received_at = excluded.received_at,
             origin = excluded.origin, sha256 = excluded.sha256, raw = excluded.raw, relations = excluded.relations
         RETURNING row",
    )?
    .query_row(
        rusqlite::params![
            &*changed.key.source,
            changed.key.kind.as_str(),
            &*changed.key.id,
            with.project,
            with.task,
            changed.version,
            if with.is_settled { "newer" } else { "unknown" },
            with.is_marked.then_some("header"),
            author.filter(|_| !with.is_forgotten),
            record.created.as_deref(),
            record.updated.as_deref(),
            record.skipped.unwrap_or(false),
            record.ground_truth.unwrap_or(false),
            record.workflow.as_deref(),
            attributes.id,
            attributes.receivedtime,
            origin,
            attributes.datasha256,
            Some(record.raw.get()).filter(|_| !with.is_forgotten),
            Value::from(relations).to_string(),
        ],
        |row| row.get(0),
    )
}

fn is_forgotten(db: &Transaction<'_>, author: &str) -> bool {
    let look = db.prepare_cached("SELECT 1 FROM forgotten_authors WHERE author = ?1");
    // Who cannot be looked up counts as forgotten: the other mistake could not be undone.
    look.and_then(|mut look| look.exists([author]))
        .unwrap_or(true)
}

fn write_region(
    db: &Transaction<'_>,
    annotation: i64,
    position: usize,
    region: &Region<'_>,
    is_forgotten: bool,
) -> rusqlite::Result<()> {
    let geometry = Geometry::of(&region.shape);
    let labels: Vec<&str> = region.labels.iter().map(AsRef::as_ref).collect();
    db.prepare_cached(
        "INSERT INTO regions(annotation, position, region_id, name, labels, kind, unit, x, y, width, height, rotation,
             points, rle, mask_url, begins, ends, channel, text, image_width, image_height, item, parent_id, raw)
         VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24)",
    )?
    .execute(rusqlite::params![
        annotation,
        i64::try_from(position).unwrap_or(i64::MAX),
        region.id.as_deref(),
        region.name.as_deref(),
        serde_json::to_string(&labels).unwrap_or_default(),
        geometry.kind,
        geometry.unit,
        geometry.x,
        geometry.y,
        geometry.width,
        geometry.height,
        geometry.rotation,
        geometry.points.as_ref().map(|points| serde_json::to_string(points).unwrap_or_default()),
        geometry.rle,
        geometry.mask_url,
        geometry.begins,
        geometry.ends,
        geometry.channel,
        geometry.text,
        geometry.size.map(|size| size.0),
        geometry.size.map(|size| size.1),
        geometry.item,
        parent(region.raw.get()),
        if is_forgotten { "null" } else { region.raw.get() },
    ])
    .map(drop)
}

/// The region that this one is a part of. Label Studio says so beside the region.
fn parent(raw: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Part {
        #[serde(rename = "parentID")]
        parent: Option<String>,
    }
    // Few have one, and reading each again would cost more than all the rest.
    let is_said = raw.contains("\"parentID\"");
    let part: Option<Part> = is_said.then(|| serde_json::from_str(raw).ok()).flatten();
    part.and_then(|part| part.parent)
}

fn write_classification(
    db: &Transaction<'_>,
    annotation: i64,
    position: usize,
    answered: &Classification<'_>,
) -> rusqlite::Result<()> {
    let answers: Vec<Value> = answered.values.iter().map(answer).collect();
    let parents: Vec<&str> = answered.parent.iter().map(AsRef::as_ref).collect();
    db.prepare_cached("INSERT INTO classifications VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?
        .execute((
            annotation,
            i64::try_from(position).unwrap_or(i64::MAX),
            answered.name.as_deref(),
            Value::from(answers).to_string(),
            answered.region.as_deref(),
            answered.frame,
            answered.item,
            serde_json::to_string(&parents).unwrap_or_default(),
        ))
        .map(drop)
}

fn answer(answer: &Answer<'_>) -> Value {
    match answer {
        Answer::Text(text) => Value::from(text.as_ref()),
        Answer::Number(number) => Value::from(*number),
        Answer::Path(path) => path.iter().map(|step| Value::from(step.as_ref())).collect(),
        _ => Value::Null,
    }
}
