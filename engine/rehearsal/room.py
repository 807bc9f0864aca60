"""Whether the scratch server has room for a copy, where that can be known."""

import shutil
from pathlib import Path

import psycopg

from engine.connection import Session
from engine.plan import Plan
from engine.rehearsal.errors import NotRehearsed

#: A copy has no dead rows, but the plan may write its largest table anew, and the WAL of all that lies beside it.
_GROWTH = 1.5
_LOOPBACK = ("127.0.0.1", "::1")


def check(session: Session, plan: Plan, *, room: int | None) -> None:
    """The server that the session is on would hold a copy and its run. Raises NotRehearsed, with the figures.

    `room` is what the operator allows a copy. No SQL tells how much is free on a server's disk: it is looked at where
    that is a disk of this machine. Where nothing is known, nothing is refused.
    """
    needed, free = int(plan.bytes * _GROWTH), _free(session)
    known = [one for one in (room, free) if one is not None]
    if known and min(known) < needed:
        has = "are free on its server's disk" if min(known) == free else "are allowed there"
        why = f"a copy of it needs about {needed / 1e6:,.1f} MB, and {min(known) / 1e6:,.1f} MB {has}"
        step = 'Make room, or say rehearse = "schema" for it, then ask again.'
        raise NotRehearsed(plan.environment, why, step)


def _free(session: Session) -> int | None:
    """Bytes free where the server keeps its files; None when it is another machine's disk, or hidden from this role."""
    if not (session.conn.info.host.startswith("/") or session.conn.info.hostaddr in _LOOPBACK):
        return None
    try:
        row = session.conn.execute("SELECT current_setting('data_directory')").fetchone()
        return shutil.disk_usage(Path(row[0])).free if row else None
    except (psycopg.errors.InsufficientPrivilege, OSError):
        return None
