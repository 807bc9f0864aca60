LISTEN a;
NOTIFY a, 'b;c';