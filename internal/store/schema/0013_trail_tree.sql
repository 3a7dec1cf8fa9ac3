-- The trail as a Merkle tree.

-- Events that are not in the tree yet. A row is written with its event and goes
-- when the event becomes a leaf.
CREATE TABLE trail_pending (
    at      BIGINT NOT NULL,
    account BIGINT NOT NULL,
    id      CTEXT  NOT NULL,
    PRIMARY KEY (at, account, id)
) --sqlite: WITHOUT ROWID
;
INSERT INTO trail_pending SELECT at, account, id FROM events;

-- Which event is which leaf.
CREATE TABLE trail_leaves (
    n       BIGINT PRIMARY KEY,
    account BIGINT NOT NULL,
    at      BIGINT NOT NULL,
    id      CTEXT  NOT NULL
);
CREATE UNIQUE INDEX trail_leaf_of ON trail_leaves (account, at, id);

-- The hashes of the tree, up to 256 in a tile; of each level the last tile can
-- have fewer.
CREATE TABLE trail_tiles (
    level BIGINT NOT NULL,
    n     BIGINT NOT NULL,
    data  BYTEA  NOT NULL,
    PRIMARY KEY (level, n)
);

-- Signed statements of what the tree was at a size.
CREATE TABLE trail_checkpoints (
    size BIGINT PRIMARY KEY,
    at   BIGINT NOT NULL,
    note CTEXT  NOT NULL
);
CREATE INDEX trail_checkpoints_at ON trail_checkpoints (at);

-- What the trail's workers remember: one row per thing, such as how far a place
-- that events are delivered to has got.
CREATE TABLE trail_state (
    key   CTEXT PRIMARY KEY,
    value CTEXT NOT NULL
);
