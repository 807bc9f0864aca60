"""Two accounts of one person are one person: by the map, by an address that was verified, and by both together."""

from dataclasses import replace
from pathlib import Path

import pytest

from ledger import people
from ledger.workflow import Person, WorkflowError
from ledger.workflow_file import load, warnings
from tests.ledger.test_workflow_file import ANOTHER, SMALLEST
from tests.support.ledger import ADA, BO

MAP = (Person("Ada", (ADA.id, "U0ADATWO"), ("ada@example.com",)), Person("Bo", (BO.id,), ("bo@example.com",)))
TWO = replace(ADA, id="U0ADATWO")
BY_MAIL = replace(ADA, id="U0ADATHREE", marks=(people.mark("ada@example.com"),))
NEW = replace(ADA, id="U0NEW")


def test_an_address_is_kept_as_a_hash_whatever_its_case_and_its_accents_are_made_of() -> None:
    assert people.mark(" Ada@Example.com") == people.mark("ada@example.com")
    assert people.mark("zoe\u0308@example.com") == people.mark("ZO\u00cb@example.com") != people.mark("zoe@example.com")
    assert len(people.mark("ada@example.com")) == 64


@pytest.mark.parametrize(
    ("actors", "persons"),
    [
        ((), 0),
        ((ADA,), 1),
        ((ADA, BO), 2),
        ((ADA, TWO), 1),
        ((ADA, BY_MAIL), 1),
        ((TWO, BY_MAIL, BO), 2),
        ((NEW, replace(NEW, id="U0NEWER")), 2),
        # Nobody's map has them, and Slack verified one address for both.
        ((replace(NEW, marks=("h",)), replace(NEW, id="U0NEWER", marks=("h",))), 1),
        # Two who seem different are one as soon as a third has marks of both.
        (
            (
                replace(NEW, marks=("h",)),
                replace(NEW, id="U0B", marks=("i",)),
                replace(NEW, id="U0C", marks=("h", "i")),
            ),
            1,
        ),
    ],
)
def test_persons_are_counted_and_not_accounts(actors: tuple, persons: int) -> None:
    assert people.count(actors, MAP) == persons


def test_the_map_is_read_and_every_environment_has_it(tmp_path: Path) -> None:
    file = tmp_path / "twokey.toml"
    file.write_text(
        SMALLEST
        + "protected = true\napprovals = 2\n"
        + 'approvers = ["S0APPROVERS"]\ncertifiers = []\n'
        + ANOTHER
        + '[[person]]\nname = "Ada"\nslack = ["U0ENGINEER"]\nemails = ["Ada@Example.com"]\n'
    )
    workflow = load(file)
    ada = Person("Ada", ("U0ENGINEER",), ("ada@example.com",))
    assert workflow.people == (ada,)
    assert {one.people for one in workflow.environments} == {(ada,)}
    assert [one.approvals for one in workflow.environments] == [2, 1]
    assert [one.certifiers for one in workflow.environments] == [(), None]
    assert warnings(workflow) == ()  # whom the group holds, Slack alone knows


def test_one_emoji_under_two_names_is_no_two_emoji(tmp_path: Path) -> None:
    file = tmp_path / "twokey.toml"
    file.write_text(f'approve_with = "+1"\nreject_with = "thumbsup"\n{SMALLEST}')
    with pytest.raises(WorkflowError) as caught:
        load(file)
    assert (
        str(caught.value)
        == f"{tmp_path}/twokey.toml: reject_with is the same emoji as approve_with; write another one."
    )


def test_more_approvals_than_approvers_is_said(tmp_path: Path) -> None:
    file = tmp_path / "twokey.toml"
    file.write_text(SMALLEST + 'protected = true\napprovals = 2\napprovers = ["U0APPROVER"]\n')
    assert warnings(load(file)) == (
        (
            "development takes 2 approvals and lists fewer approvers, so it cannot be changed. "
            "Add people to approvers in twokey.toml, or lower approvals."
        ),
    )


@pytest.mark.parametrize(
    ("person", "sentence"),
    [
        ('slack = ["U0A"]', 'person number 1: name is missing; write name = "Ada Engineer".'),
        (
            'name = "Ada"\nslack = ["ada"]',
            'person "Ada": slack cannot be ["ada"]; write slack = ["U0ENGINEER"], Slack user ids.',
        ),
        (
            'name = "Ada"\nemails = ["ada"]',
            'person "Ada": emails cannot be ["ada"]; write emails = ["ada@example.com"], e-mail addresses.',
        ),
        (
            'name = "Ada"',
            'person "Ada": slack is missing, and so is emails; write at least one, or leave the person out.',
        ),
        (
            'name = "Ada"\nslack = ["U0A"]\n[[person]]\nname = "Bo"\nslack = ["U0A"]',
            'person has "U0A" twice; give each account and address to one person.',
        ),
        (
            'name = "Ada"\nemails = ["a@b"]\n[[person]]\nname = "Bo"\nemails = ["A@B"]',
            'person has "a@b" twice; give each account and address to one person.',
        ),
        (
            'name = "Ada"\nemail = "a@b"',
            'person "Ada": email is not a key that Twokey knows; write one of name, slack, emails.',
        ),
    ],
)
def test_a_map_that_is_malformed_is_refused(tmp_path: Path, person: str, sentence: str) -> None:
    file = tmp_path / "twokey.toml"
    file.write_text(f"{SMALLEST}[[person]]\n{person}\n")
    with pytest.raises(WorkflowError) as caught:
        load(file)
    assert str(caught.value) == f"{tmp_path}/twokey.toml: {sentence}"
