"""Whose word a story tells of, and which: what the decisions in an evidence file are held to."""

from dataclasses import replace
from typing import Any

from ledger import chain, evidence, plain
from ledger.book import Book
from ledger.chain import Link
from ledger.events import Agreed, Noted, Refused
from ledger.request import Decision, Verdict
from ledger.states import State
from tests.support.ledger import BO, DIGEST, a_request_in


def a_yes(request_id: int, event_ts: str = "1.2") -> Decision:
    return Decision(request_id, BO, Verdict.APPROVE, DIGEST, event_ts, None)


def a_forged_yes(person: str) -> dict[str, Any]:
    return plain.dump(replace(a_yes(1, "1.3"), actor=replace(BO, id=person)))


def the_hash_of(ledger: Book, request_id: int) -> str | None:
    return ledger.word(request_id, actor_id=BO.id, verdict=Verdict.APPROVE, event_ts="1.2")


def test_a_yes_that_is_given_again_while_it_stands_hangs_on_the_one_that_was_told(ledger: Book) -> None:
    request = a_request_in(ledger, State.PLANNED)
    ledger.decide(a_yes(request.id))
    ledger.tell(request.id, Agreed(BO.id, BO.name, 1, word=the_hash_of(ledger, request.id)))
    ledger.decide(a_yes(request.id, "1.4"))  # which ends the one before, and has no event of its own
    told = evidence.gather(ledger, request.id)
    assert evidence.verify(told).breaches == ()
    told["decisions"][0]["withdrawn_ts"] = None
    assert [one.why for one in evidence.verify(told).breaches] == ["No event tells of the word of U0APPROVER: approve."]


def test_a_refusal_tells_of_the_word_it_was_given_for_alone(ledger: Book) -> None:
    request = a_request_in(ledger, State.PLANNED)
    ledger.tell(request.id, Refused(BO.id, BO.name, "You are not an approver."))
    told = evidence.gather(ledger, request.id)
    assert evidence.verify(told).breaches == ()
    told["decisions"].append(a_forged_yes(BO.id))
    assert [one.why for one in evidence.verify(told).breaches] == ["No event tells of the word of U0APPROVER: approve."]
    ledger.decide(a_yes(request.id))
    ledger.tell(request.id, Refused(BO.id, BO.name, "Too late.", word=the_hash_of(ledger, request.id)))
    assert evidence.verify(evidence.gather(ledger, request.id)).breaches == ()


def test_a_story_from_before_words_were_told_is_held_by_people_alone(ledger: Book) -> None:
    request = a_request_in(ledger, State.PLANNED)
    ledger.decide(a_yes(request.id))
    ledger.tell(request.id, Noted(BO.id, BO.name, "approves as well."))
    told = evidence.gather(ledger, request.id)
    for before, link in zip([None, *told["events"]], told["events"], strict=False):
        link["body"].pop("by", None)
        link["hash"] = chain.hash_of_link(Link(**link), before=before and before["hash"])
    assert evidence.verify(told).breaches == ()
    told["decisions"].append(a_forged_yes("U0X"))
    assert [one.why for one in evidence.verify(told).breaches] == ["No event tells of the word of U0X: approve."]
