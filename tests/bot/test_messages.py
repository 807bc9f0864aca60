"""Messages as whole values: a function of the request, its plan and its events."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot import messages
from bot.blocks import BLOCKS, SECTION, Body, body, section
from bot.messages import Slot
from ledger import events
from ledger.events import Event
from ledger.records import Told
from ledger.request import Act, CertifiedBy, PlannedMigration, PlanSummary, Request
from ledger.states import State
from ledger.workflow import Environment, Verbosity
from tests.bot.conftest import CHANNEL, a_workflow
from tests.support.ledger import ADA, a_plan

T = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
WORKFLOW = a_workflow()
IDS = ("20250818140001_add_user_columns", "20250818150001_create_audit_table")

ASKED = events.Asked("U0ENGINEER", "ada", "apply", "production", None)
PLANNED = events.Planned("d1" * 32, IDS)
BY_RULE = events.Approved("policy", "policy", "2026-11-22T10:00:00+00:00")
BY_BO = events.Approved("U0APPROVER", "bo", "2026-11-22T10:02:15+00:00")
STARTED = events.Started("host:1")
BACKED_UP = events.BackedUp("production-backup-2026-11-22T10-00-00.sql", 12_300, "c" * 64, 0.4)
FIRST_IN = events.MigrationApplied(IDS[0], 1, 2, 0.02)
SECOND_IN = events.MigrationApplied(IDS[1], 2, 2, 1.5)
BROKEN = events.Failed(
    "z.sql:3 failed on production (42601): syntax error at or near “TABEL”. It was rolled back whole.",
    "Fix the file, then ask again.",
    IDS[1],
    3,
    "42601",
    (IDS[0],),
    ("20250818160001_z",),
)


def a_summary(environment: Environment) -> PlanSummary:
    certified = CertifiedBy("U0ENGINEER", "ada", T, "clicked <through>") if environment.protected else None
    plan = a_plan(environment=environment.name, protected=environment.protected)
    return replace(plan, certified=certified, backup_bytes=12_300_000)


def told(*story: Event) -> tuple[Told, ...]:
    return tuple(Told(seq, T + timedelta(seconds=seq), event) for seq, event in enumerate(story, start=1))


def slots(
    name: str, state: State, *story: Event, act: Act = Act.APPLY, plan: bool = True, verbosity: Verbosity | None = None
) -> dict[str, Slot]:
    environment = WORKFLOW.environment(name)
    assert environment is not None
    if verbosity is not None:
        environment = replace(environment, verbosity=verbosity)
        flow = replace(
            WORKFLOW, environments=tuple(environment if e.name == name else e for e in WORKFLOW.environments)
        )
    else:
        flow = WORKFLOW
    request = Request(
        id=7,
        act=act,
        environment=name,
        actor=ADA,
        reason="Ship\nit <!here>" if environment.protected else None,
        note=None,
        covers_of=None,
        channel=CHANNEL,
        state=state,
        asked_at=T,
        expires_at=T + timedelta(hours=4),
        starts_at=None,
        plan=a_summary(environment) if plan else None,
        version=len(story),
    )
    return {slot.name: slot for slot in messages.project(request, environment, told=told(*story), workflow=flow)}


def lines(body: Body) -> list[str]:
    """Every line a person reads, in order; a button as [label action=value]."""
    found: list[str] = []
    for block in body.blocks:
        if block["type"] == "section":
            found += block["text"]["text"].split("\n")
        elif block["type"] == "context":
            found += [element["text"] for element in block["elements"]]
        else:
            found += [f"[{b['text']['text']} {b['action_id']}={b['value']}]" for b in block["elements"]]
    return found


def state_line(name: str, state: State, *story: Event) -> str:
    return lines(slots(name, state, *story)["card"].body)[1]


def test_the_card_of_a_protected_environment_says_all_that_an_approver_needs() -> None:
    found = slots("production", State.PLANNED, ASKED, PLANNED)
    assert list(found) == ["card"]
    card = found["card"]
    assert (card.channel, card.in_thread, card.broadcast) == (CHANNEL, False, False)
    assert card.body.text == (
        "ada asked to apply 2 migrations to production (#7). "
        "⏳ Waiting for a second person: :white_check_mark: starts it, :x: rejects it."
    )
    assert lines(card.body) == [
        "🔒 *production* (protected) · apply #7 · 2 migrations",
        "⏳ Waiting for a second person: :white_check_mark: starts it, :x: rejects it",
        "*Asked by* ada (U0ENGINEER): Ship it &lt;!here&gt;",
        "*Runs*",
        "• `20250818140001_add_user_columns` · 4 lines",
        "• `20250818150001_create_audit_table` · 9 lines",
        "*Stays pending*",
        "• `20250818160001_later`: not certified",
        (
            "*Certified by* ada <!date^1795341600^{date_short_pretty} {time}|2026-11-22 10:00 UTC>: "
            "clicked &lt;through&gt;"
        ),
        "*Hazards* 1",
        "• ⚠️ `add_user_columns` line 2, rewrite: Rewrites users.",
        "*Backup* taken and read back first, into `migrations/schema-backups`, about 12.3 MB",
        "*Second key* :white_check_mark: by <@U0APPROVER> starts it 15 s later, :x: rejects it.",
        ("*Digest* `d1d1·d1d1·d1d1` · *Expires* <!date^1795356000^{date_short_pretty} {time}|2026-11-22 14:00 UTC>"),
        ("database `shop` · 18.0 · after `20250818120001_create_users` · lock timeout 2s · statement timeout 30min"),
        "[Cancel twokey_cancel=7]",
    ]


def test_only_the_state_line_and_the_buttons_of_a_card_ever_change() -> None:
    before = slots("production", State.PLANNED, ASKED, PLANNED)["card"].body.blocks
    after = slots("production", State.APPLYING, ASKED, PLANNED, BY_BO, STARTED)["card"].body.blocks
    assert before[0] == after[0]
    assert before[2:-1] == after[2:]


@pytest.mark.parametrize(
    ("state", "story", "line"),
    [
        (
            State.APPROVED,
            (BY_BO,),
            (
                "~Waiting~ → 🟡 Approved by bo, starts at <!date^1795341735^{time_secs}|10:02:15 UTC>; "
                "remove your :white_check_mark: to stop it"
            ),
        ),
        (
            State.PLANNED,
            (BY_BO, events.Withdrawn("U0APPROVER", "bo")),
            (
                "~Waiting~ → ~Approved by bo <!date^1795341603^{time}|10:00 UTC>~ → "
                "⏳ Waiting again, bo took the key back: :white_check_mark: starts it, :x: rejects it"
            ),
        ),
        (
            State.PLANNED,
            (BY_BO, events.Withdrawn("policy", "policy")),
            (
                "~Waiting~ → ~Approved by bo <!date^1795341603^{time}|10:00 UTC>~ → "
                "⏳ Waiting again, the approval no longer stands: :white_check_mark: starts it, :x: rejects it"
            ),
        ),
        (
            State.APPROVED,
            (events.Waiting("run #6"), events.Waiting("run #6")),
            "~Waiting~ → ⏳ Waiting, because run #6 holds production",
        ),
        (State.APPLYING, (STARTED,), "~Waiting~ → 🔵 Running"),
        (
            State.APPLIED,
            (STARTED, events.Applied(IDS, 2.1)),
            "~Waiting~ → ~Running~ → ✅ Applied <!date^1795341604^{time}|10:00 UTC> in 2.1 s",
        ),
        (
            State.FAILED,
            (STARTED, BROKEN),
            "~Waiting~ → ~Running~ → ❌ Failed in `20250818150001_create_audit_table`, line 3",
        ),
        (State.FAILED, (events.Failed("It is down.", "Start it."),), "~Waiting~ → ❌ Failed"),
        (
            State.INTERRUPTED,
            (STARTED, events.Interrupted("Silent.", (IDS[0],), (IDS[1],))),
            "~Waiting~ → ~Running~ → ❌ Interrupted after 1 migration",
        ),
        (State.REJECTED, (events.Rejected("U0APPROVER", "bo"),), "~Waiting~ → 🚫 Rejected by bo"),
        (State.CANCELLED, (events.Cancelled("U0ENGINEER", "ada"),), "~Waiting~ → 🚫 Cancelled by ada"),
        (State.EXPIRED, (events.Expired(),), "~Waiting~ → ⌛ Expired: nobody turned the second key in time"),
        (State.STALE, (events.Stale("A file changed."),), "~Waiting~ → ⌛ Stale: A file changed."),
        (
            State.PLANNED,
            (BY_BO, events.Withdrawn("U0APPROVER", "bo")) * 3,
            (
                "… → "
                + " → ".join(
                    f"~{step}~"
                    for step in (
                        "Taken back",
                        "Approved by bo <!date^1795341605^{time}|10:00 UTC>",
                        "Taken back",
                        "Approved by bo <!date^1795341607^{time}|10:00 UTC>",
                    )
                )
                + " → ⏳ Waiting again, bo took the key back: :white_check_mark: starts it, :x: rejects it"
            ),
        ),
    ],
)
def test_the_state_line_keeps_its_history(state: State, story: tuple[Event, ...], line: str) -> None:
    assert state_line("production", state, ASKED, PLANNED, *story) == line


def test_the_card_of_an_unprotected_environment_is_shorter() -> None:
    card = slots("development", State.APPLYING, ASKED, PLANNED, BY_RULE, STARTED)["card"].body
    assert card.text == "ada asked to apply 2 migrations to development (#7). 🔵 Running."
    assert lines(card)[:3] == [
        "*development* · apply #7 · 2 migrations",
        "~Planned~ → 🔵 Running",
        "*Asked by* ada (U0ENGINEER)",
    ]
    assert not any("Second key" in line or "Digest" in line for line in lines(card))


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
    no_backup = events.Failed("pg_dump ended with 1.", "Look at the disk.")
    assert progress(STARTED, no_backup, state=State.FAILED) == ["❌ No verified backup"]


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
            "🚫 #7 did not start: <@U0APPROVER> can approve it.",
            False,
        ),
        (
            State.PLANNED,
            (BY_BO, events.Withdrawn("policy", "policy")),
            "↩️ The approval no longer stands. Nothing starts until somebody turns it again.",
            False,
        ),
        (State.APPLYING, (events.Noted("U0APPROVER", "bo", "approves as well."),), "📝 bo: approves as well.", False),
    ],
)
def test_replies_in_the_thread(state: State, story: tuple[Event, ...], text: str, loud: bool) -> None:
    *_, reply = slots("production", state, ASKED, PLANNED, *story).values()
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
            State.APPLIED,
            Act.CERTIFY,
            events.Certified("U0ENGINEER", "ada", IDS, "clicked through"),
            [
                (
                    "✅ *test* · certify #7 · <@U0ENGINEER> ada certified 2 migrations. Note: clicked through. "
                    "Next: `/migrate apply prod`."
                ),
                "[Ask for production twokey_apply=production]",
            ],
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
    assert lines(found["card"].body) == shown


@pytest.mark.parametrize(
    ("name", "button", "words"),
    [
        ("development", "[Plan test twokey_plan=test]", "Next: `/migrate plan test`."),
        ("test", "[Certify test twokey_certify=7]", "Next: test it, then `/migrate certify test`."),
    ],
)
def test_the_next_step_is_a_button_and_words(name: str, button: str, words: str) -> None:
    card = slots(name, State.APPLIED, ASKED, PLANNED, events.Applied(IDS, 2.1))["card"].body
    assert lines(card)[-1] == button
    assert card.text.endswith(words)


def test_waiting_for_another_run_is_told_before_there_is_a_plan() -> None:
    found = slots("development", State.ASKED, ASKED, events.Waiting("run #6"), plan=False)
    assert lines(found["card"].body) == [
        "*development* · apply #7",
        "⏳ Waiting, because run #6 holds development",
    ]
    assert slots("development", State.ASKED, ASKED, plan=False) == {}


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
    assert list(slots("production", State.APPLYING, *story, verbosity=Verbosity.QUIET)) == ["card"]
    assert slots("development", State.APPLYING, *story, verbosity=Verbosity.QUIET) == {}


def test_a_plan_of_hundreds_of_files_fits_slacks_limits() -> None:
    many = tuple(
        PlannedMigration(f"2025081814{n:04}_{'x' * 200}", "x" * 200, "a" * 64, 3, a_plan().migrations[0].hazards * 3)
        for n in range(300)
    )
    environment = WORKFLOW.environment("production")
    assert environment is not None
    summary = replace(a_summary(environment), migrations=many)
    request = Request(
        7, Act.APPLY, "production", ADA, "<" * 300, None, None, CHANNEL, State.PLANNED, T, T, None, summary, 2
    )
    [card] = messages.project(request, environment, told=told(ASKED, PLANNED), workflow=WORKFLOW)
    assert len(card.body.blocks) <= BLOCKS
    assert all(len(b["text"]["text"]) <= SECTION for b in card.body.blocks if b["type"] == "section")
    assert "and 285 more" in lines(card.body)
    assert "*Hazards* 900" in lines(card.body)


def test_a_message_over_the_limit_says_so() -> None:
    shown = body("x" * 5000, *[section(str(n)) for n in range(60)])
    assert (len(shown.text), len(shown.blocks)) == (4000, 50)
    assert lines(shown)[-1] == "… and more than fits a message."
