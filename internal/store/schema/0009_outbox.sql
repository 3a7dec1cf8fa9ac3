-- What is sent to people.

-- body is sealed; it is emptied when sending is given up. due is when the next
-- try may begin, and while one is under way, when another node may think it dead.
-- Messages of one lane, a keyed hash of the address, go out one after another.
CREATE TABLE outbox (
    id      BIGINT PRIMARY KEY,
    account BIGINT NOT NULL REFERENCES accounts (id),
    user_id BIGINT NOT NULL,
    channel CTEXT  NOT NULL,
    kind    CTEXT  NOT NULL,
    lane    CTEXT  NOT NULL,
    body    BYTEA  NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    due     BIGINT NOT NULL,
    tries   BIGINT NOT NULL,
    failed  BIGINT NOT NULL, -- when it was given up; 0 = waiting
    why     CTEXT  NOT NULL
);
CREATE INDEX outbox_due ON outbox (channel, due) WHERE failed = 0;
CREATE INDEX outbox_lane ON outbox (lane, created, id) WHERE failed = 0;
CREATE INDEX outbox_account ON outbox (account, failed);
CREATE INDEX outbox_user ON outbox (user_id, created, id) WHERE failed = 0;

-- How often codes went out for a user, to an address, and from one.
CREATE TABLE codes_sent (
    key   CTEXT  PRIMARY KEY,
    began BIGINT NOT NULL,
    last  BIGINT NOT NULL,
    sent  BIGINT NOT NULL
) --sqlite: WITHOUT ROWID
;
CREATE INDEX codes_sent_last ON codes_sent (last);

-- Addresses that are to become factors. The newest of a kind counts.
CREATE TABLE pending_addresses (
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind    CTEXT  NOT NULL,
    account BIGINT NOT NULL REFERENCES accounts (id),
    address CTEXT  NOT NULL,
    hash    BYTEA  NOT NULL UNIQUE,
    creator CTEXT  NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    PRIMARY KEY (user_id, kind)
);
CREATE INDEX pending_addresses_expires ON pending_addresses (expires);

-- The language that a user was last shown pages in.
CREATE TABLE user_languages (
    user_id  BIGINT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    language CTEXT  NOT NULL
);
