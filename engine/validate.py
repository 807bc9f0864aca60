"""Environments side by side: what each has, where they disagree, and what may be promoted. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any, Literal

from engine import drift as drifts
from engine.drift import Drift
from engine.fingerprint import Inventory
from engine.standing import Standing, State

#: "unread": the environment answered, but the migrations folder of whoever looked cannot be read.
Sight = Literal["ok", "unreachable", "unobserved", "refused", "unread"]


@dataclass(frozen=True, slots=True)
class Seen:
    """One environment as it was seen, or why it was not. `standing` is there exactly when `state` is "ok".

    `certified` is what is certified on this environment, id → checksum. `history` is what is known where it is
    "unread": the history alone, which only `overview` shows. `things` is the live schema without what any environment
    declares to differ, where that was looked at.
    """

    name: str
    protected: bool
    state: Sight
    standing: Standing | None = None
    why: str | None = None
    certified: Mapping[str, str] | None = None
    history: Standing | None = None
    things: Inventory | None = None


#: How many objects that differ are told of one environment in words; its `schema` has them all.
_OBJECTS_TOLD = 50


class Kind(StrEnum):
    """What can be wrong with a migration in an environment."""

    MISSING = "missing"
    EXTRA = "extra"
    EDITED = "edited"
    OUT_OF_ORDER = "out_of_order"
    DIFFERS = "differs"
    DRIFT = "drift"
    RENAMED = "renamed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Finding:
    """One disagreement; `sentence` names the file and the way out."""

    kind: Kind
    environment: str
    migration: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Ready:
    """What an environment could get now. `source` is None for the first; `certified` is None where it need not be."""

    source: str | None
    to: str
    migrations: tuple[str, ...]
    certified: bool | None


def overview(seen: Sequence[Seen], *, folder: str | None = None) -> dict[str, Any]:
    """The answer to `status`: migrations × environments. `folder`: why whoever asks cannot read the migrations."""
    known = [here for one in seen if (here := one.standing or one.history)]
    ids = sorted({cell.id for here in known for cell in here.cells})
    columns = [_column(one) for one in seen]
    unread = [one.why for one in seen if one.state == "unread" and one.why]
    return {
        "question": "status",
        "folder": list(dict.fromkeys([*([folder] if folder else []), *unread])),
        "environments": [_in_short(one) for one in seen],
        "migrations": [{"id": id_, "cells": [column(id_) for column in columns]} for id_ in ids],
    }


def compare(seen: Sequence[Seen], *, refusals: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The answer to `validate`, environments in the workflow's order. Consistent only when all were seen and agree.

    `refusals`: which pending files no plan would be drawn with, id → sentence. Where one waits nothing is ready.
    """
    refusals = refusals or {}
    findings = [*_within(seen), *_refused(seen, refusals), *_between(seen), *_drifted(seen)]
    return {
        "question": "validate",
        "consistent": not findings and all(one.standing for one in seen),
        "environments": [
            {"name": one.name, "state": one.state, "why": one.why, "schema": _schema_of(one)} for one in seen
        ],
        "findings": [
            {"kind": f.kind.value, "environment": f.environment, "migration": f.migration, "sentence": f.sentence}
            for f in findings
        ],
        "ready": [
            {"from": r.source, "to": r.to, "migrations": list(r.migrations), "certified": r.certified}
            for r in _ready(seen)
            if not _waiting(seen, r.to) & refusals.keys()
        ],
        "notes": [note for one in seen for note in _doubts(one)],
    }


def _column(one: Seen) -> Any:
    if one.history:
        history = one.history  # another tool's name, too, has the timestamp of what it stands for
        return lambda id_: "applied" if history.has(id_) else "absent"
    if one.standing is None:
        return lambda _: "unknown"
    cells = {cell.id: cell.state.value for cell in one.standing.cells}
    return lambda id_: cells.get(id_, "absent")


