-- What was done at a terminal: each environment keeps its own record, its worker looks there again and again, and what
-- is new becomes a notice in the environment's channel.

CREATE TABLE watches (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  environment text NOT NULL UNIQUE CHECK (environment <> ''),
  rung_at timestamptz,
  heard_at timestamptz,
  -- The first look that succeeded. What was done before it is told in one line.
  since timestamptz
);

CREATE TABLE notices (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  environment text NOT NULL REFERENCES watches (environment),
  earlier boolean NOT NULL,
  noticed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  channel text,
  attempt_key text NOT NULL UNIQUE,
  reserved_at timestamptz,
  ts text,
  CHECK ((channel IS NULL) = (reserved_at IS NULL)),
  CHECK (ts IS NULL OR channel IS NOT NULL)
);

CREATE INDEX notices_to_post ON notices (id) WHERE ts IS NULL;

-- The environment names its deeds; whoever finds one again, finds it here.
CREATE TABLE deeds (
  environment text NOT NULL REFERENCES watches (environment),
  deed text NOT NULL CHECK (deed <> ''),
  notice_id bigint NOT NULL REFERENCES notices (id),
  at timestamptz NOT NULL,
  act text NOT NULL,
  what jsonb NOT NULL,
  done_by text NOT NULL,
  PRIMARY KEY (environment, deed)
);

CREATE INDEX deeds_by_moment ON deeds (environment, at DESC);
CREATE INDEX deeds_by_notice ON deeds (notice_id);

GRANT SELECT ON watches, notices, deeds TO twokey_bot, twokey_worker;
GRANT SELECT ON watches TO twokey_sweep;

-- The worker says what it found, the bot where it told that, the sweep whom it rang for.
GRANT INSERT ON watches, notices, deeds TO twokey_worker;
GRANT UPDATE (heard_at, since) ON watches TO twokey_worker;
GRANT UPDATE (channel, reserved_at, ts) ON notices TO twokey_bot;
GRANT UPDATE (rung_at) ON watches TO twokey_sweep;
