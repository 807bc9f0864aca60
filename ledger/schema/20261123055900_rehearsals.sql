-- What a rehearsal saw, and the schema that it left: beside the plan, whose digest holds the receipt's hash.
CREATE TABLE receipts (
  request_id bigint PRIMARY KEY REFERENCES plans (request_id),
  receipt jsonb NOT NULL,
  schema jsonb NOT NULL
);

CREATE TRIGGER receipts_are_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON receipts
  FOR EACH STATEMENT EXECUTE FUNCTION is_append_only();

GRANT SELECT ON receipts TO twokey_bot, twokey_worker;
GRANT INSERT ON receipts TO twokey_worker;