def _in_short(one: Seen) -> dict[str, Any]:
    """What is not known, of an environment or for want of the folder, is None and not empty."""
    files, here = one.standing, one.standing or one.history
    last = here.applied[-1] if here and here.applied else None
    return {
        "name": one.name,
        "protected": one.protected,
        "state": one.state,
        "why": one.why,
        "applied": len(here.applied) if here else None,
        "pending": list(files.pending) if files else None,
        "last": {"migration": last.id, "at": last.at, "by": last.by} if last else None,
        "problems": [problem.sentence for problem in files.problems] if files else None,
        "edited": list(files.edited) if files else None,
        "drift": _counted(here.drift) if here else None,
        "deed": _explaining(here) if here else None,
    }


def _explaining(here: Standing) -> dict[str, Any] | None:
    """What was done last, where that was no apply: those the history tells itself."""
    deed = here.deed
    if deed is None or deed.act == "apply":
        return None
    at = deed.at.isoformat(timespec="seconds")
    return {"act": deed.act, "what": list(deed.what), "at": at, "by": deed.by, "request": deed.request}


def _counted(drift: Drift | None) -> dict[str, Any] | None:
    """Of a drift, whether there is one and of how many objects."""
    return drift and {"state": drift.state, "differences": len(drift.differences)}


def _schema_of(one: Seen) -> dict[str, Any] | None:
    """An environment's schema beside the one that its history implies; None where nothing was applied or seen."""
    return one.standing.drift.as_json() if one.standing and one.standing.drift else None


def _doubts(one: Seen) -> Iterator[str]:
    """What could not be held against the history, or not as well as it might be."""
    drift = one.standing.drift if one.standing else None
    by_replay = drift is not None and drift.by == "replay"
    if one.standing and one.standing.deed and one.standing.deed.act == "baseline" and not by_replay:
        yield (
            f"{one.name} was taken over by a baseline, and its schema was not held against what those files make: "
            "that takes a [scratch] server in twokey.toml, and a terminal."
        )
    if drift and drift.state == "unknown":
        yield f"Whether {one.name}'s schema is what its history makes is not known: {drift.why}"
    elif drift and drift.why and not by_replay:
        yield f"{one.name}'s schema was held against what its last run left. {drift.why}"


def _drifted(seen: Sequence[Seen]) -> Iterator[Finding]:
    """Where a live schema is not the one that its history implies."""
    for one in seen:
        here = one.standing
        if here is None or here.drift is None or not here.drift.differences:
            continue
        objects = [Finding(Kind.DRIFT, one.name, here.head or "", f"{d.sentence}.") for d in here.drift.differences]
        how = "replayed" if here.drift.by == "replay" else "as its last run left it"
        why = (
            f"{one.name} (here) is not what its history makes (there, {how}): {_differ(objects)}. Put the change in a "
            "new migration, or undo it by hand; what is meant to differ, name under differs in twokey.toml."
        )
        why += f" {here.drift.why}" if here.drift.by == "replay" and here.drift.why else ""
        yield Finding(Kind.DRIFT, one.name, here.head or "", why)
        yield from objects[:_OBJECTS_TOLD]


def _differ(found: Sequence[object]) -> str:
    return "1 object differs" if len(found) == 1 else f"{len(found)} objects differ"


def _refused(seen: Sequence[Seen], refusals: Mapping[str, str]) -> Iterator[Finding]:
    """Files that will not run, of each the first environment that would get it."""
    for id_, why in refusals.items():
        first = next((one.name for one in seen if id_ in _waiting((one,), one.name)), None)
        if first:
            yield Finding(Kind.REFUSED, first, id_, why)


def _waiting(seen: Sequence[Seen], name: str) -> set[str]:
    return {id_ for one in seen if one.name == name and one.standing for id_ in one.standing.pending}


_WITHIN = {State.MISSING: Kind.MISSING, State.EDITED: Kind.EDITED, State.LATE: Kind.OUT_OF_ORDER}


