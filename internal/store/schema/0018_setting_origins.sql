-- Who set a setting of an account last, when, at which door, and by which name if
-- that is an old one. A setting that was not changed since this table exists is
-- not in it.
CREATE TABLE setting_origins (
    account BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    setting CTEXT  NOT NULL, -- as the trail calls it
    changed BIGINT NOT NULL,
    by_name CTEXT  NOT NULL,
    door    CTEXT  NOT NULL,
    alias   CTEXT  NOT NULL,
    PRIMARY KEY (account, setting)
);
