"""People's words as a story holds them: the hash that an event keeps of each, and whether file and story agree."""

from collections.abc import Iterable, Iterator, Sequence

from ledger import chain
from ledger.chain import Breach, Link
from ledger.events import Agreed, Approved, Asked, Noted, Planned, Refused, Rejected
from ledger.request import POLICY, Actor, Decision, Verdict

#: The events that a word may come to.
_TELLING = {
    Verdict.APPROVE: {kind.__name__ for kind in (Approved, Agreed, Noted, Refused)},
    Verdict.REJECT: {kind.__name__ for kind in (Rejected, Refused)},
}
#: Those of them that are never told without a word.
_WORD_OF = {Approved.__name__: Verdict.APPROVE, Agreed.__name__: Verdict.APPROVE, Rejected.__name__: Verdict.REJECT}


def hash_of_actor(actor: Actor) -> str:
    """All that is known of who asked. What is hashed is named here, so that what an Actor grows changes no old hash."""
    return chain.hash_of(_person(actor))


def hash_of(word: Decision) -> str:
    """All that was written down of a person's word when it was given; whether it was taken back came later."""
    said = [word.request_id, word.verdict, word.digest, word.event_ts, word.source]
    return chain.hash_of([*said, *_person(word.actor)])


def breaches(request_id: int, words: Sequence[Decision], links: Sequence[Link]) -> Iterator[Breach]:
    """Where the words on a request are not those that its events tell of, or the other way round."""
    planned = {link.body["digest"] for link in links if link.kind == Planned.__name__}
    if not {word.digest for word in words} <= planned:
        yield Breach(request_id, None, "A decision is about another plan than the events tell of.")
    for word in _doubled(words):
        yield Breach(request_id, None, f"The word of {word.actor.id} stands twice: {word.verdict}.")
    for link in links:
        if _is_of_no(link, words):
            why = f"Event {link.seq} of #{link.request_id} ({link.kind}) speaks of something else than"
            yield Breach(link.request_id, link.seq, f"{why} the decisions in this file.")
    for word in _untold(words, links):
        yield Breach(request_id, None, f"No event tells of the word of {word.actor.id}: {word.verdict}.")


def _person(actor: Actor) -> list[object]:
    return [actor.id, actor.team, actor.name, actor.kind, list(actor.marks)]


def _doubled(words: Iterable[Decision]) -> Iterator[Decision]:
    """The ledger keeps a person's word of one moment once."""
    seen: set[tuple[str, Verdict, str]] = set()
    for word in words:
        this = (word.actor.id, word.verdict, word.event_ts)
        if this in seen:
            yield word
        seen.add(this)


def _is_of_no(link: Link, words: Iterable[Decision]) -> bool:
    """Whether an event tells of a word that is not among these; an older one names the person alone."""
    told = link.body.get("word")
    if told is not None:
        return told not in map(hash_of, words)
    verdict, by = _WORD_OF.get(link.kind), link.body.get("actor_id")
    return verdict is not None and by not in {POLICY.id, *(one.actor.id for one in words if one.verdict is verdict)}


def _untold(words: Iterable[Decision], links: Sequence[Link]) -> Iterator[Decision]:
    """The words that no event tells of. One that was given while one like it stood hangs on that, which it ended."""
    told = {link.body.get("word") for link in links}
    hashed = any(link.kind == Asked.__name__ and link.body.get("by") for link in links)
    ended: set[tuple[object, ...]] = set()
    for word in sorted(words, key=lambda one: float(one.event_ts)):
        like = (word.actor.id, word.actor.team, word.actor.kind, word.verdict, word.digest)
        known = hash_of(word) in told or (*like, word.event_ts) in ended
        if not known and (hashed or not _is_named(word, links)):
            yield word
        else:
            ended.add((*like, word.withdrawn_ts))


def _is_named(word: Decision, links: Iterable[Link]) -> bool:
    """What stories from before words were hashed show: that something was told in this person's name."""
    return any(link.kind in _TELLING[word.verdict] and link.body.get("actor_id") == word.actor.id for link in links)
