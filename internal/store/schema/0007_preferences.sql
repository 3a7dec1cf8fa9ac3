-- What an account asks of those who sign in, and what is kept of sign-ins.

-- body is JSON. An account without a row has the defaults.
CREATE TABLE security_preferences (
    account BIGINT PRIMARY KEY REFERENCES accounts (id),
    body    CTEXT  NOT NULL,
    changed BIGINT NOT NULL,
    by_name CTEXT  NOT NULL
);
INSERT INTO security_preferences (account, body, changed, by_name)
    SELECT account, '{"MFAForLogin":"' || CASE WHEN mfa_required THEN 'mandatory' ELSE 'independent' END
        || '","LinkOnly":' || CASE WHEN link_only THEN 'true' ELSE 'false' END || '}', 0, ''
    FROM preferences;
DROP TABLE preferences;

-- Whether a user must have a second factor, and whether the password still lets
-- in: disabled is when it stopped to (0 = it does), disabled_for why, enabled
-- when an administrator last let it in again.
ALTER TABLE login_profiles ADD COLUMN mfa_required BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE login_profiles ADD COLUMN disabled BIGINT NOT NULL DEFAULT 0;
ALTER TABLE login_profiles ADD COLUMN disabled_for CTEXT NOT NULL DEFAULT '';
ALTER TABLE login_profiles ADD COLUMN enabled BIGINT NOT NULL DEFAULT 0;

-- idled is when a key was turned off because nobody used it (0 = it was not),
-- enabled when it was last turned on.
ALTER TABLE access_keys ADD COLUMN idled BIGINT NOT NULL DEFAULT 0;
ALTER TABLE access_keys ADD COLUMN enabled BIGINT NOT NULL DEFAULT 0;
CREATE INDEX access_keys_idled ON access_keys (account, id) WHERE idled > 0;

-- Browsers that a user signed in with, each with a lane of its own for wrong
-- passwords. The secret in the cookie is kept as a hash.
CREATE TABLE browsers (
    user_id  BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    hash     BYTEA  NOT NULL,
    created  BIGINT NOT NULL,
    seen     BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    failed   BIGINT NOT NULL,
    PRIMARY KEY (user_id, hash)
);
CREATE INDEX browsers_seen ON browsers (seen);

-- Browsers that a user's second factor is remembered on. bond is the state of
-- the user's factors and password that the memory stands and falls with.
CREATE TABLE remembered (
    id      BIGINT PRIMARY KEY,
    account BIGINT NOT NULL REFERENCES accounts (id),
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    hash    BYTEA  NOT NULL UNIQUE,
    bond    BYTEA  NOT NULL,
    created BIGINT NOT NULL,
    used    BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    method  CTEXT  NOT NULL,
    source  CTEXT  NOT NULL,
    agent   CTEXT  NOT NULL
);
CREATE INDEX remembered_user ON remembered (user_id);
CREATE INDEX remembered_account ON remembered (account);
CREATE INDEX remembered_expires ON remembered (expires);

-- Former secrets of those: whoever shows one has stolen it, or was stolen from.
CREATE TABLE remembered_spent (
    hash   BYTEA  PRIMARY KEY,
    device BIGINT NOT NULL REFERENCES remembered (id) ON DELETE CASCADE,
    at     BIGINT NOT NULL
);
CREATE INDEX remembered_spent_device ON remembered_spent (device);

-- Sign-ins that led to a session, for telling which ones are unusual. Places are
-- in millionths of a degree; located says whether the place is known.
CREATE TABLE sightings (
    id        BIGINT  PRIMARY KEY,
    account   BIGINT  NOT NULL,
    user_id   BIGINT  NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    at        BIGINT  NOT NULL,
    network   CTEXT   NOT NULL,
    source    CTEXT   NOT NULL,
    agent     CTEXT   NOT NULL,
    located   BOOLEAN NOT NULL,
    latitude  BIGINT  NOT NULL,
    longitude BIGINT  NOT NULL,
    reasons   CTEXT   NOT NULL, -- separated by spaces; "" = usual
    method    CTEXT   NOT NULL
);
CREATE INDEX sightings_user ON sightings (user_id, at);
CREATE INDEX sightings_network ON sightings (user_id, network);
CREATE INDEX sightings_account ON sightings (account, at, id);
