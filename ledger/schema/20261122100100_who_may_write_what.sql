-- Least privilege, in one place. `prepare` makes the three roles first; a login under another name is given one of them.
-- Nobody but the owner may change a table's shape, and nobody at all may change or remove an event.

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO twokey_bot, twokey_worker, twokey_sweep;

-- All of them read the story, and see here whether the ledger is prepared.
GRANT SELECT ON requests, plans, events, certifications, schema_migrations TO twokey_bot, twokey_worker, twokey_sweep;
GRANT INSERT ON events TO twokey_bot, twokey_worker, twokey_sweep;

-- The bot writes down what people said, and what it answered them.
GRANT SELECT, INSERT ON decisions, heard, witnesses, inquiries, observations, deliveries TO twokey_bot;
GRANT INSERT ON requests TO twokey_bot;
GRANT UPDATE (state, starts_at, rung_at, version, announced_version) ON requests TO twokey_bot;
GRANT UPDATE (withdrawn_ts) ON decisions TO twokey_bot;
GRANT UPDATE (judged_at) ON heard TO twokey_bot;
GRANT UPDATE (answered_at, body, delivered_at, share_actor_id, share_actor_name, share_channel, share_ts)
  ON inquiries TO twokey_bot;
GRANT UPDATE (channel, attempt_key, reserved_at, ts, content_hash) ON deliveries TO twokey_bot;

-- The worker writes down what it saw and did. It judges by decisions and witnesses, and can make neither.
GRANT SELECT ON decisions, witnesses TO twokey_worker;
-- All of a question but the URL that lets its holder answer in Slack.
GRANT SELECT (
  id, key, question, environment, actor_id, actor_team, actor_name, actor_kind, channel, asked_at, answered_at, body,
  delivered_at, share_actor_id, share_actor_name, share_channel, share_ts
) ON inquiries TO twokey_worker;
GRANT SELECT, INSERT ON observations TO twokey_worker;
GRANT INSERT ON plans, certifications TO twokey_worker;
GRANT UPDATE (state, digest, starts_at, rung_at, beat_at, version) ON requests TO twokey_worker;
GRANT UPDATE (observed_at, body) ON observations TO twokey_worker;
GRANT UPDATE (answered_at, body) ON inquiries TO twokey_worker;

-- The sweep ends what time has ended, and rings again.
GRANT UPDATE (state, starts_at, rung_at, version) ON requests TO twokey_sweep;
