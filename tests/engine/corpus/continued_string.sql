SELECT 'a'
'b;';