//! Tables of a record.

/// Marks the file as a record of labelrelay: `LRrc`.
pub(crate) const APPLICATION_ID: i64 = 0x4c52_7263;

/// Format of the file.
pub(crate) const FORMAT: i64 = 1;

/// Small columns stand first, so that bounds are found without reading heads. A number is never given again: it names
/// its delivery in what people write down.
pub(crate) const TABLES: &str = "
CREATE TABLE deliveries(
    number INTEGER PRIMARY KEY AUTOINCREMENT, class INTEGER NOT NULL, arrived_ms INTEGER NOT NULL,
    bytes INTEGER NOT NULL, status INTEGER NOT NULL, flags INTEGER NOT NULL, body_bytes INTEGER NOT NULL,
    elapsed_us INTEGER NOT NULL, queue_us INTEGER, outcome TEXT NOT NULL, source TEXT, event_id TEXT,
    event_type TEXT, subject TEXT, project TEXT, delivery_id TEXT, verified_by TEXT, client TEXT,
    body_sha256 TEXT, method TEXT, path TEXT, reason TEXT, head TEXT) STRICT;
CREATE INDEX deliveries_by_class ON deliveries(class);
CREATE INDEX deliveries_by_time ON deliveries(arrived_ms);
CREATE INDEX deliveries_refused ON deliveries(number) WHERE status >= 400;
CREATE INDEX deliveries_by_event ON deliveries(event_id) WHERE event_id IS NOT NULL;
CREATE INDEX deliveries_by_delivery ON deliveries(delivery_id) WHERE delivery_id IS NOT NULL;
CREATE INDEX deliveries_by_subject ON deliveries(subject) WHERE subject IS NOT NULL;
CREATE INDEX deliveries_by_project ON deliveries(project) WHERE project IS NOT NULL;
CREATE TABLE bodies(number INTEGER PRIMARY KEY, class INTEGER NOT NULL, start BLOB NOT NULL) STRICT;
CREATE INDEX bodies_by_class ON bodies(class);
CREATE TABLE totals(
    class INTEGER PRIMARY KEY, deliveries INTEGER NOT NULL, bytes INTEGER NOT NULL, body_bytes INTEGER NOT NULL,
    lost INTEGER NOT NULL) STRICT;
INSERT INTO totals VALUES (0, 0, 0, 0, 0), (1, 0, 0, 0, 0);
";
