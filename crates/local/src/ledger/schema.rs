//! The tables of a ledger's file.

/// Says in the file's header whose it is: "`LbRl`".
pub(super) const APPLICATION_ID: i64 = 0x4C62_526C;

/// Format that [`MIGRATIONS`] lead to.
pub(super) const VERSION: i64 = 4;

/// Migrations, each to the format after the one before it; the first makes the tables. One that was released is never
/// changed: a new format is a new migration at the end.
pub(super) const MIGRATIONS: [&str; 4] = [TABLES, PASSES_BY_PROJECT, WALKS_AND_CHANGES, SILENCE];

const TABLES: &str = "
CREATE TABLE sources(
    source TEXT PRIMARY KEY,
    server TEXT NOT NULL,               -- what it is about
    arrivals INTEGER NOT NULL DEFAULT 0 -- the queue's events up to this one were looked at
) STRICT, WITHOUT ROWID;
CREATE TABLE projects(
    source TEXT NOT NULL,
    project TEXT NOT NULL,
    look INTEGER NOT NULL,              -- number of the last look through it
    watermark INTEGER,                  -- up to when it was looked through, in microseconds since 1970
    PRIMARY KEY(source, project)
) STRICT, WITHOUT ROWID;
CREATE TABLE things(
    source TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    project TEXT,
    holder TEXT,                        -- what it belongs to: an annotation's task
    event_id TEXT NOT NULL,             -- the newest event about it
    sequence TEXT,                      -- its version
    gone INTEGER NOT NULL,
    look INTEGER NOT NULL,              -- the last look in which it was seen
    PRIMARY KEY(source, kind, id)
) STRICT, WITHOUT ROWID;
";

/// A pass through one project asks what of it was not seen, and how much of it there is, in an installation of many.
/// The pass first asks if there is anything to look for, so not every pass looks at everything.
const PASSES_BY_PROJECT: &str = "
ALTER TABLE projects ADD COLUMN full INTEGER; -- when a pass last looked at everything, in microseconds since 1970
CREATE INDEX things_in_project ON things(source, project, kind, id) WHERE gone = 0;
";

/// A look at everything goes on in another run. A store gets what it does not have yet, and not everything again.
const WALKS_AND_CHANGES: &str = "
ALTER TABLE projects ADD COLUMN walk INTEGER;       -- number of the look in which one at everything began that is not finished
ALTER TABLE projects ADD COLUMN walk_began INTEGER; -- the platform's time then, in microseconds since 1970
ALTER TABLE projects ADD COLUMN walk_after TEXT;    -- what comes after this is left
CREATE TABLE unsaved(               -- things that no store has in this version, where a store keeps the ledger
    source TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY(source, kind, id)
) STRICT, WITHOUT ROWID;
";

/// A run that breaks off has read what was delivered, and the next one is to know of it.
const SILENCE: &str = "
ALTER TABLE projects ADD COLUMN delivered INTEGER NOT NULL DEFAULT -1;  -- the look that had begun last when a delivery was read
ALTER TABLE projects ADD COLUMN told INTEGER NOT NULL DEFAULT 0;        -- the last look of a run that came to its end
ALTER TABLE projects ADD COLUMN undelivered INTEGER NOT NULL DEFAULT 0; -- changes since then that no delivery brought
";

const _: () = assert!(matches!((MIGRATIONS.len(), VERSION), (4, 4)));
