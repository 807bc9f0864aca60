-- A move and the event that says why are one: who moves a request counts its story on, and versions_have_events asks
-- for that event when the transaction ends.
CREATE FUNCTION requests_move_with_a_word() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NEW.version = OLD.version + 1 OR public.is_owner(TG_RELID) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'no move without an event that says why' USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER requests_move_with_a_word BEFORE UPDATE ON requests
  FOR EACH ROW WHEN (NEW.state IS DISTINCT FROM OLD.state) EXECUTE FUNCTION requests_move_with_a_word();
