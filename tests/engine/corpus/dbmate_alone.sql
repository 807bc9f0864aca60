-- migrate:up transaction:false
CREATE TABLE t (a int);
CREATE INDEX CONCURRENTLY ON t (a);
-- migrate:down
DROP TABLE t;