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
