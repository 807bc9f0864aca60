-- An observation may be asked for what one history made of the schema, too: its name, as the engine gives it.
ALTER TABLE observations ADD COLUMN schema_of text;
