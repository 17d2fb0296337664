INSERT INTO deliveries (
    number, replica, class, status, arrived_ms, bytes, flags, body_bytes, elapsed_us, queue_us, outcome, source, event_id,
    event_type, subject, project, delivery_id, verified_by, client, body_sha256, method, path, reason, head
)
SELECT
    $1::bigint + place, $2::text, class, status, arrived_ms, bytes, flags, body_bytes, elapsed_us, queue_us, outcome,
    source, event_id, event_type, subject, project, delivery_id, verified_by, client, body_sha256, method, path, reason,
    head
FROM unnest(
    $3::smallint[], $4::integer[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[],
    $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::text[], $17::text[], $18::text[], $19::text[],
    $20::text[], $21::text[], $22::text[], $23::text[], $24::text[]
) WITH ORDINALITY AS given (
    class, status, arrived_ms, bytes, flags, body_bytes, elapsed_us, queue_us, outcome, source, event_id, event_type,
    subject, project, delivery_id, verified_by, client, body_sha256, method, path, reason, head, place
)
