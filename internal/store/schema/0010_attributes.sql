-- What some clouds keep of users and groups besides their names: for people to
-- read, and of no weight in any decision. Who has no row has none of it.
CREATE TABLE attributes (
    principal    BIGINT PRIMARY KEY,
    account      BIGINT NOT NULL REFERENCES accounts (id),
    display_name CTEXT  NOT NULL,
    comments     CTEXT  NOT NULL,
    phone        CTEXT  NOT NULL,
    updated      BIGINT NOT NULL -- 0 = never
) --sqlite: WITHOUT ROWID
;
CREATE INDEX attributes_account ON attributes (account);
