-- Rows are locked in one order, so nobody waits in a circle.
WITH good AS (
    SELECT number
    FROM events
    WHERE number = ANY ($1) AND (number, receives) IN (SELECT * FROM unnest($1::bigint[], $2::integer[]))
    ORDER BY number FOR UPDATE
)
DELETE FROM events WHERE number = ANY (ARRAY(SELECT number FROM good)) RETURNING number, receives
