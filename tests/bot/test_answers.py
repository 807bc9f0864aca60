"""The answers to questions, drawn from what the workers wrote."""

from dataclasses import replace
from typing import Any

import pytest

from bot import messages
from ledger import plain
from ledger.records import Inquiry, Question, Share
from tests.bot.conftest import CHANNEL, a_workflow
from tests.bot.stories import T, a_summary, lines
from tests.support.ledger import ADA

WORKFLOW = a_workflow()


def an_inquiry(body: dict[str, Any], *, share: Share | None = None) -> Inquiry:
    question = Question(body["question"]) if body["question"] in set(Question) else Question.STATUS
    return Inquiry(3, question, None, ADA, CHANNEL, T, T, body, None, share)


def answered(body: dict[str, Any]) -> list[str]:
    return lines(messages.answer(an_inquiry(body), WORKFLOW))


def an_environment(name: str, **changed: Any) -> dict[str, Any]:
    ok = {"protected": name == "production", "state": "ok", "why": None, "applied": 3, "pending": [], "last": None}
    return {"name": name, **ok, "problems": [], **changed}


PENDING = ["20250818140001_add_user_columns"]
STATUS = {
    "question": "status",
    "environments": [
        an_environment(
            "development",
            last={"migration": "20250818150001_create_audit_table", "at": "2026-11-22T10:00:00+00:00", "by": "ada"},
        ),
        an_environment(
            "test",
            applied=1,
            pending=["20250818140001_add_user_columns"],
            problems=["20250818120001_create_users was edited."],
            edited=["20250818120001_create_users"],
        ),
        an_environment("production", state="unreachable", why="The server does not answer.", applied=0),
    ],
    "migrations": [
        {"id": "20250818120001_create_users", "cells": ["applied", "edited", "unknown"]},
        {"id": "20250818140001_add_user_columns_and_much_more", "cells": ["applied", "pending", "unknown"]},
        {"id": "20250818150001_create_audit_table", "cells": ["applied", "late", "absent"]},
    ],
}


def test_status_is_a_table_that_a_phone_can_show() -> None:
    assert answered(STATUS) == [
        "```",
        "                        dev test prod",
        "create_users              ✓    !    ~",
        "add_user_columns_and_…    ✓    -    ~",
        "create_audit_table        ✓    &lt;     ",
        "",
        "✓ applied",
        "- pending",
        "! edited after it ran",
        "&lt; pending behind newer ones",
        "~ not known",
        "```",
        (
            "*development* 3 applied, 0 pending; last `20250818150001_create_audit_table` "
            "<!date^1795341600^{date_short_pretty} {time}|2026-11-22 10:00 UTC> by ada"
        ),
        "*test* 1 applied, 1 pending",
        "⚠️ 20250818120001_create_users was edited.",
        "`/migrate repair test` shows what changed.",
        "🔒 *production* ⚠️ unreachable: The server does not answer.",
        "[Share twokey_share=3]",
    ]
    assert messages.answer(an_inquiry(STATUS), WORKFLOW).text == (
        "Status: development 3 applied, 0 pending; test 1 applied, 1 pending; production unreachable."
    )


@pytest.mark.parametrize(
    ("by", "request_", "who"),
    [
        ("ada (terminal)", None, "🖥️ done at the terminal by ada"),
        ("ada (U0ENGINEER)", "#7", "↩️ done by #7 of ada (U0ENGINEER)"),
    ],
)
def test_status_says_what_made_the_history_as_it_is(by: str, request_: str | None, who: str) -> None:
    done = {"act": "rollback", "what": ["2_b"], "at": "2026-11-22T10:00:00+00:00", "by": by, "request": request_}
    body = {"question": "status", "environments": [an_environment("test", deed=done)], "migrations": []}
    assert answered(body)[2] == (
        f"{who} <!date^1795341600^{{date_short_pretty}} {{time}}|2026-11-22 10:00 UTC>: took 1 migration back: `2_b`"
    )


