"""What somebody else wants to find again in the environment: opaque texts, added and never changed.

The ledger's worker leaves one at the end of each run, so that a ledger that lost its end no longer matches.
"""

from psycopg import sql

from engine import history
from engine.connection import Session
from engine.history import Home

_TABLE = "twokey_tallies"
_CREATE = """
CREATE TABLE IF NOT EXISTS {} (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
  tally TEXT NOT NULL UNIQUE
)
"""


def keep(session: Session, *tallies: str) -> None:
    """The environment holds these texts; kept twice, one stands there once. Raises what `history.prepare` does.

    The table is made when it is first needed, so a role that may not make tables can do without it.
    """
    if not tallies:
        return
    home = history.prepare(session)
    if not _is_there(session, home):
        session.conn.execute(sql.SQL(_CREATE).format(home.table(_TABLE)))
    keeping = sql.SQL("INSERT INTO {} (tally) VALUES (%s) ON CONFLICT DO NOTHING").format(home.table(_TABLE))
    with session.conn.cursor() as cursor:
        cursor.executemany(keeping, [(tally,) for tally in tallies])


def kept(session: Session) -> tuple[str, ...]:
    """Every text that was kept, the oldest first."""
    home = history.prepare(session)
    if not _is_there(session, home):
        return ()
    found = session.conn.execute(sql.SQL("SELECT tally FROM {} ORDER BY id").format(home.table(_TABLE)))
    return tuple(tally for (tally,) in found)


def _is_there(session: Session, home: Home) -> bool:
    row = session.conn.execute("SELECT to_regclass(%s) IS NOT NULL", (f'"{home.schema}".{_TABLE}',)).fetchone()
    return bool(row and row[0])
