"""Up, down, up: each migration on a scratch database, with rows in every table, and what its way back costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import psycopg

from engine import bounds, connection, drift, fingerprint, masking, scratch, sections, statements, synthetic
from engine.connection import Limits, Session, open_session
from engine.drift import Difference
from engine.files import Migration
from engine.history import Home
from engine.scratch import NotReplayed, Server
from engine.sections import Section
from engine.synthetic import Filler

Verdict = Literal["lossless", "loses", "irreversible", "broken"]

_HOME = Home("public")


@dataclass(frozen=True, slots=True)
class Trip:
    """What one migration's way back is worth. `loses` are phrases, `why` a sentence where there is more to say."""

    id: str
    verdict: Verdict
    loses: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()
    why: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The same in JSON's own kinds of value."""
        differences = [one.as_json() for one in self.differences]
        told = {"id": self.id, "verdict": self.verdict, "loses": list(self.loses), "why": self.why}
        return {**told, "differences": differences}

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "Trip":
        """The Trip that `as_json` described."""
        differences = tuple(map(Difference.from_json, said["differences"]))
        return cls(said["id"], said["verdict"], tuple(said["loses"]), differences, said["why"])


@dataclass(frozen=True, slots=True)
class Result:
    """Every migration's trip, and which tables had no rows, by the SQLSTATE of what kept them out."""

    trips: tuple[Trip, ...]
    unfilled: tuple[tuple[str, str], ...]


class Refused(Exception):
    """The server refused a section; the sentence says why, without a value."""


class HalfRun(Exception):
    """A section that is no transaction was refused for our rows, it seems, and left behind what had run of it."""


def run(server: Server, files: Sequence[Migration], *, limits: Limits) -> Result:
    """Each file went up, down and up again on one scratch database, in order, and stays there.

    Raises NotReplayed when one does not go up on an empty database; what a plan is refused for, before anything runs;
    and what `scratch.database` raises.
    """
    for file in files:
        bounds.check(file, statements.parse(file), schema=_HOME.schema, limits=limits)
    trips, unfilled, bare = list[Trip](), dict[str, str](), dict[str, str]()
    while len(trips) < len(files):
        with (
            scratch.database(server, "roundtrip") as made,
            open_session(made, purpose="twokey round trip", limits=limits) as session,
        ):
            filler = Filler(session, _HOME)
            _stretch(session, filler, files, trips, bare)
            unfilled = filler.unfilled
    return Result(tuple(trips), tuple(sorted(unfilled.items())))


def _stretch(
    session: Session, filler: Filler, files: Sequence[Migration], trips: list[Trip], bare: dict[str, str]
) -> None:
    """Those that have made their trip are brought up; then each makes its own until one gets stuck on the way.

    `bare`: which are to run on empty tables at once, by id, and why.
    """
    for file in files[: len(trips)]:
        _on_empty(session, file, sections.cut(file.text).up)
    for file in files[len(trips) :]:
        try:
            trips.append(_trip(session, filler, file, bare=bare.get(file.id)))
        except HalfRun as half:
            bare[file.id] = str(half)
            return
        except Refused as stuck:
            trips.append(Trip(file.id, "broken", why=str(stuck)))
            return


def _trip(session: Session, filler: Filler, file: Migration, *, bare: str | None) -> Trip:
    """Raises HalfRun, and Refused where the way down, or the second way up, is; the database is of no use then."""
    ways = sections.cut(file.text)
    filler.fill()
    before, rows = fingerprint.inventory(session, _HOME), synthetic.held(session, _HOME)
    if bare is None:
        bare = _on_rows(session, file, ways.up)
    if bare is not None:
        rows = _on_empty(session, file, ways.up)
    if ways.down is None or not ways.down.together:
        return Trip(file.id, "irreversible", why=_irreversible(file.text, bare))
    up = fingerprint.inventory(session, _HOME)
    filler.fill()
    written = synthetic.held(session, _HOME)
    go(session, file.file, ways.down, way="down")
    back = drift.compare(fingerprint.inventory(session, _HOME), before)
    lost = list(synthetic.lost(rows, synthetic.held(session, _HOME)))
    go(session, file.file, ways.up, way="up")
    again = drift.compare(fingerprint.inventory(session, _HOME), up)
    lost += [one for one in synthetic.lost(written, synthetic.held(session, _HOME)) if one not in lost]
    if back or again:
        way = "After up and down the schema is not what it was" if back else "The second way up made another schema"
        return Trip(file.id, "broken", tuple(lost), back or again, f"{way} (there).")
    return Trip(file.id, "loses" if lost else "lossless", tuple(lost), why=bare)


def _on_rows(session: Session, file: Migration, section: Section) -> str | None:
    """None when the section ran on the rows that are there; else why it is to run on empty tables. Raises HalfRun."""
    try:
        go(session, file.file, section, way="up")
    except Refused as refused:  # maybe our rows are to blame
        bare = f"It ran on empty tables alone: {refused}"
        if not section.together:
            raise HalfRun(bare) from refused
        return bare
    return None


def _irreversible(text: str, bare: str | None) -> str | None:
    """What there is to say beside that it has no section for it."""
    refused = sections.cut(text).down is not None
    told = f"It {sections.no_way_back(text)}{', which no rollback runs' if refused else ''}."
    return f"{told} {bare}" if bare else told if refused else None


def _on_empty(session: Session, file: Migration, section: Section) -> dict[str, synthetic.Held]:
    synthetic.empty(session, _HOME)
    try:
        go(session, file.file, section, way="up")
    except Refused as refused:
        raise NotReplayed(str(refused)) from refused
    return {}


def go(session: Session, file: str, section: Section, *, way: Literal["up", "down"]) -> None:
    """The section of that file ran, whole or, where it is no transaction, statement by statement. Raises Refused."""
    try:
        if section.together:
            with session.conn.transaction():
                session.conn.execute(section.text.encode())
        else:
            for one in statements.split(file, section.text):
                session.conn.execute(one.text.encode())
    except psycopg.Error as error:
        if session.conn.broken:
            raise
        message = masking.of(error, text=section.text)
        raise Refused(f"{file} failed on its way {way} ({error.sqlstate or 'XX000'}): {message}.") from None
    finally:
        if not session.conn.broken:
            connection.reset(session)
