"""What a press counts for when a worker judges: nothing stands in Slack that could be read back."""

from dataclasses import replace

import pytest

from ledger.policy import Allowed
from ledger.request import Source, Verdict
from tests.ledger.test_policy import BO, BOTH, CY, GONE, KINDS, NOT_HIM, REJECTED, SEEN, YES, starts

PRESS = replace(YES, source=Source.BUTTON)
#: Whoever pressed the button, looked up just now; no reaction stands in Slack.
LOOKED_UP = replace(SEEN, approving=(), pressed=(BO,))


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (starts(decisions=(PRESS,), witness=LOOKED_UP, approve_button=True), Allowed()),
        # Not where this very file does not say so, and not in place of a reaction.
        (starts(decisions=(PRESS,), witness=LOOKED_UP), BOTH),
        (starts(decisions=(PRESS,)), BOTH),
        (starts(decisions=(YES,), witness=LOOKED_UP, approve_button=True), GONE),
        # Not from somebody who may no longer, and not after it was taken back.
        (starts(decisions=(PRESS,), witness=replace(LOOKED_UP, pressed=()), approve_button=True), GONE),
        (starts(decisions=(PRESS,), witness=replace(LOOKED_UP, pressed=(CY,)), approve_button=True), GONE),
        (starts(decisions=(replace(PRESS, withdrawn_ts="1.2"),), witness=LOOKED_UP, approve_button=True), BOTH),
        *(
            (
                starts(
                    decisions=(PRESS,),
                    witness=replace(LOOKED_UP, pressed=(replace(BO, kind=kind),)),
                    approve_button=True,
                ),
                NOT_HIM,
            )
            for kind in KINDS
        ),
        # A no counts, however it was said; and so does what was read back from Slack.
        (starts(decisions=(YES, replace(PRESS, verdict=Verdict.REJECT))), REJECTED),
        (starts(decisions=(replace(YES, source=Source.RECONCILE),)), Allowed()),
    ],
)
def test_what_a_press_starts(verdict: object, expected: object) -> None:
    assert verdict == expected
