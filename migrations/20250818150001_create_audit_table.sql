-- Every change to a user, kept by a trigger so that no code path can forget it.
-- impact: each change of a user writes one more row, in the same transaction.
CREATE TABLE user_audit (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_id BIGINT NOT NULL,
  change TEXT NOT NULL CHECK (change IN ('INSERT', 'UPDATE', 'DELETE')),
  changed_by TEXT NOT NULL DEFAULT current_user,
  changed_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp()
);

CREATE INDEX user_audit_user_id ON user_audit (user_id, changed_at);

CREATE FUNCTION record_user_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO user_audit (user_id, change) VALUES (coalesce(NEW.id, OLD.id), TG_OP);
  RETURN NULL;
END;
$$;

CREATE TRIGGER users_are_audited
  AFTER INSERT OR UPDATE OR DELETE ON users
  FOR EACH ROW EXECUTE FUNCTION record_user_change();
