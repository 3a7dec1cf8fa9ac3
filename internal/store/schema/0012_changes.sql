-- What somebody changed, or tried to, for the page that shows people what was
-- done in their name. Changes are few among the events, so the index is small.
CREATE INDEX events_changes ON events (account, actor, at, id) WHERE NOT read_only;
