-- The first schema. It is one text for both databases: a line or line end
-- marked --sqlite: or --postgres: is read by that database only. A statement
-- ends with a semicolon at the end of a line.
--
-- Times are microseconds since 1970 UTC, 0 = never. Ids are minted by the
-- program. A column …_fold holds a name in lower case: names are unique and
-- ordered without case and kept as they were spelled. CTEXT sorts by bytes.
-- Tables are clustered by their primary key where rows are small.

--postgres: CREATE DOMAIN ctext AS text COLLATE "C";

CREATE TABLE meta (
    key   CTEXT PRIMARY KEY,
    value CTEXT NOT NULL
) --sqlite: WITHOUT ROWID
;

-- A sealed column has the number of its data key beside it: a foreign key, so
-- that a server that missed a rotation cannot seal with a key that is gone.
CREATE TABLE data_keys (
    id      BIGINT  PRIMARY KEY,
    wrapped BYTEA   NOT NULL,
    wrapper CTEXT   NOT NULL,
    active  BOOLEAN NOT NULL,
    created BIGINT  NOT NULL
);

CREATE TABLE accounts (
    id              BIGINT PRIMARY KEY,
    alias           CTEXT UNIQUE,
    created         BIGINT NOT NULL,
    password_policy CTEXT  NOT NULL,
    revision        BIGINT NOT NULL
) --sqlite: WITHOUT ROWID
;

-- Account 0 owns the policies that exist from the start; it has no row in
-- accounts.
CREATE TABLE policies (
    id              BIGINT PRIMARY KEY,
    account         BIGINT NOT NULL,
    language        CTEXT  NOT NULL,
    name            CTEXT  NOT NULL,
    name_fold       CTEXT  NOT NULL,
    path            CTEXT  NOT NULL,
    description     CTEXT  NOT NULL,
    default_version BIGINT NOT NULL,
    latest          BIGINT NOT NULL,
    created         BIGINT NOT NULL,
    updated         BIGINT NOT NULL,
    tags            CTEXT  NOT NULL,
    UNIQUE (account, name_fold)
) --sqlite: WITHOUT ROWID
;

CREATE TABLE policy_versions (
    policy   BIGINT NOT NULL REFERENCES policies (id) ON DELETE CASCADE,
    number   BIGINT NOT NULL,
    document CTEXT  NOT NULL,
    created  BIGINT NOT NULL,
    PRIMARY KEY (policy, number)
);

-- The root user has no name, so that an account has one at most. The primary
-- key is the order in which users are listed.
CREATE TABLE users (
    id            BIGINT  NOT NULL UNIQUE,
    account       BIGINT  NOT NULL REFERENCES accounts (id),
    root          BOOLEAN NOT NULL,
    name          CTEXT   NOT NULL,
    name_fold     CTEXT   NOT NULL,
    path          CTEXT   NOT NULL,
    email         CTEXT   NOT NULL,
    email_fold    CTEXT   NOT NULL,
    created       BIGINT  NOT NULL,
    password_used BIGINT  NOT NULL,
    boundary      BIGINT  REFERENCES policies (id),
    tags          CTEXT   NOT NULL,
    PRIMARY KEY (account, name_fold),
    CHECK (root = (name_fold = ''))
) --sqlite: WITHOUT ROWID
;
CREATE UNIQUE INDEX users_root_email ON users (email_fold) WHERE root AND email_fold <> '';
CREATE INDEX users_boundary ON users (boundary, account) WHERE boundary IS NOT NULL;

CREATE TABLE groups (
    id        BIGINT NOT NULL UNIQUE,
    account   BIGINT NOT NULL REFERENCES accounts (id),
    name      CTEXT  NOT NULL,
    name_fold CTEXT  NOT NULL,
    path      CTEXT  NOT NULL,
    created   BIGINT NOT NULL,
    PRIMARY KEY (account, name_fold)
) --sqlite: WITHOUT ROWID
;

CREATE TABLE memberships (
    user_id  BIGINT NOT NULL REFERENCES users (id),
    group_id BIGINT NOT NULL REFERENCES groups (id),
    PRIMARY KEY (user_id, group_id)
) --sqlite: WITHOUT ROWID
;
CREATE INDEX memberships_group ON memberships (group_id, user_id);

CREATE TABLE roles (
    id          BIGINT NOT NULL UNIQUE,
    account     BIGINT NOT NULL REFERENCES accounts (id),
    name        CTEXT  NOT NULL,
    name_fold   CTEXT  NOT NULL,
    path        CTEXT  NOT NULL,
    description CTEXT  NOT NULL,
    trust       CTEXT  NOT NULL,
    max_session BIGINT NOT NULL, -- seconds
    boundary    BIGINT REFERENCES policies (id),
    tags        CTEXT  NOT NULL,
    created     BIGINT NOT NULL,
    last_used   BIGINT NOT NULL,
    last_region CTEXT  NOT NULL,
    PRIMARY KEY (account, name_fold)
);
CREATE INDEX roles_boundary ON roles (boundary, account) WHERE boundary IS NOT NULL;

