-- What a user is called now, where names change: its name stays, since messages and rules know it by that. A row of handles
-- makes it unique. Second names from before were taken in this way.
ALTER TABLE users ADD COLUMN called TEXT;
UPDATE users SET called = (
  SELECT MIN(h.handle) FROM handles h
  WHERE h.app_id = users.app_id AND h.user_id = users.user_id AND h.kind = 'username' AND h.handle <> users.username
);

-- What devices, and users, are called for pushes: an alias of a device, or with device_id '' of all devices of a user, and
-- tags of users. Several may have the same.
CREATE TABLE push_aliases (
  app_id BYTEA NOT NULL CHECK (length(app_id) = 16),
  user_id BYTEA NOT NULL CHECK (length(user_id) = 16),
  device_id TEXT NOT NULL,
  alias TEXT NOT NULL,
  since_seq BIGINT NOT NULL,
  PRIMARY KEY (app_id, user_id, device_id)
) /* clustered */;
CREATE INDEX push_aliases_by_alias ON push_aliases (app_id, alias, user_id);

CREATE TABLE push_tags (
  app_id BYTEA NOT NULL CHECK (length(app_id) = 16),
  user_id BYTEA NOT NULL CHECK (length(user_id) = 16),
  tag TEXT NOT NULL,
  PRIMARY KEY (app_id, user_id, tag)
) /* clustered */;
CREATE INDEX push_tags_by_tag ON push_tags (app_id, tag, user_id);

-- Pushes that an app's backend has asked for: what and to whom, how far it is told, whether to the end. A task is kept for
-- a while after, so that a request that comes twice is known.
CREATE TABLE push_tasks (
  app_id BYTEA NOT NULL CHECK (length(app_id) = 16),
  task_id BIGINT NOT NULL,
  request_id TEXT,
  made_ms BIGINT NOT NULL,
  asked TEXT NOT NULL,
  progress TEXT NOT NULL,
  done BOOLEAN NOT NULL,
  PRIMARY KEY (app_id, task_id)
) /* clustered */;
CREATE UNIQUE INDEX push_tasks_by_request ON push_tasks (app_id, request_id);
CREATE INDEX push_tasks_by_age ON push_tasks (app_id, made_ms) WHERE done;
CREATE INDEX push_tasks_open ON push_tasks (app_id, made_ms, task_id) WHERE NOT done;
