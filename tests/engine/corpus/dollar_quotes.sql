DO $$ BEGIN PERFORM ';'; END $$;
SELECT $a$;$$;$a$;