-- Hooks: where an app's backend wants to be told of events (kind 'events'), or asked before a message is stored (kind
-- 'pre_send'). The secret before the last rotation signs, too, until before_until_ms. dropped counts events that were
-- not kept because the outbox was full.

CREATE TABLE hooks (
  app_id BYTEA NOT NULL CHECK (length(app_id) = 16),
  hook_id BYTEA NOT NULL CHECK (length(hook_id) = 16),
  url TEXT NOT NULL,
  kind TEXT NOT NULL,
  events TEXT NOT NULL,
  timeout_ms BIGINT NOT NULL,
  on_failure TEXT NOT NULL,
  enabled BOOLEAN NOT NULL,
  disabled_why TEXT,
  failing_since_ms BIGINT,
  dropped BIGINT NOT NULL,
  sealed_secret BYTEA NOT NULL,
  sealed_before BYTEA,
  before_until_ms BIGINT,
  created_ms BIGINT NOT NULL,
  modified_ms BIGINT NOT NULL,
  PRIMARY KEY (app_id, hook_id)
) /* clustered */;

-- What each hook is to be told. state: 'waiting' for its next attempt at due_ms, 'delivered' or 'failed' at due_ms.
-- Events of one lane are first attempted one after the other.
CREATE TABLE hook_outbox (
  app_id BYTEA NOT NULL CHECK (length(app_id) = 16),
  hook_id BYTEA NOT NULL CHECK (length(hook_id) = 16),
  event_seq BIGINT NOT NULL,
  event TEXT NOT NULL,
  lane TEXT NOT NULL,
  payload TEXT NOT NULL,
  state TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  due_ms BIGINT NOT NULL,
  PRIMARY KEY (app_id, hook_id, event_seq)
) /* clustered */;
CREATE INDEX hook_outbox_by_state ON hook_outbox (app_id, hook_id, state, due_ms, event_seq);

-- What came of the last attempts. status: the answer's, if there was one; error: what else went wrong.
CREATE TABLE hook_log (
  app_id BYTEA NOT NULL CHECK (length(app_id) = 16),
  hook_id BYTEA NOT NULL CHECK (length(hook_id) = 16),
  attempt_seq BIGINT NOT NULL,
  event_seq BIGINT NOT NULL,
  event TEXT NOT NULL,
  attempt BIGINT NOT NULL,
  status BIGINT,
  error TEXT,
  duration_ms BIGINT NOT NULL,
  at_ms BIGINT NOT NULL,
  PRIMARY KEY (app_id, hook_id, attempt_seq)
) /* clustered */;

-- Sessions whose end a hook wants to hear of, as long as they last. What is here at a start was cut off by the server's
-- own end. data: what the event will say of the session.
CREATE TABLE hook_sessions (
  app_id BYTEA NOT NULL CHECK (length(app_id) = 16),
  session_seq BIGINT NOT NULL,
  lane TEXT NOT NULL,
  data TEXT NOT NULL,
  PRIMARY KEY (app_id, session_seq)
) /* clustered */;
