"""How a database that tests share is emptied: a tenth of the time that making one takes."""

#: In an environment's own database: whoever else is connected is sent away.
EMPTY_ENVIRONMENT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid();
DROP SCHEMA public CASCADE;
CREATE SCHEMA public
"""
