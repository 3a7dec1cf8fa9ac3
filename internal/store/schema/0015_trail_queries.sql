-- Queries over the trail that people keep, by name.
CREATE TABLE trail_queries (
    account   BIGINT NOT NULL REFERENCES accounts (id),
    name      CTEXT  NOT NULL,
    condition CTEXT  NOT NULL,
    text      CTEXT  NOT NULL,
    creator   CTEXT  NOT NULL,
    updated   BIGINT NOT NULL,
    PRIMARY KEY (account, name)
);

-- What is told when a kept query finds as many events as threshold in a span of
-- time, in microseconds. fired is when it was told last; checked when it was looked
-- at last.
CREATE TABLE trail_alerts (
    account   BIGINT NOT NULL,
    name      CTEXT  NOT NULL,
    query     CTEXT  NOT NULL,
    threshold BIGINT NOT NULL,
    span      BIGINT NOT NULL,
    mail      CTEXT  NOT NULL, -- name of the user who gets a mail; '' = nobody
    webhook   BYTEA  NOT NULL, -- sealed; empty = none
    creator   CTEXT  NOT NULL,
    created   BIGINT NOT NULL,
    checked   BIGINT NOT NULL,
    fired     BIGINT NOT NULL,
    PRIMARY KEY (account, name),
    FOREIGN KEY (account, query) REFERENCES trail_queries (account, name)
);
CREATE TABLE trail_alert_history (
    account BIGINT NOT NULL,
    name    CTEXT  NOT NULL,
    at      BIGINT NOT NULL,
    found   BIGINT NOT NULL,
    outcome CTEXT  NOT NULL, -- told, test, or why it could not be told
    PRIMARY KEY (account, name, at)
);
