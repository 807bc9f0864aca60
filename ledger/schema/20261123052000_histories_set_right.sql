-- A baseline and a repair can be asked for, and which files changed after they were applied.

ALTER TABLE requests DROP CONSTRAINT requests_act_check;
ALTER TABLE requests ADD CONSTRAINT requests_act_check CHECK (act IN (
  'apply', 'certify', 'rollback', 'backup', 'restore', 'discard', 'freeze', 'thaw', 'baseline', 'repair'
));

ALTER TABLE inquiries DROP CONSTRAINT inquiries_question_check;
ALTER TABLE inquiries ADD CONSTRAINT inquiries_question_check CHECK (question IN (
  'status', 'plan', 'validate', 'backups', 'repair'
));