def test_what_changed_is_answered_with_what_can_be_done_about_it() -> None:
    one = {"id": "1_a", "measure": "lines: 1 came, 0 went", "diff": [], "more": 0}
    body = {"question": "repair", "environment": "test", "edited": [one], "more": 0, "refusal": None}
    assert answered(body)[-2:] == ["[Let it count twokey_repair=test 1_a]", "[Share twokey_share=3]"]


def test_a_status_of_one_environment_names_what_is_pending_there() -> None:
    rows = [{"id": one["id"], "cells": one["cells"][1:2]} for one in STATUS["migrations"]]
    assert answered({**STATUS, "environments": STATUS["environments"][1:2], "migrations": rows}) == [
        "```",
        "                       test",
        "create_users              !",
        "add_user_columns_and_…    -",
        "create_audit_table        &lt;",
        "",
        "- pending",
        "! edited after it ran",
        "&lt; pending behind newer ones",
        "```",
        "*test* 1 applied, 1 pending",
        "⚠️ 20250818120001_create_users was edited.",
        "`/migrate repair test` shows what changed.",
        "Pending: `20250818140001_add_user_columns`",
        "[Share twokey_share=3]",
    ]


def test_a_file_that_ran_and_is_gone_is_told_apart() -> None:
    gone = {"id": "20250818120001_create_users", "cells": ["missing", "applied", "absent"]}
    assert answered(STATUS | {"migrations": [gone]})[1:6] == [
        "              dev test prod",
        "create_users    ?    ✓     ",
        "",
        "✓ applied",
        "? ran, but its file is missing",
    ]


def test_a_long_status_counts_the_older_ones() -> None:
    rows = [{"id": f"2025081812{n:04}_m{n}", "cells": ["applied"] * 3} for n in range(50)]
    shown = answered(STATUS | {"migrations": rows})
    assert shown[2] == "30 older ones not shown"
    assert shown[3].startswith("m30")


def test_status_without_any_migration() -> None:
    assert answered(STATUS | {"migrations": []})[0] == "There is no migration yet."
    unseen = {"environments": [an_environment("test", state="unreachable", why="No answer.")], "migrations": []}
    assert answered({"question": "status", **unseen})[0] == "*test* ⚠️ unreachable: No answer."


@pytest.mark.parametrize(("count", "said"), [(1, "1 object differs"), (2, "2 objects differ")])
def test_status_flags_what_drifted(count: int, said: str) -> None:
    drifted = an_environment("test", drift={"state": "drifted", "differences": count})
    unknown = an_environment("production", drift={"state": "unknown", "differences": 0})
    shown = answered({"question": "status", "environments": [drifted, unknown], "migrations": []})
    assert shown[2] == f"⚠️ Its schema is not what its history makes: {said}. `/migrate validate` names which."
    assert len(shown) == 5


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (
            {
                "question": "validate",
                "consistent": True,
                "environments": [{"name": "development", "state": "ok", "why": None}],
                "findings": [],
                "ready": [{"from": "development", "to": "test", "migrations": ["a", "b"], "certified": None}],
            },
            [
                "✅ The environments are consistent.",
                "➡️ Ready for development → test: `a`, `b`",
                "[Share twokey_share=3]",
            ],
        ),
        (
            {
                "question": "validate",
                "consistent": False,
                "environments": [{"name": "development", "state": "ok", "why": None}],
                "findings": [{"kind": "refused", "environment": "test", "migration": "a", "sentence": "a.sql:1: Why."}],
                "ready": [],
            },
            [
                "⚠️ The environments agree, but what is pending would not run.",
                "• a.sql:1: Why.",
                "[Share twokey_share=3]",
            ],
        ),
        (
            {
                "question": "validate",
                "consistent": False,
                "environments": [{"name": "production", "state": "unobserved", "why": "No worker answers."}],
                "findings": [
                    {"kind": "edited", "environment": "test", "migration": "a", "sentence": "a was <edited>."}
                ],
                "ready": [
                    {"from": None, "to": "development", "migrations": ["c"], "certified": None},
                    {"from": "test", "to": "production", "migrations": ["a"], "certified": False},
                ],
            },
            [
                "⚠️ The environments do not agree.",
                "• *production* unobserved: No worker answers.",
                "• a was &lt;edited&gt;.",
                "`/migrate repair test` shows what changed.",
                "➡️ Ready for development: `c`",
                "➡️ Ready for test → production (not certified yet): `a`",
                "[Share twokey_share=3]",
            ],
        ),
        (
            {
                "question": "validate",
                "consistent": False,
                "environments": [{"name": "test", "state": "unreachable", "why": None}],
                "findings": [],
                "ready": [],
                "notes": ["Whether test's schema is what its history makes is not known: `why`."],
            },
            [
                "⚠️ Not every environment could be compared.",
                "• *test* unreachable",
                "• Whether test's schema is what its history makes is not known: `why`.",
                "[Share twokey_share=3]",
            ],
        ),
        (
            {"question": "plan", "environment": "test", "plan": None, "refusal": "Nothing is pending on test."},
            ["🚫 Nothing can be applied to test: Nothing is pending on test.", "[Share twokey_share=3]"],
        ),
        (
            messages.nobody(["development", "test"], rung=True),
            ["No worker answers for development, test. Start one: `python -m workers`."],
        ),
        (
            messages.nobody(["test"], rung=False),
            ["Redis does not answer, so no worker heard of it, for test. Start Redis, then ask again."],
        ),
    ],
)
def test_other_answers(body: dict[str, Any], shown: list[str]) -> None:
    assert answered(body) == shown


