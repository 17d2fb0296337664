-- From now on for a time: a retry or an extension.
WITH good AS (
    SELECT number
    FROM events
    WHERE number = ANY ($1) AND (number, receives) IN (SELECT * FROM unnest($1::bigint[], $2::integer[]))
    ORDER BY number FOR UPDATE
)
UPDATE events SET visible_at = now() + make_interval(secs => $3)
WHERE number = ANY (ARRAY(SELECT number FROM good)) RETURNING number, receives
