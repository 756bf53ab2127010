-- Where clients of one vendor differ in what they expect, an app says which it has. Apps that answered like the vendors'
-- present servers go on saying which logins are unknown.
ALTER TABLE apps ADD COLUMN token_error_code BIGINT NOT NULL DEFAULT 402;
ALTER TABLE apps ADD COLUMN unknown_login_code BIGINT NOT NULL DEFAULT 402;
ALTER TABLE apps ADD COLUMN expire_unit TEXT NOT NULL DEFAULT 'ms';
ALTER TABLE apps ADD COLUMN token_user_mobile BOOLEAN NOT NULL DEFAULT TRUE;
UPDATE apps SET unknown_login_code = 10000 WHERE profile = 'current';
