-- What only Oracle's door keeps.

-- Nouns of which the program knows more than the database: compartments, policies,
-- dynamic groups, network sources, and credentials that verify nothing here but at
-- other services, of which a hash is kept. body is JSON, its form the kind's own. A compartment lies in
-- another (0 = the root), a credential belongs to a user, and names are unique
-- where they must be: slot is the name in lower case, or something unique where
-- names may repeat.
CREATE TABLE oracle_nouns (
    id          BIGINT NOT NULL PRIMARY KEY,
    account     BIGINT NOT NULL REFERENCES accounts (id),
    kind        CTEXT  NOT NULL,
    parent      BIGINT NOT NULL,
    user_id     BIGINT REFERENCES users (id) ON DELETE CASCADE,
    name        CTEXT  NOT NULL,
    slot        CTEXT  NOT NULL,
    description CTEXT  NOT NULL,
    state       CTEXT  NOT NULL,
    body        CTEXT  NOT NULL,
    tags        CTEXT  NOT NULL, -- JSON: freeform and defined
    created     BIGINT NOT NULL,
    changed     BIGINT NOT NULL,
    expires     BIGINT NOT NULL, -- 0 = never
    UNIQUE (account, kind, slot)
);
CREATE INDEX oracle_nouns_user ON oracle_nouns (user_id, kind, id) WHERE user_id IS NOT NULL;
CREATE INDEX oracle_nouns_parent ON oracle_nouns (account, kind, parent);

-- Public keys that users sign requests with.
CREATE TABLE oracle_keys (
    user_id     BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    fingerprint CTEXT  NOT NULL,
    account     BIGINT NOT NULL REFERENCES accounts (id),
    key         CTEXT  NOT NULL, -- as it was uploaded
    created     BIGINT NOT NULL,
    PRIMARY KEY (user_id, fingerprint)
);

-- What Oracle keeps of users and groups beside what all clouds do.
CREATE TABLE oracle_extras (
    principal    BIGINT PRIMARY KEY,
    account      BIGINT NOT NULL REFERENCES accounts (id),
    description  CTEXT  NOT NULL,
    email        CTEXT  NOT NULL,
    db_name      CTEXT  NOT NULL,
    tags         CTEXT  NOT NULL, -- JSON
    capabilities CTEXT  NOT NULL  -- JSON; '' = those that every user has
);

-- Requests that may be sent again, by a hash of who sent what token to which
-- operation, with the answer they got. digest is of the request.
CREATE TABLE oracle_retries (
    key     BYTEA  PRIMARY KEY,
    account BIGINT NOT NULL,
    digest  BYTEA  NOT NULL,
    answer  BYTEA  NOT NULL, -- encrypted
    expires BIGINT NOT NULL
);
CREATE INDEX oracle_retries_expires ON oracle_retries (expires);
