-- ü
/* ö */
SELECT nope;