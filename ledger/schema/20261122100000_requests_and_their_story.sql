-- The ledger: what was asked, who agreed, what happened. Times are the server's own clock.

CREATE TABLE requests (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  key text NOT NULL UNIQUE,
  act text NOT NULL CHECK (act IN ('apply', 'certify')),
  environment text NOT NULL CHECK (environment <> ''),
  protected boolean NOT NULL,
  actor_id text NOT NULL CHECK (actor_id <> ''),
  actor_team text NOT NULL,
  actor_name text NOT NULL,
  actor_kind text NOT NULL,
  channel text NOT NULL,
  reason text,
  note text,
  covers_of bigint REFERENCES requests (id),
  state text NOT NULL CHECK (state IN (
    'asked', 'planned', 'approved', 'applying', 'applied', 'failed', 'interrupted', 'rejected', 'cancelled', 'expired',
    'stale'
  )),
  digest text CHECK (digest ~ '^[0-9a-f]{64}$'),
  asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz NOT NULL,
  starts_at timestamptz,
  rung_at timestamptz,
  beat_at timestamptz,
  version integer NOT NULL CHECK (version > 0),
  announced_version integer NOT NULL DEFAULT 0 CHECK (announced_version BETWEEN 0 AND version),
  -- So that a decision can be held to the requester whom it must not come from.
  UNIQUE (id, actor_id),
  -- Nothing is approved or run that was not planned first.
  CHECK (state NOT IN ('planned', 'approved', 'applying', 'applied') OR digest IS NOT NULL),
  CHECK (state <> 'approved' OR starts_at IS NOT NULL)
);

-- Policy, held by the database: one wish at a time to change a protected environment.
CREATE UNIQUE INDEX requests_one_open_where_protected ON requests (environment)
  WHERE protected AND act = 'apply' AND state IN ('asked', 'planned', 'approved', 'applying');

CREATE INDEX requests_open ON requests (state) WHERE state IN ('asked', 'planned', 'approved', 'applying');
CREATE INDEX requests_unannounced ON requests (id) WHERE announced_version < version;
CREATE INDEX requests_by_environment ON requests (environment, id DESC);

CREATE TABLE plans (
  request_id bigint PRIMARY KEY REFERENCES requests (id),
  digest text NOT NULL,
  summary jsonb NOT NULL,
  frozen jsonb NOT NULL,
  laid_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (request_id, digest)
);

-- The audit record and the source of every message. Rows come, and never change or go.
CREATE TABLE events (
  request_id bigint NOT NULL REFERENCES requests (id),
  seq integer NOT NULL CHECK (seq > 0),
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  kind text NOT NULL CHECK (kind <> ''),
  body jsonb NOT NULL,
  PRIMARY KEY (request_id, seq)
);

CREATE FUNCTION events_are_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'events are append-only' USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER events_are_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON events
  FOR EACH STATEMENT EXECUTE FUNCTION events_are_kept();

CREATE TABLE decisions (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  request_id bigint NOT NULL,
  requester_id text NOT NULL,
  actor_id text NOT NULL CHECK (actor_id <> ''),
  actor_team text NOT NULL,
  actor_name text NOT NULL,
  actor_kind text NOT NULL,
  verdict text NOT NULL CHECK (verdict IN ('approve', 'reject')),
  digest text NOT NULL,
  event_ts text NOT NULL CHECK (event_ts ~ '^[0-9]+\.[0-9]+$'),
  withdrawn_ts text CHECK (withdrawn_ts ~ '^[0-9]+\.[0-9]+$'),
  decided_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (request_id, actor_id, verdict, event_ts),
  -- requester_id is the request's own actor, and a plan with this digest was laid for it …
  FOREIGN KEY (request_id, requester_id) REFERENCES requests (id, actor_id),
  FOREIGN KEY (request_id, digest) REFERENCES plans (request_id, digest),
  -- … so nobody decides about what they asked for themselves, whatever the code says.
  CONSTRAINT decisions_need_a_second_person CHECK (actor_id <> requester_id)
);

-- Reactions as they were heard: ink before ack, judged afterwards.
CREATE TABLE heard (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  event_id text NOT NULL UNIQUE,
  team text NOT NULL,
  channel text NOT NULL,
  message_ts text NOT NULL,
  actor_id text NOT NULL,
  emoji text NOT NULL,
  added boolean NOT NULL,
  event_ts text NOT NULL CHECK (event_ts ~ '^[0-9]+\.[0-9]+$'),
  heard_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  judged_at timestamptz
);

CREATE INDEX heard_unjudged ON heard (id) WHERE judged_at IS NULL;

CREATE TABLE witnesses (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  request_id bigint NOT NULL REFERENCES requests (id),
  at timestamptz NOT NULL,
  approving jsonb NOT NULL,
  rejecting jsonb NOT NULL
);

CREATE INDEX witnesses_by_request ON witnesses (request_id, id DESC);

CREATE TABLE certifications (
  request_id bigint PRIMARY KEY REFERENCES requests (id),
  environment text NOT NULL,
  covers jsonb NOT NULL,
  actor_id text NOT NULL,
  actor_name text NOT NULL,
  at timestamptz NOT NULL,
  note text
);

CREATE INDEX certifications_newest ON certifications (environment, at DESC);

CREATE TABLE inquiries (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  key text NOT NULL UNIQUE,
  question text NOT NULL CHECK (question IN ('status', 'plan', 'validate')),
  environment text,
  actor_id text NOT NULL,
  actor_team text NOT NULL,
  actor_name text NOT NULL,
  actor_kind text NOT NULL,
  channel text NOT NULL,
  response_url text NOT NULL,
  asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  answered_at timestamptz,
  body jsonb,
  delivered_at timestamptz,
  share_actor_id text,
  share_actor_name text,
  share_channel text,
  share_ts text,
  CHECK ((answered_at IS NULL) = (body IS NULL)),
  CHECK (delivered_at IS NULL OR answered_at IS NOT NULL)
);

CREATE INDEX inquiries_open ON inquiries (asked_at) WHERE delivered_at IS NULL;
CREATE INDEX inquiries_to_share ON inquiries (id) WHERE share_channel IS NOT NULL AND share_ts IS NULL;

CREATE TABLE observations (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  inquiry_id bigint REFERENCES inquiries (id),
  environment text NOT NULL CHECK (environment <> ''),
  asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  observed_at timestamptz,
  body jsonb,
  UNIQUE (inquiry_id, environment),
  CHECK ((observed_at IS NULL) = (body IS NULL))
);

CREATE TABLE deliveries (
  request_id bigint NOT NULL REFERENCES requests (id),
  slot text NOT NULL CHECK (slot <> ''),
  channel text NOT NULL,
  attempt_key text NOT NULL UNIQUE,
  reserved_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  ts text,
  content_hash text,
  PRIMARY KEY (request_id, slot),
  CHECK ((ts IS NULL) = (content_hash IS NULL))
);

CREATE UNIQUE INDEX deliveries_stand_once ON deliveries (channel, ts) WHERE ts IS NOT NULL;
