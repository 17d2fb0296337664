-- The record of deliveries, which all replicas share. A number is never given again: it names its delivery in what people
-- write down. Texts are compared byte by byte, as the file of one relay compares them. What is long is kept apart, so
-- that bounds are found, and rows that no index finds, without reading heads. The oldest rows go all the time: what is
-- left of them stands where the next oldest are looked for, until it is swept.
CREATE TABLE deliveries (
    number      bigint PRIMARY KEY,
    class       smallint NOT NULL,
    status      integer NOT NULL,
    arrived_ms  bigint NOT NULL,
    bytes       bigint NOT NULL,
    flags       bigint NOT NULL,
    body_bytes  bigint NOT NULL,
    elapsed_us  bigint NOT NULL,
    queue_us    bigint,
    replica     text COLLATE "C" NOT NULL,
    outcome     text COLLATE "C" NOT NULL,
    source      text COLLATE "C",
    event_id    text COLLATE "C",
    event_type  text COLLATE "C",
    subject     text COLLATE "C",
    project     text COLLATE "C",
    delivery_id text COLLATE "C",
    verified_by text COLLATE "C",
    client      text COLLATE "C",
    body_sha256 text COLLATE "C",
    method      text COLLATE "C",
    path        text COLLATE "C",
    reason      text COLLATE "C",
    head        text COLLATE "C"
) WITH (toast_tuple_target = 512, autovacuum_vacuum_scale_factor = 0.02);

CREATE INDEX deliveries_by_class ON deliveries (class, number);
CREATE INDEX deliveries_by_time ON deliveries (arrived_ms, number);
CREATE INDEX deliveries_refused ON deliveries (number) WHERE status >= 400;
CREATE INDEX deliveries_by_event ON deliveries (event_id) WHERE event_id IS NOT NULL;
CREATE INDEX deliveries_by_delivery ON deliveries (delivery_id) WHERE delivery_id IS NOT NULL;
CREATE INDEX deliveries_by_subject ON deliveries (subject) WHERE subject IS NOT NULL;
CREATE INDEX deliveries_by_project ON deliveries (project) WHERE project IS NOT NULL;

-- The first part of a body that became no event.
CREATE TABLE delivery_bodies (
    number bigint PRIMARY KEY,
    class  smallint NOT NULL,
    start  bytea NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.02);

CREATE INDEX delivery_bodies_by_class ON delivery_bodies (class, number);
ALTER TABLE delivery_bodies ALTER COLUMN start SET STORAGE EXTERNAL;

-- Sums over the rows of a class: nobody counts a million rows to hold them against a bound.
CREATE TABLE record_totals (
    class      smallint PRIMARY KEY,
    deliveries bigint NOT NULL,
    bytes      bigint NOT NULL,
    body_bytes bigint NOT NULL,
    lost       bigint NOT NULL
);

INSERT INTO record_totals VALUES (0, 0, 0, 0, 0), (1, 0, 0, 0, 0);

-- The number that was given last, in one row. Whoever changes the record has it until the end of the transaction. So
-- numbers come to be seen in their order: whoever asks for what follows the last one that it saw misses none.
CREATE TABLE record_last (
    number bigint NOT NULL
);

INSERT INTO record_last VALUES (0);

-- How far the deliveries of a replica's journal were moved here.
CREATE TABLE record_journals (
    id      text COLLATE "C" PRIMARY KEY,
    replica text NOT NULL,
    moved   bigint NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT now()
);
