-- Clients may name an app by one short word; an app from before has none until it is next read.
ALTER TABLE apps ADD COLUMN short_id TEXT;
CREATE UNIQUE INDEX apps_by_short_id ON apps (short_id);

-- Standing tokens of an app's backend, which are good until they are revoked. Only their hash is kept.
CREATE TABLE admin_tokens (
  app_id BYTEA NOT NULL CHECK (length(app_id) = 16),
  token_id BYTEA NOT NULL CHECK (length(token_id) = 16),
  hash BYTEA NOT NULL,
  label TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  PRIMARY KEY (app_id, token_id)
) /* clustered */;

-- The number that a user is known by where users are numbers; given when it is first needed, and then kept. A row of
-- handles makes it unique.
ALTER TABLE users ADD COLUMN numeric_id BIGINT;

-- What a user has set for itself; what was never set has no row.
CREATE TABLE user_settings (
  app_id BYTEA NOT NULL CHECK (length(app_id) = 16),
  user_id BYTEA NOT NULL CHECK (length(user_id) = 16),
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (app_id, user_id, name)
) /* clustered */;

-- Why somebody asks to be a contact, and what the app keeps about a contact.
ALTER TABLE invitations ADD COLUMN reason TEXT NOT NULL DEFAULT '';
ALTER TABLE contacts ADD COLUMN ext TEXT;
