-- The trail by columns, for queries.

-- A piece is a stretch of leaves of the tree, from first on, of one account. What
-- queries use of its events is in trail_columns, a row for each column. Nothing is
-- here that the events do not say; what is missing is made again.
CREATE TABLE trail_pieces (
    account BIGINT NOT NULL,
    first   BIGINT NOT NULL,
    events  BIGINT NOT NULL,
    oldest  BIGINT NOT NULL, -- microseconds
    newest  BIGINT NOT NULL,
    PRIMARY KEY (account, first)
);
CREATE TABLE trail_columns (
    account BIGINT NOT NULL,
    first   BIGINT NOT NULL,
    name    BIGINT NOT NULL, -- of the column, a number
    data    BYTEA  NOT NULL,
    PRIMARY KEY (account, first, name)
);

-- What vouches for an event until it is a leaf: a code over its place and body, made
-- with a key that the database does not have.
ALTER TABLE trail_pending ADD COLUMN mac BYTEA;
