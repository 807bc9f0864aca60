"""One file tells all about one request, and verifies by itself: every part of it is held to the chain."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ledger import __main__ as door
from ledger import evidence
from ledger.book import Book
from ledger.chain import Tally
from ledger.events import Agreed, Approved, BackedUp, Exported, Rejected
from ledger.request import Decision, Request, Verdict, Witness
from ledger.states import State
from tests.support.ledger import ADA, BO, DIGEST, a_frozen, a_plan, a_request_in, a_wish, role_url

Out = pytest.CaptureFixture[str]
MANIFEST = {"manifest": 1, "bytes": 12, "sha256": "c" * 64, "contents": {"rows": {"public.users": 3}}}


@pytest.fixture
def request_id(ledger: Book) -> int:
    """A request of Ada's that Bo approved and that ran, sealed."""
    request = a_request_in(ledger, State.PLANNED, protected=True, wish=a_wish(environment="production", reason="r"))
    ledger.decide(a_yes(request.id))
    ledger.witness(Witness(request.id, ledger.now(), approving=(BO,), rejecting=(), ours=True, asking=ADA))
    ran(ledger, request)
    ledger.seal()
    return request.id


def a_yes(request_id: int, event_ts: str = "1.2") -> Decision:
    return Decision(request_id, BO, Verdict.APPROVE, DIGEST, event_ts, None)


def the_hash_of(ledger: Book, request_id: int) -> str | None:
    return ledger.word(request_id, actor_id=BO.id, verdict=Verdict.APPROVE, event_ts="1.2")


def ran(ledger: Book, request: Request) -> None:
    from tests.support.ledger import WAY

    word = the_hash_of(ledger, request.id)
    ledger.move(request.id, State.APPROVED, why=Approved(BO.id, BO.name, "2026-11-22T10:00:00Z", word=word))
    ledger.move(request.id, State.APPLYING, why=WAY[State.APPLYING][1])
    ledger.backed_up(request.id, BackedUp("production-backup.sql", 12, "c" * 64, 0.5), manifest=MANIFEST)
    ledger.move(request.id, State.APPLIED, why=WAY[State.APPLIED][1])


def test_it_tells_all_and_holds(ledger: Book, request_id: int) -> None:
    file = evidence.as_text(evidence.gather(ledger, request_id))
    told = json.loads(file)
    assert told["request"]["actor"]["id"] == ADA.id
    assert told["plan"] == a_frozen(a_plan(environment="production", protected=True))
    assert told["shown"]["migrations"][0]["hazards"][0]["sentence"] == "Rewrites users."
    assert [one["actor"]["id"] for one in told["decisions"]] == [BO.id]
    assert told["manifest"] == MANIFEST
    kinds = [one["kind"] for one in told["events"]]
    assert kinds == ["Asked", "Planned", "Witnessed", "Approved", "Started", "BackedUp", "Applied"]
    assert told["seals"][0]["heads"][str(request_id)] == [7, told["events"][-1]["hash"]]
    found = evidence.verify(evidence.read(file), kept=[ledger.tally(request_id), Tally(99, 1, "0" * 12)])
    assert (found.events, found.seals, found.unsealed, found.breaches) == (7, 1, 0, ())
    assert (found.stands, found.proven, found.holds) == (State.APPLIED, True, True)


def word_of(person: str, verdict: str) -> dict[str, Any]:
    actor = {"id": person, "team": "T0TWOKEY", "name": "x", "kind": "full_member"}
    return {
        "request_id": 1,
        "actor": actor,
        "verdict": verdict,
        "digest": DIGEST,
        "event_ts": "1.3",
        "withdrawn_ts": None,
    }


GROUP = {"id": "S0APPROVERS", "members": ["U0X"]}
SAYS = "speaks of something else than"


