-- Sign-ins of command lines, and codes on paper.

-- A command line that acts for somebody who is signed in to the console. code is
-- the hash of the one-time code that it began with, which is kept: to see it
-- again tells of a theft. session is no foreign key: a session that runs out
-- leaves its command lines be, one that is ended takes them along.
CREATE TABLE cli_logins (
    id          BIGINT  PRIMARY KEY,
    account     BIGINT  NOT NULL REFERENCES accounts (id),
    user_id     BIGINT  NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    session     BIGINT  NOT NULL,
    client      CTEXT   NOT NULL,
    redirect    CTEXT   NOT NULL,
    challenge   CTEXT   NOT NULL,
    code        BYTEA   NOT NULL UNIQUE,
    code_ends   BIGINT  NOT NULL,
    key         CTEXT   NOT NULL, -- thumbprint
    mfa_at      BIGINT  NOT NULL, -- 0 = none was proved
    mfa_methods CTEXT   NOT NULL,
    remembered  BOOLEAN NOT NULL,
    created     BIGINT  NOT NULL,
    expires     BIGINT  NOT NULL,
    refreshed   BIGINT  NOT NULL,
    generation  BIGINT  NOT NULL, -- of the refresh token; 0 = the code was not used yet
    source      CTEXT   NOT NULL,
    agent       CTEXT   NOT NULL
);
CREATE INDEX cli_logins_user ON cli_logins (user_id, created, id);
CREATE INDEX cli_logins_session ON cli_logins (session);
CREATE INDEX cli_logins_expires ON cli_logins (expires);

-- Command lines that wait for somebody to type their code into a browser (RFC
-- 8628). hash is of the device code.
CREATE TABLE device_requests (
    hash      BYTEA  PRIMARY KEY,
    user_code CTEXT  NOT NULL UNIQUE,
    client    CTEXT  NOT NULL,
    key       CTEXT  NOT NULL,
    source    CTEXT  NOT NULL,
    agent     CTEXT  NOT NULL,
    created   BIGINT NOT NULL,
    expires   BIGINT NOT NULL,
    polled    BIGINT NOT NULL,
    answer    CTEXT  NOT NULL -- '', approved, refused
);
CREATE INDEX device_requests_expires ON device_requests (expires);
CREATE INDEX device_requests_source ON device_requests (source);

-- Recovery codes by their keyed hash.
CREATE TABLE recovery_codes (
    factor BIGINT NOT NULL REFERENCES factors (id) ON DELETE CASCADE,
    hash   BYTEA  NOT NULL,
    used   BIGINT NOT NULL, -- 0 = not yet
    PRIMARY KEY (factor, hash)
);
