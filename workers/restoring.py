"""`restore`: a backup is loaded into a new database, compared with its manifest and swapped in; the old is kept."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from engine import VERSION, deeds, history, lock, manifest, plan, shelf, standing
from engine import restore as restores
from engine.connection import Session
from engine.manifest import Manifest
from engine.refusals import PlanAltered, PlanRefused
from engine.restore import Progress, Source
from engine.standing import Standing
from ledger.events import Restored, Restoring
from ledger.request import Fact, PlanSummary, Request
from ledger.states import State
from workers import drawing, neighbours, reporting, saving
from workers.craft import Drawn, Ending, Found, Frozen, NotUnderstood, Run, StillAtWork, purpose
from workers.hands import Hands
from workers.neighbours import Known

learn = neighbours.nobody

#: How many migrations that go are named on a card.
NAMED = 10


@dataclass(eq=False)
class NoSuchBackup(PlanRefused):
    """The folder holds no backup of that name for this environment."""

    environment: str
    backup: str
    newest: str | None

    def __str__(self) -> str:
        newest = f"The newest is {self.newest}." if self.newest else "There is none."
        return f"There is no backup {self.backup} of {self.environment}. {newest} `/migrate backups` lists them."


def draw(hands: Hands, request: Request, session: Session, known: Known) -> Drawn:
    """What comes back and what is lost by it, once every byte of the backup was read and is as its manifest says."""
    del known
    here = standing.look(session, ())
    found = manifest.verify(_path(hands, request))
    bound = {
        "act": "restore",
        "environment": here.environment,
        "protected": here.protected,
        "database": here.database,
        "system_identifier": here.system_identifier,
        "head": here.head,
        "fingerprint": here.fingerprint,
        "backup": request.about[0],
        "sha256": found.sha256,
        "tool_version": VERSION,
    }
    facts = _facts(request.about[0], found, here)
    return Drawn(drawing.alone(hands, here, digest=plan.sealed(bound), facts=facts), bound)


def digest(request: Request, frozen: Frozen) -> str:
    """Of all that is frozen."""
    del request
    return plan.sealed(frozen)


def difference(was: PlanSummary, now: PlanSummary) -> str:
    """Which history or database is another."""
    return drawing.difference(was, now)


def carry_out(run: Run) -> Ending:
    """The very backup that was shown; the run's session ends with the swap."""
    frozen, path = run.frozen, _path(run.hands, run.request)
    if manifest.read(path).sha256 != frozen["sha256"]:
        raise PlanAltered(run.request.environment, plan.sealed(frozen))
    restored = restores.run(
        run.session,
        Source(path, run.hands.tools, run.hands.environment.backup.parallel),
        now=run.hands.book.now(),
        actor=run.actor,
        request=run.label,
        tell=lambda said: run.tell(Restoring(_phrase(said))),
    )
    return run.ends(State.APPLIED, Restored(path.name, restored.kept or "", restored.seconds))


def find_out(hands: Hands, request: Request, session: Session) -> Found:
    """The database that was swapped in knows the deed; the old one does not. Raises StillAtWork while it may yet be."""
    del hands
    _must_be_over(request, session)
    done = deeds.every(session, history.prepare(session))
    ours = next((one for one in done if one.act == "restore" and one.request == f"#{request.id}"), None)
    if ours:
        return Found(request.about, (), f"It was swapped in; the old database is kept as {ours.what[-1]}.")
    now = "The old database is in place and works; the next restore clears what this one left."
    return Found((), request.about, f"{now} Ask again: {reporting.again(request)}.")


def _path(hands: Hands, request: Request) -> Path:
    """A backup of this environment by its name in the folder, never by a path."""
    if len(request.about) != 1:
        raise NotUnderstood(request.words)
    known = shelf.listed(hands.workflow.backups, request.environment)
    found = next((one.path for one in known if one.path.name == request.about[0]), None)
    if found is None:
        newest = next((one.path.name for one in known if one.manifest), None)
        raise NoSuchBackup(request.environment, request.about[0], newest)
    return found


def _facts(backup: str, found: Manifest, here: Standing) -> tuple[Fact, ...]:
    moment = f"{datetime.fromisoformat(found.at):%Y-%m-%d %H:%M:%S} UTC"
    return (
        Fact("Brings back", f"{backup}, of {moment}: {saving.held(found)}"),
        Fact("Lost to it", f"everything written after {moment}, which then stands in the old database alone"),
        Fact("Migrations that go", _gone(found, here)),
        Fact(
            "Old database", f"kept beside it under a dated name, until `/migrate discard {here.environment}` drops it"
        ),
        Fact("Sessions", "everybody who is connected is sent away once, when the two exchange their names"),
    )


def _gone(found: Manifest, here: Standing) -> str:
    """What is applied now and was not then. The manifest names the last of its history alone."""
    ids, head = [one.id for one in here.applied], found.contents.head
    if head is not None and head not in ids:
        return f"the history ended at {head} then, which is not applied now; it is {here.head or 'empty'} now"
    gone = ids[ids.index(head) + 1 :] if head is not None else ids
    more = f" and {len(gone) - NAMED} more" if len(gone) > NAMED else ""
    return ", ".join(gone[-NAMED:]) + more if gone else "none"


def _phrase(said: Progress) -> str:
    match said:
        case restores.LeftoverCleared(database):
            return f"Dropped {database}, which an interrupted restore had left"
        case restores.Loading(database, size):
            return f"Loading {size:,} bytes into {database}"
        case restores.Comparing(tables):
            return f"Comparing schema, history, and the rows of {tables} tables"
        case restores.Swapping(kept):
            return f"Swapping: sessions are ended, and the old database becomes {kept}"


def _must_be_over(request: Request, session: Session) -> None:
    """A restore holds its lock in the maintenance database too, where it outlives the session that the swap ends."""
    row = session.conn.execute(
        "SELECT a.application_name || ' (pid ' || l.pid || ')' FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
        " WHERE l.locktype = 'advisory' AND l.classid = %s AND l.objsubid = 2 AND l.granted"
        " AND l.objid = (hashtext(current_database())::bigint & 4294967295)::oid AND a.application_name = %s",
        (lock.CLASS, purpose(request)),
    ).fetchone()
    if row:
        raise StillAtWork(row[0])
