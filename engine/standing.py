"""What one environment is now: the folder beside its history, as a value that travels as JSON."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import psycopg
from psycopg import sql

from engine import deeds, drift, fingerprint, history, identity, snapshot
from engine.connection import Session, server_name
from engine.deeds import Deed
from engine.drift import Drift
from engine.files import Migration, stamp_of
from engine.history import Row


class State(StrEnum):
    """What one migration is in one environment."""

    APPLIED = "applied"
    PENDING = "pending"
    EDITED = "edited"  # applied, and the file changed afterwards
    MISSING = "missing"  # applied, and there is no such file
    LATE = "late"  # not applied, though a newer one is


@dataclass(frozen=True, slots=True)
class Cell:
    """One migration of the folder or of the history."""

    id: str
    state: State


@dataclass(frozen=True, slots=True)
class Entry:
    """One applied migration. `id` and `checksum` are the file's when the row stands for an unchanged file.

    So two environments compare equal whatever tool wrote their rows. `at` is ISO 8601 in UTC.
    """

    id: str
    checksum: str
    at: str | None
    by: str | None


@dataclass(frozen=True, slots=True)
class Problem:
    """Why nothing can be applied until a person has acted: `sentence` names the file and the way out."""

    id: str
    state: State
    sentence: str


@dataclass(frozen=True, slots=True)
class Standing:
    """One environment at one moment. `head` is the last row's migration_id; any of the `problems` stops a run.

    `applied` is in the order of application, `cells` in the order of migration ids. `bytes` is the database's size.
    `renamed` are those applied under another name with the same timestamp, as (name then, id now). `drift` is None
    where nothing was applied. `compared` is the fingerprint without what any environment declares to differ. `deed` is
    what was done there last. `marked`: this very look wrote into the database which environment it is.
    """

    environment: str
    protected: bool
    database: str
    server: str
    system_identifier: str | None
    bytes: int
    schema: str
    fingerprint: str
    head: str | None
    applied: tuple[Entry, ...]
    cells: tuple[Cell, ...]
    problems: tuple[Problem, ...]
    renamed: tuple[tuple[str, str], ...] = ()
    drift: Drift | None = None
    compared: str = ""
    deed: Deed | None = None
    marked: bool = False

    @property
    def pending(self) -> tuple[str, ...]:
        """Ids of the files that are not applied, oldest first; late ones among them."""
        return tuple(cell.id for cell in self.cells if cell.state in (State.PENDING, State.LATE))

    @property
    def covers(self) -> tuple[tuple[str, str], ...]:
        """(id, checksum) of all that is applied: what a certification given now would stand for."""
        return tuple((entry.id, entry.checksum) for entry in self.applied)

    @property
    def edited(self) -> tuple[str, ...]:
        """Ids of the files that changed after they were applied."""
        return tuple(problem.id for problem in self.problems if problem.state is State.EDITED)

    def has(self, migration: str) -> bool:
        """Whether it is applied, under any name: a row of another tool, or of before a renaming, has its timestamp."""
        names = {migration, stamp_of(migration) or migration}
        return any(entry.id in names or stamp_of(entry.id) in names for entry in self.applied)

    def after(self, head: str | None) -> tuple[str, ...] | None:
        """What was applied after this migration (None: all of it), oldest first; None where that one is not applied."""
        ids = [entry.id for entry in self.applied]
        if head is None:
            return tuple(ids)
        return tuple(ids[ids.index(head) + 1 :]) if head in ids else None

    def as_json(self) -> dict[str, Any]:
        """The same in JSON's own kinds of value."""
        deed = self.deed and {**asdict(self.deed), "at": self.deed.at.isoformat()}
        return {**asdict(self), "drift": self.drift and self.drift.as_json(), "deed": deed}

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "Standing":
        """The Standing that `as_json` described."""
        parts = dict(said)
        parts["applied"] = tuple(Entry(**entry) for entry in said["applied"])
        parts["cells"] = tuple(Cell(cell["id"], State(cell["state"])) for cell in said["cells"])
        parts["problems"] = tuple(Problem(p["id"], State(p["state"]), p["sentence"]) for p in said["problems"])
        parts["renamed"] = tuple((then, now) for then, now in said.get("renamed", ()))
        parts["drift"] = Drift.from_json(said["drift"]) if said.get("drift") else None
        parts["deed"] = _deed(said["deed"]) if said.get("deed") else None
        return cls(**parts)


def look(session: Session, files: Sequence[Migration] | None) -> Standing:
    """What the session's environment is now. On first contact the engine's tables are made and the identity is stored.

    `files` None: the folder cannot be read, and what comes is the history alone, for eyes and never for a gate.

    Raises what `history.prepare` and `identity.meet` raise: NoSchema, MissingPrivilege, ForeignHistory,
    WrongEnvironment, WouldUnprotect.
    """
    home = history.prepare(session)
    with session.conn.pipeline():  # one way there and back
        met, read = identity.asked(session, home), history.asked(session, home)
        kept, deed = snapshot.exists(session, home), deeds.newest(session, home)
    marked, rows = met(), read()
    live = fingerprint.inventory(session, home)
    found, compared = fingerprint.digest(live), drift.without(live, session.database.uncompared)
    name, system_identifier, size = _server_facts(session)
    return Standing(
        environment=session.database.environment,
        protected=session.database.protected,
        database=name,
        server=server_name(session.server),
        system_identifier=system_identifier,
        bytes=size,
        schema=home.schema,
        fingerprint=found,
        drift=snapshot.drifted(session, home, rows, live, found=found, kept=kept()),
        compared=found if compared is live else fingerprint.digest(compared),
        deed=deed(),
        marked=marked,
        **(_alone(rows) if files is None else _compare(session.database.environment, files, rows)),
    )


