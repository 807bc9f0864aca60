"""The schema that a history implies, made anew: every applied text runs on a scratch database."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from threading import Lock

from psycopg import sql

from engine import drift, files, fingerprint, history, scratch, snapshot, twin
from engine.connection import Session, open_session, server_name
from engine.drift import Drift
from engine.errors import EngineError
from engine.files import Migration
from engine.fingerprint import Inventory
from engine.history import Home
from engine.scratch import Server


@dataclass(eq=False)
class CannotReplay(EngineError):
    """The history does not say what ran. `why` is a sentence."""

    why: str

    def __str__(self) -> str:
        return self.why


@dataclass(frozen=True, slots=True)
class _Made:
    """A schema, the server it was made on (a version such as 180004), and the schema's name of the engine's tables."""

    server: int
    home: Home
    things: Inventory


@dataclass(frozen=True, slots=True)
class Replays:
    """Histories replayed on one server, each of them once."""

    server: Server
    _made: dict[str, _Made | EngineError] = field(default_factory=dict)
    _one_at_a_time: Lock = field(default_factory=Lock)

    def drift(self, session: Session, otherwise: Drift | None) -> Drift | None:
        """The session's schema beside what its history makes anew; `otherwise` with the reason where that cannot be.

        None where nothing was applied.
        """
        if otherwise is None:
            return None
        home = history.prepare(session)
        try:
            texts, taken_over = _texts(session, home)
            made = self._replayed(session, texts)
            if not snapshot.comparable(made.server, session.server):
                raise CannotReplay(f"The scratch server is PostgreSQL {server_name(made.server)}.")
            if made.home != home:
                raise CannotReplay(f"Its tables are in the schema {home.schema}, a scratch database's in public.")
        except EngineError as cause:
            why = f"{otherwise.why} " if otherwise.why else ""
            return Drift(otherwise.state, otherwise.by, f"{why}Not replayed: {cause}", otherwise.differences)
        live = fingerprint.inventory(session, home)
        found = drift.between(live, made.things, by="replay", declared=session.database.differs)
        return replace(found, why=_never_ran(taken_over)) if taken_over and found.differences else found

    def _replayed(self, session: Session, texts: Sequence[Migration]) -> _Made:
        key = hashlib.sha256(json.dumps([one.checksum for one in texts]).encode()).hexdigest()
        with self._one_at_a_time:
            if key not in self._made:
                try:
                    self._made[key] = _make(self.server, session, texts)
                except EngineError as cause:
                    self._made[key] = cause
        found = self._made[key]
        if isinstance(found, EngineError):
            raise found
        return found


def _make(server: Server, session: Session, texts: Sequence[Migration]) -> _Made:
    with (
        scratch.database(server, "replay", letters=twin.letters(session)) as made,
        open_session(made, purpose="twokey replay", limits=session.limits) as fresh,
    ):
        scratch.replay(fresh, texts)
        home = history.prepare(fresh)
        return _Made(fresh.server, home, fingerprint.inventory(fresh, home))


def _never_ran(taken_over: Sequence[str]) -> str:
    return f"A baseline took over {', '.join(taken_over)}: what is missing of that, make by hand."


def _texts(session: Session, home: Home) -> tuple[tuple[Migration, ...], tuple[str, ...]]:
    """What ran, or was taken over as if it had, in that order; and the ids of the latter.

    Raises CannotReplay where a text is not known.
    """
    rows = session.conn.execute(
        sql.SQL(
            "SELECT h.migration_id, f.applied_text, 'baseline' = (SELECT d.act FROM {deeds} d"
            " WHERE h.migration_id = ANY(d.what) AND d.act <> 'repair' ORDER BY d.at DESC, d.id DESC LIMIT 1)"
            " FROM {history} h LEFT JOIN {facts} f USING (migration_id) ORDER BY h.id"
        ).format(
            history=home.table("schema_migrations"),
            facts=home.table("twokey_migrations"),
            deeds=home.table("twokey_deeds"),
        )
    ).fetchall()
    for id_, text, _ in rows:
        if text is None:
            raise CannotReplay(f"{id_} was run by another tool, which kept no text of it.")
    texts = tuple(files.parse(f"{id_.removesuffix('.sql')}.sql", text.encode()) for id_, text, _ in rows)
    if [one.stamp for one in texts] != sorted(one.stamp for one in texts):
        raise CannotReplay("Its migrations ran in another order than that of their timestamps.")
    return texts, tuple(id_ for id_, _, taken_over in rows if taken_over)
