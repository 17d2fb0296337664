-- Removes the first rows of a class that are beyond its bounds, and those that are too old, with their bodies. Replicas have
-- clocks and journals of their own, so numbers are in no order of time. Where the class has no others than those that are
-- looked at, sums over them are the true ones, whatever was noted: somebody may have emptied the table by hand.
WITH looked_at AS (
    SELECT number, bytes FROM deliveries WHERE class = $1 ORDER BY number LIMIT 2000
), noted AS (
    SELECT
        CASE WHEN count(*) < 2000 THEN count(*) ELSE $2::bigint END AS deliveries,
        CASE WHEN count(*) < 2000 THEN COALESCE(sum(bytes), 0) ELSE $4::bigint END AS bytes
    FROM looked_at
), oldest AS (
    SELECT
        number, bytes, row_number() OVER in_order - 1 AS rows_before,
        sum(bytes) OVER in_order - bytes AS bytes_before
    FROM looked_at
    WINDOW in_order AS (ORDER BY number)
), first_that_stays AS (
    SELECT min(number) AS number
    FROM oldest CROSS JOIN noted
    WHERE noted.deliveries - rows_before <= $3::bigint
        AND noted.bytes - bytes_before <= $5::bigint
), too_old AS (
    SELECT number FROM deliveries WHERE class = $1 AND arrived_ms < $6::bigint ORDER BY arrived_ms LIMIT 2000
), gone AS (
    DELETE FROM deliveries
    WHERE number IN (
        SELECT oldest.number FROM oldest CROSS JOIN first_that_stays AS stays
        WHERE stays.number IS NULL OR oldest.number < stays.number
        UNION SELECT number FROM too_old
    )
    RETURNING number, bytes
), gone_bodies AS (
    DELETE FROM delivery_bodies WHERE number IN (SELECT number FROM gone) RETURNING octet_length(start) AS bytes
)
SELECT
    (noted.deliveries - (SELECT count(*) FROM gone))::bigint,
    (noted.bytes - (SELECT COALESCE(sum(bytes), 0) FROM gone))::bigint,
    (SELECT COALESCE(sum(bytes), 0) FROM gone_bodies)::bigint
FROM noted
