-- A card that Slack took before its request was planned stood there without the plan at first, and since when it stands there
-- nobody wrote down: it counts from the announcer's next look, which edits it. A reaction from before has to be given anew.
UPDATE deliveries d SET plan_ts = NULL
  WHERE d.slot = 'card' AND d.plan_ts = d.ts AND EXISTS (
    SELECT FROM events e WHERE e.request_id = d.request_id AND e.kind = 'Planned' AND d.ts::numeric < extract(epoch FROM e.at)
  );

UPDATE requests r SET announced_version = r.version - 1
  WHERE r.announced_version = r.version AND r.state IN ('planned', 'approved') AND EXISTS (
    SELECT FROM deliveries d WHERE d.request_id = r.id AND d.slot = 'card' AND d.ts IS NOT NULL AND d.plan_ts IS NULL
  );
