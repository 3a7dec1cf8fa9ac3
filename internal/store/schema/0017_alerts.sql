-- Alerts: what is told when a kept query finds as many events as threshold in a
-- span of time, in microseconds. The tables had no rows before.
DROP TABLE trail_alert_history;
DROP TABLE trail_alerts;
CREATE TABLE trail_alerts (
    account   BIGINT  NOT NULL,
    name      CTEXT   NOT NULL,
    query     CTEXT   NOT NULL,
    threshold BIGINT  NOT NULL,
    span      BIGINT  NOT NULL,
    mail      CTEXT   NOT NULL, -- name of the user who gets a mail; '' = nobody
    webhook   BYTEA   NOT NULL, -- the sealed URL; empty = none
    creator   CTEXT   NOT NULL,
    created   BIGINT  NOT NULL,
    checked   BIGINT  NOT NULL, -- when it was looked at last; 0 = never
    fired     BIGINT  NOT NULL, -- when it was told last; 0 = never
    firing    BOOLEAN NOT NULL, -- it found as many when it was looked at last
    found     BIGINT  NOT NULL, -- how many that were
    trouble   CTEXT   NOT NULL, -- why it could not be looked at; '' = it could
    PRIMARY KEY (account, name),
    FOREIGN KEY (account, query) REFERENCES trail_queries (account, name)
);
CREATE TABLE trail_alert_history (
    account BIGINT NOT NULL,
    name    CTEXT  NOT NULL,
    at      BIGINT NOT NULL,
    found   BIGINT NOT NULL,
    outcome CTEXT  NOT NULL, -- fired, cleared, test, failed, works
    detail  CTEXT  NOT NULL,
    PRIMARY KEY (account, name, at),
    FOREIGN KEY (account, name) REFERENCES trail_alerts (account, name) ON DELETE CASCADE
);
