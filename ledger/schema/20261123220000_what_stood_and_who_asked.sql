-- Since when the plan stands on a request's card, as Slack writes a moment; NULL while it does not. A reaction from before
-- that moment was given to a card without a plan.
ALTER TABLE deliveries ADD COLUMN plan_ts text;

UPDATE deliveries d SET plan_ts = d.ts
  WHERE d.slot = 'card' AND EXISTS (SELECT FROM plans p WHERE p.request_id = d.request_id);

GRANT UPDATE (plan_ts) ON deliveries TO twokey_bot;

-- Who asked, as Slack knows them when it is looked at before the start: another account of an approver may have shown
-- another address while it asked.
ALTER TABLE witnesses ADD COLUMN asking jsonb;