@pytest.mark.parametrize(
    ("forge", "why"),
    [
        (
            lambda e: e["plan"]["migrations"][0].update(text="DROP TABLE users"),
            f"Event 2 of #1 (Planned) {SAYS} the plan in",
        ),
        (lambda e: e["request"].update(reason="other"), f"Event 1 of #1 (Asked) {SAYS} the request in"),
        (lambda e: e["request"].update(about=["last", "9"]), f"Event 1 of #1 (Asked) {SAYS} the request in"),
        (lambda e: e["request"].update(note="fine"), f"Event 1 of #1 (Asked) {SAYS} the request in"),
        (lambda e: e["request"]["actor"].update(id="U0X"), f"Event 1 of #1 (Asked) {SAYS} the request in"),
        (lambda e: e["manifest"].update(bytes=13), f"Event 6 of #1 (BackedUp) {SAYS} the backup's manifest in"),
        (lambda e: e.update(manifest=None), f"Event 6 of #1 (BackedUp) {SAYS} the backup's manifest in"),
        (lambda e: e["decisions"].clear(), f"Event 4 of #1 (Approved) {SAYS} the decisions in"),
        (lambda e: e["decisions"][0].update(digest="d"), "A decision is about another plan than the events tell of."),
        (lambda e: e["shown"].update(digest="d"), f"Event 2 of #1 (Planned) {SAYS} what was shown of the plan in"),
        (
            lambda e: e["shown"]["migrations"][0]["hazards"].clear(),
            f"Event 2 of #1 (Planned) {SAYS} what was shown of the plan in",
        ),
        (lambda e: e["request"]["groups"].append(GROUP), f"Event 1 of #1 (Asked) {SAYS} the request in"),
        (
            lambda e: e["witnesses"][0].update(rejecting=e["witnesses"][0]["approving"]),
            "The witnesses are not those that the events tell of.",
        ),
        (
            lambda e: e["witnesses"][0]["groups"].append(GROUP),
            "The witnesses are not those that the events tell of.",
        ),
        (lambda e: e["witnesses"][0].update(ours=False), "The witnesses are not those that the events tell of."),
        (
            lambda e: e["witnesses"][0]["asking"].update(marks=["another"]),
            "The witnesses are not those that the events tell of.",
        ),
        (lambda e: e.update(receipt={}), "No event tells of the rehearsal whose receipt is in this file."),
        (lambda e: e["witnesses"].clear(), "The witnesses are not those that the events tell of."),
        (lambda e: e["events"][3]["body"].update(actor_id="U0X"), "Event 4 of #1 (Approved, "),
        (lambda e: e["events"].pop(), "Seal 1 knows event 7 of #1, which is missing: the end of that story was cut"),
        (lambda e: e["events"].pop(2), "Event 3 of #1 is missing."),
        (lambda e: e["seals"][0].update(at="2020"), "Seal 1 was changed: it hashes to "),
        (lambda e: e["request"].update(id=8), "Event 1 belongs to #1, not #8."),
        (lambda e: e["request"].update(state="failed"), "#1 is failed in this file, and applied by its story."),
        (lambda e: e["request"].update(protected=False), f"Event 1 of #1 (Asked) {SAYS} the request in"),
        (lambda e: e["request"].update(channel="C0OTHER"), f"Event 1 of #1 (Asked) {SAYS} the request in"),
        (lambda e: e["request"]["actor"].update(name="bo"), f"Event 1 of #1 (Asked) {SAYS} the request in"),
        (
            lambda e: e["request"].update(asked_at="2026-11-22T10:00:00+00:00"),
            "#1 was asked at another time than this file says.",
        ),
        (lambda e: e["decisions"][0].update(verdict="reject"), f"Event 4 of #1 (Approved) {SAYS} the decisions in"),
        (lambda e: e["decisions"].append(word_of("U0X", "approve")), "No event tells of the word of U0X: approve."),
        (
            lambda e: e["decisions"].append(word_of(BO.id, "reject")),
            "No event tells of the word of U0APPROVER: reject.",
        ),
        (
            lambda e: e["decisions"].append(word_of(BO.id, "approve")),
            "No event tells of the word of U0APPROVER: approve.",
        ),
        (lambda e: e["decisions"].append(e["decisions"][0]), "The word of U0APPROVER stands twice: approve."),
        (lambda e: e["decisions"][0].update(request_id=9), f"Event 4 of #1 (Approved) {SAYS} the decisions in"),
        (lambda e: e["decisions"][0].update(source="button"), f"Event 4 of #1 (Approved) {SAYS} the decisions in"),
        (lambda e: e["decisions"][0].update(event_ts="1.0"), f"Event 4 of #1 (Approved) {SAYS} the decisions in"),
        (lambda e: e["decisions"][0]["actor"].update(name="x"), f"Event 4 of #1 (Approved) {SAYS} the decisions in"),
        (lambda e: e["decisions"][0]["actor"].update(team="T"), f"Event 4 of #1 (Approved) {SAYS} the decisions in"),
        (
            lambda e: e["decisions"][0]["actor"].update(kind="guest"),
            f"Event 4 of #1 (Approved) {SAYS} the decisions in",
        ),
        (
            lambda e: e["decisions"][0]["actor"].update(marks=["x"]),
            f"Event 4 of #1 (Approved) {SAYS} the decisions in",
        ),
        (lambda e: e["request"]["actor"].update(marks=["x"]), f"Event 1 of #1 (Asked) {SAYS} the request in"),
        (lambda e: e["request"]["actor"].update(team="T"), f"Event 1 of #1 (Asked) {SAYS} the request in"),
        (lambda e: e["request"]["actor"].update(kind="guest"), f"Event 1 of #1 (Asked) {SAYS} the request in"),
    ],
)
def test_whatever_is_changed_in_it_is_named(
    ledger: Book, request_id: int, forge: Callable[[dict[str, Any]], object], why: str
) -> None:
    told = evidence.read(evidence.as_text(evidence.gather(ledger, request_id)))
    forge(told)
    assert evidence.verify(told).breaches[0].why.startswith(why)


