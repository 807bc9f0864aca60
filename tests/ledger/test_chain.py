"""Events are chained by the database and recomputed by Python: both say the same, and every forgery is named."""

import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege, IntegrityConstraintViolation

from ledger import chain, verification
from ledger.book import Book
from ledger.chain import Link, Seal, Tally
from ledger.events import Noted
from ledger.states import State
from tests.support.ledger import ROLES, a_request_in, prepare, role_url, schema_files

Say = Callable[[str], None]
NOTED = Noted("U1", "ada", "x")

# Golden: a story of two events and the seal over it, as anybody may recompute them with sha256sum.
FIRST = Link(
    7,
    1,
    "2026-11-22T10:00:00.000001Z",
    "Asked",
    {"act": "apply", "reason": None, "actor_id": "U1", "actor_name": "Ünal “x”\n", "environment": "test"},
    "5a43f130a5708a51925d975b002a3446dd99dc15d8d1231ad4d8687a20ee085e",
)
SECOND = Link(
    7,
    2,
    "2026-11-22T10:00:01.500000Z",
    "Applied",
    chain.read_json('{"seconds": 0.250, "migrations": ["a"]}'),
    "754dabb15018b98f11c0514fd3f8291fb34e6ce029590098e0d5883fa7e5aeab",
)
SEAL = Seal(
    1,
    "2026-11-22T10:00:05.000000Z",
    {"7": (2, SECOND.hash)},
    None,
    "61c89be5eea421c53732d34ed0dc837048f3a4228cdca597669a5d643a2510bd",
)
TEXTS = {
    FIRST.hash: (
        '[null, 7, 1, "2026-11-22T10:00:00.000001Z", "Asked", {"act": "apply", "reason": null, "actor_id": "U1", '
        '"actor_name": "Ünal “x”\\n", "environment": "test"}]'
    ),
    SECOND.hash: (
        f'["{FIRST.hash}", 7, 2, "2026-11-22T10:00:01.500000Z", "Applied", {{"seconds": 0.250, "migrations": ["a"]}}]'
    ),
    SEAL.hash: f'[null, 1, "2026-11-22T10:00:05.000000Z", {{"7": [2, "{SECOND.hash}"]}}]',
}


def test_the_golden_vectors() -> None:
    assert chain.hash_of_link(FIRST, before=None) == FIRST.hash
    assert chain.hash_of_link(SECOND, before=FIRST.hash) == SECOND.hash
    assert chain.hash_of_seal(SEAL) == SEAL.hash
    assert all(hashlib.sha256(text.encode()).hexdigest() == hash_ for hash_, text in TEXTS.items())


def test_the_database_gives_the_golden_vectors_too(ledger_url: str) -> None:
    with psycopg.connect(ledger_url) as conn:
        for hash_, text in TEXTS.items():
            assert conn.execute("SELECT hash_of(%s::jsonb)", (text,)).fetchone() == (hash_,)
        moment = "SELECT in_utc('2026-11-22 11:00:00.000001+01')"
        assert conn.execute(moment).fetchone() == (FIRST.at,)


@pytest.mark.parametrize(
    "value",
    [
        '"\\u0001\\u001f\\u007f\\b\\f\\n\\r\\t\\"\\\\/ é \\ud83d\\ude00 \\u2028"',
        '{"bb": 1, "a": 2, "é": 3, "": 4, "ab": 5, "B": 6}',
        "[0, -0, 1.50, 1e22, 1e-7, -2.5E+3, 123456789012345678901234567890, 0.1, 0.0, true, false, null, [], {}]",
    ],
)
def test_the_canonical_form_is_what_jsonb_prints(ledger_url: str, value: str) -> None:
    with psycopg.connect(ledger_url) as conn:
        row = conn.execute("SELECT %s::jsonb::text", (value,)).fetchone()
    assert row
    assert chain.canonical(chain.read_json(row[0])) == row[0]
    assert chain.canonical(json.loads(row[0].replace("1.50", "1.5"))) == row[0].replace("1.50", "1.5")


def test_every_story_is_chained_as_it_is_written_and_holds(ledger: Book) -> None:
    for state in (State.APPLIED, State.FAILED, State.EXPIRED):
        a_request_in(ledger, state)
    found = verification.of_ledger(ledger)
    assert (found.requests, found.events, found.unsealed, found.breaches) == (3, 13, 13, ())
    assert [told.hash for told in ledger.events(1)] == [link.hash for link in ledger.links(1)]


def test_two_writers_at_once_write_one_chain(ledger: Book) -> None:
    request = a_request_in(ledger, State.ASKED)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: ledger.tell(request.id, NOTED), range(40)))
    found = verification.of_ledger(ledger)
    assert (found.events, found.breaches) == (41, ())


