"""A person says an environment was tested: what that covers, and when it is refused."""

import pytest

from ledger.events import Certified, Denied
from ledger.request import Act
from ledger.states import State
from tests.support.ledger import ADA
from tests.workers.row import FIRST, SECOND, THIRD, Row
from tests.workers.test_gate import turn
from workers import certificate


def test_a_certification_shows_and_covers_exactly_what_the_history_holds_now(row: Row) -> None:
    row.bring("development", "test")
    row.file("20260101000000_later", "CREATE TABLE later ();\n")
    request = row.do("test", Act.CERTIFY, note="checkout ran all night")
    assert request.state is State.APPLIED
    assert row.last(request.id) == Certified(ADA.id, ADA.name, (FIRST, SECOND, THIRD), "checkout ran all night")
    certification = row.ledger.certification("test")
    assert certification
    assert list(certification.covers) == row.sql(
        "test", "SELECT migration_id, checksum FROM schema_migrations ORDER BY id"
    )
    assert (certification.by.actor_id, certification.by.note) == (ADA.id, "checkout ran all night")
    plan = request.plan
    assert plan
    assert [one.id for one in plan.migrations] == [FIRST, SECOND, THIRD]
    assert plan.migrations[0].name == "create_users"
    assert plan.digest == certificate.digest("test", tuple((one.id, one.checksum) for one in plan.migrations))
    story = row.told(request.id)
    row.ring(request.id)  # rung twice it is certified once
    assert row.told(request.id) == story


def test_the_digest_of_a_certificate_is_the_same_everywhere() -> None:
    assert certificate.digest("test", (("20250818130001_create_users", "a" * 64),)) == GOLDEN


#: printf '{"certify":"test","covers":[["20250818130001_create_users","aaa…"]]}' | sha256sum
GOLDEN = "4069294f38e860b351ca84e3836b11ea22e395146c3079cce6cc6815a3de3db8"


def why_not(row: Row, **more: object) -> str:
    request = row.do("test", Act.CERTIFY, **more)
    assert request.state is State.REJECTED
    denied = row.last(request.id)
    assert isinstance(denied, Denied)
    return denied.why


def test_where_nothing_was_applied_there_is_nothing_to_certify(row: Row) -> None:
    assert (
        why_not(row)
        == "test has no applied migration, so there is nothing to certify. Bring it something and test that first."
    )


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda row: (row.migrations / f"{SECOND}.sql").write_text("SELECT 2;\n"), "changed after test applied it"),
        (lambda row: (row.migrations / f"{SECOND}.sql").unlink(), "but the folder has no such file"),
        (lambda row: row.file("20250818130002_late", "SELECT 1;\n"), "is older than"),
    ],
)
def test_a_history_that_disagrees_with_the_folder_is_not_certified(row: Row, spoil, says: str) -> None:
    row.bring("development", "test")
    spoil(row)
    why = why_not(row)
    assert why.startswith("test cannot be certified as it is. ")
    assert says in why


def test_the_button_under_an_older_run_certifies_nothing_newer(row: Row) -> None:
    row.bring("development")
    run = row.promote("test")
    fourth = row.file("20260101000000_fourth", "CREATE TABLE fourth ();\n")
    newer = row.promote("development", "test")
    assert why_not(row, covers_of=run.id) == (
        f"test moved on since #{run.id}: its newest migration is {fourth} now. "
        "Test that, then say `/migrate certify test`."
    )
    assert row.do("test", Act.CERTIFY, covers_of=newer.id).state is State.APPLIED


def test_what_is_certified_once_more_is_known_to_be_in_production(row: Row) -> None:
    row.bring("development", "test")
    first = row.last(row.do("test", Act.CERTIFY).id)
    assert isinstance(first, Certified)
    assert not first.followed
    assert turn(row, row.do("production").id).state is State.APPLIED
    again = row.last(row.do("test", Act.CERTIFY, note="once more").id)
    assert isinstance(again, Certified)
    assert again.followed
