-- Bodies of a place without the envelope that names them. A body is named bodies/KEY/DIGEST, and KEY begins with the time
-- at which it was begun. Each piece is a row: so many at most, that the statement ends in its time.
DELETE FROM objects WHERE ctid = ANY (ARRAY(
    SELECT body.ctid
    FROM objects AS body
    WHERE body.place = $1 AND body.is_body AND body.name > 'bodies/'
        AND body.name < 'bodies/' || to_char((now() - make_interval(secs => $2)) AT TIME ZONE 'UTC', 'YYYYMMDD"T"HH24MISS')
        AND NOT EXISTS (
            SELECT FROM objects AS envelope
            WHERE envelope.place = $1 AND NOT envelope.is_body AND envelope.name = split_part(body.name, '/', 2)
        )
    LIMIT 16 FOR UPDATE OF body SKIP LOCKED
))
RETURNING 1