def _within(seen: Sequence[Seen]) -> Iterator[Finding]:
    """Where an environment's history and the folder disagree."""
    for one in seen:
        for problem in one.standing.problems if one.standing else ():
            yield Finding(_WITHIN[problem.state], one.name, problem.id, problem.sentence)
        for then, now in one.standing.renamed if one.standing else ():
            why = f"{one.name} ran {now}.sql as {then}, with the same text. Rename it back, so that it has one name."
            yield Finding(Kind.RENAMED, one.name, now, why)


def _between(seen: Sequence[Seen]) -> Iterator[Finding]:
    """Where an environment and the one before it disagree."""
    for before, here in pairwise(seen):
        if before.standing and here.standing:
            yield from _pair(before.standing, here.standing)
            yield from _schema(before, here, before.standing, here.standing)


def _pair(before: Standing, here: Standing) -> Iterator[Finding]:
    there, name = dict(before.covers), here.environment
    for id_, checksum in here.covers:
        if id_ not in there:
            why = f"{name} has {id_}, which {before.environment} does not. Apply {before.environment} first."
            yield Finding(Kind.EXTRA, name, id_, why)
        elif there[id_] != checksum:
            why = (
                f"{name} ran another text of {id_} than {before.environment} did. "
                "Compare the two databases, then put the difference in a new migration."
            )
            yield Finding(Kind.DIFFERS, name, id_, why)
    yield from _order(before, here, shared=[id_ for id_, _ in here.covers if id_ in there])


def _order(before: Standing, here: Standing, *, shared: Sequence[str]) -> Iterator[Finding]:
    ours = set(shared)
    theirs = [id_ for id_, _ in before.covers if id_ in ours]
    for id_, expected in zip(shared, theirs, strict=True):
        if id_ != expected:
            why = (
                f"{here.environment} ran {id_} where {before.environment} ran {expected}. "
                "Check that the order made no difference to the schema."
            )
            yield Finding(Kind.OUT_OF_ORDER, here.environment, id_, why)
            return


def _schema(one: Seen, other: Seen, before: Standing, here: Standing) -> Iterator[Finding]:
    """The same history, yet not the same schema; objects are named where neither's own history names them."""
    comparable = before.covers == here.covers and before.server.split(".")[0] == here.server.split(".")[0]
    if not comparable or (before.compared or before.fingerprint) == (here.compared or here.fingerprint):
        return
    told = any(standing.drift and standing.drift.differences for standing in (before, here))
    found = () if told or one.things is None or other.things is None else drifts.compare(other.things, one.things)
    counted = f": {_differ(found)}" if found else ""
    why = (
        f"{here.environment} (here) and {before.environment} (there) have the same history, yet not the same schema"
        f"{counted}. One was changed by hand, or taken over by a baseline that claims what was not there. Put the "
        "change in a new migration, or make by hand what is missing."
    )
    yield Finding(Kind.DIFFERS, here.environment, here.head or "", why)
    for difference in found[:_OBJECTS_TOLD]:
        yield Finding(Kind.DIFFERS, here.environment, here.head or "", f"{difference.sentence}.")


def _ready(seen: Sequence[Seen]) -> Iterator[Ready]:
    """What each environment could get now: from the folder for the first, else from the one before."""
    for before, here in zip((None, *seen), seen, strict=False):
        if here.standing is None or here.standing.problems or (before and before.standing is None):
            continue
        pending = here.standing.pending
        if before is None or before.standing is None:
            arrived, certified = pending, None
        else:
            there = dict(before.standing.covers)
            arrived = tuple(id_ for id_ in pending if id_ in there)
            if set(arrived) & {one.id for one in before.standing.problems if one.state is State.EDITED}:
                continue  # the gate lets no text through that the one before did not run
            covered = before.certified or {}
            certified = all(covered.get(id_) == there[id_] for id_ in arrived) if here.protected else None
        if arrived:
            yield Ready(before.name if before else None, here.name, arrived, certified)
