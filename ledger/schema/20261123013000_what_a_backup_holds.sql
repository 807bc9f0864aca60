-- The manifest of the backup that a run took, as the engine wrote it beside the file. The event BackedUp holds its hash.
CREATE TABLE manifests (
  request_id bigint PRIMARY KEY REFERENCES requests (id),
  manifest jsonb NOT NULL
);

GRANT SELECT ON manifests TO twokey_bot, twokey_worker;
GRANT INSERT ON manifests TO twokey_worker;
