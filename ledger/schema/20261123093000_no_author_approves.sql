-- Whoever wrote what runs does not decide about it, where the plan bars them: its summary names the accounts and the hashes
-- of addresses that the worker's map knew when it laid the plan, and no login can change a plan.

CREATE FUNCTION decisions_need_no_author() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (
    SELECT FROM public.plans p
      WHERE p.request_id = NEW.request_id AND p.summary -> 'barred' ?| (NEW.actor_marks || NEW.actor_id)
  ) THEN
    RAISE EXCEPTION '% wrote a part of what request % is about', NEW.actor_id, NEW.request_id
      USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NEW;
END
$$;

-- To take a word back is not to give one.
CREATE TRIGGER decisions_need_no_author BEFORE INSERT OR UPDATE OF request_id, actor_id, actor_marks ON decisions
  FOR EACH ROW EXECUTE FUNCTION decisions_need_no_author();
