"""What a database holds, as SQL that makes it again in an empty one in a tenth of the time."""

import re
import subprocess

import psycopg

from tests.support.engine import TOOLS


def text_of(dsn: str) -> bytes:
    """Statements that need no psql: rows as INSERT, and none of its own commands."""
    with psycopg.connect(dsn) as conn:
        pg_dump = TOOLS.pg_dump(conn.info.server_version).path
    text = subprocess.run([pg_dump, "--inserts", "--dbname", dsn], check=True, capture_output=True).stdout
    return re.sub(rb"(?m)^\\.*$|^CREATE SCHEMA public;$", b"", text)
