"""What a person would set right in a history, as a value: printing it is the dry run, and an approval binds to it.

Nothing of it runs: its texts are what the history would say has run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from engine import amend, files, plan
from engine.amend import Edited, NotEdited
from engine.checkout import Checkout
from engine.connection import Limits
from engine.errors import near
from engine.files import Migration
from engine.plan import Drawn, Planned
from engine.standing import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment(Drawn):
    """Files as they are, by their ids. `ran` are the checksums that a repair would replace, one for each."""

    act: Literal["baseline", "repair"]
    ran: tuple[str, ...] = ()

    @property
    def bound(self) -> Mapping[str, Any]:
        """Which of the two, and what stood there: an approval of one can never be one of anything that runs."""
        return {"act": self.act, "ran": self.ran}

    @staticmethod
    def more_from_json(said: Mapping[str, Any]) -> Mapping[str, Any]:
        """What stood there."""
        return {"ran": tuple(said["ran"])}

    @property
    def files(self) -> tuple[Migration, ...]:
        """The files as they were when this was drawn, whatever the folder holds now."""
        return tuple(files.parse(f"{one.id}.sql", one.text.encode()) for one in self.migrations)


@dataclass(frozen=True, slots=True)
class Folder:
    """The files as they are now, and what git says of them."""

    files: Sequence[Migration]
    checkout: Checkout | None = None


def baseline(here: Standing, there: Folder, *, through: str, limits: Limits) -> Amendment:
    """What a baseline through that file would write down. Raises NotPending and a child of PlanRefused."""
    taken = amend.waiting(here, there.files, through=through)
    origin = plan.committed(here, taken, there.checkout)
    return Amendment.at(here, [_unrun(one) for one in taken], limits=limits, act="baseline", origin=origin)


def repair(
    here: Standing, there: Folder, found: Sequence[Edited], *, accept: Sequence[str], limits: Limits
) -> Amendment:
    """What accepting these of the edited files would change; `found` are all that are.

    Raises NotEdited and a child of PlanRefused.
    """
    ran, by_id = {one.id: one.ran for one in found}, {one.id: one for one in there.files}
    for id_ in accept:
        if id_ not in ran:
            raise NotEdited(here.environment, id_, None if id_ in by_id else near(id_, ran))
    ids = sorted(set(accept))
    meant = [by_id[id_] for id_ in ids]
    origin, was = plan.committed(here, meant, there.checkout), tuple(ran[id_] for id_ in ids)
    return Amendment.at(here, [_unrun(one) for one in meant], limits=limits, act="repair", ran=was, origin=origin)


def _unrun(file: Migration) -> Planned:
    return Planned(file.id, file.name, file.text, file.checksum, file.lines, hazards=())
