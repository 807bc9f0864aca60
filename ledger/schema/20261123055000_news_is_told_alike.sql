-- Every function of the ledger looks names up in one place alone; where pg_temp is not said last, it is looked in first.
ALTER FUNCTION tell_that_it_was_written() SET search_path = pg_catalog, pg_temp;
