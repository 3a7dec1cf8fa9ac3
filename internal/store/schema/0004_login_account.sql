-- The account of a password, so that those of one account are counted without
-- looking at every user.
ALTER TABLE login_profiles ADD COLUMN account BIGINT NOT NULL DEFAULT 0;
UPDATE login_profiles SET account = (SELECT u.account FROM users u WHERE u.id = login_profiles.user_id);
CREATE INDEX login_profiles_account ON login_profiles (account, user_id);
