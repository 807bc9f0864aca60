"""Somebody else's pg_dump: a run would wait behind its locks, and it would save what never stood together."""

from collections.abc import Callable
from dataclasses import dataclass

from engine.connection import Session
from engine.errors import EngineError

#: What pg_dump calls its sessions, those of its parallel workers too. Ours go by another name.
_NAME = "pg_dump"

#: Of other roles' sessions the server may not tell when they began. Workers begin after the one that leads them.
_DUMPS = """
SELECT pid, coalesce(usename::text, '?'), extract(epoch FROM clock_timestamp() - backend_start)::float8
FROM pg_catalog.pg_stat_activity WHERE datname = current_database() AND application_name = %s
ORDER BY backend_start NULLS LAST, pid
"""


@dataclass(eq=False)
class BeingDumped(EngineError):
    """Somebody else's dump of this database runs. `seconds` is its age, where we may know; `more` are its workers."""

    environment: str
    pid: int
    role: str
    seconds: float | None
    more: int

    def __str__(self) -> str:
        age = f", for {self.seconds:.0f} s now" if self.seconds is not None else ""
        more = f" and {self.more} more of its kind" if self.more else ""
        return (
            f"{self.environment} is being dumped: pg_dump of role {self.role} runs there (pid {self.pid}{age}){more}. "
            "A change now would wait for it, or fall into the middle of what it saves, so nothing was changed. "
            f"Ask again when it has ended; to end it: SELECT pg_terminate_backend({self.pid})."
        )


def none(session: Session) -> None:
    """Nobody else dumps the session's database at this moment. Raises BeingDumped."""
    asked(session)()


def asked(session: Session) -> Callable[[], None]:
    """What `none` asks, sent; the answer is judged, as `none` judges it, when it is called for."""
    answer = session.conn.execute(_DUMPS, (_NAME,))

    def judged() -> None:
        if rows := answer.fetchall():
            raise BeingDumped(session.database.environment, *rows[0], more=len(rows) - 1)

    return judged
