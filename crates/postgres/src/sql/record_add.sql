-- Adds what was inserted behind the delivery $6 to the sums of a class. Where there is nothing before it, they begin anew:
-- somebody may have emptied the tables by hand.
UPDATE record_totals SET
    deliveries = CASE WHEN has_rows THEN deliveries ELSE 0 END + $2::bigint,
    bytes = CASE WHEN has_rows THEN bytes ELSE 0 END + $3::bigint,
    body_bytes = CASE WHEN has_bodies THEN body_bytes ELSE 0 END + $4::bigint,
    lost = lost + $5::bigint
FROM (
    SELECT
        EXISTS (SELECT FROM deliveries WHERE class = $1::smallint AND number <= $6::bigint) AS has_rows,
        EXISTS (SELECT FROM delivery_bodies WHERE class = $1::smallint AND number <= $6::bigint) AS has_bodies
) AS before
WHERE class = $1::smallint
