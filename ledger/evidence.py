"""Everything the ledger holds about one request, as one JSON file that can be verified by itself, years later."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from ledger import chain, plain, verification, words
from ledger.book import Book
from ledger.chain import Breach, Link, Seal, Tally, canonical
from ledger.errors import LedgerError
from ledger.events import Asked, BackedUp, Planned, Witnessed
from ledger.replay import Walk
from ledger.request import Actor, Decision, Request, Witness
from ledger.verification import Findings

VERSION = 1

#: What a request and the event of its asking both say; an older event says less.
_ASKED = ("act", "environment", "reason", "about", "note", "groups", "channel", "protected")
#: Whom a witness and its event both name, likewise.
_SEEN = ("approving", "rejecting", "pressed")
#: How long after its row the first event of a request is written, at most; both stand in one transaction.
_AT_ONCE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Message:
    """Where in Slack something of the request stands."""

    slot: str
    channel: str
    ts: str


#: The parts of a file: what each entry of a list is, and what stands there once.
_LISTS = {"decisions": Decision, "witnesses": Witness, "messages": Message, "events": Link, "seals": Seal}
_ONES = frozenset({"evidence", "request", "plan", "shown", "manifest"})
_SINCE = frozenset({"receipt"})  # older files have none
#: What a request has and its part of the file has not.
_LEFT_OUT = frozenset({"plan", "version"})

Evidence = Mapping[str, Any]


class NotEvidence(LedgerError):
    """A file is not an evidence file, or one of another version."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why

    def __str__(self) -> str:
        return f"This is not an evidence file of Twokey: {self.why}. Make one with: python -m ledger export <number>"


def gather(book: Book, request_id: int) -> dict[str, Any]:
    """What was asked, planned, decided, witnessed, done and told, with its chain and the seals that hold it.

    All as of one moment: it is read again where the story grew meanwhile. The plan's frozen part has the SQL and the
    hazards, `events` are the log of the run. Raises NoSuchRequest.
    """
    while True:
        request, found = book.request(request_id), _read_of(book, request_id)
        if book.request(request_id).version == request.version:
            return found


def _read_of(book: Book, request_id: int) -> dict[str, Any]:
    request, rehearsed = book.request(request_id), book.rehearsed(request_id)
    return {
        "evidence": VERSION,
        "request": {name: value for name, value in plain.dump(request).items() if name not in _LEFT_OUT},
        "plan": None if request.plan is None else book.frozen_plan(request_id),
        "shown": None if request.plan is None else book.shown_plan(request_id),
        "receipt": rehearsed and rehearsed.receipt,
        "decisions": [plain.dump(one) for one in book.decisions(request_id)],
        "witnesses": [plain.dump(one) for one in book.witnesses(request_id)],
        "manifest": book.manifest(request_id),
        "messages": [
            plain.dump(Message(one.slot, one.channel, one.ts)) for one in book.deliveries(request_id).values() if one.ts
        ],
        "events": [asdict(one) for one in book.links(request_id)],
        "seals": [asdict(one) for one in book.seals_of(request_id)],
    }


def as_text(evidence: Evidence) -> str:
    """The file: JSON, a line for each part and for each entry of a list."""
    return "{\n" + ",\n".join(f"{json.dumps(name)}: {_lines(part)}" for name, part in evidence.items()) + "\n}\n"


def read(text: str) -> dict[str, Any]:
    """The evidence in a file. Raises NotEvidence."""
    try:
        found = chain.read_json(text)
    except json.JSONDecodeError as error:
        raise NotEvidence("it is not JSON") from error
    except ValueError as twice:
        raise NotEvidence(str(twice)) from twice
    if not isinstance(found, dict) or found.get("evidence") != VERSION:
        raise NotEvidence(f"it does not say that it is evidence of version {VERSION}")
    return found


def verify(evidence: Evidence, *, kept: Iterable[Tally] = ()) -> Findings:
    """Whether the file is whole and its parts belong together; `kept` may hold tallies of it. Raises NotEvidence."""
    try:
        return _verify(evidence, kept=kept)
    except KeyError as error:
        raise NotEvidence(f"{json.dumps(error.args[0])} is missing in it, or has no place there") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise NotEvidence("a part of it is missing or has another shape") from error


def _verify(evidence: Evidence, *, kept: Iterable[Tally]) -> Findings:
    _shaped(evidence)
    request_id = evidence["request"]["id"]
    kept = [one for one in kept if one.request_id == request_id]
    seals = tuple(plain.load(Seal, one) for one in evidence["seals"])
    known: dict[tuple[int, int], str] = {}
    walk = Walk()
    links = list(walk.along(plain.load(Link, one) for one in evidence["events"]))
    breaches = [
        *chain.breaks(links, known),
        *chain.broken_seals(seals, known, of=request_id),
        *walk.strays.values(),
        *_misplaced(evidence, walk, links),
        *(breach for link in links for breach in _untold(evidence, link)),
        *words.breaches(request_id, [plain.load(Decision, one) for one in evidence["decisions"]], links),
        *_unknown(evidence, links),
        *chain.missed(kept, known),
    ]
    over = [seq for seal in seals for key, (seq, _) in seal.heads.items() if int(key) == request_id]
    proven = max([*over, *(one.seq for one in kept)], default=0) >= walk.ends.get(request_id, 0)
    return verification.findings(known, seals, breaches, stands=walk.stands.get(request_id), proven=proven)


