"""Who may turn the second key of a request: who is listed, as Slack resolves groups, and never who asked."""

from collections.abc import Iterable
from dataclasses import dataclass

from ledger import people
from ledger.people import Marks
from ledger.request import Actor, Group, Kind, PlanSummary, Request, Witness
from ledger.workflow import Environment, Person, is_group


@dataclass(frozen=True, slots=True)
class Holders:
    """`ids` may turn it, `needed` different persons have to.

    `asked` are the marks of the one who asked, `wrote` those of the authors of what it is about, where they may not.
    `authors` are listed, and barred for that alone.
    """

    ids: tuple[str, ...]
    needed: int
    asked: Marks
    wrote: Marks
    authors: tuple[str, ...]
    people: tuple[Person, ...]

    def is_requester(self, actor: Actor) -> bool:
        """Whether this is the one who asked, under whatever account."""
        return bool(people.of(actor, self.people) & self.asked)

    def is_author(self, actor: Actor) -> bool:
        """Whether this person wrote a part of what runs, and may not approve it for that."""
        return bool(people.of(actor, self.people) & self.wrote)

    def counts(self, actor: Actor) -> bool:
        """Whether this person's word counts, by who they are now."""
        barred = self.is_requester(actor) or self.is_author(actor)
        return actor.kind is Kind.FULL_MEMBER and actor.id in self.ids and not barred

    def missing(self, approving: Iterable[Actor]) -> int:
        """How many different persons more it takes."""
        return max(0, self.needed - people.count(filter(self.counts, approving), self.people))

    @property
    def enough(self) -> bool:
        """Whether there are as many persons as it takes."""
        return self.missing(_unknown(self.ids)) == 0

    @property
    def enough_with_authors(self) -> bool:
        """Whether there would be, if authors might approve."""
        return people.count(_unknown((*self.ids, *self.authors)), self.people) >= self.needed


def holders(
    environment: Environment, *looks: Iterable[Group], requester: Actor, plan: PlanSummary | None = None
) -> Holders:
    """Who may, when a group's members are those that Slack named in every one of these looks."""
    asked = people.of(requester, environment.people)
    wrote = barred(plan, environment) if plan else Marks()
    listed = named(environment.approvers, *looks)
    others = {one: people.marks([one], environment.people) for one in listed}
    others = {one: marks for one, marks in others.items() if not marks & asked}
    by, authors = (tuple(one for one, marks in others.items() if bool(marks & wrote) is is_) for is_ in (False, True))
    return Holders(by, environment.approvals, asked, wrote, authors, environment.people)


def seen(request: Request, environment: Environment, witness: Witness) -> Holders:
    """The same by what a witness saw: the one who asked goes by what they went by then, and by what they go by now."""
    asked = people.since(request.actor, witness.asking) if witness.asking else request.actor
    return holders(environment, request.groups, witness.groups, requester=asked, plan=request.plan)


def barred(plan: PlanSummary, environment: Environment) -> Marks:
    """All that the authors go by, where they may not approve: by this map, and by that of whoever laid the plan."""
    authors = plan.origin.authors if plan.origin and not environment.authors_may_approve else ()
    return Marks(plan.barred).union(*(people.marks([author.mark], environment.people) for author in authors))


def unknown_authors(plan: PlanSummary, environment: Environment) -> tuple[str, ...]:
    """The names of the authors whose accounts the map does not know, so that nobody can say whether they approve."""
    authors = plan.origin.authors if plan.origin else ()
    return tuple(one.name for one in authors if people.marks([one.mark], environment.people) == {one.mark})


def named(listed: Iterable[str], *looks: Iterable[Group]) -> tuple[str, ...]:
    """The people that a list of people and groups means. Of a group that a look does not tell, nobody."""
    known = [{group.id: group.members for group in look} for look in looks]
    found = dict[str, None]()
    for one in listed:
        members = [look.get(one, ()) for look in known] if is_group(one) else [(one,)]
        found |= {each: None for each in (members[0] if members else ()) if all(each in look for look in members)}
    return tuple(found)


def _unknown(ids: Iterable[str]) -> Iterable[Actor]:
    """People of whom nothing but their ids is known yet."""
    return (Actor(id=one, team="", name=one, kind=Kind.FULL_MEMBER) for one in ids)
