-- What pulls have seen, for whichever replica pulls next. `place` says whose it is. A large object has several pieces.
CREATE TABLE objects (
    place   text COLLATE "C" NOT NULL,
    name    text COLLATE "C" NOT NULL,
    is_body boolean NOT NULL,
    piece   integer NOT NULL,
    bytes   bytea NOT NULL,
    PRIMARY KEY (place, is_body, name, piece)
);

ALTER TABLE objects ALTER COLUMN bytes SET STORAGE EXTERNAL;
