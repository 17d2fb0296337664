WITH gone AS (
    DELETE FROM events WHERE number = $1 AND receives = $2
    RETURNING number, id, type, envelope, queued_at, receives
)
INSERT INTO dead_letters (number, id, type, envelope, queued_at, receives, reason)
SELECT number, id, type, envelope, queued_at, receives, $3 FROM gone
RETURNING number, receives
