-- A migration can be generated for whoever asks. That changes nothing in any environment.

ALTER TABLE requests DROP CONSTRAINT requests_act_check;
ALTER TABLE requests ADD CONSTRAINT requests_act_check CHECK (act IN (
  'apply', 'certify', 'rollback', 'backup', 'restore', 'discard', 'freeze', 'thaw', 'baseline', 'repair', 'generate'
));

DROP INDEX requests_one_open_where_protected;
CREATE UNIQUE INDEX requests_one_open_where_protected ON requests (environment)
  WHERE protected AND act NOT IN ('certify', 'backup', 'freeze', 'thaw', 'generate')
    AND state IN ('asked', 'planned', 'approved', 'applying');
