"""What is read back of the ledger for whoever asks: links to messages, and all that is known of one request."""

from collections.abc import Callable, Iterable
from datetime import datetime

from bot.outcomes import SHOWN, Entry, HandedOut, Home, Listed, Refused, Station
from ledger import policy
from ledger.book import Book
from ledger.errors import NoSuchRequest
from ledger.events import Exported
from ledger.records import Delivery
from ledger.request import CHANGING, Act, Actor, Kind, Request
from ledger.states import FINAL, State
from ledger.workflow import Environment, Workflow

#: How many requests a list is drawn from.
LIST_FROM = 40

#: How many open ones of an environment are looked through for what waits for a person.
WAITING_FROM = 500

#: How many ended ones the tab shows.
ENDED = 5

#: What changes what stands in an environment, and where a run of it ends that began.
RUNS = frozenset(CHANGING) - {Act.THAW}
RAN = (State.APPLIED, State.FAILED, State.INTERRUPTED)


class Archive:
    """One per workspace. Every method may raise LedgerUnreachable."""

    def __init__(self, book: Book, *, workflow: Workflow, site: str) -> None:
        """`site` is the workspace's address, with a slash at its end."""
        self._book, self._workflow, self._site = book, workflow, site

    def links(self, requests: Iterable[Request]) -> dict[int, str]:
        """By request, where its message stands; none for whose stands nowhere."""
        cards = self._book.cards(one.id for one in requests)
        return {number: permalink(self._site, card) for number, card in cards.items()}

    def listed(self, name: str | None, *, open_only: bool) -> Listed:
        """The newest requests that are open, or have ended, of an environment or of all."""
        found = self._book.requests(environment=name, open_only=open_only, limit=LIST_FROM)
        wanted = [one for one in found if open_only or one.state in FINAL][:SHOWN]
        entries = self._entries(wanted)
        noticed = () if open_only else self._book.noticed(name, limit=SHOWN)
        return Listed(open=open_only, environment=name, entries=entries, noticed=noticed)

    def home(self, actor: Actor) -> Home | Refused:
        """What one person's tab shows, from the ledger alone."""
        if actor.kind not in {Kind.FULL_MEMBER, Kind.GUEST}:
            return Refused("Twokey answers the members of its own workspace.")
        still = self.listed(None, open_only=True).entries
        now = self._book.now()
        waiting = self._entries(one for one in self._planned() if self._waits_for(actor, one, now=now))
        stations = tuple(map(self._station, self._workflow.environments))
        ended = self.listed(None, open_only=False).entries[:ENDED]
        return Home(waiting, still, stations, ended, at=now)

    def _planned(self) -> Iterable[Request]:
        """Whatever may wait for somebody, however much was asked for since: of one environment it is one of a kind."""
        for environment in self._workflow.environments:
            found = self._book.requests(environment=environment.name, open_only=True, limit=WAITING_FROM)
            yield from (one for one in found if one.state is State.PLANNED)

    def _entries(self, requests: Iterable[Request]) -> tuple[Entry, ...]:
        wanted = sorted(requests, key=lambda one: one.id, reverse=True)
        links = self.links(wanted)
        return tuple(Entry(one, self._book.events(one.id), links.get(one.id)) for one in wanted)

    def _waits_for(self, actor: Actor, request: Request, *, now: datetime) -> bool:
        """Whether this person could turn the second key now."""
        environment = self._workflow.environment(request.environment)
        if environment is None or request.state is not State.PLANNED:
            return False
        if not policy.needs_second_key(request, environment):
            return False
        freeze = self._book.frozen(environment.name)
        verdict = policy.may_decide(actor, request, environment, now=now, freeze=freeze, groups=request.groups)
        return isinstance(verdict, policy.Allowed)

    def _station(self, environment: Environment) -> Station:
        """An environment by the newest run that changed it, whether it came to its end or not."""
        found = self._book.requests(environment=environment.name, open_only=False, limit=LIST_FROM)
        ran = [one for one in found if one.act in RUNS and one.state in RAN][:1]
        last, name = self._entries(ran), environment.name
        return Station(environment, next(iter(last), None), self._book.certification(name), self._book.frozen(name))

    def export(
        self, request_id: int, actor: Actor, *, channel: str, shared: Callable[[str, Environment], Refused | None]
    ) -> HandedOut | Refused:
        """Write down that somebody wants the evidence; the announcer puts it where the request's card stands.

        `shared` says why nothing may stand in a channel, if nothing may.
        """
        try:
            request = self._book.request(request_id)
        except NoSuchRequest as missing:
            return Refused(str(missing))
        environment = self._workflow.environment(request.environment)
        if environment is None:
            return Refused(
                f"{request.environment} is no longer in twokey.toml, so #{request_id} has no channel. "
                f"Whoever runs Twokey can say `python -m ledger export {request_id}`."
            )
        if channel not in {environment.channel, self._workflow.channel}:
            return Refused(f"Ask in <#{environment.channel}>, where the evidence of #{request_id} will stand.")
        if strangers := shared(channel, environment):
            return strangers
        verdict = policy.may_export(actor)
        if isinstance(verdict, policy.Denied):
            return Refused(verdict.why)
        self._book.tell(request_id, Exported(actor.id, actor.name))
        return HandedOut(request_id, environment.channel)


def permalink(site: str, card: Delivery) -> str:
    """Where Slack shows a message; as chat.getPermalink says it, without asking for each."""
    return f"{site}archives/{card.channel}/p{(card.ts or '').replace('.', '')}"