def _alone(rows: Sequence[Row]) -> dict[str, Any]:
    """The same part where no file can be read: nothing is known to be pending, edited or missing."""
    applied = tuple(_entry(row, None) for row in rows)
    return {
        "head": rows[-1].id if rows else None,
        "applied": applied,
        "cells": tuple(Cell(id_, State.APPLIED) for id_ in sorted(entry.id for entry in applied)),
        "problems": (),
    }


def _compare(environment: str, files: Sequence[Migration], rows: Sequence[Row]) -> dict[str, Any]:
    """The part of a Standing that follows from the folder and the rows alone."""
    stands_for = history.matching(files, rows)
    seen = [(row, stands_for.get(row.id)) for row in rows]
    ran = {file.id for _, file in seen if file}
    newest = max((row.stamp or "" for row in rows), default="")
    waiting = [file for file in files if file.id not in ran]
    cells = {_entry(row, file).id: _state(row, file) for row, file in seen}
    cells |= {file.id: State.LATE if file.stamp < newest else State.PENDING for file in waiting}
    applied = tuple(_entry(row, file) for row, file in seen)
    gone = [row for row, file in seen if file is None]
    strays = [file for file in waiting if not any(row.matches(file) for row in gone)]  # the others are told as moved
    return {
        "head": rows[-1].id if rows else None,
        "applied": applied,
        "cells": tuple(Cell(id_, cells[id_]) for id_ in sorted(cells)),
        "problems": (
            *_broken(environment, seen, waiting=waiting),
            *_late(environment, strays, rows=rows, last=files[-1].stamp if files else ""),
        ),
        "renamed": tuple((row.id, file.id) for row, file in seen if file and _is_renamed(row, file)),
    }


def _deed(said: Mapping[str, Any]) -> Deed:
    return Deed(**{**said, "at": datetime.fromisoformat(said["at"]), "what": tuple(said["what"])})


def _is_renamed(row: Row, file: Migration) -> bool:
    """Whether the same text ran under another name. A bare timestamp is how other tools write a row."""
    return row.matches(file) and row.id.removesuffix(".sql") not in (file.id, file.stamp)


def _moved_to(row: Row, waiting: Sequence[Migration]) -> Migration | None:
    """The file that has a missing one's text under another timestamp."""
    return next((file for file in waiting if row.matches(file)), None)


def _entry(row: Row, file: Migration | None) -> Entry:
    checksum = file.checksum if file and row.matches(file) else row.checksum
    at = row.applied_at.isoformat(timespec="seconds") if row.applied_at else None
    return Entry(file.id if file else row.id, checksum, at, row.by)


def _state(row: Row, file: Migration | None) -> State:
    if file is None:
        return State.MISSING
    return State.APPLIED if row.matches(file) else State.EDITED


def _broken(
    environment: str, seen: Sequence[tuple[Row, Migration | None]], *, waiting: Sequence[Migration]
) -> Iterator[Problem]:
    for row, file in seen:
        if file is None:
            yield Problem(row.id, State.MISSING, _missing(environment, row, waiting=waiting))
        elif not row.matches(file):
            sentence = (
                f"{file.file} changed after {environment} applied it: it ran as {row.checksum[:8]} "
                f"and is now {file.checksum[:8]}. Restore the file as it ran, or put the change in a new migration."
            )
            yield Problem(file.id, State.EDITED, sentence)


def _missing(environment: str, row: Row, *, waiting: Sequence[Migration]) -> str:
    gone = f"{environment} applied {row.id}, but the folder has no such file"
    if moved := _moved_to(row, waiting):
        return f"{gone}; {moved.file} has the same text. Rename it back to {row.id}.sql."
    return f"{gone}. Restore {row.id}.sql from version control."


def _late(environment: str, waiting: Sequence[Migration], *, rows: Sequence[Row], last: str) -> Iterator[Problem]:
    """`last` is the folder's newest timestamp: after it and all that is applied, one renaming is enough everywhere."""
    newest = max((row.stamp or "" for row in rows), default="")
    ahead = next((row.id for row in rows if row.stamp == newest), "")
    for file in waiting:
        if file.stamp < newest:
            sentence = (
                f"{file.file} is older than {ahead}, which {environment} already has. "
                f"Rename it with a timestamp after {max(newest, last)}."
            )
            yield Problem(file.id, State.LATE, sentence)


def _server_facts(session: Session) -> tuple[str, str | None, int]:
    """The database's name, the cluster's identifier where the role may read it, and the size in bytes."""
    facts = "SELECT current_database()::text, {}, pg_database_size(current_database()) {}"
    known = sql.SQL(facts).format(sql.SQL("system_identifier::text"), sql.SQL("FROM pg_catalog.pg_control_system()"))
    try:
        row = session.conn.execute(known).fetchone()
    except psycopg.errors.InsufficientPrivilege:
        row = session.conn.execute(sql.SQL(facts).format(sql.NULL, sql.SQL(""))).fetchone()
    return row or ("", None, 0)
