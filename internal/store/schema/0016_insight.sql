-- What the trail shows of how permissions are used, by day, so that nobody has to
-- read the trail to know it. day counts from 1970-01-01 UTC.

-- Requests of one principal that are alike: how many, and the newest of them.
CREATE TABLE trail_uses (
    account   BIGINT  NOT NULL,
    principal BIGINT  NOT NULL, -- user or role
    day       BIGINT  NOT NULL,
    action    CTEXT   NOT NULL,
    resource  CTEXT   NOT NULL,
    result    CTEXT   NOT NULL,
    mfa       BIGINT  NOT NULL, -- 0 = the credentials say nothing, 1 = none proved, 2 = proved
    operation CTEXT   NOT NULL,
    rule      CTEXT   NOT NULL, -- the deciding statement; '' = none was needed
    source    CTEXT   NOT NULL,
    changes   BOOLEAN NOT NULL,
    times     BIGINT  NOT NULL,
    at        BIGINT  NOT NULL,
    event     CTEXT   NOT NULL,
    PRIMARY KEY (account, principal, day, action, resource, result, mfa)
) --sqlite: WITHOUT ROWID
;
CREATE INDEX trail_uses_day ON trail_uses (day);

-- From where and with what a session of the console was at work.
CREATE TABLE trail_presences (
    account   BIGINT NOT NULL,
    principal BIGINT NOT NULL,
    day       BIGINT NOT NULL,
    session   CTEXT  NOT NULL,
    network   CTEXT  NOT NULL,
    device    CTEXT  NOT NULL,
    source    CTEXT  NOT NULL,
    began     BIGINT NOT NULL,
    ended     BIGINT NOT NULL,
    times     BIGINT NOT NULL,
    PRIMARY KEY (account, principal, day, session, network, device)
) --sqlite: WITHOUT ROWID
;
CREATE INDEX trail_presences_day ON trail_presences (day);

-- How an account stood at the end of a day. states is JSON: check to state.
CREATE TABLE insight_days (
    account BIGINT NOT NULL REFERENCES accounts (id),
    day     BIGINT NOT NULL,
    at      BIGINT NOT NULL,
    score   BIGINT NOT NULL,
    states  CTEXT  NOT NULL,
    PRIMARY KEY (account, day)
) --sqlite: WITHOUT ROWID
;
