-- An event waits here until it was acknowledged. `receives` and `number` are its receipt.
-- Its state changes while the envelope does not: `fillfactor` leaves room for that in the same page, and no index has
-- a column that changes. An envelope is not compressed: it would cost more time than it saves.
CREATE SEQUENCE events_number;

CREATE TABLE events (
    number     bigint PRIMARY KEY,
    id         text NOT NULL,
    type       text NOT NULL,
    envelope   bytea NOT NULL,
    queued_at  timestamptz NOT NULL DEFAULT now(),
    visible_at timestamptz NOT NULL DEFAULT '-infinity',
    receives   integer NOT NULL DEFAULT 0
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

-- Ids within the window of repeats, whatever became of their events.
CREATE TABLE ids (
    id     text COLLATE "C" PRIMARY KEY,
    number bigint NOT NULL,
    at     timestamptz NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

-- For what is removed when the window has passed. Rows are in the order of their times, so a few pages suffice.
CREATE INDEX ids_at ON ids USING brin (at) WITH (pages_per_range = 16);

CREATE TABLE dead_letters (
    number      bigint PRIMARY KEY,
    id          text NOT NULL,
    type        text NOT NULL,
    envelope    bytea NOT NULL,
    queued_at   timestamptz NOT NULL,
    receives    integer NOT NULL,
    reason      text NOT NULL,
    rejected_at timestamptz NOT NULL DEFAULT now()
);

-- In a statement of its own, which servers before version 16 understand, too.
ALTER TABLE events ALTER COLUMN envelope SET STORAGE EXTERNAL;
ALTER TABLE dead_letters ALTER COLUMN envelope SET STORAGE EXTERNAL;
