-- What the channel reads of a freeze that is over is so: a thaw has lifted it in this transaction or before, or its time is
-- past by the ledger's clock. The owner changes the ledger's shape and is not held here.
CREATE FUNCTION freezes_are_over() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF public.is_owner(TG_RELID) OR EXISTS (
    SELECT FROM public.freezes f WHERE f.request_id = NEW.request_id AND CASE NEW.kind
      WHEN 'RanOut' THEN f.until <= clock_timestamp()
      ELSE f.thawed_by::text = NEW.body ->> 'by'
    END
  ) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'the freeze of request % is not over by that', NEW.request_id USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER freezes_are_over BEFORE INSERT ON events
  FOR EACH ROW WHEN (NEW.kind IN ('Lifted', 'RanOut')) EXECUTE FUNCTION freezes_are_over();
