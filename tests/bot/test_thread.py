"""What stands under a card, and what is told in one message without one."""

import pytest

from ledger import events
from ledger.events import Event
from ledger.request import Act
from ledger.states import State
from ledger.underway import Blocker
from ledger.workflow import Verbosity
from tests.bot.stories import (
    ASKED,
    BACKED_UP,
    BROKEN,
    BY_BO,
    BY_RULE,
    FIRST_IN,
    IDS,
    PLANNED,
    SECOND_IN,
    STARTED,
    lines,
    slots,
)


def test_progress_is_one_message_that_grows() -> None:
    def progress(*story: Event, state: State = State.APPLYING) -> list[str]:
        return lines(slots("production", state, ASKED, PLANNED, BY_BO, *story)["progress"].body)

    assert progress(events.Waiting("run #6"), state=State.APPROVED) == ["⏳ Waiting: run #6 holds production"]
    assert progress(STARTED) == ["🔵 Backing up"]
    backup = "✅ Backup `production-backup-2026-11-22T10-00-00.sql`, 12.3 kB in 400 ms, read back"
    assert progress(STARTED, BACKED_UP) == [backup, f"🔵 1/2 `{IDS[0]}`"]
    first = f"✅ 1/2 `{IDS[0]}` in 20 ms"
    assert progress(STARTED, BACKED_UP, FIRST_IN) == [backup, first, f"🔵 2/2 `{IDS[1]}`"]
    assert progress(STARTED, BACKED_UP, FIRST_IN, BROKEN, state=State.FAILED) == [
        backup,
        first,
        f"❌ 2/2 `{IDS[1]}`, rolled back",
    ]
    many = [events.MigrationApplied(f"m{n}", n, 15, 0.02) for n in range(1, 16)]
    assert progress(STARTED, BACKED_UP, *many)[1:3] == ["✅ 3 before these", "✅ 4/15 `m4` in 20 ms"]
    no_backup = events.Failed("pg_dump ended with 1.", "Look at the disk.")
    assert progress(STARTED, no_backup, state=State.FAILED) == ["❌ No verified backup"]


@pytest.mark.parametrize(
    ("met", "said"),
    [
        (
            (events.Blocked(IDS[0], (Blocker(7, "app", 41.0), Blocker(8, "*x*", None))),),
            " waits for a lock; in its way: pid 7 of app, in its transaction for 41 s, pid 8 of ∗x∗",
        ),
        (
            (events.Blocked(IDS[0], ()), events.TriedAgain(IDS[0], 2, 5, 1.5)),
            " gave way and was rolled back; try 2 of 5 1.5 s later",
        ),
        ((events.StatementRan(IDS[0], 1, 3), events.StatementRan(IDS[0], 2, 3)), ", statement 2 of 3 ran"),
        ((events.TriedAgain("another", 2, 5, 1.5),), ""),
    ],
)
def test_what_a_running_migration_meets_is_said_beside_it(met: tuple[Event, ...], said: str) -> None:
    made = slots("production", State.APPLYING, ASKED, PLANNED, BY_BO, STARTED, BACKED_UP, *met)
    assert lines(made["progress"].body)[-1] == f"🔵 1/2 `{IDS[0]}`{said}"
    assert not [name for name in made if name.startswith("said:")]


