-- What the directory keeps for Alibaba Cloud's door. All of it but the recycle bin
-- serves other doors as well.

-- Deleted users that can be brought back for a while. body is JSON: the user and its
-- attributes. A deleted access key that can be brought back stays where it is:
-- recycled says since when (0 = it is not deleted), and it is good for nothing.
CREATE TABLE recycled_users (
    id        BIGINT PRIMARY KEY,
    account   BIGINT NOT NULL REFERENCES accounts (id),
    name      CTEXT  NOT NULL,
    name_fold CTEXT  NOT NULL,
    body      CTEXT  NOT NULL,
    recycled  BIGINT NOT NULL
);
CREATE INDEX recycled_users_account ON recycled_users (account, name_fold, id);
CREATE INDEX recycled_users_time ON recycled_users (recycled);
ALTER TABLE access_keys ADD COLUMN recycled BIGINT NOT NULL DEFAULT 0;
CREATE INDEX access_keys_recycled ON access_keys (recycled) WHERE recycled > 0;

-- Who vouches for people and programs from elsewhere. body is JSON, its form the
-- kind's own.
CREATE TABLE identity_providers (
    id          BIGINT NOT NULL UNIQUE,
    account     BIGINT NOT NULL REFERENCES accounts (id),
    kind        CTEXT  NOT NULL CHECK (kind IN ('saml', 'oidc')),
    name        CTEXT  NOT NULL,
    name_fold   CTEXT  NOT NULL,
    description CTEXT  NOT NULL,
    body        CTEXT  NOT NULL,
    created     BIGINT NOT NULL,
    updated     BIGINT NOT NULL,
    PRIMARY KEY (account, kind, name_fold)
);

-- Groups of resources, and the policies that count for what lies in one only.
CREATE TABLE resource_groups (
    id           BIGINT PRIMARY KEY,
    account      BIGINT NOT NULL REFERENCES accounts (id),
    name         CTEXT  NOT NULL,
    name_fold    CTEXT  NOT NULL,
    display_name CTEXT  NOT NULL,
    tags         CTEXT  NOT NULL,
    created      BIGINT NOT NULL,
    UNIQUE (account, name_fold)
);
CREATE TABLE scoped_attachments (
    scope     BIGINT NOT NULL REFERENCES resource_groups (id),
    principal BIGINT NOT NULL,
    policy    BIGINT NOT NULL REFERENCES policies (id),
    kind      CTEXT  NOT NULL CHECK (kind IN ('user', 'group', 'role')),
    account   BIGINT NOT NULL REFERENCES accounts (id),
    attached  BIGINT NOT NULL,
    PRIMARY KEY (scope, principal, policy)
);
CREATE INDEX scoped_attachments_principal ON scoped_attachments (principal);
CREATE INDEX scoped_attachments_policy ON scoped_attachments (policy);

-- The last report on the credentials of an account. body is JSON.
CREATE TABLE credential_reports (
    account BIGINT PRIMARY KEY REFERENCES accounts (id),
    created BIGINT NOT NULL,
    body    CTEXT  NOT NULL
);
