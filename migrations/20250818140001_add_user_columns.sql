-- A name to show and the last time each person was seen.
ALTER TABLE users
  ADD COLUMN display_name TEXT NOT NULL DEFAULT '',
  ADD COLUMN last_seen_at TIMESTAMPTZ;
