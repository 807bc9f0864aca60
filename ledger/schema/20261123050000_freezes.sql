-- Nothing starts in an environment that is frozen. A freeze is done as it is written down, since it only makes safer;
-- a thaw goes the way of every change, so that the bot alone cannot lift what one person said.

ALTER TABLE requests DROP CONSTRAINT requests_act_check;
ALTER TABLE requests ADD CONSTRAINT requests_act_check CHECK (act IN (
  'apply', 'certify', 'rollback', 'backup', 'restore', 'discard', 'freeze', 'thaw'
));

-- Nothing else is done without a plan.
ALTER TABLE requests DROP CONSTRAINT requests_check1;
ALTER TABLE requests ADD CONSTRAINT requests_planned_first CHECK (
  CASE act
    WHEN 'freeze' THEN state = 'applied'
    ELSE state NOT IN ('planned', 'approved', 'applying', 'applied') OR digest IS NOT NULL
  END
);

-- A thaw is for what waits, and waits for none of it.
DROP INDEX requests_one_open_where_protected;
CREATE UNIQUE INDEX requests_one_open_where_protected ON requests (environment)
  WHERE protected AND act NOT IN ('certify', 'backup', 'freeze', 'thaw')
    AND state IN ('asked', 'planned', 'approved', 'applying');

CREATE TABLE freezes (
  request_id bigint PRIMARY KEY REFERENCES requests (id),
  environment text NOT NULL CHECK (environment <> ''),
  actor_name text NOT NULL,
  reason text NOT NULL CHECK (reason <> ''),
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  until timestamptz CHECK (until > at),
  thawed_by bigint REFERENCES requests (id)
);

CREATE INDEX freezes_standing ON freezes (environment) WHERE thawed_by IS NULL;

GRANT SELECT ON freezes TO twokey_bot, twokey_worker, twokey_sweep;
GRANT INSERT (request_id, environment, actor_name, reason, until) ON freezes TO twokey_bot;
GRANT UPDATE (thawed_by) ON freezes TO twokey_worker;
