-- Apps whose backends sign their calls are named by a key on the wire; an app from before has none until it is next read.
ALTER TABLE apps ADD COLUMN signing_key TEXT;
ALTER TABLE apps ADD COLUMN safe_mode BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE apps ADD COLUMN local_room_tokens BOOLEAN NOT NULL DEFAULT TRUE;
CREATE UNIQUE INDEX apps_by_signing_key ON apps (signing_key);

-- Room tokens that were issued here. The token itself is not stored: it is a MAC over the row's key and salt. uid is a
-- number in decimal, which may also be a user's name; room '' stands for any room. A token that admits once is removed
-- when it has.
CREATE TABLE room_tokens (
  app_id BYTEA NOT NULL CHECK (length(app_id) = 16),
  uid TEXT NOT NULL,
  room TEXT NOT NULL,
  salt BIGINT NOT NULL,
  until_ms BIGINT NOT NULL,
  repeat_use BOOLEAN NOT NULL,
  PRIMARY KEY (app_id, uid, room)
) /* clustered */;
CREATE INDEX room_tokens_by_end ON room_tokens (app_id, until_ms);
