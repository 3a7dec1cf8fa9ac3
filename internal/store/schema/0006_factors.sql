-- Factors of every kind, and the challenges that they answer.

-- Some kinds share no secret. Devices are named in their account, other factors
-- among those of their kind and user.
CREATE TABLE factors_of_all_kinds (
    id         BIGINT  PRIMARY KEY,
    account    BIGINT  NOT NULL REFERENCES accounts (id),
    user_id    BIGINT  REFERENCES users (id),
    kind       CTEXT   NOT NULL,
    name       CTEXT   NOT NULL,
    path       CTEXT   NOT NULL,
    hardware   BOOLEAN NOT NULL,
    seed       BYTEA, -- sealed
    seed_key   BIGINT  REFERENCES data_keys (id),
    data       CTEXT   NOT NULL,
    credential BYTEA,
    created    BIGINT  NOT NULL,
    creator    BIGINT  NOT NULL,
    enabled    BIGINT  NOT NULL, -- 0 = pending
    expires    BIGINT  NOT NULL, -- 0 = kept
    tags       CTEXT   NOT NULL,
    last_step  BIGINT  NOT NULL,
    drift      BIGINT  NOT NULL,
    failures   BIGINT  NOT NULL,
    last_used  BIGINT  NOT NULL,
    CHECK ((seed IS NULL) = (seed_key IS NULL))
);
INSERT INTO factors_of_all_kinds
    SELECT id, account, user_id, kind, name, path, FALSE, seed, seed_key, '', NULL, created, creator, enabled, expires,
        tags, last_step, drift, failures, last_used FROM factors;
DROP TABLE factors;
ALTER TABLE factors_of_all_kinds RENAME TO factors;
CREATE INDEX factors_user ON factors (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX factors_expires ON factors (expires) WHERE expires > 0;
CREATE UNIQUE INDEX factors_device ON factors (account, name, path) WHERE kind IN ('totp', 'hotp');
CREATE UNIQUE INDEX factors_own ON factors (user_id, kind, name) WHERE kind NOT IN ('totp', 'hotp');
CREATE UNIQUE INDEX factors_credential ON factors (credential) WHERE credential IS NOT NULL;

-- A challenge belongs to one sign-in or session, and to one factor or to any (0).
CREATE TABLE ceremonies (
    id      BIGINT PRIMARY KEY,
    purpose CTEXT  NOT NULL,
    account BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    factor  BIGINT NOT NULL,
    bound   BYTEA  NOT NULL,
    body    CTEXT  NOT NULL,
    tries   BIGINT NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    UNIQUE (bound, purpose, factor)
);
CREATE INDEX ceremonies_expires ON ceremonies (expires);
