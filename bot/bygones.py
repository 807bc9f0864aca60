"""What an old button offers though it was done since, as far as the ledger knows: refused at once, nothing is written.

What the ledger cannot know is left to the worker, who looks at the environment itself.
"""

from collections.abc import Iterable
from datetime import datetime

from bot import story
from bot.archive import RAN
from bot.commands import Do
from bot.outcomes import Refused
from ledger.book import Book
from ledger.events import Certified, Reverted
from ledger.records import Told
from ledger.request import Act, Request, Wish
from ledger.states import FINAL, SAID, State

#: How many requests that came after a button's own are looked through.
LATER_FROM = 200

#: After one of these the newest migration may be an older one again.
_BACK = {Act.ROLLBACK, Act.RESTORE}


class Bygones:
    """One per process. Every method may raise LedgerUnreachable."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def of_a_run(self, wish: Wish) -> Refused | None:
        """Why what a run brought can no longer be taken back or certified by its button, or None."""
        if wish.covers_of is None:
            return None
        run = self._book.request(wish.covers_of)
        later = self._later(run)
        same = [one for one in later if (one.act, one.covers_of) == (wish.act, run.id)]
        return self._taken_back(run, later, wish.act) or _asked(same, wish.actor.id) or self._moved_on(run, later, wish)

    def asked_under(self, do: Do, *, by: str, channel: str, ts: str) -> Refused | None:
        """Why what went wrong or was certified under this message is not asked for by its button, or None."""
        number = self._book.request_at(channel=channel, ts=ts)
        if number is None:
            return None
        under = self._book.request(number)
        if under.act is Act.CERTIFY and do.act is Act.APPLY:
            return self._followed(under, do.environment)
        if under.act is not do.act or under.state not in FINAL or under.state is State.APPLIED:
            return None
        same = [one for one in self._later(under) if (one.act, one.about) == (do.act, do.about)]
        done = next((one for one in same if one.state is State.APPLIED), None)
        if done is None:
            return _asked(same, by)
        return Refused(f"#{done.id} did that after #{under.id}. To do it anew, say `/migrate {done.words}`.")

    def _followed(self, certify: Request, name: str) -> Refused | None:
        """What was certified is there already, and what came since has to be certified anew."""
        told = (one.event for one in self._book.events(certify.id))
        certified = next((one for one in told if isinstance(one, Certified)), None)
        if certified is None or not all(self._book.has_arrived(name, one) for one in certified.migrations[-1:]):
            return None
        then = f"Test and certify what came to {certify.environment} since, then say `/migrate apply {name}`."
        return Refused(f"{name} has all that #{certify.id} certified. {then}")

    def _later(self, request: Request) -> tuple[Request, ...]:
        """What was asked for on its environment since, the newest first."""
        return self._book.requests(environment=request.environment, open_only=False, limit=LATER_FROM, after=request.id)

    def _taken_back(self, run: Request, later: Iterable[Request], act: Act) -> Refused | None:
        brought, name = set(story.brought(self._book.events(run.id))), run.environment
        for one in later:
            if one.act is Act.ROLLBACK and brought & set(_taken_back(self._book.events(one.id))):
                now = f"`/migrate {act} {name}` is about what is newest there now."
                return Refused(f"#{one.id} took back what #{run.id} had brought to {name}. {now}")
        return None

    def _moved_on(self, run: Request, later: Iterable[Request], wish: Wish) -> Refused | None:
        ended = _ended(self._book, run)
        if ended is None or any(one.act in _BACK and one.state in RAN for one in later):
            return None
        newest, name = self._book.applied_since(run.environment, ended), run.environment
        if newest is None:
            return None
        what = f"Test that, then say `/migrate certify {name}`."
        if wish.act is Act.ROLLBACK:
            what = f"Say how far back: `/migrate rollback {name} to <migration>`, or `… last <number>`."
        return Refused(f"{name} moved on since #{run.id}: its newest migration is {newest} now. {what}")


def _taken_back(told: Iterable[Told]) -> tuple[str, ...]:
    """What a rollback did, whether it came to its end or not."""
    every = tuple(told)
    reverted = next((one.event.migrations for one in every if isinstance(one.event, Reverted)), ())
    return reverted or story.brought(every)


def _ended(book: Book, run: Request) -> datetime | None:
    told = story.end(book.events(run.id))
    return told.at if told else None


def _asked(same: Iterable[Request], by: str) -> Refused | None:
    """A second click of the same person is the same wish, which its key tells."""
    other = next((one for one in same if one.state not in FINAL and one.actor.id != by), None)
    return None if other is None else Refused(f"#{other.id} asks for that already: it {SAID[other.state]}.")
