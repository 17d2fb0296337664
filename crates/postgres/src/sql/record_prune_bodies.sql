-- The same of bodies alone, whose bound is another one.
WITH looked_at AS (
    SELECT number, octet_length(start) AS bytes FROM delivery_bodies WHERE class = $1 ORDER BY number LIMIT 2000
), noted AS (
    SELECT CASE WHEN count(*) < 2000 THEN COALESCE(sum(bytes), 0) ELSE $2::bigint END AS bytes FROM looked_at
), oldest AS (
    SELECT number, sum(bytes) OVER (ORDER BY number) - bytes AS bytes_before FROM looked_at
), gone AS (
    DELETE FROM delivery_bodies
    WHERE number IN (
        SELECT number FROM oldest CROSS JOIN noted WHERE noted.bytes - bytes_before > $3::bigint
    )
    RETURNING octet_length(start) AS bytes
)
SELECT (noted.bytes - (SELECT COALESCE(sum(bytes), 0) FROM gone))::bigint FROM noted
