-- Users of the app hear from contacts only.
ALTER TABLE apps ADD COLUMN contacts_only BOOLEAN NOT NULL DEFAULT FALSE;

-- How many entries were ever put into the queue: tells when it is time to look at its length, without counting.
ALTER TABLE conversations ADD COLUMN arrived BIGINT NOT NULL DEFAULT 0;
-- The last message to a person, as against receipts and notices; 0 = none is kept. What lists show and are ordered by.
ALTER TABLE conversations ADD COLUMN last_chat_id BIGINT NOT NULL DEFAULT 0;
UPDATE conversations SET last_chat_id = COALESCE((SELECT message_id FROM inbox i
  WHERE i.app_id = conversations.app_id AND i.user_id = conversations.user_id AND i.queue = conversations.queue
  AND i.kind = 1 ORDER BY message_id DESC LIMIT 1), 0);
-- The owner has removed the conversation from its list: it comes back with a later message.
ALTER TABLE conversations ADD COLUMN hidden_id BIGINT NOT NULL DEFAULT 0;
-- When the owner pinned it, as an order id, and its marks, a bit for each.
ALTER TABLE conversations ADD COLUMN pinned_seq BIGINT;
ALTER TABLE conversations ADD COLUMN marks BIGINT NOT NULL DEFAULT 0;

-- How often the sender has changed the message.
ALTER TABLE inbox ADD COLUMN edits BIGINT NOT NULL DEFAULT 0;

-- What people stick to a message and pin in a conversation: like the message, each of the two owns a copy.
CREATE TABLE reactions (
  app_id BYTEA NOT NULL CHECK (length(app_id) = 16),
  user_id BYTEA NOT NULL CHECK (length(user_id) = 16),
  message_id BIGINT NOT NULL,
  reaction TEXT NOT NULL,
  reactor TEXT NOT NULL,
  since_seq BIGINT NOT NULL,
  PRIMARY KEY (app_id, user_id, message_id, reaction, reactor)
) /* clustered */;

CREATE TABLE message_pins (
  app_id BYTEA NOT NULL CHECK (length(app_id) = 16),
  user_id BYTEA NOT NULL CHECK (length(user_id) = 16),
  queue TEXT NOT NULL,
  message_id BIGINT NOT NULL,
  operator TEXT NOT NULL,
  pinned_seq BIGINT NOT NULL,
  PRIMARY KEY (app_id, user_id, queue, message_id)
) /* clustered */;

-- Messages that their receivers complain of, with what they said: the message itself may be gone when it is looked at.
CREATE TABLE reports (
  app_id BYTEA NOT NULL CHECK (length(app_id) = 16),
  user_id BYTEA NOT NULL CHECK (length(user_id) = 16),
  message_id BIGINT NOT NULL,
  sender TEXT NOT NULL,
  kind TEXT NOT NULL,
  reason TEXT NOT NULL,
  excerpt TEXT NOT NULL,
  reported_seq BIGINT NOT NULL,
  PRIMARY KEY (app_id, user_id, message_id)
) /* clustered */;
CREATE INDEX reports_by_age ON reports (app_id, reported_seq);

-- Apps that are deleted and whose rows are not all gone yet.
CREATE TABLE going_apps (
  app_id BYTEA NOT NULL CHECK (length(app_id) = 16),
  since_ms BIGINT NOT NULL,
  PRIMARY KEY (app_id)
) /* clustered */;

-- Pages of the banned, or of the others, read those only; a page of all merges the two.
DROP INDEX users_by_age;
CREATE INDEX users_active_by_age ON users (app_id, created_ms, user_id) WHERE active;
CREATE INDEX users_banned_by_age ON users (app_id, created_ms, user_id) WHERE NOT active;

-- Bytes of all attributes of an app: asked for as one number, which no look at every row may cost.
CREATE TABLE attribute_totals (
  app_id BYTEA NOT NULL CHECK (length(app_id) = 16),
  bytes BIGINT NOT NULL,
  PRIMARY KEY (app_id)
) /* clustered */;
INSERT INTO attribute_totals (app_id, bytes)
SELECT app_id, CAST(SUM(octet_length(name) + octet_length(value) + 6) AS BIGINT) + COUNT(DISTINCT user_id)
FROM attributes GROUP BY app_id;
