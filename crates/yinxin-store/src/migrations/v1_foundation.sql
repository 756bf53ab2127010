-- Ids are 16 bytes; times are milliseconds since 1970 (or seconds where the name ends in _s); *_seq are order ids,
-- strictly rising within a server, so that "newest first" and paging need no second column. A user's lists are bounded
-- and stand together, so they are sorted when read; an index by age would double what a write costs.

CREATE TABLE apps (
  app_id BYTEA NOT NULL CHECK (length(app_id) = 16),
  org TEXT NOT NULL,
  name TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  modified_ms BIGINT NOT NULL,
  token_epoch BIGINT NOT NULL,
  open_registration BOOLEAN NOT NULL,
  profile TEXT NOT NULL,
  user_token_ttl_s BIGINT NOT NULL,
  app_token_ttl_s BIGINT NOT NULL,
  contacts_max BIGINT NOT NULL,
  PRIMARY KEY (app_id)
) /* clustered */;
CREATE UNIQUE INDEX apps_by_name ON apps (org, name);

CREATE TABLE app_secrets (
  app_id BYTEA NOT NULL CHECK (length(app_id) = 16),
  kind TEXT NOT NULL,
  sealed BYTEA NOT NULL,
  created_ms BIGINT NOT NULL,
  PRIMARY KEY (app_id, kind)
) /* clustered */;

CREATE TABLE server_keys (
  kind TEXT NOT NULL,
  key_id BIGINT NOT NULL,
  sealed BYTEA NOT NULL,
  created_ms BIGINT NOT NULL,
  PRIMARY KEY (kind, key_id)
) /* clustered */;

CREATE TABLE users (
  app_id BYTEA NOT NULL CHECK (length(app_id) = 16),
  user_id BYTEA NOT NULL CHECK (length(user_id) = 16),
  username TEXT NOT NULL,
  password_hash TEXT,
  created_ms BIGINT NOT NULL,
  modified_ms BIGINT NOT NULL,
  active BOOLEAN NOT NULL,
  token_epoch BIGINT NOT NULL,
  tokens_not_before_s BIGINT NOT NULL,
  push_nickname TEXT,
  push_style BIGINT,
  quiet BOOLEAN,
  quiet_start_h BIGINT,
  quiet_end_h BIGINT,
  notifier_name TEXT,
  device_token TEXT,
  PRIMARY KEY (app_id, user_id)
) /* clustered */;
CREATE INDEX users_by_age ON users (app_id, created_ms, user_id);

CREATE TABLE handles (
  app_id BYTEA NOT NULL CHECK (length(app_id) = 16),
  kind TEXT NOT NULL,
  handle TEXT NOT NULL,
  user_id BYTEA NOT NULL CHECK (length(user_id) = 16),
  PRIMARY KEY (app_id, kind, handle)
) /* clustered */;
CREATE INDEX handles_by_user ON handles (app_id, user_id);

CREATE TABLE group_ignores (
  app_id BYTEA NOT NULL CHECK (length(app_id) = 16),
  user_id BYTEA NOT NULL CHECK (length(user_id) = 16),
  group_id TEXT NOT NULL,
  ignored BOOLEAN NOT NULL,
  PRIMARY KEY (app_id, user_id, group_id)
) /* clustered */;

CREATE TABLE contacts (
  app_id BYTEA NOT NULL CHECK (length(app_id) = 16),
  user_id BYTEA NOT NULL CHECK (length(user_id) = 16),
  contact_id BYTEA NOT NULL CHECK (length(contact_id) = 16),
  since_seq BIGINT NOT NULL,
  remark TEXT,
  PRIMARY KEY (app_id, user_id, contact_id)
) /* clustered */;

CREATE TABLE invitations (
  app_id BYTEA NOT NULL CHECK (length(app_id) = 16),
  user_id BYTEA NOT NULL CHECK (length(user_id) = 16),
  inviter_id BYTEA NOT NULL CHECK (length(inviter_id) = 16),
  since_seq BIGINT NOT NULL,
  PRIMARY KEY (app_id, user_id, inviter_id)
) /* clustered */;
CREATE INDEX invitations_by_inviter ON invitations (app_id, inviter_id);

CREATE TABLE blocks (
  app_id BYTEA NOT NULL CHECK (length(app_id) = 16),
  user_id BYTEA NOT NULL CHECK (length(user_id) = 16),
  blocked_id BYTEA NOT NULL CHECK (length(blocked_id) = 16),
  since_seq BIGINT NOT NULL,
  PRIMARY KEY (app_id, user_id, blocked_id)
) /* clustered */;
CREATE INDEX blocks_by_blocked ON blocks (app_id, blocked_id);

-- Each user owns a copy of what it sent and received; a queue is named by the peer. message_id is an order id.

CREATE TABLE inbox (
  app_id BYTEA NOT NULL CHECK (length(app_id) = 16),
  user_id BYTEA NOT NULL CHECK (length(user_id) = 16),
  queue TEXT NOT NULL,
  message_id BIGINT NOT NULL,
  sender TEXT NOT NULL,
  origin TEXT NOT NULL,
  kind BIGINT NOT NULL,
  counted BOOLEAN NOT NULL,
  payload BYTEA NOT NULL,
  sent_ms BIGINT NOT NULL,
  PRIMARY KEY (app_id, user_id, queue, message_id)
) /* clustered */;

