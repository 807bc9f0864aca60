-- A move and the event that says why are one: who moves a request counts its story on with the word for that move, and
-- that word is not said without the move. ledger/replay.py says the same in another language.
CREATE FUNCTION state_after(stands text, kind text) RETURNS text LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp AS $$
  WITH said AS (
    SELECT CASE
      WHEN kind = 'Approved' THEN 'approved'
      WHEN kind = 'Started' THEN 'applying'
      WHEN kind IN (
        'Applied', 'Reverted', 'TakenOver', 'Repaired', 'Discarded', 'Generated', 'NothingGenerated', 'Restored',
        'BackupKept', 'Certified', 'Thawed'
      ) THEN 'applied'
      WHEN kind = 'Failed' THEN 'failed'
      WHEN kind = 'Interrupted' THEN 'interrupted'
      WHEN kind IN ('Rejected', 'Denied') THEN 'rejected'
      WHEN kind = 'Cancelled' THEN 'cancelled'
      WHEN kind = 'Expired' THEN 'expired'
      WHEN kind = 'Stale' THEN 'stale'
    END AS brings
  )
  SELECT CASE
    WHEN kind = 'Asked' THEN NULL
    WHEN kind = 'Planned' THEN CASE WHEN stands = 'asked' THEN 'planned' END
    WHEN kind = 'Frozen' THEN CASE WHEN stands = 'asked' THEN 'applied' END
    WHEN kind = 'Withdrawn' AND stands = 'approved' THEN 'planned'
    WHEN brings IS NULL THEN stands
    WHEN public.is_move(stands, brings) THEN brings
  END
  FROM said
$$;

CREATE OR REPLACE FUNCTION versions_have_events() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  word text := (SELECT e.kind FROM public.events e WHERE e.request_id = NEW.id AND e.seq = NEW.version);
BEGIN
  IF public.is_owner(TG_RELID) THEN
    RETURN NULL;
  END IF;
  IF word IS NULL THEN
    RAISE EXCEPTION 'event % of request % is missing', NEW.version, NEW.id USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF public.state_after(OLD.state, word) IS DISTINCT FROM NEW.state THEN
    RAISE EXCEPTION '% does not bring a request from % to %', word, OLD.state, NEW.state
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NULL;
END
$$;

-- Nothing is told where nothing is counted: whoever holds a row by an update of nothing is not asked for a word.
DROP TRIGGER versions_have_events ON requests;
CREATE CONSTRAINT TRIGGER versions_have_events AFTER UPDATE OF version ON requests
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.version IS DISTINCT FROM OLD.version)
  EXECUTE FUNCTION versions_have_events();

CREATE FUNCTION requests_move_with_their_word() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF public.is_owner(TG_RELID) THEN
    RETURN NEW;
  END IF;
  IF NEW.version <> OLD.version + 1 THEN
    RAISE EXCEPTION 'no move without an event that says why' USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF NEW.state = 'expired' AND OLD.expires_at > clock_timestamp() THEN
    RAISE EXCEPTION 'nothing expires before its time' USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NEW;
END
$$;

CREATE TRIGGER requests_move_with_their_word BEFORE UPDATE ON requests
  FOR EACH ROW WHEN (NEW.state IS DISTINCT FROM OLD.state) EXECUTE FUNCTION requests_move_with_their_word();

-- A request begins at its beginning. A freeze alone is done when it is asked for: it only makes safer.
CREATE FUNCTION requests_begin_asked() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF public.is_owner(TG_RELID) OR NEW.digest IS NULL AND NEW.starts_at IS NULL AND (
    NEW.act <> 'freeze' AND (NEW.state, NEW.version) = ('asked', 1)
    OR NEW.act = 'freeze' AND (NEW.state, NEW.version) = ('applied', 2)
  ) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'a request begins with being asked' USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER requests_begin_asked BEFORE INSERT ON requests FOR EACH ROW EXECUTE FUNCTION requests_begin_asked();

CREATE FUNCTION requests_begin_with_their_word() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  words text[] := ARRAY(
    SELECT e.kind FROM public.events e WHERE e.request_id = NEW.id AND e.seq <= NEW.version ORDER BY e.seq
  );
BEGIN
  IF public.is_owner(TG_RELID)
    OR words = (CASE NEW.act WHEN 'freeze' THEN ARRAY['Asked', 'Frozen'] ELSE ARRAY['Asked'] END) THEN
    RETURN NULL;
  END IF;
  RAISE EXCEPTION 'request % has no first word', NEW.id USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE CONSTRAINT TRIGGER requests_begin_with_their_word AFTER INSERT ON requests
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION requests_begin_with_their_word();
