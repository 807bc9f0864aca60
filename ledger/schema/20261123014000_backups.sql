-- A backup, a restore and the end of what a restore kept can be asked for too, and which backups there are.

ALTER TABLE requests DROP CONSTRAINT requests_act_check;
ALTER TABLE requests ADD CONSTRAINT requests_act_check CHECK (act IN (
  'apply', 'certify', 'rollback', 'backup', 'restore', 'discard'
));

-- A backup changes nothing in its environment; everything else but a word does.
DROP INDEX requests_one_open_where_protected;
CREATE UNIQUE INDEX requests_one_open_where_protected ON requests (environment)
  WHERE protected AND act NOT IN ('certify', 'backup') AND state IN ('asked', 'planned', 'approved', 'applying');

ALTER TABLE inquiries DROP CONSTRAINT inquiries_question_check;
ALTER TABLE inquiries ADD CONSTRAINT inquiries_question_check CHECK (question IN (
  'status', 'plan', 'validate', 'backups'
));
