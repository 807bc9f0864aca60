"""Which backups of this environment there are, and what restores kept: looked through in the time a person waits."""

from collections.abc import Iterator
from typing import Any

from engine import former, shelf
from engine.connection import open_session
from engine.errors import EngineError
from engine.manifest import BackupDoubtful, verify
from engine.shelf import Kept
from workers.hands import Hands

#: How many are told of, and how many bytes of them are read to hold them against their manifests: newest first.
SHOWN = 20
READ_AT_MOST = 200_000_000


def listed(hands: Hands) -> dict[str, Any]:
    """The answer's body."""
    found = shelf.listed(hands.workflow.backups, hands.environment.name)
    return {
        "question": "backups",
        "environment": hands.environment.name,
        "backups": list(_told(found[:SHOWN])),
        "more": max(0, len(found) - SHOWN),
        "kept": _kept(hands),
    }


def _told(found: tuple[Kept, ...]) -> Iterator[dict[str, Any]]:
    read = 0
    for one in found:
        read += one.manifest.bytes if one.manifest else 0
        verified = read <= READ_AT_MOST
        yield {**_entry(_verified(one) if verified else one), "verified": verified}


def _verified(one: Kept) -> Kept:
    """The same after every byte of it was read; one that was taken away meanwhile cannot be read."""
    if one.manifest is None:
        return one
    try:
        return Kept(one.path, verify(one.path), None) if one.path.exists() else one
    except BackupDoubtful as doubtful:
        return Kept(one.path, None, str(doubtful))


def _entry(one: Kept) -> dict[str, Any]:
    if one.manifest is None:
        return {"file": one.path.name, "problem": one.problem}
    contents = one.manifest.contents
    return {
        "file": one.path.name,
        "problem": None,
        "at": one.manifest.at,
        "bytes": one.manifest.bytes,
        "head": contents.head,
        "tables": len(contents.rows),
        "rows": sum(contents.rows.values()),
    }


def _kept(hands: Hands) -> list[dict[str, Any]] | None:
    """What restores kept; None where the server could not be asked."""
    try:
        with open_session(hands.database, purpose="twokey look", limits=hands.limits) as session:
            return [{"database": one.name, "bytes": one.bytes} for one in former.kept(session)]
    except EngineError:
        return None
