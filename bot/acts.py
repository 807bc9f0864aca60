"""How each act is said. What an act is called in Slack stands here, and nowhere else in this room."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.blocks import counted
from ledger.request import Act, Request


@dataclass(frozen=True, slots=True)
class Words:
    """`wish` and `wish_of` are tails of sentences, without and with the number of migrations; `form` is a title, and
    `follows` says what comes after that form.

    `lists` stands over the migrations of a card, `done` and `left` before those that a broken run did and did not do,
    `nothing` where it did none.
    """

    wish: str
    wish_of: str
    form: str
    lists: str
    done: str
    left: str
    nothing: str
    follows: str = "A plan is drawn, then a second person has to start it."


#: Where no migration runs.
_A_CARD = "A card says what that would do, then a second person has to start it."

WORDS: Mapping[Act, Words] = {
    Act.APPLY: Words(
        wish="apply to {place}",
        wish_of="apply {count} to {place}",
        form="Apply to {place}",
        lists="Runs",
        done="Committed and stays",
        left="Not applied",
        nothing="Nothing was committed.",
    ),
    Act.CERTIFY: Words(
        wish="certify {place}",
        wish_of="certify {place}",
        form="Certify {place}",
        lists="Covers",
        done="Certified",
        left="Not certified",
        nothing="Nothing was certified.",
    ),
    Act.ROLLBACK: Words(
        wish="roll back {place}",
        wish_of="roll {place} back by {count}",
        form="Roll back {place}",
        lists="Takes back, in this order",
        done="Taken back",
        left="Not taken back",
        nothing="Nothing was taken back.",
    ),
    Act.BACKUP: Words(
        wish="back up {place}",
        wish_of="back up {place}",
        form="Back up {place}",
        lists="Backs up",
        done="Backed up",
        left="Not backed up",
        nothing="Nothing was changed.",
    ),
    Act.RESTORE: Words(
        wish="restore {place}",
        wish_of="restore {place}",
        form="Restore {place}",
        lists="Restores",
        done="Restored",
        left="Not restored",
        nothing="Nothing was swapped in.",
        follows=_A_CARD,
    ),
    Act.DISCARD: Words(
        wish="drop what a restore of {place} kept",
        wish_of="drop what a restore of {place} kept",
        form="Discard on {place}",
        lists="Drops",
        done="Dropped",
        left="Not dropped",
        nothing="Nothing was dropped.",
        follows=_A_CARD,
    ),
    Act.BASELINE: Words(
        wish="take {place} over as it is",
        wish_of="write {count} down as applied on {place}",
        form="Take over {place}",
        lists="Writes down as applied, and runs none of",
        done="Written down",
        left="Not written down",
        nothing="Nothing was written down.",
        follows=_A_CARD,
    ),
    Act.GENERATE: Words(
        wish="generate a migration for {place}",
        wish_of="generate a migration for {place}",
        form="Generate for {place}",
        lists="Generates",
        done="Generated",
        left="Not generated",
        nothing="Nothing was generated.",
    ),
    Act.REPAIR: Words(
        wish="let edited files count on {place}",
        wish_of="let {count} count as edited on {place}",
        form="Repair {place}",
        lists="Lets count as they are now, and runs none of",
        done="Counts as it is now",
        left="Counts as it ran",
        nothing="Nothing was changed.",
        follows=_A_CARD,
    ),
    Act.FREEZE: Words(
        wish="freeze {place}",
        wish_of="freeze {place}",
        form="Freeze {place}",
        lists="Freezes",
        done="Frozen",
        left="Not frozen",
        nothing="Nothing was frozen.",
    ),
    Act.THAW: Words(
        wish="thaw {place}",
        wish_of="thaw {place}",
        form="Thaw {place}",
        lists="Thaws",
        done="Thawed",
        left="Not thawed",
        nothing="Nothing was thawed.",
        follows="A card names the freezes that stand now; a second person's yes lifts these, and starts nothing.",
    ),
}


def of(request: Request) -> Words:
    """The words of the request's act."""
    return WORDS[request.act]


def wish(request: Request) -> str:
    """What was asked for, as the tail of a sentence: `apply 2 migrations to production (#7)`."""
    words, plan = of(request), request.plan
    said = words.wish_of if plan and plan.migrations else words.wish
    count = counted(len(plan.migrations), "migration") if plan else ""
    return f"{said.format(place=request.environment, count=count)} (#{request.id})"
