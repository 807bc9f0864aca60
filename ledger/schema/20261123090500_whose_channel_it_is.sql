-- Whether Slack said, when the bot looked, that the channels of a request are the workspace's own. What is not said is no.

ALTER TABLE witnesses ADD COLUMN ours boolean NOT NULL DEFAULT false;