def _shaped(evidence: Evidence) -> None:
    """Every part is the value it stands for: what no such file has would be believed, and held by nothing.

    Raises KeyError with the name of the part, TypeError and ValueError.
    """
    for name in sorted((evidence.keys() | _ONES | _LISTS.keys()) - _SINCE):
        part = evidence[name]
        if name not in _ONES:
            shape = _LISTS[name]
            for one in part:
                plain.load(shape, one)
    for name in evidence["request"].keys() & _LEFT_OUT:
        raise KeyError(name)
    plain.load(Request, {**evidence["request"], "plan": None, "version": 0})


def _lines(part: Any) -> str:
    if isinstance(part, list) and part:
        return "[\n  " + ",\n  ".join(map(canonical, part)) + "\n]"
    return canonical(part)


def _misplaced(evidence: Evidence, walk: Walk, links: Sequence[Link]) -> Iterator[Breach]:
    """Where the request itself is not what its story makes of it."""
    told = evidence["request"]
    stands = walk.stands.get(told["id"])
    if stands and stands != told["state"]:
        yield Breach(told["id"], None, f"#{told['id']} is {told['state']} in this file, and {stands} by its story.")
    asked_at = datetime.fromisoformat(told["asked_at"])
    if links and not timedelta() <= datetime.fromisoformat(links[0].at) - asked_at <= _AT_ONCE:
        yield Breach(told["id"], 1, f"#{told['id']} was asked at another time than this file says.")


def _untold(evidence: Evidence, link: Link) -> Iterator[Breach]:
    """Where what one event says is not what the rest of the file shows."""
    body, told = link.body, evidence["request"]
    if link.request_id != told["id"]:
        yield Breach(link.request_id, link.seq, f"Event {link.seq} belongs to #{link.request_id}, not #{told['id']}.")
    match link.kind:
        case Asked.__name__:
            asked = {name: body[name] for name in _ASKED if name in body}
            said = {**told, "groups": _groups(told)}
            by = (told["actor"]["id"], told["actor"]["name"])
            unlike = body.get("by") not in {None, words.hash_of_actor(plain.load(Actor, told["actor"]))}
            if {name: said[name] for name in asked} != asked or by != (body["actor_id"], body["actor_name"]) or unlike:
                yield _differs(link, "the request")
        case Planned.__name__ if _differ(body, "frozen", evidence["plan"]):
            yield _differs(link, "the plan")
        case Planned.__name__ if _differ(body, "shown", evidence["shown"]):
            yield _differs(link, "what was shown of the plan")
        case Planned.__name__ if _differ(body, "receipt", evidence.get("receipt")):
            yield _differs(link, "the rehearsal's receipt")
        case BackedUp.__name__ if _differ(body, "manifest", evidence["manifest"]):
            yield _differs(link, "the backup's manifest")


def _unknown(evidence: Evidence, links: Sequence[Link]) -> Iterator[Breach]:
    """Where the file shows what no event tells of."""
    told = [link.body for link in links if link.kind == Witnessed.__name__]
    shown = [_seen(one) for one in evidence["witnesses"]]
    if len(told) != len(shown) or any(map(_unlike, told, shown)):
        yield Breach(evidence["request"]["id"], None, "The witnesses are not those that the events tell of.")
    receipts = [link for link in links if link.kind == Planned.__name__ and link.body.get("receipt")]
    if evidence.get("receipt") is not None and not receipts:
        yield Breach(evidence["request"]["id"], None, "No event tells of the rehearsal whose receipt is in this file.")
    if evidence["manifest"] is not None and not any(link.kind == BackedUp.__name__ for link in links):
        yield Breach(evidence["request"]["id"], None, "No event tells of the backup whose manifest is in this file.")


def _seen(witness: Mapping[str, Any]) -> dict[str, Any]:
    """Whom and what a witness shows, as its event says it."""
    people = {name: [actor["id"] for actor in witness[name]] for name in _SEEN}
    asking = witness.get("asking") and words.hash_of_actor(plain.load(Actor, witness["asking"]))
    return {**people, "groups": _groups(witness), "ours": witness.get("ours"), "asking": asking}


def _unlike(body: Mapping[str, Any], seen: Mapping[str, Any]) -> bool:
    return any(body[name] != said for name, said in seen.items() if body.get(name) is not None)


def _groups(part: Mapping[str, Any]) -> list[str]:
    """Each user group and who was in it, as events have it in one line."""
    return [" ".join((group["id"], *group["members"])) for group in part["groups"]]


def _differ(body: Mapping[str, Any], name: str, part: Any) -> bool:
    """Whether a part is not the one an event holds the hash of; events from before that have none."""
    return body.get(name) is not None and chain.hash_of(part) != body[name]


def _differs(link: Link, what: str) -> Breach:
    why = f"Event {link.seq} of #{link.request_id} ({link.kind}) speaks of something else than {what} in this file."
    return Breach(link.request_id, link.seq, why)
