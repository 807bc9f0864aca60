"""Who asked is looked at once more before the start: no member any more, or the approver, as it turns out."""

from dataclasses import replace

import pytest

from ledger import people
from ledger.policy import Denied
from ledger.request import Actor, Kind
from tests.ledger.test_policy import NOT_HIM, SEEN, YES, starts
from tests.support.ledger import ADA, BO


@pytest.mark.parametrize("asking", [None, BO, *(replace(ADA, kind=kind) for kind in set(Kind) - {Kind.FULL_MEMBER})])
def test_nothing_starts_for_somebody_who_is_no_member_any_more(asking: Actor | None) -> None:
    assert starts(witness=replace(SEEN, asking=asking)) == Denied(
        "#7 did not start: Slack does not say that <@U0ENGINEER>, who asked, is a full member of the workspace now. "
        "An approver can say `/migrate cancel 7`, and somebody else ask again."
    )


def test_who_asked_is_also_who_they_are_by_now() -> None:
    hers = (people.mark("ada@example.com"),)
    yes = replace(YES, actor=replace(BO, marks=hers))
    seen = replace(SEEN, approving=(replace(BO, marks=hers),), asking=replace(ADA, marks=hers))
    assert starts(decisions=(yes,), witness=seen) == NOT_HIM
