//! The tables of a ledger's file.

/// Says in the file's header whose it is: "`LbRl`".
pub(super) const APPLICATION_ID: i64 = 0x4C62_526C;

/// Format of the tables below; a change of them needs a new number and a migration.
pub(super) const VERSION: i64 = 1;

pub(super) const TABLES: &str = "
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
