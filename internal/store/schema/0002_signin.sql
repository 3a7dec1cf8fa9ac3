-- Sign-in to the console: sessions and what leads to them.

-- The secrets in cookies and links are kept as hashes. proved is JSON. What
-- belongs to a user goes with it.
CREATE TABLE sessions (
    id      BIGINT PRIMARY KEY,
    hash    BYTEA  NOT NULL UNIQUE,
    account BIGINT NOT NULL REFERENCES accounts (id),
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created BIGINT NOT NULL,
    seen    BIGINT NOT NULL,
    idle    BIGINT NOT NULL, -- microseconds
    expires BIGINT NOT NULL,
    proved  CTEXT  NOT NULL,
    source  CTEXT  NOT NULL,
    agent   CTEXT  NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id, created, id);
CREATE INDEX sessions_expires ON sessions (expires);

-- Sign-ins that are under way. body is the state as JSON; a step writes it only
-- if no other step did since it was read.
CREATE TABLE flows (
    hash    BYTEA  PRIMARY KEY,
    body    CTEXT  NOT NULL,
    version BIGINT NOT NULL,
    expires BIGINT NOT NULL
);
CREATE INDEX flows_expires ON flows (expires);

-- Wrong passwords in a row: of users, and of names that nobody has, by a keyed
-- hash. at orders the latter for forgetting.
CREATE TABLE password_failures (
    user_id  BIGINT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    failures BIGINT NOT NULL,
    at       BIGINT NOT NULL
);

CREATE TABLE stranger_failures (
    key      CTEXT  PRIMARY KEY,
    failures BIGINT NOT NULL,
    at       BIGINT NOT NULL
) --sqlite: WITHOUT ROWID
;
CREATE INDEX stranger_failures_at ON stranger_failures (at);

CREATE TABLE blocks (
    user_id BIGINT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    account BIGINT NOT NULL REFERENCES accounts (id),
    at      BIGINT NOT NULL,
    by_name CTEXT  NOT NULL,
    reason  CTEXT  NOT NULL
);
CREATE INDEX blocks_account ON blocks (account, user_id);

-- An account without a row has the defaults.
CREATE TABLE preferences (
    account      BIGINT  PRIMARY KEY REFERENCES accounts (id),
    mfa_required BOOLEAN NOT NULL,
    link_only    BOOLEAN NOT NULL
);

CREATE TABLE notices (
    id      BIGINT PRIMARY KEY,
    account BIGINT NOT NULL REFERENCES accounts (id),
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind    CTEXT  NOT NULL,
    at      BIGINT NOT NULL,
    subject CTEXT  NOT NULL,
    by_name CTEXT  NOT NULL,
    source  CTEXT  NOT NULL,
    seen    BIGINT NOT NULL
);
CREATE INDEX notices_user ON notices (user_id, at, id);

CREATE TABLE enrolment_links (
    id      BIGINT PRIMARY KEY,
    hash    BYTEA  NOT NULL UNIQUE,
    account BIGINT NOT NULL REFERENCES accounts (id),
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    creator CTEXT  NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    opened  BIGINT NOT NULL,
    used    BIGINT NOT NULL,
    revoked BIGINT NOT NULL,
    source  CTEXT  NOT NULL,
    device  BIGINT NOT NULL
);
CREATE INDEX enrolment_links_account ON enrolment_links (account, created, id);
CREATE INDEX enrolment_links_user ON enrolment_links (user_id);
