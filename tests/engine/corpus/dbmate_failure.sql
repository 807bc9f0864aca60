-- a word before
-- migrate:up
SELECT 1;
SELECT nope;
-- migrate:down
SELECT 3;
