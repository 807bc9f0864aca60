-- A rollback can be asked for, and a request says in words what of its environment is meant.
-- Who may write what stands as it is: the bot opens requests, and nobody may change what was asked.

ALTER TABLE requests ADD COLUMN about jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(about) = 'array');

ALTER TABLE requests DROP CONSTRAINT requests_act_check;
ALTER TABLE requests ADD CONSTRAINT requests_act_check CHECK (act IN ('apply', 'certify', 'rollback'));

-- Policy, held by the database: one wish at a time to change a protected environment, in whatever way.
DROP INDEX requests_one_open_where_protected;
CREATE UNIQUE INDEX requests_one_open_where_protected ON requests (environment)
  WHERE protected AND act <> 'certify' AND state IN ('asked', 'planned', 'approved', 'applying');
