-- The life of a request and the authors of its story are held by the database, too: ledger/states.py is the table, and a
-- login of the bot, the workers or the sweep does of it what its part does, whatever it may otherwise update.
-- The owner changes the ledger's shape, these rules included, and is not held here.

CREATE FUNCTION is_owner(relation oid) RETURNS boolean LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS
  $$ SELECT pg_has_role(current_user, c.relowner, 'MEMBER') FROM pg_class c WHERE c.oid = relation $$;

CREATE FUNCTION is_move(was text, is_now text) RETURNS boolean LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp AS $$
  SELECT is_now = ANY (CASE was
    WHEN 'asked' THEN ARRAY['planned', 'rejected', 'cancelled', 'expired', 'failed']
    WHEN 'planned' THEN ARRAY['approved', 'rejected', 'cancelled', 'expired', 'stale', 'failed']
    WHEN 'approved' THEN ARRAY['planned', 'applying', 'rejected', 'cancelled', 'expired', 'stale', 'failed']
    WHEN 'applying' THEN ARRAY['applied', 'failed', 'interrupted']
    ELSE ARRAY[]::text[]
  END)
$$;

-- A worker approves in the name of the rules alone, so never where a second person has to.
CREATE FUNCTION moves(was text, is_now text, needs_second_key boolean) RETURNS boolean LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
  SELECT pg_has_role(current_user, 'twokey_bot', 'MEMBER') AND (
      is_now IN ('approved', 'rejected', 'cancelled') OR (was = 'approved' AND is_now = 'planned')
    ) OR pg_has_role(current_user, 'twokey_sweep', 'MEMBER') AND is_now = 'expired'
    OR pg_has_role(current_user, 'twokey_worker', 'MEMBER') AND is_now NOT IN ('cancelled', 'expired')
      AND NOT (is_now = 'approved' AND needs_second_key)
$$;

CREATE FUNCTION requests_move_as_they_may() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  needs_second_key boolean := NEW.act NOT IN ('certify', 'backup', 'freeze', 'generate') AND (
    NEW.protected OR EXISTS (
      SELECT FROM public.plans p WHERE p.request_id = NEW.id AND (p.summary ->> 'protected')::boolean
    )
  );
  timed boolean := NEW.starts_at IS NOT DISTINCT FROM OLD.starts_at;
BEGIN
  IF public.is_owner(TG_RELID) THEN
    RETURN NEW;
  END IF;
  IF NEW.version NOT BETWEEN OLD.version AND OLD.version + 1 THEN
    RAISE EXCEPTION 'a story grows by one event at a time' USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF NEW.digest IS DISTINCT FROM OLD.digest AND (OLD.state, NEW.state) <> ('asked', 'planned') THEN
    RAISE EXCEPTION 'a plan is laid once' USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF NEW.state = OLD.state THEN
    IF timed THEN
      RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a start has its time from its approval' USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF NOT (public.is_move(OLD.state, NEW.state) AND public.moves(OLD.state, NEW.state, needs_second_key)) THEN
    RAISE EXCEPTION 'no move from % to % for %', OLD.state, NEW.state, current_user
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF NEW.state = 'applying' AND NOT (OLD.starts_at <= clock_timestamp() AND OLD.expires_at > clock_timestamp()) THEN
    RAISE EXCEPTION 'nothing starts before its time or after it' USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF NOT timed AND NOT (NEW.state = 'approved' OR (NEW.state = 'planned' AND NEW.starts_at IS NULL)) THEN
    RAISE EXCEPTION 'a start has its time from its approval' USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NEW;
END
$$;

CREATE TRIGGER requests_move_as_they_may BEFORE UPDATE ON requests
  FOR EACH ROW EXECUTE FUNCTION requests_move_as_they_may();

-- What is added to a story is added with its number, in one transaction: no number is left out, none is taken before.
CREATE FUNCTION versions_have_events() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF public.is_owner(TG_RELID) OR EXISTS (
    SELECT FROM public.events e WHERE e.request_id = NEW.id AND e.seq = NEW.version
  ) THEN
    RETURN NULL;
  END IF;
  RAISE EXCEPTION 'event % of request % is missing', NEW.version, NEW.id USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE CONSTRAINT TRIGGER versions_have_events AFTER UPDATE OF version ON requests
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION versions_have_events();

-- Each writes the facts of its own part. What the worker says of an approval is what the rules say, and no person.
CREATE FUNCTION events_are_their_writers() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF public.is_owner(TG_RELID) THEN
    RETURN NEW;
  END IF;
  IF NEW.seq > (SELECT r.version FROM public.requests r WHERE r.id = NEW.request_id) THEN
    RAISE EXCEPTION 'event % of request % is before its time', NEW.seq, NEW.request_id
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF pg_has_role(current_user, 'twokey_bot', 'MEMBER') AND NEW.kind IN (
    'Asked', 'Approved', 'Agreed', 'Withdrawn', 'Refused', 'Noted', 'Rejected', 'Cancelled', 'Witnessed', 'Frozen',
    'Halted', 'Exported'
  ) OR pg_has_role(current_user, 'twokey_sweep', 'MEMBER') AND NEW.kind IN (
    'ExpiryWarned', 'Expired', 'Unanswered', 'Answered'
  ) OR pg_has_role(current_user, 'twokey_worker', 'MEMBER') AND (
    NEW.kind IN ('Approved', 'Withdrawn', 'Refused') AND NEW.body ->> 'actor_id' = 'policy' OR NEW.kind IN (
      'Rehearsing', 'Planned', 'Denied', 'Stale', 'Waiting', 'Ready', 'Started', 'BackedUp', 'MigrationApplied',
      'Applied', 'Blocked', 'TriedAgain', 'StatementRan', 'Foretold', 'Settled', 'Unlike', 'Compared',
      'MigrationReverted', 'Reverted', 'BackupKept', 'Restoring', 'Restored', 'Discarded', 'Generating', 'Generated',
      'NothingGenerated', 'TakenOver', 'Repaired', 'Failed', 'Interrupted', 'Certified', 'Halted', 'Thawed', 'Released'
    )
  ) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION '% does not write %', current_user, NEW.kind USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER events_are_their_writers BEFORE INSERT ON events
  FOR EACH ROW EXECUTE FUNCTION events_are_their_writers();

-- A freeze is lifted by a thaw of its environment, while that runs.
CREATE FUNCTION freezes_are_thawed() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF public.is_owner(TG_RELID) OR OLD.thawed_by IS NULL AND EXISTS (
    SELECT FROM public.requests r
    WHERE r.id = NEW.thawed_by AND r.act = 'thaw' AND r.environment = NEW.environment AND r.state = 'applying'
  ) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'a freeze is lifted by a thaw that runs' USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER freezes_are_thawed BEFORE UPDATE ON freezes FOR EACH ROW EXECUTE FUNCTION freezes_are_thawed();
