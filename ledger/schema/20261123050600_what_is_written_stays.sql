-- A login may set its own search_path, and make temporary tables and types: nothing of that is looked at in here.
ALTER FUNCTION events_are_kept() SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION hash_of(jsonb) SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION in_utc(timestamptz) SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION is_append_only() SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION events_are_chained() SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION seals_are_chained() SET search_path = pg_catalog, pg_temp;

-- What was done at a terminal and what a backup holds is written once, too; of a notice only where it was told changes.
CREATE TRIGGER deeds_are_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON deeds
  FOR EACH STATEMENT EXECUTE FUNCTION is_append_only();
CREATE TRIGGER manifests_are_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON manifests
  FOR EACH STATEMENT EXECUTE FUNCTION is_append_only();
CREATE TRIGGER notices_are_kept BEFORE UPDATE OF id, environment, earlier, noticed_at, attempt_key OR DELETE OR TRUNCATE
  ON notices FOR EACH STATEMENT EXECUTE FUNCTION is_append_only();

-- The worker says what was noticed; when that was, the server says, and where it was told, the bot.
REVOKE INSERT ON watches, notices FROM twokey_worker;
GRANT INSERT (environment) ON watches TO twokey_worker;
GRANT INSERT (environment, earlier, attempt_key) ON notices TO twokey_worker;