def test_stories_and_seals_longer_than_a_page_are_read_whole(ledger: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.seals.PAGE", 3)
    for _ in range(4):
        a_request_in(ledger, State.APPLIED)
    assert (ledger.seal(), ledger.seal(), ledger.seal()) == (1, 2, None)
    found = verification.of_ledger(ledger)
    assert (found.events, found.seals, found.unsealed, found.breaches) == (20, 2, 0, ())


@pytest.mark.parametrize(
    ("role", "kind"), [("twokey_bot", "Noted"), ("twokey_worker", "Ready"), ("twokey_sweep", "Answered")]
)
def test_no_login_can_write_a_chain_that_does_not_hold(ledger_url: str, ledger: Book, role: str, kind: str) -> None:
    a_request_in(ledger, State.ASKED)
    row = f"INSERT INTO public.events (request_id, seq, kind, body{{}}) VALUES (1, {{}}, '{kind}', '{{{{}}}}'{{}})"
    with psycopg.connect(role_url(ledger_url, role), autocommit=True) as conn:
        for column, value in (("hash", "repeat('a', 64)"), ("at", "now() - interval '1 day'")):
            with pytest.raises(InsufficientPrivilege):
                conn.execute(row.format(f", {column}", 2, f", {value}").encode())
        with pytest.raises(IntegrityConstraintViolation, match="there is no event before 3 of request 1"):
            conn.execute(row.format("", 3, "").encode())
        # A temporary table of the same name is found first by whoever asks without a schema.
        conn.execute(
            "CREATE TEMPORARY TABLE events AS SELECT 1::bigint AS request_id, 1 AS seq, repeat('a', 64) AS hash"
        )
        with pytest.raises(InsufficientPrivilege, match="event 2 of request 1 is before its time"):
            conn.execute(row.format("", 2, "").encode())
        with conn.transaction():
            conn.execute("UPDATE public.requests SET version = 2")
            conn.execute(row.format("", 2, "").encode())
    assert verification.of_ledger(ledger).breaches == ()
    known: dict[tuple[int, int], str] = {}
    assert list(chain.breaks(ledger.links(1), known)) == []


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    "statement",
    ["UPDATE seals SET heads = '{}'", "DELETE FROM seals", "TRUNCATE seals", "ALTER TABLE seals DISABLE TRIGGER ALL",
     "ALTER TABLE events DISABLE TRIGGER events_are_chained", "DROP TRIGGER events_are_chained ON events",
     "CREATE OR REPLACE FUNCTION hash_of(link jsonb) RETURNS text LANGUAGE sql AS 'SELECT NULL::text'"],
)  # fmt: skip
def test_seals_and_the_chain_are_the_owners_to_shape(ledger_url: str, role: str, statement: str) -> None:
    with psycopg.connect(role_url(ledger_url, role)) as conn, pytest.raises(InsufficientPrivilege):
        conn.execute(statement.encode())


@pytest.mark.parametrize("role", ["twokey_bot", "twokey_worker"])
def test_only_the_sweep_seals(ledger_url: str, ledger: Book, role: str) -> None:
    a_request_in(ledger, State.ASKED)
    other = Book(role_url(ledger_url, role))
    with pytest.raises(Exception, match="permission denied"):
        other.seal()
    other.close()


def test_the_sweep_cannot_seal_what_is_not_there(ledger_url: str, ledger: Book) -> None:
    a_request_in(ledger, State.ASKED)
    sealing = "INSERT INTO seals (id, heads) VALUES ({}, jsonb_build_object('1', jsonb_build_array(1, {})))"
    with psycopg.connect(role_url(ledger_url, "twokey_sweep"), autocommit=True) as conn:
        with pytest.raises(IntegrityConstraintViolation, match="seal 1 names an event that is not there"):
            conn.execute(sealing.format(1, "repeat('a', 64)").encode())
        with pytest.raises(IntegrityConstraintViolation, match="there is no seal before 2"):
            conn.execute(sealing.format(2, "(SELECT hash FROM events)").encode())


def test_two_sweeps_make_one_seal(ledger: Book) -> None:
    a_request_in(ledger, State.APPLIED)
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: ledger.seal(), range(4)))
    assert [number for number in made if number] == [1]
    assert verification.of_ledger(ledger).breaches == ()


def told(ledger: Book, *kept: Tally) -> list[str]:
    return [breach.why for breach in verification.of_ledger(ledger, kept=kept).breaches]


