-- Whoever holds the turn is told that something was written, and need not look ten times a second whether it was.
-- The word carries nothing: what is new is read from the tables, as ever, and a word that is lost costs half a second.
CREATE FUNCTION tell_that_it_was_written() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  NOTIFY twokey_news;
  RETURN NULL;
END
$$;

CREATE TRIGGER requests_are_news AFTER INSERT OR UPDATE ON requests
  FOR EACH STATEMENT EXECUTE FUNCTION tell_that_it_was_written();
CREATE TRIGGER events_are_news AFTER INSERT ON events
  FOR EACH STATEMENT EXECUTE FUNCTION tell_that_it_was_written();
CREATE TRIGGER heard_is_news AFTER INSERT ON heard
  FOR EACH STATEMENT EXECUTE FUNCTION tell_that_it_was_written();
CREATE TRIGGER inquiries_are_news AFTER INSERT OR UPDATE ON inquiries
  FOR EACH STATEMENT EXECUTE FUNCTION tell_that_it_was_written();
CREATE TRIGGER observations_are_news AFTER UPDATE ON observations
  FOR EACH STATEMENT EXECUTE FUNCTION tell_that_it_was_written();
CREATE TRIGGER notices_are_news AFTER INSERT ON notices
  FOR EACH STATEMENT EXECUTE FUNCTION tell_that_it_was_written();
