-- A name to show and the last time each person was seen.
-- impact: new columns that fill themselves; what writes users today goes on as it is.
ALTER TABLE users
  ADD COLUMN display_name TEXT NOT NULL DEFAULT '',
  ADD COLUMN last_seen_at TIMESTAMPTZ;
