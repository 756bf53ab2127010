-- A row of rooms is one life of a room's name. open_until_ms is when it ends, or ended, by itself; NULL while somebody is
-- in it. A room that is closed, or past that time, cannot be entered; a name has one room that is not closed at most.
CREATE TABLE rooms (
  app_id BYTEA NOT NULL CHECK (length(app_id) = 16),
  cid BIGINT NOT NULL,
  name TEXT NOT NULL,
  creator_uid BIGINT NOT NULL,
  created_ms BIGINT NOT NULL,
  entered_ms BIGINT,
  open_until_ms BIGINT,
  closed BOOLEAN NOT NULL,
  abandoned BOOLEAN NOT NULL,
  PRIMARY KEY (app_id, cid)
) /* clustered */;
CREATE UNIQUE INDEX rooms_unclosed ON rooms (app_id, name) WHERE NOT closed;
CREATE INDEX rooms_by_name ON rooms (app_id, name, created_ms);
CREATE INDEX rooms_by_creator ON rooms (app_id, creator_uid);
CREATE INDEX rooms_by_end ON rooms (app_id, open_until_ms) WHERE open_until_ms IS NOT NULL;
CREATE INDEX rooms_occupied ON rooms (app_id, cid) WHERE open_until_ms IS NULL;

-- Who was in a room from when to when; left_ms is NULL while it lasts. One pass, one stay, over however many connections:
-- who was lost may come back for a while.
CREATE TABLE room_stays (
  app_id BYTEA NOT NULL CHECK (length(app_id) = 16),
  cid BIGINT NOT NULL,
  pass_id BIGINT NOT NULL,
  uid BIGINT NOT NULL,
  entered_ms BIGINT NOT NULL,
  left_ms BIGINT,
  lost BOOLEAN NOT NULL,
  PRIMARY KEY (app_id, cid, pass_id)
) /* clustered */;
CREATE INDEX room_stays_by_age ON room_stays (app_id, cid, entered_ms, pass_id);
CREATE INDEX room_stays_by_uid ON room_stays (app_id, uid);
CREATE INDEX room_stays_by_end ON room_stays (app_id, left_ms) WHERE left_ms IS NOT NULL;
CREATE INDEX room_stays_lasting ON room_stays (app_id, cid) WHERE left_ms IS NULL;

-- Who may not enter the rooms of that name, until when.
CREATE TABLE room_bars (
  app_id BYTEA NOT NULL CHECK (length(app_id) = 16),
  name TEXT NOT NULL,
  uid BIGINT NOT NULL,
  until_ms BIGINT NOT NULL,
  PRIMARY KEY (app_id, name, uid)
) /* clustered */;
CREATE INDEX room_bars_by_uid ON room_bars (app_id, uid);
CREATE INDEX room_bars_by_end ON room_bars (app_id, until_ms);
