"""Whether `python -m workers prepare` has been here: bot, workers and sweep wait for it and say so."""

import time
from collections.abc import Callable
from datetime import timedelta
from importlib import resources

from sqlalchemy import select
from sqlalchemy.exc import ProgrammingError

from ledger.errors import LedgerUnreachable
from ledger.pen import Pen, sqlstate
from ledger.tables import schema_migrations

_WAITING = "Waiting for the ledger to be prepared. Run: python -m workers prepare"
_READY = "The ledger is prepared."
_NO_TABLE_YET = "42P01"
_NO_GRANT_YET = "42501"


def schema_ids() -> frozenset[str]:
    """The migrations of ledger/schema, as the engine names them in its history: the files' stems."""
    files = resources.files("ledger.schema").iterdir()
    return frozenset(file.name.removesuffix(".sql") for file in files if file.name.endswith(".sql"))


class Prepared(Pen):
    """The ledger's own state of migration."""

    def is_prepared(self) -> bool:
        """Every file of ledger/schema is in the ledger's own history. A newer ledger is prepared too."""
        try:
            with self._transaction() as tx:
                applied = frozenset(tx.scalars(select(schema_migrations.c.migration_id)))
        except ProgrammingError as error:
            if sqlstate(error) not in {_NO_TABLE_YET, _NO_GRANT_YET}:
                raise
            return False
        return schema_ids() <= applied

    def wait_until_prepared(self, say: Callable[[str], None], *, every: timedelta = timedelta(seconds=1)) -> None:
        """Return when the ledger can be used. Says what is waited for when that changes, and when the wait is over."""
        said = ""
        while reason := self._reason_to_wait():
            if reason != said:
                say(reason)
                said = reason
            time.sleep(every.total_seconds())
        if said:
            say(_READY)

    def _reason_to_wait(self) -> str:
        try:
            return "" if self.is_prepared() else _WAITING
        except LedgerUnreachable as unreachable:
            return str(unreachable)
