"""Makes the ledger ready: its roles, its schema by our own engine, and its logins. Done again, it finds it done."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from engine import apply, files, history, lock, plan, standing, tools
from engine.backup import Into, NothingToLose
from engine.connection import Database, Session, open_session
from engine.errors import EngineError
from engine.refusals import UpToDate
from ledger import schema
from ledger.errors import LedgerError
from workers import logins
from workers.config import PrepareSettings

Say = Callable[[str], None]

#: How long a second `prepare` waits for the first.
PATIENCE = timedelta(minutes=1)


class NotPrepared(LedgerError):
    """The ledger could not be made ready. `because` is a sentence, or two, that say why and what to do."""

    def __init__(self, because: str) -> None:
        super().__init__(because)
        self.because = because

    def __str__(self) -> str:
        return f"The ledger is not prepared. {self.because}"


def prepare(settings: PrepareSettings, *, say: Say) -> None:
    """The ledger has its roles, its whole schema and the logins of the given addresses; says what it did.

    Raises Misconfigured or NotPrepared.
    """
    ledger = Database("ledger", protected=False, dsn=settings.owner.reveal())
    try:
        with open_session(ledger, purpose="twokey prepare") as session, lock.only_one(session, wait=PATIENCE):
            _roles(session, say)
            _schema(session, settings, say)
            _logins(session, settings, say)
    except EngineError as wrong:
        raise NotPrepared(str(wrong).replace("the environment's address", "LEDGER_OWNER_URL")) from wrong
    say("The ledger is prepared.")


def _roles(session: Session, say: Say) -> None:
    made = logins.make_roles(session)
    say(f"Made the roles {', '.join(made)}." if made else f"The roles {', '.join(logins.ROLES)} are there.")


def _schema(session: Session, settings: PrepareSettings, say: Say) -> None:
    """The files are applied like anybody's migrations. One of them grants on the history, so that comes first."""
    history.prepare(session)
    folder = Path(next(iter(schema.__path__)))
    here = standing.look(session, found := files.read(folder))
    try:
        drawn = plan.draw(here, found, before=None, limits=session.limits)
    except UpToDate:
        say(f"The schema is complete: {len(found)} files.")
        return
    backup = _backup(settings) if here.applied else NothingToLose()
    report = apply.run(session, drawn, backup=backup, actor="prepare", request=None)
    if report.failure:
        raise NotPrepared(f"{report.failure.sentence} {report.failure.next_step}")
    if report.receipt:
        say(f"The ledger as it was stands in {report.receipt.path}.")
    for done in report.done:
        say(f"Applied {done.id}.")


def _backup(settings: PrepareSettings) -> Into:
    """A ledger that holds something changes its shape after a backup alone, as every database does."""
    if settings.backups is None:
        raise NotPrepared(
            "It holds something, and this version changes its schema. Set LEDGER_BACKUPS to a folder in which it is "
            "backed up first."
        )
    return Into(settings.backups, tools.find(settings.pg_bin, settings.path))


def _logins(session: Session, settings: PrepareSettings, say: Say) -> None:
    for role, login in logins.admit(session, settings.logins):
        say(f"{login} can log in as {role}.")
