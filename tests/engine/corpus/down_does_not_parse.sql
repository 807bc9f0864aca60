-- migrate:up
SELECT 1;
-- migrate:down
SELEC 2;