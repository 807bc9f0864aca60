-- migrate:up speed:high
SELECT 1;