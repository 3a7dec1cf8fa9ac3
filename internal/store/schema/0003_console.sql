-- What lists in the console ask for.

-- How an operation ended, so that refusals are found without reading the rest.
ALTER TABLE events ADD COLUMN result CTEXT NOT NULL DEFAULT '';
UPDATE events SET result = CASE
    WHEN replace(body, '"result":"refused"', '') <> body THEN 'refused'
    WHEN replace(body, '"result":"failed"', '') <> body THEN 'failed'
    ELSE 'allowed'
END;
CREATE INDEX events_refused ON events (account, at, id) WHERE result = 'refused';
