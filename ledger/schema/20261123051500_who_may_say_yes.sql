-- What else is the person who did something: their other accounts, and hashes of their e-mail addresses. And the user
-- groups among those who may, as Slack resolved them when the request was asked for, and when it was about to start.

ALTER TABLE requests
  ADD COLUMN actor_marks text[] NOT NULL DEFAULT '{}',
  ADD COLUMN groups jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(groups) = 'array'),
  ADD CONSTRAINT requests_person UNIQUE (id, actor_id, actor_marks);

ALTER TABLE witnesses ADD COLUMN groups jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(groups) = 'array');

-- requester_marks are the request's own, so a second account is no second person, whatever the code says.
ALTER TABLE decisions
  ADD COLUMN actor_marks text[] NOT NULL DEFAULT '{}',
  ADD COLUMN requester_marks text[] NOT NULL DEFAULT '{}',
  ADD CONSTRAINT decisions_name_the_requester
    FOREIGN KEY (request_id, requester_id, requester_marks) REFERENCES requests (id, actor_id, actor_marks),
  DROP CONSTRAINT decisions_need_a_second_person,
  ADD CONSTRAINT decisions_need_a_second_person
    CHECK (NOT (actor_marks || actor_id) && (requester_marks || requester_id));

-- Of one person one word of a kind stands at a time; whoever says it again takes the earlier one back.
UPDATE decisions SET withdrawn_ts = event_ts WHERE withdrawn_ts IS NULL AND EXISTS (
  SELECT FROM decisions later
    WHERE later.withdrawn_ts IS NULL AND later.id <> decisions.id
      AND (later.request_id, later.actor_id, later.verdict)
        = (decisions.request_id, decisions.actor_id, decisions.verdict)
      AND later.event_ts::numeric > decisions.event_ts::numeric
);
CREATE UNIQUE INDEX decisions_one_word_stands ON decisions (request_id, actor_id, verdict) WHERE withdrawn_ts IS NULL;
