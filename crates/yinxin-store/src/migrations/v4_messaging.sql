-- Users of the app hear from contacts only.
ALTER TABLE apps ADD COLUMN contacts_only BOOLEAN NOT NULL DEFAULT FALSE;

-- How many entries were ever put into the queue: tells when it is time to look at its length, without counting.
ALTER TABLE conversations ADD COLUMN arrived BIGINT NOT NULL DEFAULT 0;

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
