"""`restore`: a backup is loaded into a new database, compared with its manifest and swapped in; the old is kept."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from engine import VERSION, contents, deeds, history, lock, manifest, plan, shelf, standing
from engine import restore as restores
from engine.connection import Session
from engine.manifest import BackupDoubtful, Manifest
from engine.refusals import PlanAltered, PlanRefused
from engine.restore import Progress, Source
from engine.standing import Standing
from ledger.events import Restored, Restoring
from ledger.request import Fact, PlanSummary, Request
from ledger.states import State
from workers import drawing, neighbours, reporting, scribe
from workers.craft import Drawn, Ending, Found, Frozen, NotUnderstood, Run, StillAtWork, purpose
from workers.hands import Hands
from workers.neighbours import Known

learn = neighbours.after

#: How many migrations that go, and how many tables, are named on a card.
NAMED = 10


@dataclass(eq=False)
class NoSuchBackup(PlanRefused):
    """The folder holds no backup of that name for this environment."""

    environment: str
    backup: str
    newest: str | None

    def __str__(self) -> str:
        newest = f"The newest is {self.newest}." if self.newest else "There is none."
        known = f"`/migrate backups {self.environment}` lists them."
        return f"There is no backup {self.backup} of {self.environment}. {newest} {known}"


def draw(hands: Hands, request: Request, session: Session, known: Known) -> Drawn:
    """What comes back and what is lost by it, once every byte of the backup was read and is as its manifest says.

    Drawn again, the manifest is enough: the run itself reads every byte once more before anything is loaded.
    """
    here = standing.look(session, ())
    path = _path(hands, request)
    again = request.plan is not None
    found = manifest.read(path) if again else manifest.verify(path, beat=scribe.beating(hands.book, request.id))
    taken = _as_taken(hands, request, found)
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
    rows = Fact("Rows then and now", _rows(found, contents.at_a_glance(session)))
    facts = (*_facts(request.about[0], found, here), *_further_on(found, here, known), rows, Fact("Taken", taken))
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


def _as_taken(hands: Hands, request: Request, found: Manifest) -> str:
    """Who took it. What a run took is what that run's story says, whatever stands beside it in the folder now."""
    known = hands.book.backup(request.environment, request.about[0])
    if known is None:
        return "not by a run that this ledger knows: what it holds is its manifest's word alone"
    by, sha256 = known
    if sha256 != found.sha256:
        why = f"its SHA-256 is {found.sha256[:12]}…, and #{by}, which took it, says {sha256[:12]}…"
        raise BackupDoubtful(request.about[0], why)
    return f"by #{by}, and unchanged since"


def _facts(backup: str, found: Manifest, here: Standing) -> tuple[Fact, ...]:
    moment = f"{datetime.fromisoformat(found.at):%Y-%m-%d %H:%M:%S} UTC"
    return (
        Fact("Brings back", f"{backup}, of {moment}: {found.contents.in_short}"),
        Fact("Lost to it", f"everything written after {moment}, which then stands in the old database alone"),
        Fact("Migrations that go", _gone(found, here)),
        Fact(
            "Old database", f"kept beside it under a dated name, until `/migrate discard {here.environment}` drops it"
        ),
        Fact("Sessions", "everybody who is connected is sent away once, when the two exchange their names"),
    )


def _gone(found: Manifest, here: Standing) -> str:
    """What is applied now and was not then."""
    gone = here.after(found.contents.head)
    if gone is None:
        then = found.contents.head
        return f"the history ended at {then} then, which is not applied now; it is {here.head or 'empty'} now"
    more = f" and {len(gone) - NAMED} more" if len(gone) > NAMED else ""
    return ", ".join(gone[-NAMED:]) + more if gone else "none"


def _further_on(found: Manifest, here: Standing, known: Known) -> Iterator[Fact]:
    """Which environments after this one keep what goes here.

    Said, and not refused as of a rollback: whoever restores has lost data, which no other environment may hinder; and
    what is missing afterwards is applied again from the same files, which a rollback means to be rid of.
    """
    gone = here.after(found.contents.head) or ()
    for one in known.after:
        still = [id_ for id_ in gone if one.standing and one.standing.has(id_)]
        if one.standing is None:
            yield Fact(f"{one.name} after it", "was not seen, so it may have migrations that go here")
        elif still:
            yield Fact(f"{one.name} after it", f"keeps {', '.join(still)}; apply {here.environment} again afterwards")


def _rows(found: Manifest, now: Mapping[str, tuple[int, bool]]) -> str:
    """The tables whose rows differ most, then and now; our own bookkeeping left out."""
    then = {name: count for name, count in found.contents.rows.items() if not _is_ours(name)}
    both = {name: (then.get(name, 0), *now.get(name, (0, True))) for name in then.keys() | now.keys()}
    differ = sorted(
        (name for name, (was, are, _) in both.items() if was != are and not _is_ours(name)),
        key=lambda name: (-abs(both[name][0] - both[name][1]), name),
    )
    said = [
        f"{name} {both[name][0]:,} → {'' if both[name][2] else 'about '}{both[name][1]:,}" for name in differ[:NAMED]
    ]
    more = [f"{len(differ) - NAMED} more"] if len(differ) > NAMED else []
    return ", ".join([*said, *more]) if said else "the same in every table"


def _is_ours(table: str) -> bool:
    return table.rpartition(".")[2] in history.ALL_TABLES


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