def test_a_changed_event_is_named(ledger: Book, forge: Say) -> None:
    request = a_request_in(ledger, State.APPLIED)
    before = ledger.links(request.id)[3]
    forge('UPDATE events SET body = \'{"worker": "other"}\' WHERE seq = 4')
    now = chain.hash_of_link(ledger.links(request.id)[3], before=ledger.links(request.id)[2].hash)
    (named,) = told(ledger)
    assert named == (
        f"Event 4 of #1 (Started, {before.at}) does not hold: it hashes to {now[:12]}…, and {before.hash[:12]}… stands "
        "beside it. It was changed, or the one before it was."
    )


def test_an_event_that_was_taken_out_is_named(ledger: Book, forge: Say) -> None:
    a_request_in(ledger, State.APPLIED)
    forge("DELETE FROM events WHERE seq = 3")
    assert told(ledger)[0] == "Event 3 of #1 is missing."


def test_an_end_that_was_cut_off_is_missed_by_the_seal_and_by_the_tally(ledger: Book, forge: Say) -> None:
    request = a_request_in(ledger, State.APPLIED)
    ledger.seal()
    kept = ledger.tally(request.id)
    forge("DELETE FROM events WHERE seq = 5")
    forge("UPDATE requests SET version = 4, sealed_version = 4, announced_version = 0")
    assert told(ledger, kept) == [
        "Seal 1 knows event 5 of #1, which is missing: the end of that story was cut off.",
        "The tally knows event 5 of #1, which is missing: the end of that story was cut off.",
        "#1 is applied by its row, and applying by its story up to event 4.",
    ]
    forge("DELETE FROM seals; UPDATE requests SET state = 'applying'")
    assert told(ledger) == []
    assert told(ledger, kept) == ["The tally knows event 5 of #1, which is missing: the end of that story was cut off."]


def test_a_story_that_was_written_anew_is_known_by_its_seal_and_by_its_tally(ledger: Book, forge: Say) -> None:
    request = a_request_in(ledger, State.REJECTED)
    ledger.seal()
    kept = ledger.tally(request.id)
    forge("DELETE FROM events WHERE seq = 3; UPDATE requests SET version = 2, sealed_version = 2, state = 'planned'")
    ledger.tell(request.id, NOTED)
    here = ledger.tally(request.id)
    assert told(ledger, Tally(1, 3, kept.hash[:12])) == [
        f"{witness} has {kept.hash[:12]}… for event 3 of #1, and the ledger {here.hash[:12]}…: "
        "the story was written anew."
        for witness in ("Seal 1", "The tally")
    ]


def test_seals_are_chained_too(ledger: Book, forge: Say) -> None:
    for _ in range(3):
        a_request_in(ledger, State.ASKED)
        ledger.seal()
    forge("UPDATE seals SET at = at - interval '1 day' WHERE id = 2")
    (changed,) = told(ledger)
    assert changed.startswith("Seal 2 was changed: it hashes to ")
    forge("DELETE FROM seals WHERE id = 2")
    assert told(ledger)[0] == "Seal 2 is missing."


def test_a_tally_is_read_from_whatever_stands_around_it() -> None:
    hash_ = "0123456789ab" + "c" * 52
    text = f"Record `#7.12 0123·4567·89ab`\n#8.3 {hash_}\n#9.1 short 12\n"
    assert chain.tallies(text) == (Tally(7, 12, "0123456789ab"), Tally(8, 3, hash_))
    assert str(Tally(8, 3, hash_)) == f"#8.3 {hash_}"


def test_what_was_written_before_there_were_chains_is_chained_as_it_stands(
    fresh_database: Callable[[str], str],
) -> None:
    url = fresh_database("ledger_from_before")
    prepare(url, files=[file for file in schema_files() if file.stem < "20261123003000"])
    with psycopg.connect(url) as conn:
        for number in (1, 2):
            conn.execute(
                "INSERT INTO requests (key, act, environment, protected, actor_id, actor_team, actor_name, actor_kind,"
                " channel, state, expires_at, version) VALUES"
                " (%s, 'apply', 'test', false, 'U', 'T', 'n', 'full_member', 'C', 'asked', now(), 3)",
                (str(number),),
            )
            for seq, kind in enumerate(("Asked", "Noted", "Noted"), start=1):
                conn.execute(
                    "INSERT INTO events (request_id, seq, kind, body) VALUES (%s, %s, %s, %s::jsonb)",
                    (number, seq, kind, '{"seconds": 1.50}'),
                )
        for file in schema_files():
            if file.stem >= "20261123003000":
                conn.execute(file.read_bytes())
    book = Book(url)
    found = verification.of_ledger(book)
    assert (found.requests, found.events, found.breaches) == (2, 6, ())
    with pytest.raises(Exception, match="events are append-only"), psycopg.connect(url) as conn:
        conn.execute("DELETE FROM events")
    book.close()
