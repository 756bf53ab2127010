-- The nodes of a cluster. A row is a life of a process: it is added when the node starts, its seen_ms moves as long as the
-- node lives, and whoever finds that it does not move any more removes the row and what the node left behind. url: where
-- clients reach this node and no other. number: stands in the ids that the node makes.
-- hears: whether it is told by the others what happens, and they by it.
CREATE TABLE nodes (
  node_id BYTEA NOT NULL CHECK (length(node_id) = 16),
  number BIGINT NOT NULL,
  name TEXT NOT NULL,
  url TEXT NOT NULL,
  seen_ms BIGINT NOT NULL,
  hears BOOLEAN NOT NULL,
  PRIMARY KEY (node_id)
) /* clustered */;
CREATE UNIQUE INDEX nodes_by_number ON nodes (number);

-- Which node does a piece of background work.
CREATE TABLE leases (
  piece TEXT NOT NULL,
  node_id BYTEA NOT NULL CHECK (length(node_id) = 16),
  PRIMARY KEY (piece)
) /* clustered */;

-- Who is connected to which node of a cluster, from before the client is told that it is in until it is gone. number: the
-- connection's number on its node.
CREATE TABLE sessions (
  app_id BYTEA NOT NULL CHECK (length(app_id) = 16),
  user_id BYTEA NOT NULL CHECK (length(user_id) = 16),
  resource TEXT NOT NULL,
  node_id BYTEA NOT NULL CHECK (length(node_id) = 16),
  number BIGINT NOT NULL,
  platform TEXT NOT NULL,
  device_uuid TEXT NOT NULL,
  device_name TEXT NOT NULL,
  note TEXT NOT NULL,
  since_ms BIGINT NOT NULL,
  PRIMARY KEY (app_id, user_id, resource)
) /* clustered */;
CREATE INDEX sessions_by_node ON sessions (node_id, number);

-- Connections that are to end, for their node to find: whoever wants one to end moves it here from the table above. So it is
-- on record no more, and who it was is not kept.
CREATE TABLE session_endings (
  node_id BYTEA NOT NULL CHECK (length(node_id) = 16),
  number BIGINT NOT NULL,
  why TEXT NOT NULL,
  note TEXT NOT NULL,
  PRIMARY KEY (node_id, number)
) /* clustered */;

-- Wrong passwords, where more than one node counts them: by a hash of whose they are and of where they come from.
-- forgiven_ms: when the last of them is forgiven.
CREATE TABLE password_failures (
  app_id BYTEA NOT NULL CHECK (length(app_id) = 16),
  whose BYTEA NOT NULL,
  forgiven_ms BIGINT NOT NULL,
  PRIMARY KEY (app_id, whose)
) /* clustered */;
CREATE INDEX password_failures_by_end ON password_failures (app_id, forgiven_ms);

-- The node that a session is on, or that people are in a room on; NULL where there is one server only.
ALTER TABLE hook_sessions ADD COLUMN node BYTEA;
ALTER TABLE rooms ADD COLUMN node BYTEA;
CREATE INDEX hook_sessions_by_node ON hook_sessions (node, app_id, session_seq) WHERE node IS NOT NULL;
CREATE INDEX rooms_by_node ON rooms (node, app_id, cid) WHERE node IS NOT NULL;

-- How somebody takes part in a room that is on another node than the one that is asked; not kept where there is one only.
ALTER TABLE room_stays ADD COLUMN audience BOOLEAN NOT NULL DEFAULT FALSE;

-- Who is to leave rooms, for the node that they are on to find: the bearer of a pass, everybody in a room (pass_id 0), or
-- everybody in the rooms of an app (cid 0, too). A row may outlive its app, until its node has read it.
CREATE TABLE room_endings (
  node_id BYTEA NOT NULL CHECK (length(node_id) = 16),
  app BYTEA NOT NULL CHECK (length(app) = 16),
  cid BIGINT NOT NULL,
  pass_id BIGINT NOT NULL,
  PRIMARY KEY (node_id, app, cid, pass_id)
) /* clustered */;

-- Calls that name themselves and were made, where a repetition may come to another node: by a hash of the name. until_ms:
-- how long it is remembered.
CREATE TABLE made_calls (
  app_id BYTEA NOT NULL CHECK (length(app_id) = 16),
  call_hash BYTEA NOT NULL,
  until_ms BIGINT NOT NULL,
  PRIMARY KEY (app_id, call_hash)
) /* clustered */;
CREATE INDEX made_calls_by_end ON made_calls (until_ms, app_id, call_hash);