def test_a_plan_names_what_would_run_and_offers_to_run_it() -> None:
    body = {
        "question": "plan",
        "environment": "test",
        "plan": plain.dump(a_summary(WORKFLOW.environments[1])),
        "refusal": None,
    }
    assert answered(body) == [
        "*test* · an apply would run 2 migrations",
        "• `20250818140001_add_user_columns` · 4 lines",
        "⚠️ line 2, rewrite: Rewrites users.",
        "• `20250818150001_create_audit_table` · 9 lines",
        "Stays pending: 20250818160001_later.sql is not certified on test.",
        ("database `shop`, 12.3 MB · backup into `migrations/schema-backups` · nothing has run"),
        "[Apply test twokey_apply=test]",
        "[Share twokey_share=3]",
    ]


def test_a_plan_shows_the_impact_and_the_notes() -> None:
    plan = a_summary(WORKFLOW.environments[1])
    first = replace(plan.migrations[0], impact="Deploy <2.1> first.")
    plan = replace(plan, migrations=(first, *plan.migrations[1:]), notes=("This is a large plan.",))
    shown = answered({"question": "plan", "environment": "test", "plan": plain.dump(plan), "refusal": None})
    assert "• `20250818140001_add_user_columns` · 4 lines · *impact* Deploy &lt;2.1&gt; first." in shown
    assert "📝 This is a large plan." in shown


def test_a_plan_without_hazards_says_what_was_looked_for() -> None:
    calm = replace(a_summary(WORKFLOW.environments[1]), looked_for=("drops_table", "truncates"))
    calm = replace(calm, migrations=calm.migrations[1:])
    shown = answered({"question": "plan", "environment": "test", "plan": plain.dump(calm), "refusal": None})
    assert "Hazards: none of the 2 kinds that are looked for (docs/hazards)" in shown


def test_a_shared_answer_says_who_and_when() -> None:
    body = {"question": "plan", "environment": "test", "plan": None, "refusal": "No."}
    shared = messages.shared(an_inquiry(body, share=Share("U0ENGINEER", "<ada>", CHANNEL, None)), WORKFLOW)
    assert shared.text == "&lt;ada&gt; shares: 🚫 Nothing can be applied to test: No."
    assert lines(shared)[-1] == (
        "&lt;ada&gt; shares this, as of <!date^1795341600^{date_short_pretty} {time}|2026-11-22 10:00 UTC>"
    )
