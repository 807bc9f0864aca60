"""The gate between two environments: what may pass now, what must wait and why. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine import refusals
from engine.files import Migration
from engine.standing import Standing


@dataclass(frozen=True, slots=True)
class Held:
    """A pending file that does not pass yet; `why` is a sentence."""

    id: str
    why: str


@dataclass(frozen=True, slots=True)
class Gate:
    """What stands before an environment. `certified` is id → checksum, or None where nothing need be certified.

    `name` is the environment before; `standing` what it has, or None when nobody could say.
    """

    name: str
    standing: Standing | None
    certified: Mapping[str, str] | None = None


def disagreement(here: Standing) -> refusals.HistoryDisagrees:
    """Why nothing passes while the folder and the history do not agree."""
    return refusals.HistoryDisagrees(here.environment, tuple(one.sentence for one in here.problems), here.edited)


def pending(here: Standing, files: Sequence[Migration]) -> tuple[Migration, ...]:
    """The files this environment has not run, oldest first. Raises HistoryDisagrees, UpToDate."""
    if here.problems:
        raise disagreement(here)
    waiting = set(here.pending)
    found = tuple(file for file in files if file.id in waiting)
    if not found:
        raise refusals.UpToDate(here.environment)
    return found


def pass_through(
    gate: Gate, here: Standing, waiting: Sequence[Migration]
) -> tuple[tuple[Migration, ...], tuple[Held, ...]]:
    """Split what is pending into what passes and what is held.

    Together with the history here, what passes is a beginning of the history there: same files, same texts, same order,
    none skipped. Raises a child of PlanRefused, also when nothing passes.
    """
    if gate.standing is None:
        raise refusals.BeforeUnobserved(here.environment, gate.name)
    there = dict(gate.standing.covers)
    passing = [f for f in waiting if f.id in there and (gate.certified is None or f.id in gate.certified)]
    ids = {file.id for file in passing}
    held = tuple(_held(gate, file, there) for file in waiting if file.id not in ids)
    # What is held must come after all that passes; a held file in front would be skipped.
    if not passing or (held and held[0].id < passing[-1].id):
        raise _stopped_by(gate, here, held[0].id)
    _same_texts(gate, here, passing)
    _side_by_side(gate, here, passing)
    return tuple(passing), held


def _held(gate: Gate, file: Migration, there: Mapping[str, str]) -> Held:
    if file.id in there:
        return Held(file.id, f"{file.file} is not certified on {gate.name}.")
    return Held(file.id, f"{file.file} is not on {gate.name} yet.")


def _stopped_by(gate: Gate, here: Standing, first: str) -> refusals.PlanRefused:
    arrived = gate.standing is not None and first in dict(gate.standing.covers)
    refusal = refusals.NotCertified if arrived else refusals.BeforeLacks
    return refusal(here.environment, gate.name, first)


def _same_texts(gate: Gate, here: Standing, passing: Sequence[Migration]) -> None:
    there = dict(gate.standing.covers) if gate.standing else {}
    for file in passing:
        if there[file.id] != file.checksum:
            raise refusals.BeforeDiffers(here.environment, gate.name, file.id, there[file.id], file.checksum)
        if gate.certified is not None and gate.certified[file.id] != file.checksum:
            raise refusals.CertifiedOtherwise(here.environment, gate.name, file.id)


def _side_by_side(gate: Gate, here: Standing, passing: Sequence[Migration]) -> None:
    there = gate.standing.covers if gate.standing else ()
    ours = (*here.covers, *((file.id, file.checksum) for file in passing))
    present = {id_ for id_, _ in there}
    for id_, _ in ours:
        if id_ not in present:
            raise refusals.NotInBefore(here.environment, gate.name, id_)
    for (id_, checksum), (expected, ran) in zip(ours, there, strict=False):
        if id_ != expected:
            raise refusals.OrderDiffers(here.environment, gate.name, id_, expected)
        if checksum != ran:
            raise refusals.BeforeDiffers(here.environment, gate.name, id_, ran, checksum)