@pytest.mark.parametrize(
    ("state", "story", "text", "loud"),
    [
        (
            State.APPLIED,
            (BACKED_UP, events.Applied(IDS, 2.1)),
            (
                "✅ *production* · apply #7 · <@U0ENGINEER> 2 migrations applied to production in 2.1 s. "
                "Backup `production-backup-2026-11-22T10-00-00.sql`. `/migrate validate` compares the environments."
            ),
            False,
        ),
        (
            State.APPLIED,
            (events.Compared("test", "same", "Its schema is the one that test had.", ()), events.Applied(IDS, 2.1)),
            (
                "✅ *production* · apply #7 · <@U0ENGINEER> 2 migrations applied to production in 2.1 s. "
                "`/migrate validate` compares the environments."
            ),
            False,
        ),
        (
            State.APPLIED,
            (
                events.Compared("test", "differs", "Its schema is not the one.", ("index <i> is here", "and 2 more")),
                events.Applied(IDS, 2.1),
            ),
            (
                "✅ *production* · apply #7 · <@U0ENGINEER> 2 migrations applied to production in 2.1 s. "
                "`/migrate validate` compares the environments.\n"
                "⚠️ Its schema is not the one.\n• index &lt;i&gt; is here\n• and 2 more"
            ),
            False,
        ),
        (
            State.FAILED,
            (STARTED, BROKEN),
            (
                "❌ *production* · apply #7 failed · <@U0ENGINEER>\n"
                "z.sql:3 failed on production (42601): syntax error at or near “TABEL”. It was rolled back whole.\n"
                "Committed and stays: `20250818140001_add_user_columns`.\n"
                "Not tried: `20250818160001_z`.\n"
                "➡️ Fix the file, then ask again."
            ),
            True,
        ),
        (
            State.INTERRUPTED,
            (STARTED, events.Interrupted("The worker fell silent.", (), (IDS[1],))),
            (
                "❌ *production* · apply #7 was interrupted · <@U0ENGINEER>\n"
                "The worker fell silent.\n"
                "Nothing was committed.\n"
                "Not applied: `20250818150001_create_audit_table`."
            ),
            True,
        ),
        (
            State.EXPIRED,
            (events.Expired(),),
            ("⌛ *production* · apply #7 · <@U0ENGINEER> Expired: nobody turned the second key in time"),
            False,
        ),
        (
            State.PLANNED,
            (events.ExpiryWarned(15),),
            (
                "⌛ <@U0ENGINEER> #7 expires in 15 minutes, at <!date^1795356000^{time}|14:00 UTC>. "
                "It waits for a second person."
            ),
            False,
        ),
        (
            State.PLANNED,
            (events.Withdrawn("U0APPROVER", "bo"),),
            "↩️ bo took the key back. Nothing starts until somebody turns it again.",
            False,
        ),
        (
            State.PLANNED,
            (events.Refused("U0SECOND", "<dee>", "You are not an approver. Those who may: <@U0APPROVER>."),),
            "🚫 &lt;dee&gt;'s reaction did not count: “You are not an approver.”",
            False,
        ),
        (
            State.PLANNED,
            (events.Refused("policy", "policy", "#7 did not start: <@U0APPROVER> can approve it."),),
            "🚫 The start was refused. #7 did not start: <@U0APPROVER> can approve it.",
            False,
        ),
        (State.APPLYING, (events.Noted("U0APPROVER", "bo", "approves as well."),), "📝 bo: approves as well.", False),
    ],
)
def test_replies_in_the_thread(state: State, story: tuple[Event, ...], text: str, loud: bool) -> None:
    shown = slots("production", state, ASKED, PLANNED, *story)
    *_, reply = (slot for name, slot in shown.items() if name.startswith("said:"))
    assert (reply.body.text, reply.in_thread, reply.broadcast) == (text, True, loud)


