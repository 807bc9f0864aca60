"""Builders for the engine's tests: migrations out of text, and a run under its lock."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from engine import apply, catalog, files, lock, plan, standing, tools
from engine.backup import Into, NothingToLose
from engine.connection import Session
from engine.files import Migration
from engine.gate import Gate
from engine.plan import Advice, Plan
from engine.report import Report, Step
from engine.squawk import Squawk
from engine.standing import Entry, Standing

#: The embedded server's own programs, and nothing of the machine's.
TOOLS = tools.find(None, "")

USERS = "20250818130001_create_users"
COLUMNS = "20250818140001_add_user_columns"
AUDIT = "20250818150001_create_audit_table"


def real_files() -> tuple[Migration, ...]:
    """The three migrations of this repository."""
    return files.read(Path(__file__).parents[2] / "migrations")


def migration(stem: str, text: str) -> Migration:
    """One file that was never on a disk."""
    return files.parse(f"{stem}.sql", text.encode())


def draw(session: Session, found: Sequence[Migration], before: Gate | None = None) -> Plan:
    """The plan for what the session's environment is now."""
    here = standing.look(session, found)
    advice = Advice(catalog.read(session), Squawk(TOOLS.squawk))
    return plan.draw(here, found, before=before, limits=session.limits, advice=advice)


def bring(
    session: Session,
    found: Sequence[Migration],
    *,
    folder: Path | None = None,
    before: Gate | None = None,
    tell: Callable[[Step], None] = lambda _: None,
) -> Report:
    """Plan and run under the lock; without a folder the database must be empty."""
    with lock.only_one(session):
        return apply.run(
            session,
            draw(session, found, before),
            backup=Into(folder, TOOLS) if folder else NothingToLose(),
            actor="ada",
            request="7",
            tell=tell,
        )


def stands(environment: str, found: Sequence[Migration], *, applied: int, protected: bool = False) -> Standing:
    """A standing with the first `applied` files in, as `standing.look` would give it."""
    cells = tuple(
        standing.Cell(file.id, standing.State.APPLIED if place < applied else standing.State.PENDING)
        for place, file in enumerate(found)
    )
    return Standing(
        environment=environment,
        protected=protected,
        database="shop",
        server="18.4",
        system_identifier="7",
        bytes=8_000_000,
        schema="public",
        fingerprint="f" * 64,
        head=found[applied - 1].id if applied else None,
        applied=tuple(Entry(file.id, file.checksum, "2025-08-18T16:00:00+00:00", "ada") for file in found[:applied]),
        cells=cells,
        problems=(),
    )


def without(standing_: Standing, *ids: str) -> Standing:
    """The same, with these not applied; what a gap in a history looks like from outside."""
    return replace(standing_, applied=tuple(entry for entry in standing_.applied if entry.id not in ids))