@pytest.mark.parametrize("told_of", ["Agreed", "Rejected"])
def test_a_word_that_is_told_and_not_there_is_named(ledger: Book, told_of: str) -> None:
    request = a_request_in(ledger, State.PLANNED)
    if told_of == "Agreed":
        ledger.tell(request.id, Agreed(BO.id, BO.name, 1))
    else:
        ledger.move(request.id, State.REJECTED, why=Rejected(BO.id, BO.name))
    told = evidence.gather(ledger, request.id)
    assert [one.why for one in evidence.verify(told).breaches] == [
        f"Event 3 of #1 ({told_of}) speaks of something else than the decisions in this file."
    ]


def test_nothing_in_it_writes_on_the_terminal_as_if_it_were_the_verdict(
    ledger: Book, request_id: int, tmp_path: Path, capsys: Out
) -> None:
    told, file = evidence.gather(ledger, request_id), tmp_path / "evidence.json"
    told["decisions"].append(word_of("U0X\x1b[2J\nThe record holds: 1 request", "approve"))
    file.write_text(evidence.as_text(told))
    assert door.main(["verify", str(file)]) == 1
    said = capsys.readouterr().out
    assert "\\x1b[2J\\nThe record holds" in said
    assert ("\x1b" in said, len(said.splitlines())) == (False, 2)


def test_an_end_that_nothing_proves_is_said_to_be_unproven(
    ledger: Book, request_id: int, tmp_path: Path, capsys: Out
) -> None:
    """Whoever cuts the end of a story off drops the seals, too; so does whoever writes it anew."""
    told = evidence.gather(ledger, request_id)
    told["seals"].clear()
    file, tallies = tmp_path / "evidence.json", tmp_path / "tallies"
    file.write_text(evidence.as_text(told))
    assert door.main(["verify", str(file)]) == 1
    assert capsys.readouterr().out == (
        "The record holds together (1 request, 7 events, 0 seals, 0 tallies), but nothing proves its end, applied.\n"
        "Neither a seal nor a tally stands over it. Export it again a minute after the end, when the ledger has sealed "
        "it, or hold it against the end that the environment keeps, with --tallies.\n"
    )
    tallies.write_text(f"#99.1 {'0' * 64}\n")
    assert door.main(["verify", str(file), "--tallies", str(tallies)]) == 1
    tallies.write_text(str(ledger.tally(request_id)))
    assert door.main(["verify", str(file), "--tallies", str(tallies)]) == 0
    assert capsys.readouterr().out.endswith("By its story the request is applied.\n")
    told["events"].pop()
    told["request"]["state"] = "applying"
    file.write_text(evidence.as_text(told))
    assert door.main(["verify", str(file)]) == 0  # nothing shows that a story goes on, so it is said where it stands
    assert capsys.readouterr().out.endswith("By its story the request is applying.\n")
    assert door.main(["verify", str(file), "--tallies", str(tallies)]) == 1
    assert json.loads(evidence.as_text(told))["seals"] == []


