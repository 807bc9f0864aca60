SELECT E'it\'s; fine';
SELECT 'it''s; fine';