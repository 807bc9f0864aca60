"""The record as it is chained: read for whoever verifies it, and sealed by the sweep."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, Text, cast, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert

from ledger import chain
from ledger.chain import Link, Seal, Tally
from ledger.errors import NoSuchRequest
from ledger.events import BackedUp
from ledger.pen import Pen
from ledger.states import State
from ledger.tables import events, freezes, manifests, requests, seals

#: How many rows one question to the database brings, so that none takes long.
PAGE = 2000

#: Numbers come as they are written, so bodies come as texts.
_LINKS: Any = select(
    events.c.request_id,
    events.c.seq,
    events.c.at,
    events.c.kind,
    cast(events.c.body, Text).label("body"),
    events.c.hash,
).order_by(events.c.request_id, events.c.seq)
_BEFORE = func.lag(seals.c.hash).over(order_by=seals.c.id).label("before")


class Seals(Pen):
    """Chains and seals, and what an event holds but the hash of."""

    def backed_up(self, request_id: int, why: BackedUp, *, manifest: Mapping[str, Any]) -> None:
        """Add the event of a backup, with its manifest beside it. Raises NoSuchRequest."""
        told = replace(why, manifest=chain.hash_of(manifest))
        with self._transaction() as tx:
            self._tell(tx, request_id, told)
            tx.execute(upsert(manifests).values(request_id=request_id, manifest=dict(manifest)))

    def backup(self, environment: str, file: str) -> tuple[int, str] | None:
        """Which request's run took the environment's backup of this name, and its SHA-256 then; None: not by one."""
        told = (
            select(events.c.request_id, events.c.body["sha256"].astext)
            .join(requests, requests.c.id == events.c.request_id)
            .where(requests.c.environment == environment, events.c.kind == BackedUp.__name__)
            .where(events.c.body["file"].astext == file)
            .order_by(events.c.request_id.desc())
        )
        with self._transaction() as tx:
            found = tx.execute(told.limit(1)).first()
        return None if found is None else (found[0], found[1])

    def manifest(self, request_id: int) -> dict[str, Any] | None:
        """The manifest of the backup that the request's run took, if it took one."""
        with self._transaction() as tx:
            found = select(cast(manifests.c.manifest, Text)).where(manifests.c.request_id == request_id)
            kept = tx.execute(found).scalar()
        return None if kept is None else chain.read_json(kept)

    def seal(self) -> int | None:
        """Seal the stories that grew since the last seal; gives the seal's number, None where none grew.

        Of two sweeps that seal at once, one does, and the other finds it done.
        """
        grown = (
            select(events.c.request_id, events.c.seq, events.c.hash)
            .join(requests, (requests.c.id == events.c.request_id) & (requests.c.version == events.c.seq))
            .where(requests.c.sealed_version < requests.c.version)
            .order_by(events.c.request_id)
            .limit(PAGE)
        )
        with self._transaction() as tx:
            # The number first: whoever seals in between takes it, and what follows then finds it taken.
            number = tx.execute(select(func.coalesce(func.max(seals.c.id), 0) + 1)).scalar_one()
            heads = {str(row.request_id): [row.seq, row.hash] for row in tx.execute(grown)}
            if not heads:
                return None
            sealing = upsert(seals).values(id=number, heads=heads).on_conflict_do_nothing()
            if tx.execute(sealing.returning(seals.c.id)).scalar() is None:
                return None
            for request_id, (seq, _) in heads.items():
                of = update(requests).where(requests.c.id == int(request_id), requests.c.sealed_version < seq)
                tx.execute(of.values(sealed_version=seq))
        return number

    def tally(self, request_id: int) -> Tally:
        """Where the request's story stands now. Raises NoSuchRequest."""
        newest = select(events.c.seq, events.c.hash).where(events.c.request_id == request_id)
        with self._transaction() as tx:
            found = tx.execute(newest.order_by(events.c.seq.desc()).limit(1)).first()
        if found is None:
            raise NoSuchRequest(request_id)
        return Tally(request_id, found.seq, found.hash)

    def links(self, request_id: int) -> tuple[Link, ...]:
        """One request's story as it is chained."""
        with self._transaction() as tx:
            return tuple(map(_link, tx.execute(_LINKS.where(events.c.request_id == request_id))))

    def all_links(self) -> Iterator[Link]:
        """Every story, one after the other."""
        last = (0, 0)
        place = tuple_(events.c.request_id, events.c.seq)
        while True:
            with self._transaction() as tx:
                found = tx.execute(_LINKS.where(place > last).limit(PAGE)).all()
            yield from map(_link, found)
            if len(found) < PAGE:
                return
            last = (found[-1].request_id, found[-1].seq)

    def all_seals(self) -> tuple[Seal, ...]:
        """Every seal, the oldest first."""
        with self._transaction() as tx:
            return tuple(map(_seal, tx.execute(select(seals, _BEFORE).order_by(seals.c.id))))

    def seals_of(self, request_id: int) -> tuple[Seal, ...]:
        """The seals that name this request."""
        chained = select(seals, _BEFORE).subquery()
        naming = select(chained).where(chained.c.heads.has_key(str(request_id))).order_by(chained.c.id)
        with self._transaction() as tx:
            return tuple(map(_seal, tx.execute(naming)))

    def standings(self) -> dict[int, tuple[int, State]]:
        """Request → how many events its own row counts, and the state it has there."""
        with self._transaction() as tx:
            found = tx.execute(select(requests.c.id, requests.c.version, requests.c.state))
            return {row.id: (row.version, State(row.state)) for row in found}

    def lifted(self) -> dict[int, int | None]:
        """The request of each freeze → the thaw that lifted it, if one did."""
        with self._transaction() as tx:
            found = tx.execute(select(freezes.c.request_id, freezes.c.thawed_by))
            return {row.request_id: row.thawed_by for row in found}


def in_utc(at: datetime) -> str:
    """A moment as it goes into a hash."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _link(row: Row[Any]) -> Link:
    return Link(row.request_id, row.seq, in_utc(row.at), row.kind, chain.read_json(row.body), row.hash)


def _seal(row: Row[Any]) -> Seal:
    heads = {key: (seq, hash_) for key, (seq, hash_) in row.heads.items()}
    return Seal(row.id, in_utc(row.at), heads, row.before, row.hash)