def test_a_story_that_grows_while_it_is_read_is_read_again(
    ledger: Book, request_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seals_of = ledger.seals_of

    def slowly(of: int) -> Any:
        if len(ledger.links(of)) < 9:
            ledger.tell(of, Exported(ADA.id, ADA.name))
        return seals_of(of)

    monkeypatch.setattr(ledger, "seals_of", slowly)
    assert [one["kind"] for one in evidence.gather(ledger, request_id)["events"]][-2:] == ["Exported", "Exported"]


def test_a_manifest_in_evidence_of_no_backup_is_named(ledger: Book) -> None:
    request = a_request_in(ledger, State.PLANNED)
    told = evidence.read(evidence.as_text(evidence.gather(ledger, request.id)))
    told["manifest"] = MANIFEST
    assert [one.why for one in evidence.verify(told).breaches] == [
        "No event tells of the backup whose manifest is in this file."
    ]


@pytest.mark.parametrize("name", ["plan", "version", "approved"])
def test_what_nothing_holds_has_no_place_in_it(ledger: Book, request_id: int, name: str) -> None:
    told = evidence.gather(ledger, request_id)
    told["request"][name] = 9
    with pytest.raises(evidence.NotEvidence, match=f'"{name}" is missing in it, or has no place there'):
        evidence.verify(told)


def test_from_a_terminal_it_is_one_file_that_is_verified_without_the_ledger(
    ledger: Book, ledger_url: str, request_id: int, capsys: Out, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEDGER_DATABASE_URL", role_url(ledger_url, "twokey_bot"))
    assert door.main(["export", str(request_id)]) == 0
    file = tmp_path / "evidence.json"
    file.write_text(capsys.readouterr().out)
    assert door.main(["export", "99"]) == 2
    assert "There is no request #99." in capsys.readouterr().err
    monkeypatch.setenv("LEDGER_DATABASE_URL", role_url(ledger_url, "twokey_sweep"))
    assert door.main(["export", str(request_id)]) == 3
    assert capsys.readouterr().err == (
        "The login in LEDGER_DATABASE_URL may not read all of that. The bot's and the owner's may.\n"
    )
    monkeypatch.delenv("LEDGER_DATABASE_URL")
    assert door.main(["verify", str(file)]) == 0
    assert capsys.readouterr().out.startswith("The record holds: 1 request, 7 events, 1 seal, 0 tallies. Seal 1 is ")
    file.write_text(file.read_text().replace("SELECT 'create", "SELECT 'drop"))
    assert door.main(["verify", str(file)]) == 1
    assert "Event 2 of #1 (Planned) speaks of something else than the plan in this file." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "it is not JSON"),
        ("[]", "it does not say that it is evidence of version 1"),
        ('{"evidence": 2}', "it does not say that it is evidence of version 1"),
        ('{"evidence": 1, "evidence": 1}', '"evidence" stands in it twice, and readers differ in which they take'),
        (
            '{"evidence": 1, "\\u001b": 1, "\\u001b": 2}',
            '"\\u001b" stands in it twice, and readers differ in which they take',
        ),
        ('{"evidence": 1, "decisions": [], "\\u001b": 2}', '"\\u001b" is missing in it, or has no place there'),
        ('{"evidence": 1, "decisions": []}', '"events" is missing in it, or has no place there'),
        ('{"evidence": 1, "decisions": [{"x": 1}]}', '"x" is missing in it, or has no place there'),
        ('{"evidence": 1, "decisions": [], "approved_by": 2}', '"approved_by" is missing in it, or has no place there'),
        ('{"evidence": 1, "decisions": 3}', "a part of it is missing or has another shape"),
    ],
)
def test_what_is_no_evidence_is_said_to_be_none(text: str, why: str, tmp_path: Path, capsys: Out) -> None:
    file = tmp_path / "evidence.json"
    file.write_text(text)
    assert door.main(["verify", str(file)]) == 2
    assert capsys.readouterr().err == (
        f"This is not an evidence file of Twokey: {why}. Make one with: python -m ledger export <number>\n"
    )
