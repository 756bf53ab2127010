-- Users of the app hear from contacts only.
ALTER TABLE apps ADD COLUMN contacts_only BOOLEAN NOT NULL DEFAULT FALSE;
