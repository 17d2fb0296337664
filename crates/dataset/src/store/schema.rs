//! Tables of the working state.

use super::{ground_truth, inputs, parts, review, steps};
use crate::DatasetError;
use rusqlite::{Connection, OptionalExtension as _, Transaction};
use std::path::Path;

/// Changes with every change of the tables.
const FORMAT: i64 = 11;

/// The oldest format that is brought up to this one. Whoever only looks on reads it as it is.
const OLDEST: i64 = 2;

/// An annotation or a label that is gone keeps its row, without what it held.
const TABLES: &str = "
CREATE TABLE state(name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE annotations(
    row INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    kind TEXT NOT NULL,                 -- annotation (Label Studio), label (Labelbox)
    annotation_id TEXT NOT NULL,
    project_id TEXT,
    task_id TEXT,                       -- of Labelbox: the data row
    version TEXT,
    ordering TEXT NOT NULL,             -- newer, unknown
    state TEXT NOT NULL,                -- present, removed
    deleted_by TEXT,                    -- body, header, parent, pull; one by header is there until the platform says no
    author TEXT,
    created_at TEXT,
    updated_at TEXT,
    skipped INTEGER NOT NULL,
    ground_truth INTEGER NOT NULL,
    workflow TEXT,
    relations TEXT,                     -- an array: from, to, direction, labels
    event_id TEXT NOT NULL,
    received_at TEXT NOT NULL,
    origin TEXT,
    sha256 TEXT NOT NULL,
    raw TEXT,
    consensus REAL,                     -- scores, where Labelbox says them
    benchmark REAL,
    ground_truth_told TEXT,             -- of Label Studio: the last version that was told to be a ground truth
    ground_truth_set_after TEXT,        -- a ground truth of a later version than this was set, and not imported
    UNIQUE(source, kind, annotation_id)
) STRICT;
CREATE INDEX annotations_of_task ON annotations(source, task_id);
CREATE TABLE regions(
    annotation INTEGER NOT NULL REFERENCES annotations(row),
    position INTEGER NOT NULL,
    region_id TEXT,
    name TEXT,
    labels TEXT NOT NULL,               -- an array
    kind TEXT NOT NULL,
    unit TEXT,                          -- px, % (no size is known)
    x REAL, y REAL, width REAL, height REAL,    -- of an ellipse: centre and radii
    rotation REAL,
    points TEXT,                        -- an array of pairs
    rle BLOB,
    mask_url TEXT,
    begins REAL, ends REAL,
    channel INTEGER,
    text TEXT,
    image_width INTEGER, image_height INTEGER,
    item INTEGER,
    parent_id TEXT,                     -- the region that it is a part of
    raw TEXT NOT NULL,
    frame INTEGER,                      -- of a region that moves: the first of its key frames
    PRIMARY KEY(annotation, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE classifications(
    annotation INTEGER NOT NULL REFERENCES annotations(row),
    position INTEGER NOT NULL,
    name TEXT,
    answers TEXT NOT NULL,              -- an array: texts, numbers, paths
    region_id TEXT,
    frame INTEGER,
    item INTEGER,
    parents TEXT NOT NULL,              -- an array
    PRIMARY KEY(annotation, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE tasks(
    source TEXT NOT NULL,
    task_id TEXT NOT NULL,
    project_id TEXT,
    external_id TEXT,
    data TEXT,                          -- as the platform sent it
    media_url TEXT,                     -- of Labelbox
    width INTEGER, height INTEGER,
    workflow_state TEXT, workflow_at TEXT,      -- the last step in any project
    completed_at TEXT,                  -- when it was last told that it has all the annotations that it needs
    deleted INTEGER NOT NULL DEFAULT 0,
    seen_at TEXT NOT NULL,              -- of which time the data is
    agreement REAL,                     -- of its annotations, where Label Studio says it
    created_at TEXT,                    -- of Label Studio, as that writes it: an id may be given again
    PRIMARY KEY(source, task_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE reviews(
    source TEXT NOT NULL,
    review_id TEXT NOT NULL,
    annotation_id TEXT NOT NULL,        -- of Labelbox: the label
    version TEXT,
    accepted INTEGER,                   -- 1, 0; NULL if it says neither
    of_version TEXT NOT NULL,           -- of the annotation: a later one was not reviewed
    silent INTEGER NOT NULL DEFAULT 0,  -- it has no say: one of Labelbox without a score
    PRIMARY KEY(source, annotation_id, review_id),
    UNIQUE(source, review_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE projects(
    source TEXT NOT NULL,
    project_id TEXT NOT NULL,
    seen_at TEXT NOT NULL,
    title TEXT,
    label_config TEXT,
    PRIMARY KEY(source, project_id, seen_at)    -- every version of the configuration
) STRICT, WITHOUT ROWID;
CREATE TABLE removals(
    source TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    until TEXT,                         -- final for every version up to this
    header_until TEXT,                  -- the same, said by a header that nobody signed
    PRIMARY KEY(source, kind, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE unsettled(                 -- changes that no version puts in order: each is taken in once
    source TEXT NOT NULL,
    event_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    annotation_id TEXT NOT NULL,
    PRIMARY KEY(source, event_id, kind, annotation_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE unreadable(                -- events that became dead letters
    name TEXT PRIMARY KEY,              -- the event's id; without one, the queue's name of it
    reason TEXT NOT NULL,
    at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE forgotten_authors(author TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE classes(
    class_id INTEGER PRIMARY KEY,       -- from 0, and never given again
    name TEXT NOT NULL UNIQUE,
    first_seen TEXT NOT NULL,
    retired TEXT,                       -- since when no configuration has it
    projects TEXT,                      -- an array: those whose configuration has it
    schema_id TEXT                      -- Labelbox's, of the first that was seen
) STRICT;
CREATE TABLE snapshots(
    number INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    revision INTEGER NOT NULL,
    options TEXT NOT NULL,
    summary TEXT NOT NULL
) STRICT;
CREATE TABLE verdicts(                  -- comparisons with the platform
    number INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    revision INTEGER NOT NULL,          -- of the state that was compared
    source TEXT NOT NULL,
    projects TEXT NOT NULL,             -- an array
    equal INTEGER NOT NULL, missing INTEGER NOT NULL, extra INTEGER NOT NULL, different INTEGER NOT NULL
) STRICT;
";

/// Makes the tables where there are none.
pub(super) fn make(db: &mut Connection, path: &Path) -> Result<(), DatasetError> {
    let failed = DatasetError::database(path);
    let version: i64 = db
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(&failed)?;
    match version {
        FORMAT => Ok(()),
        OLDEST..FORMAT => {
            let transaction = db.transaction().map_err(&failed)?;
            upgrade(&transaction, version)
                .and_then(|()| end(transaction))
                .map_err(&failed)
        }
        0 => {
            let transaction = db.transaction().map_err(&failed)?;
            let is_empty = transaction
                .query_row("SELECT 1 FROM sqlite_schema LIMIT 1", [], |_| Ok(()))
                .optional()
                .map_err(&failed)?
                .is_none();
            if !is_empty {
                return Err(DatasetError::new(
                    path,
                    "is the database of something else",
                    "name another directory for the dataset",
                ));
            }
            transaction.execute_batch(TABLES).map_err(&failed)?;
            transaction.execute_batch(inputs::TABLE).map_err(&failed)?;
            transaction.execute_batch(steps::TABLE).map_err(&failed)?;
            transaction.execute_batch(review::VIEW).map_err(&failed)?;
            transaction
                .execute_batch(ground_truth::TABLES)
                .map_err(&failed)?;
            parts::make(&transaction).map_err(&failed)?;
            end(transaction).map_err(&failed)
        }
        other => Err(other_format(path, other)),
    }
}

/// Brings the tables of an earlier format up to this one.
fn upgrade(db: &Transaction<'_>, format: i64) -> rusqlite::Result<()> {
    match format {
        2 => parts::make(db)?,
        3 => parts::remove_triggers(db)?,
        _ => {}
    }
    // What was taken in before is not known.
    db.execute_batch(inputs::TABLE)?;
    db.execute_batch(ground_truth::TABLES)?;
    db.execute_batch(steps::TABLE)?;
    for (table, column) in ADDED {
        add_column(db, table, column)?;
    }
    db.execute_batch(review::VIEW)?;
    if format < 10 {
        steps::of_before(db)?;
    }
    if format < 6 {
        // Of Labelbox, what is kept does not say it.
        db.execute(
            "UPDATE regions SET frame = (SELECT min(json_extract(raw, fullkey || '.frame'))
                 FROM json_each(raw, '$.value.sequence') WHERE json_type(raw, fullkey || '.frame') = 'integer')
             WHERE kind = 'track' AND json_valid(raw)",
            [],
        )?;
    }
    Ok(())
}

/// Columns that earlier formats did not have, each at the end of its table.
const ADDED: [(&str, &str); 9] = [
    ("regions", "frame INTEGER"),
    ("classes", "schema_id TEXT"),
    ("annotations", "consensus REAL"),
    ("annotations", "benchmark REAL"),
    ("annotations", "ground_truth_told TEXT"),
    ("annotations", "ground_truth_set_after TEXT"),
    ("tasks", "agreement REAL"),
    ("tasks", "created_at TEXT"),
    ("reviews", "silent INTEGER NOT NULL DEFAULT 0"),
];

fn add_column(db: &Transaction<'_>, table: &str, column: &str) -> rusqlite::Result<()> {
    let name = column.split(' ').next().unwrap_or(column);
    let is_there = db
        .prepare("SELECT 1 FROM pragma_table_info(?1) WHERE name = ?2")?
        .exists((table, name))?;
    if is_there {
        return Ok(());
    }
    db.execute_batch(&format!("ALTER TABLE {table} ADD COLUMN {column}"))
}

/// Ends it. With each snapshot all verdicts are looked up, each by its revision.
fn end(transaction: Transaction<'_>) -> rusqlite::Result<()> {
    transaction
        .execute_batch("CREATE INDEX IF NOT EXISTS verdicts_of_revision ON verdicts(revision)")?;
    transaction.pragma_update(None, "user_version", FORMAT)?;
    transaction.commit()
}

/// Refuses a state that this program cannot read.
pub(super) fn check(db: &Connection, path: &Path) -> Result<(), DatasetError> {
    let version = db.query_row("PRAGMA user_version", [], |row| row.get(0));
    match version.map_err(DatasetError::database(path))? {
        OLDEST..=FORMAT => Ok(()),
        other => Err(other_format(path, other)),
    }
}

fn other_format(path: &Path, format: i64) -> DatasetError {
    let cure = if format > FORMAT {
        "use the labelrelay that wrote it, or a later one"
    } else {
        "an earlier version wrote it: make the dataset anew, in another directory, with `labelrelay dataset rebuild`"
    };
    let problem = format!("has format {format}, and this program knows {FORMAT}");
    DatasetError::new(path, problem, cure)
}
