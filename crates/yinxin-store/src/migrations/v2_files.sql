-- Uploaded files. Their bytes are objects in a folder or a bucket, each named by its object_id; a file's content is its
-- parts 1 to n in order, part 0 is its thumbnail. owner_id is the user who uploaded, or the app for its backend.

CREATE TABLE files (
  app_id BYTEA NOT NULL CHECK (length(app_id) = 16),
  file_id BYTEA NOT NULL CHECK (length(file_id) = 16),
  owner_id BYTEA NOT NULL CHECK (length(owner_id) = 16),
  complete BOOLEAN NOT NULL,
  restricted BOOLEAN NOT NULL,
  secret_hash BYTEA NOT NULL,
  name TEXT NOT NULL,
  content_type TEXT NOT NULL,
  bytes BIGINT NOT NULL,
  thumb_width BIGINT,
  thumb_height BIGINT,
  created_ms BIGINT NOT NULL,
  PRIMARY KEY (app_id, file_id)
) /* clustered */;
CREATE INDEX files_by_owner ON files (app_id, owner_id);
CREATE INDEX files_by_age ON files (app_id, complete, created_ms);

CREATE TABLE file_parts (
  app_id BYTEA NOT NULL CHECK (length(app_id) = 16),
  file_id BYTEA NOT NULL CHECK (length(file_id) = 16),
  part BIGINT NOT NULL,
  object_id BYTEA NOT NULL CHECK (length(object_id) = 16),
  bytes BIGINT NOT NULL,
  PRIMARY KEY (app_id, file_id, part)
) /* clustered */;

-- Bytes of all parts of an app but the thumbnails.
CREATE TABLE file_totals (
  app_id BYTEA NOT NULL CHECK (length(app_id) = 16),
  bytes BIGINT NOT NULL,
  PRIMARY KEY (app_id)
) /* clustered */;

-- Objects that belong to no file: written down before they are written, and from when their file is gone until they are.
-- Rows of the server itself: they outlive their app. due_ms is when an object that nobody claimed is garbage; 0 = it is.
CREATE TABLE file_garbage (
  object_id BYTEA NOT NULL CHECK (length(object_id) = 16),
  due_ms BIGINT NOT NULL,
  PRIMARY KEY (object_id)
) /* clustered */;
