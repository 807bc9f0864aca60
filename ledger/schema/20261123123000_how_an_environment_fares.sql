-- How a protected environment fares, looked at about once a minute: ten minutes after a run it is said beside the ten
-- before. These are live figures and no record: what is a day old goes, and what is said of them is an event.

CREATE TABLE pulses (
  environment text NOT NULL REFERENCES watches (environment),
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  since timestamptz,
  deadlocks bigint NOT NULL,
  rollbacks bigint NOT NULL,
  commits bigint NOT NULL,
  waiting integer NOT NULL,
  PRIMARY KEY (environment, at)
);

-- Nobody but the owner removes anything, so he does it for them.
CREATE FUNCTION forget_old_pulses() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  DELETE FROM pulses WHERE environment = NEW.environment AND at < clock_timestamp() - interval '1 day';
  RETURN NULL;
END
$$;

CREATE TRIGGER old_pulses_go AFTER INSERT ON pulses FOR EACH ROW EXECUTE FUNCTION forget_old_pulses();

GRANT SELECT, INSERT ON pulses TO twokey_worker;
