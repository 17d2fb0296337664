-- Several events in one statement, which is one transaction. An id that another transaction is writing is waited for,
-- so a repeat is called one only after the first copy was durable. All take their ids in one order, so nobody waits
-- in a circle.
WITH given AS (
    SELECT nextval('events_number') AS number, id, type, envelope
    FROM (
        SELECT *
        FROM unnest($1::text[], $2::text[], $3::bytea[]) WITH ORDINALITY AS sent (id, type, envelope, place)
        ORDER BY place
    ) AS in_order
), fresh AS (
    INSERT INTO ids AS known (id, number, at)
    SELECT id, number, now() FROM given ORDER BY id COLLATE "C"
    ON CONFLICT (id) DO UPDATE SET number = excluded.number, at = excluded.at
    WHERE known.at <= now() - make_interval(secs => $4)
    RETURNING number
), stored AS (
    INSERT INTO events (number, id, type, envelope)
    SELECT number, given.id, type, envelope FROM given JOIN fresh USING (number) ORDER BY number
)
SELECT number, given.id FROM given JOIN fresh USING (number)
