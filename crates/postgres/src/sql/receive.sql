-- What others are taking at this moment is passed over. All together have some 8 MiB, or one event more: what a
-- slow connection carries within the time of a statement.
WITH due AS (
    SELECT number, octet_length(envelope) AS bytes
    FROM events WHERE visible_at <= now() ORDER BY number LIMIT $1 FOR UPDATE SKIP LOCKED
), few AS (
    SELECT number
    FROM (SELECT number, sum(bytes) OVER (ORDER BY number) - bytes AS before FROM due) AS sizes
    WHERE before < 8388608
), taken AS (
    UPDATE events
    SET visible_at = now() + make_interval(secs => $2), receives = receives + 1
    WHERE number = ANY (ARRAY(SELECT number FROM few))
    RETURNING number, envelope, receives
)
SELECT number, envelope, receives FROM taken ORDER BY number
