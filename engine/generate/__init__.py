"""Declared models → a migration up and down, proven on a scratch database before anybody sees it.

The models are made there beside the migrations, in a transaction that is rolled back, and the two schemas are compared
as PostgreSQL itself describes them: what is generated does not rest on what a library knows of a model.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from engine import files as folder
from engine import fingerprint, gate, hazards, history, scratch, sections, standing, statements, twin
from engine.connection import Session, open_session, server_name
from engine.errors import Hint
from engine.files import Migration
from engine.generate import bench, command, declared, naming, steps
from engine.generate.bench import Bench
from engine.generate.command import Command
from engine.generate.declared import Declared, Models
from engine.generate.errors import CannotGenerate, NotLevel
from engine.generate.shape import Shape
from engine.generate.steps import Unsayable
from engine.hazards import Hazard
from engine.scratch import Server


@dataclass(frozen=True, slots=True)
class Reading:
    """The models are imported, or the command runs."""

    what: str


@dataclass(frozen=True, slots=True)
class Replaying:
    """The folder's migrations run on a scratch database."""

    migrations: int


@dataclass(frozen=True, slots=True)
class Proving:
    """What was generated runs there, up and down."""

    migration: str


Progress = Reading | Replaying | Proving


@dataclass(frozen=True, slots=True)
class Draft:
    """A migration that was proven and stands in no folder yet.

    `down`: it has a way back, proven too. `reordered`: tables whose columns stand in another order after that.
    """

    migration: Migration
    down: bool
    reordered: tuple[str, ...]
    hazards: tuple[Hazard, ...]
    seconds: float


def draft(
    session: Session,
    files: Sequence[Migration],
    source: Models | Command,
    *,
    server: Server,
    name: str,
    now: datetime,
    tell: Callable[[Progress], None] = lambda _: None,
) -> Draft | None:
    """The migration from what the folder makes to what is declared, named for `now`; None when there is no difference.

    The session is on the first environment, which must be as the folder makes it. Raises NoName, a child of
    NotGenerated, a child of BadFile for a command's text, and what `scratch.database` and a plan raise.
    """
    started, stem = time.monotonic(), naming.stem(name, files, now)
    _has_all(session, files)
    tell(Reading(source.name))
    said = declared.read(source) if isinstance(source, Models) else command.run(source)
    with (
        scratch.database(server, "generate", letters=twin.letters(session)) as made,
        open_session(made, purpose="twokey generate", limits=session.limits) as empty,
    ):
        tell(Replaying(len(files)))
        found = scratch.replay(empty, files)
        _is_level(session, empty, found)
        schemas = said.schemas if isinstance(said, Declared) else ()
        place = Bench.after(empty, files, schemas=schemas, fingerprint=found)
        there = bench.wanted(place, said, models=source.name) if isinstance(said, Declared) else None
        text = said if isinstance(said, str) else _text(place.made, there or place.made)
        if sections.says_nothing(text):
            return None
        migration = folder.parse(f"{stem}.sql", text.encode())
        tell(Proving(migration.file))
        reordered = bench.prove(place, migration, there=there)
    back = sections.cut(text).down is not None
    return Draft(migration, back, reordered, _hazards(migration), time.monotonic() - started)


def write(into: Path, drawn: Draft) -> Path:
    """The draft is a file of the folder. Raises NotWritten, also when there is one of its name."""
    return naming.write(into, drawn.migration.file, drawn.migration.text)


def _has_all(session: Session, files: Sequence[Migration]) -> None:
    here = standing.look(session, files)
    if here.problems:
        why = gate.disagreement(here)
        raise NotLevel(here.environment, str(why), why.hint)
    if here.pending:
        waiting = ", ".join(f"{one}.sql" for one in here.pending)
        now = Hint("Run it first", f"apply {here.environment}")
        raise NotLevel(here.environment, f"It has not run {waiting} yet.", now)


def _is_level(session: Session, empty: Session, found: str) -> None:
    """The environment's schema is the one that its migrations make. Raises NotLevel."""
    environment, here = session.database.environment, history.prepare(session)
    if session.server // 10000 != empty.server // 10000 or here != history.prepare(empty):
        why = (
            f"Whether it is cannot be told: it is PostgreSQL {server_name(session.server)} with its history in "
            f"{here.schema}, the scratch server PostgreSQL {server_name(empty.server)} with it in "
            f"{history.prepare(empty).schema}."
        )
        raise NotLevel(environment, why)
    if fingerprint.read(session, here) != found:
        why = "It has drifted: its schema is another than its migrations make."
        raise NotLevel(environment, why, Hint("See what differs", "validate"))


def _text(made: Shape, there: Shape) -> str:
    """Both ways as a file has them; nothing where there is no difference. Raises CannotGenerate."""
    try:
        up, down = steps.between(made, there), steps.between(there, made)
    except Unsayable as cause:
        raise CannotGenerate(cause.what) from cause
    if not up:
        return ""
    return "\n".join(("-- migrate:up", *_statements(up), "", "-- migrate:down", *_statements(down), ""))


def _statements(each: Sequence[str]) -> list[str]:
    return [f"{statement};" for statement in each]


def _hazards(migration: Migration) -> tuple[Hazard, ...]:
    return tuple(hazards.find(((one.node, one.line) for one in statements.parse(migration)), None))