-- A principal's id is unique over the three kinds. Its row cannot go while it
-- holds policies; that is checked by the program, for a foreign key has one
-- target.
CREATE TABLE attachments (
    principal BIGINT NOT NULL,
    policy    BIGINT NOT NULL REFERENCES policies (id),
    kind      CTEXT  NOT NULL CHECK (kind IN ('user', 'group', 'role')),
    account   BIGINT NOT NULL REFERENCES accounts (id),
    PRIMARY KEY (principal, policy)
) --sqlite: WITHOUT ROWID
;
CREATE INDEX attachments_policy ON attachments (policy, account, kind, principal);

CREATE TABLE inline_policies (
    principal BIGINT NOT NULL,
    name      CTEXT  NOT NULL,
    kind      CTEXT  NOT NULL CHECK (kind IN ('user', 'group', 'role')),
    account   BIGINT NOT NULL REFERENCES accounts (id),
    language  CTEXT  NOT NULL,
    document  CTEXT  NOT NULL,
    PRIMARY KEY (principal, name)
);

CREATE TABLE access_keys (
    id           CTEXT PRIMARY KEY,
    account      BIGINT NOT NULL REFERENCES accounts (id),
    user_id      BIGINT NOT NULL REFERENCES users (id),
    secret       BYTEA  NOT NULL, -- sealed
    secret_key   BIGINT NOT NULL REFERENCES data_keys (id),
    status       CTEXT  NOT NULL CHECK (status IN ('Active', 'Inactive')),
    created      BIGINT NOT NULL,
    last_used    BIGINT NOT NULL,
    last_service CTEXT  NOT NULL,
    last_region  CTEXT  NOT NULL
) --sqlite: WITHOUT ROWID
;
CREATE INDEX access_keys_user ON access_keys (user_id, id);

CREATE TABLE login_profiles (
    user_id        BIGINT  PRIMARY KEY REFERENCES users (id),
    hash           CTEXT   NOT NULL,
    reset_required BOOLEAN NOT NULL,
    created        BIGINT  NOT NULL,
    changed        BIGINT  NOT NULL
) --sqlite: WITHOUT ROWID
;

-- Passwords once set, so that they can be refused; a deleted login profile
-- does not forget them, a deleted user does.
CREATE TABLE password_history (
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    number  BIGINT NOT NULL,
    hash    CTEXT  NOT NULL,
    PRIMARY KEY (user_id, number)
) --sqlite: WITHOUT ROWID
;

CREATE TABLE factors (
    id        BIGINT PRIMARY KEY,
    account   BIGINT NOT NULL REFERENCES accounts (id),
    user_id   BIGINT REFERENCES users (id),
    kind      CTEXT  NOT NULL,
    name      CTEXT  NOT NULL,
    path      CTEXT  NOT NULL,
    seed      BYTEA  NOT NULL, -- sealed
    seed_key  BIGINT NOT NULL REFERENCES data_keys (id),
    created   BIGINT NOT NULL,
    creator   BIGINT NOT NULL,
    enabled   BIGINT NOT NULL, -- 0 = pending
    expires   BIGINT NOT NULL, -- 0 = kept
    tags      CTEXT  NOT NULL,
    last_step BIGINT NOT NULL,
    drift     BIGINT NOT NULL,
    failures  BIGINT NOT NULL,
    last_used BIGINT NOT NULL,
    UNIQUE (account, name, path)
) --sqlite: WITHOUT ROWID
;
CREATE INDEX factors_user ON factors (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX factors_expires ON factors (expires) WHERE expires > 0;

-- One-time things that were used: they are refused until they would have run
-- out by themselves.
CREATE TABLE burned (
    kind    CTEXT  NOT NULL,
    key     CTEXT  NOT NULL,
    expires BIGINT NOT NULL,
    PRIMARY KEY (kind, key)
) --sqlite: WITHOUT ROWID
;
CREATE INDEX burned_expires ON burned (expires);

-- One-time links that were handed out and not used yet. The row goes when the
-- link is used.
CREATE TABLE tokens (
    hash    BYTEA  PRIMARY KEY,
    purpose CTEXT  NOT NULL,
    account BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    expires BIGINT NOT NULL
) --sqlite: WITHOUT ROWID
;
CREATE INDEX tokens_account ON tokens (account, purpose);

-- The trail. body is the whole event as JSON; the columns beside it are those
-- that a query can ask for. Rows are never updated.
CREATE TABLE events (
    account    BIGINT  NOT NULL,
    at         BIGINT  NOT NULL,
    id         CTEXT   NOT NULL,
    operation  CTEXT   NOT NULL,
    actor      CTEXT   NOT NULL,
    access_key CTEXT   NOT NULL,
    noun       CTEXT   NOT NULL,
    target     CTEXT   NOT NULL,
    service    CTEXT   NOT NULL,
    read_only  BOOLEAN NOT NULL,
    body       CTEXT   NOT NULL,
    PRIMARY KEY (account, at, id)
) --sqlite: WITHOUT ROWID
;
