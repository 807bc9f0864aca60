"""Backups in words and as JSON. Pure."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from cli.answer import Answer, Code, Line, Span, Tone, line
from engine.backup import Receipt
from engine.manifest import Manifest
from engine.shelf import Kept


def taken(receipt: Receipt, manifest: Manifest) -> Answer:
    """A backup that was just taken."""
    size = f"{receipt.bytes:,} bytes in {receipt.seconds:.1f} s"
    return Answer(
        Code.DONE,
        (
            line(f"Backed up to {receipt.path} ({size}, read back).", Tone.GOOD),
            line(f"It holds {manifest.contents.in_short}, as of {_moment(manifest)}."),
        ),
        {"environment": manifest.environment, "backup": _shown(Path(receipt.path), manifest)},
    )


def listed(environment: str, folder: Path, found: Sequence[Kept]) -> Answer:
    """Every backup, newest first; refused when one of them cannot be trusted."""
    doubtful = [one for one in found if one.problem]
    body = {"environment": environment, "folder": str(folder), "backups": [_entry(one) for one in found]}
    if not found:
        return Answer(Code.DONE, (line(f"{folder} holds no backup of {environment}."),), body)
    lines = tuple(_line(one) for one in found)
    return Answer(Code.REFUSED if doubtful else Code.DONE, (*lines, _count(environment, found, doubtful)), body)


def _count(environment: str, found: Sequence[Kept], doubtful: Sequence[Kept]) -> Line:
    counted = "1 backup" if len(found) == 1 else f"{len(found)} backups"
    if doubtful:
        return line(f"{counted} of {environment}, {len(doubtful)} of them not to be trusted.", Tone.BAD)
    return line(f"{counted} of {environment}, each read and as its manifest says.", Tone.GOOD)


def _line(one: Kept) -> Line:
    if one.manifest is None:
        return line(f"! {one.problem}", Tone.BAD)
    told = f"  {one.manifest.bytes:,} bytes, {one.manifest.contents.in_short}, as of {_moment(one.manifest)}"
    return (Span(one.path.name, Tone.STRONG), Span(told))


def _moment(manifest: Manifest) -> str:
    return f"{datetime.fromisoformat(manifest.at):%Y-%m-%d %H:%M:%S} UTC, LSN {manifest.lsn}"


def _entry(one: Kept) -> dict[str, Any]:
    facts = _shown(one.path, one.manifest) if one.manifest else {"file": one.path.name}
    return {**facts, "verified": one.manifest is not None, "problem": one.problem}


def _shown(path: Path, manifest: Manifest) -> dict[str, Any]:
    return {"file": path.name, "path": str(path), **manifest.as_json()}