CREATE TABLE conversations (
  app_id BYTEA NOT NULL CHECK (length(app_id) = 16),
  user_id BYTEA NOT NULL CHECK (length(user_id) = 16),
  queue TEXT NOT NULL,
  last_id BIGINT NOT NULL,
  PRIMARY KEY (app_id, user_id, queue)
) /* clustered */;

-- What each device of a user has confirmed; the device '' stands for "any of them".
CREATE TABLE inbox_cursors (
  app_id BYTEA NOT NULL CHECK (length(app_id) = 16),
  user_id BYTEA NOT NULL CHECK (length(user_id) = 16),
  resource TEXT NOT NULL,
  queue TEXT NOT NULL,
  confirmed_id BIGINT NOT NULL,
  PRIMARY KEY (app_id, user_id, resource, queue)
) /* clustered */;

CREATE TABLE devices (
  app_id BYTEA NOT NULL CHECK (length(app_id) = 16),
  user_id BYTEA NOT NULL CHECK (length(user_id) = 16),
  resource TEXT NOT NULL,
  seen_ms BIGINT NOT NULL,
  PRIMARY KEY (app_id, user_id, resource)
) /* clustered */;

CREATE TABLE attributes (
  app_id BYTEA NOT NULL CHECK (length(app_id) = 16),
  user_id BYTEA NOT NULL CHECK (length(user_id) = 16),
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (app_id, user_id, name)
) /* clustered */;

CREATE TABLE mutes (
  app_id BYTEA NOT NULL CHECK (length(app_id) = 16),
  user_id BYTEA NOT NULL CHECK (length(user_id) = 16),
  scope TEXT NOT NULL,
  until_s BIGINT,
  since_seq BIGINT NOT NULL,
  PRIMARY KEY (app_id, user_id, scope)
) /* clustered */;
CREATE INDEX mutes_by_age ON mutes (app_id, since_seq);

CREATE TABLE presence_status (
  app_id BYTEA NOT NULL CHECK (length(app_id) = 16),
  user_id BYTEA NOT NULL CHECK (length(user_id) = 16),
  resource TEXT NOT NULL,
  status BIGINT NOT NULL,
  ext TEXT NOT NULL,
  published_s BIGINT NOT NULL,
  PRIMARY KEY (app_id, user_id, resource)
) /* clustered */;

CREATE TABLE presence_subscriptions (
  app_id BYTEA NOT NULL CHECK (length(app_id) = 16),
  user_id BYTEA NOT NULL CHECK (length(user_id) = 16),
  target_id BYTEA NOT NULL CHECK (length(target_id) = 16),
  until_s BIGINT NOT NULL,
  since_seq BIGINT NOT NULL,
  PRIMARY KEY (app_id, user_id, target_id)
) /* clustered */;
CREATE INDEX presence_subscriptions_by_target ON presence_subscriptions (app_id, target_id);

CREATE TABLE push_devices (
  app_id BYTEA NOT NULL CHECK (length(app_id) = 16),
  user_id BYTEA NOT NULL CHECK (length(user_id) = 16),
  device_id TEXT NOT NULL,
  notifier_name TEXT NOT NULL,
  device_token TEXT NOT NULL,
  since_seq BIGINT NOT NULL,
  PRIMARY KEY (app_id, user_id, device_id)
) /* clustered */;

CREATE TABLE push_rules (
  app_id BYTEA NOT NULL CHECK (length(app_id) = 16),
  user_id BYTEA NOT NULL CHECK (length(user_id) = 16),
  kind TEXT NOT NULL,
  target TEXT NOT NULL,
  mode TEXT,
  ignore_interval TEXT,
  ignore_until_ms BIGINT,
  PRIMARY KEY (app_id, user_id, kind, target)
) /* clustered */;
CREATE INDEX push_rules_by_target ON push_rules (app_id, kind, target);

CREATE TABLE push_preferences (
  app_id BYTEA NOT NULL CHECK (length(app_id) = 16),
  user_id BYTEA NOT NULL CHECK (length(user_id) = 16),
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (app_id, user_id, name)
) /* clustered */;

CREATE TABLE push_templates (
  app_id BYTEA NOT NULL CHECK (length(app_id) = 16),
  name TEXT NOT NULL,
  title_pattern TEXT NOT NULL,
  content_pattern TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  modified_ms BIGINT NOT NULL,
  PRIMARY KEY (app_id, name)
) /* clustered */;

CREATE TABLE notifiers (
  app_id BYTEA NOT NULL CHECK (length(app_id) = 16),
  notifier_id BYTEA NOT NULL CHECK (length(notifier_id) = 16),
  name TEXT NOT NULL,
  provider TEXT NOT NULL,
  environment TEXT NOT NULL,
  package_name TEXT,
  sealed_certificate BYTEA,
  created_ms BIGINT NOT NULL,
  modified_ms BIGINT NOT NULL,
  PRIMARY KEY (app_id, notifier_id)
) /* clustered */;
CREATE UNIQUE INDEX notifiers_by_name ON notifiers (app_id, name);
