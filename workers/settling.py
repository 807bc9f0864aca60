"""For some minutes after a protected run it is seen how the environment fares, and then told beside what was before.

A watch feels the environment's pulse every minute, run or not, so that what was before is known when a run comes.
"""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

from engine import pulse
from ledger.records import Pulse
from ledger.underway import Settled, Stretch
from workers.hands import Hands

#: How long before a run, and how long after it.
SPAN = timedelta(minutes=10)
#: The look that finds the time over comes a little later, and counts.
LATE = timedelta(minutes=1)


def feel(hands: Hands, felt: pulse.Pulse) -> None:
    """The environment's pulse is in the ledger. Raises LedgerError."""
    now = hands.book.now()
    hands.book.pulse(
        hands.environment.name,
        Pulse(now, felt.since, felt.deadlocks, felt.rollbacks, felt.commits, felt.waiting),
    )


def settle(hands: Hands, span: timedelta = SPAN) -> None:
    """Each protected run that ended as long ago as `span` has it told how the environment fared. Raises LedgerError."""
    book, name = hands.book, hands.environment.name
    for run in book.unsettled(name, span):
        over = run.ended + span
        after = stretch(book.pulses(name, since=run.ended, until=over + LATE))
        before = stretch(book.pulses(name, since=run.began - span, until=run.began))
        meanwhile = tuple(f"#{one}" for one in book.began_between(name, run.ended, over))
        book.settle(run.request_id, Settled(after, before, meanwhile))


def stretch(felt: Sequence[Pulse]) -> Stretch | None:
    """What lies between the first and the last of these; None for fewer than two."""
    if len(felt) < 2:
        return None
    steps = list(pairwise(felt))
    deadlocks, rollbacks, commits = (
        sum(_grown(*step, counter) for step in steps) for counter in ("deadlocks", "rollbacks", "commits")
    )
    return Stretch(
        seconds=round((felt[-1].at - felt[0].at).total_seconds()),
        looks=len(felt),
        deadlocks=deadlocks,
        rollbacks=rollbacks,
        transactions=commits + rollbacks,
        waiting=max(one.waiting for one in felt),
        anew=any(_anew(*step) for step in steps),
    )


def _anew(one: Pulse, next_one: Pulse) -> bool:
    """Whether the server began to count anew between two looks: somebody told it to, it crashed, or was restored."""
    counters = ("deadlocks", "rollbacks", "commits")
    return one.since != next_one.since or any(getattr(next_one, of) < getattr(one, of) for of in counters)


def _grown(one: Pulse, next_one: Pulse, counter: str) -> int:
    """By how much; what was counted anew began at nothing."""
    before = 0 if _anew(one, next_one) else getattr(one, counter)
    return getattr(next_one, counter) - before
