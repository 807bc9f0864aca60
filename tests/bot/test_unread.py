"""Status where a worker cannot read its folder."""

from bot import messages
from tests.bot.test_answers import PENDING, WORKFLOW, an_environment, an_inquiry, answered


def test_status_says_first_which_worker_cannot_read_its_folder() -> None:
    why = "nonsense.sql is not named like a migration."
    unknown = {"pending": None, "problems": None, "edited": None}
    names = ("development", "production")
    unread = [an_environment(name, state="unread", why=why, **unknown) for name in names]
    rows = [{"id": "20250818120001_create_users", "cells": ["applied", "pending", "applied"]}]
    looked = [unread[0], an_environment("test", pending=PENDING), unread[1]]
    body = {"question": "status", "folder": [why], "environments": looked, "migrations": rows}
    shown = answered(body)
    assert shown[:2] == [
        "⚠️ *development*, *production*: nonsense.sql is not named like a migration.",
        (
            "Until then nothing is planned or applied there, and what is pending, edited or missing is not known. "
            "What the histories hold:"
        ),
    ]
    assert shown[-4:-1] == [
        "*development* 3 applied, what is pending is not known",
        "*test* 3 applied, 1 pending",
        "🔒 *production* 3 applied, what is pending is not known",
    ]
    assert messages.answer(an_inquiry(body), WORKFLOW).text == (
        "Status: development 3 applied, what is pending is not known; test 3 applied, 1 pending; "
        "production 3 applied, what is pending is not known."
    )
    alone = answered({**body, "environments": unread[:1], "migrations": []})
    assert "There is no migration yet." not in alone
    assert alone[-2] == "*development* 3 applied, what is pending is not known"
