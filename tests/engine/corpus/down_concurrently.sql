-- migrate:up
SELECT 1;
-- migrate:down transaction:false
DROP INDEX CONCURRENTLY IF EXISTS i;