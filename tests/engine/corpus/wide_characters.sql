SELECT '🐘', 'ünïcödé';
SELECT nope;