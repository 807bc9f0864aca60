-- How a person's word on a request came to be known: by an event, read back from Slack later, or by a button.

ALTER TABLE heard ADD COLUMN source text NOT NULL DEFAULT 'reaction'
  CHECK (source IN ('reaction', 'reconcile', 'button'));
ALTER TABLE decisions ADD COLUMN source text NOT NULL DEFAULT 'reaction'
  CHECK (source IN ('reaction', 'reconcile', 'button'));

-- Of whoever pressed a button nothing stands in Slack: the witness says who they are at that moment.
ALTER TABLE witnesses ADD COLUMN pressed jsonb NOT NULL DEFAULT '[]';

CREATE INDEX heard_by_message ON heard (channel, message_ts);
