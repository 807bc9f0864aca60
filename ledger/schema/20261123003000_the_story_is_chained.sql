-- An event carries a hash over itself and the event before it; a seal carries one over the ends of many stories and the
-- seal before it. Nothing between can be changed, taken out or slipped in without `python -m ledger verify` naming it.
-- The database links both itself, so no login can write a chain that does not hold. ledger/chain.py says the same.

-- jsonb prints equal values as equal texts, so its text is the canonical form.
CREATE FUNCTION hash_of(link jsonb) RETURNS text LANGUAGE sql IMMUTABLE AS
  $$ SELECT encode(sha256(convert_to(link::text, 'UTF8')), 'hex') $$;

CREATE FUNCTION in_utc(at timestamptz) RETURNS text LANGUAGE sql STABLE AS
  $$ SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') $$;

CREATE FUNCTION is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$;

-- Names are qualified: a login may make temporary tables, and theirs would be found first.
CREATE FUNCTION events_are_chained() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  before text;
BEGIN
  IF NEW.seq > 1 THEN
    SELECT e.hash INTO before FROM public.events e WHERE e.request_id = NEW.request_id AND e.seq = NEW.seq - 1;
    IF before IS NULL THEN
      RAISE EXCEPTION 'there is no event before % of request %', NEW.seq, NEW.request_id
        USING ERRCODE = 'integrity_constraint_violation';
    END IF;
  END IF;
  NEW.hash := public.hash_of(
    jsonb_build_array(before, NEW.request_id, NEW.seq, public.in_utc(NEW.at), NEW.kind, NEW.body)
  );
  RETURN NEW;
END
$$;

-- What was written before this file is chained as it stands today.
ALTER TABLE events ADD COLUMN hash text CHECK (hash ~ '^[0-9a-f]{64}$');
ALTER TABLE events DISABLE TRIGGER events_are_kept;

DO $$
DECLARE
  one record;
  before text;
BEGIN
  FOR one IN SELECT * FROM public.events ORDER BY request_id, seq LOOP
    IF one.seq = 1 THEN
      before := NULL;
    END IF;
    before := public.hash_of(
      jsonb_build_array(before, one.request_id, one.seq, public.in_utc(one.at), one.kind, one.body)
    );
    UPDATE public.events SET hash = before WHERE request_id = one.request_id AND seq = one.seq;
  END LOOP;
END
$$;

ALTER TABLE events ENABLE TRIGGER events_are_kept;
ALTER TABLE events ALTER COLUMN hash SET NOT NULL;
CREATE TRIGGER events_are_chained BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION events_are_chained();

-- How far a request's story is sealed; the sweep's own note, which a verification does not trust.
ALTER TABLE requests ADD COLUMN sealed_version integer NOT NULL DEFAULT 0 CHECK (sealed_version BETWEEN 0 AND version);
CREATE INDEX requests_unsealed ON requests (id) WHERE sealed_version < version;

CREATE TABLE seals (
  id bigint PRIMARY KEY CHECK (id > 0),
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- Request → [number of its last event, that event's hash], of every story that grew since the seal before.
  heads jsonb NOT NULL CHECK (heads <> '{}'),
  hash text NOT NULL CHECK (hash ~ '^[0-9a-f]{64}$')
);

CREATE FUNCTION seals_are_chained() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  before text;
BEGIN
  IF NEW.id > 1 THEN
    SELECT s.hash INTO before FROM public.seals s WHERE s.id = NEW.id - 1;
    IF before IS NULL THEN
      RAISE EXCEPTION 'there is no seal before %', NEW.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
  END IF;
  IF EXISTS (
    SELECT FROM jsonb_each(NEW.heads) head WHERE NOT EXISTS (
      SELECT FROM public.events e
        WHERE e.request_id = head.key::bigint AND e.seq = (head.value ->> 0)::integer AND e.hash = head.value ->> 1
    )
  ) THEN
    RAISE EXCEPTION 'seal % names an event that is not there', NEW.id
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  NEW.hash := public.hash_of(jsonb_build_array(before, NEW.id, public.in_utc(NEW.at), NEW.heads));
  RETURN NEW;
END
$$;

CREATE TRIGGER seals_are_chained BEFORE INSERT ON seals FOR EACH ROW EXECUTE FUNCTION seals_are_chained();
CREATE TRIGGER seals_are_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON seals
  FOR EACH STATEMENT EXECUTE FUNCTION is_append_only();

-- Nobody names the time or the hash of what they write.
REVOKE INSERT ON events FROM twokey_bot, twokey_worker, twokey_sweep;
GRANT INSERT (request_id, seq, kind, body) ON events TO twokey_bot, twokey_worker, twokey_sweep;
GRANT SELECT ON seals TO twokey_bot, twokey_worker, twokey_sweep;
GRANT INSERT (id, heads) ON seals TO twokey_sweep;
GRANT UPDATE (sealed_version) ON requests TO twokey_sweep;