@pytest.mark.parametrize(
    ("name", "state", "act", "event", "shown"),
    [
        (
            "test",
            State.REJECTED,
            Act.APPLY,
            events.Denied("Nothing is pending on test."),
            [
                "🚫 *test* · apply #7 · <@U0ENGINEER> Refused: Nothing is pending on test.",
                "[Ask again twokey_apply=test]",
            ],
        ),
        (
            "test",
            State.REJECTED,
            Act.APPLY,
            events.Denied("test already has every migration of the folder.", again=False),
            ["🚫 *test* · apply #7 · <@U0ENGINEER> Refused: test already has every migration of the folder."],
        ),
        (
            "test",
            State.APPLIED,
            Act.CERTIFY,
            events.Certified("U0ENGINEER", "ada", IDS, "clicked through"),
            [
                (
                    "✅ *test* · certify #7 · <@U0ENGINEER> certified 2 migrations. Note: clicked through. "
                    "Next: `/migrate apply prod`."
                ),
                "[Ask for production twokey_apply=production]",
            ],
        ),
        (
            "test",
            State.APPLIED,
            Act.CERTIFY,
            events.Certified("U0ENGINEER", "ada", IDS, None, followed=True),
            ["✅ *test* · certify #7 · <@U0ENGINEER> certified 2 migrations. production has all of that already."],
        ),
        (
            "test",
            State.REJECTED,
            Act.CERTIFY,
            events.Denied("test has nothing to certify."),
            [
                "🚫 *test* · certify #7 · <@U0ENGINEER> Refused: test has nothing to certify.",
                "[Ask again twokey_certify=7]",
            ],
        ),
        (
            "development",
            State.FAILED,
            Act.APPLY,
            events.Failed("development does not answer.", "Start its server."),
            [
                "❌ *development* · apply #7 failed · <@U0ENGINEER>",
                "development does not answer.",
                "Nothing was committed.",
                "➡️ Start its server.",
                "[Ask again twokey_apply=development]",
            ],
        ),
    ],
)
def test_what_never_had_a_card_is_told_in_one_message(
    name: str, state: State, act: Act, event: Event, shown: list[str]
) -> None:
    found = slots(name, state, ASKED, event, act=act, plan=False)
    assert list(found) == ["card"]
    told = lines(found["card"].body)
    assert [line for line in told if not line.startswith("Record ")] == shown
    assert told.index("Record `#7.2 2222·2222·2222`") >= len(shown) - 1


def test_an_approval_that_no_longer_stands_is_told_once() -> None:
    """By the reason that the start was refused for; the withdrawal that follows it says nothing more."""
    refused = events.Refused("policy", "policy", "#7 did not start: the approving reaction is gone.")
    shown = slots("production", State.PLANNED, ASKED, PLANNED, BY_BO, refused, events.Withdrawn("policy", "policy"))
    assert [name for name in shown if name.startswith("said:")] == ["said:4"]


def test_verbosity_all_makes_each_migration_a_line() -> None:
    story = (ASKED, PLANNED, STARTED, BACKED_UP, FIRST_IN, SECOND_IN)
    loud = slots("development", State.APPLYING, *story, verbosity=Verbosity.ALL)
    assert [loud[f"said:{n}"].body.text for n in (5, 6)] == [
        "✅ 1/2 `20250818140001_add_user_columns` in 20 ms",
        "✅ 2/2 `20250818150001_create_audit_table` in 1.5 s",
    ]
    assert "said:5" not in slots("development", State.APPLYING, *story)


def test_quiet_still_asks_for_the_second_key() -> None:
    story = (ASKED, PLANNED, BY_BO, STARTED, BACKED_UP)
    assert list(slots("production", State.APPLYING, *story, verbosity=Verbosity.QUIET)) == ["card", "sql"]
    assert slots("development", State.APPLYING, *story, verbosity=Verbosity.QUIET) == {}


BACK = events.Withdrawn("U0APPROVER", "bo")


@pytest.mark.parametrize(
    ("name", "story", "waited_for"),
    [
        ("development", (ASKED,), "no worker took it up in time"),
        ("production", (ASKED,), "no worker took it up in time"),
        ("production", (ASKED, events.Rehearsing("Backing up")), "its rehearsal did not end in time"),
        ("development", (ASKED, PLANNED, BY_RULE), "it did not start in time"),
        ("production", (ASKED, PLANNED, BY_BO), "it did not start in time"),
        ("production", (ASKED, PLANNED, BY_BO, BACK), "nobody turned the second key in time"),
    ],
)
def test_what_expired_says_what_never_came(name: str, story: tuple[Event, ...], waited_for: str) -> None:
    shown = slots(name, State.EXPIRED, *story, events.Expired(), plan=PLANNED in story)
    assert any(f"Expired: {waited_for}" in line for slot in shown.values() for line in lines(slot.body))
