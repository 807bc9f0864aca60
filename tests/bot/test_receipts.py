"""What an approver reads of a rehearsal."""

from dataclasses import replace

from bot import grammar, messages, receipts
from bot.blocks import SECTION
from bot.commands import Freeze
from bot.messages import Slot
from ledger import events
from ledger.events import Event
from ledger.rehearsed import Barred, Changed, Outlook, Ran, Rehearsal
from ledger.states import State
from tests.bot.stories import (
    ASKED,
    BACKED_UP,
    BY_BO,
    IDS,
    PLANNED,
    STARTED,
    WORKFLOW,
    a_request,
    a_summary,
    lines,
    told,
)

SEEN = Rehearsal(
    receipt="ab" * 32,
    extent="whole",
    at="2026-11-22T09:59:00+00:00",
    backup="production-backup-2026-11-22T09-59-00.sql",
    restored=3.0,
    bytes=12_300_000,
    seconds=1.2,
    wal=4_500_000,
    statements=(
        Ran("20251001120000_phone", 1, "ALTER TABLE", 0.0, 0.02, None, ("public.users",), 4_500),
        Ran("20251001120000_phone", 3, "UPDATE", 0.02, 1.1, 120),
    ),
    locks=(
        Barred("public.users", "SHARE", 0.5, 0.1),
        Barred("public.users", "ACCESS EXCLUSIVE", 0.0, 1.2),
        Barred("public.orders", "SHARE", 0.1, 0.5),
    ),
    changes=(Changed("public.users", 120), Changed("public.audit", 1)),
    unnamed=(),
    invalid=(),
    unvalidated=(),
    undo="lossless",
    loses=(),
    undone=0.03,
    no_way_back=None,
    outlook=Outlook(3, 1.2, 4.0),
)

PRODUCTION = WORKFLOW.environment("production")
assert PRODUCTION
PLAN = a_summary(PRODUCTION)


LOCKS = (
    "🔒 *locks* `public.users` ACCESS EXCLUSIVE for 1.2 s, `public.orders` SHARE for 500 ms; about 3 queries would wait"
)
WHY = "Somebody or something else changed it meanwhile, or it does what the copy did not."
PROOF = (
    "• *Proof* it was read back and is as its manifest says; `production-backup-2026-11-22T09-59-00.sql`, taken in the "
    "same way for the rehearsal, was restored and checked "
    "<!date^1795341540^{date_short_pretty} {time}|2026-11-22 09:59 UTC> in 3 s"
)
RECEIPT = (
    "*Receipt* `abababababab`, which the digest holds · `production-backup-2026-11-22T09-59-00.sql`, "
    "12.3 MB restored and checked in 3 s"
)


def said(**other: object) -> list[str]:
    return receipts.lines(replace(PLAN, rehearsal=replace(SEEN, **other)))  # pyright: ignore[reportArgumentType]


def shown(rehearsal: Rehearsal | None, state: State, *story: Event) -> dict[str, Slot]:
    assert PRODUCTION
    plan = None if state in {State.ASKED, State.REJECTED} else replace(PLAN, rehearsal=rehearsal)
    request = replace(a_request(state), plan=plan, version=len(story))
    return {one.name: one for one in messages.project(request, PRODUCTION, told=told(*story), workflow=WORKFLOW)}


def test_five_lines_say_what_was_seen() -> None:
    assert said() == [
        "*Rehearsed* on a copy from `production-backup-2026-11-22T09-59-00.sql`",
        "✅ *works* 2 statements in 2 migrations; the backup restores, in 3 s",
        "⏱️ *takes* 1.2 s, 4.5 MB of WAL",
        LOCKS,
        "✏️ *changes* `public.users` 120 rows, `public.audit` 1 row, `public.users` written anew",
        "↩️ *undo* lossless, in 30 ms",
    ]
    assert said(locks=(), changes=(), statements=())[3:5] == [
        "🔒 *locks* nothing that bars reads or writes",
        "✏️ *changes* no rows",
    ]
    assert said(outlook=Outlook(0, 0.0, 4.0))[3].endswith("; nobody would wait")
    assert said(outlook=Outlook(1, 0.0, 4.0))[3].endswith("; about 1 query would wait")
    assert said(undo="loses", loses=("120 values of users.phone",))[5] == (
        "⚠️ *undo* loses 120 values of users.phone, in 30 ms"
    )
    assert said(undo="irreversible", no_way_back="a.sql has no way down")[5] == (
        "⚠️ *undo* irreversible: a.sql has no way down"
    )
    assert said(undo="broken")[5] == "⚠️ *undo* broken: there is no way down"


def test_what_nobody_expects_is_a_line_by_itself() -> None:
    assert said(unnamed=("public.audit",))[0] == ("🔴 *Rows of `public.audit` change, and the plan does not name it.*")
    assert said(unnamed=("a", "b"))[0] == "🔴 *Rows of `a`, `b` change, and the plan does not name them.*"
    assert said(extent="schema")[0] == (
        "⚠️ *Rehearsed on the schema and a sample of rows alone*: times, locks and rows are not what they will be"
    )
    assert said(invalid=("i",), unvalidated=("c",), outlook=Outlook(0, 0, 1, ("dump (pid 7, role backup)",)))[6:] == [
        "⚠️ The index `i` is left invalid",
        "⚠️ The constraint `c` is left not validated",
        "⚠️ *in the way now* dump (pid 7, role backup)",
    ]
    off = replace(PLAN, unrehearsed="the worker of production knows no scratch server")
    assert receipts.lines(off) == ["⚠️ *Not rehearsed* the worker of production knows no scratch server"]
    assert receipts.lines(PLAN) == []
    assert receipts.told(PLAN) is None


def test_the_thread_has_each_statement_lock_and_table() -> None:
    body = shown(SEEN, State.PLANNED, ASKED, PLANNED)["receipt"].body
    assert lines(body) == [
        RECEIPT,
        "*Undo* lossless, in 30 ms",
        "*Statements*",
        "```",
        "20251001120000_phone.sql:1 ALTER TABLE, 20 ms, 4.5 kB of WAL, writes public.users anew",
        "20251001120000_phone.sql:3 UPDATE, 1.1 s, 120 rows",
        "```",
        "*Locks that keep others waiting*",
        "```",
        "public.users SHARE from 500 ms on, for 100 ms",
        "public.users ACCESS EXCLUSIVE from 0 ms on, for 1.2 s",
        "public.orders SHARE from 100 ms on, for 500 ms",
        "```",
        "*Rows changed*",
        "```",
        "public.users, 120 rows",
        "public.audit, 1 row",
        "```",
    ]
    many = replace(SEEN, statements=SEEN.statements * 100, locks=(), more=1_100)
    body = shown(many, State.PLANNED, ASKED, PLANNED)["receipt"].body
    assert lines(body)[-7:-5] == ["and 1,260 more", "```"]
    assert max(len(block["text"]["text"]) for block in body.blocks) <= SECTION
    assert said(more=1_000)[1].startswith("✅ *works* 1,002 statements in 2 migrations;")


def test_the_channel_sees_how_far_a_rehearsal_is_and_what_came_of_it() -> None:
    going = events.Rehearsing("Restoring 12,300 bytes into a copy")
    under_way = shown(None, State.ASKED, ASKED, going)
    assert list(under_way) == ["rehearsal"]
    assert not under_way["rehearsal"].in_thread
    assert lines(under_way["rehearsal"].body) == [
        "🔵 *production* · apply #7 is rehearsed on a copy before anyone is asked: Restoring 12,300 bytes into a copy."
    ]
    done = shown(SEEN, State.PLANNED, ASKED, going, PLANNED)
    assert list(done)[:2] == ["rehearsal", "card"]
    assert lines(done["rehearsal"].body) == [
        "✅ *production* · apply #7 was rehearsed on a copy; its card says what was seen."
    ]
    stopped = shown(None, State.REJECTED, ASKED, going, events.Denied("z.sql:3 failed in rehearsal."))
    assert lines(stopped["rehearsal"].body) == [
        "🚫 *production* · apply #7 ended in its rehearsal: nobody was asked, and production is untouched."
    ]
    assert "z.sql:3 failed in rehearsal." in lines(stopped["card"].body)[0]


def run(*more: Event, rehearsal: Rehearsal | None = SEEN) -> dict[str, Slot]:
    applied = events.Applied(IDS, 1.9)
    return shown(rehearsal, State.APPLIED, ASKED, PLANNED, BY_BO, STARTED, BACKED_UP, *more, applied)


def test_after_the_run_the_thread_says_forecast_beside_actual() -> None:
    def line(foretold: events.Foretold) -> str:
        return lines(run(foretold)["said:6"].body)[0]

    assert line(events.Foretold(1.2, 1.5, 0.25, 3, 2, 0.7)) == (
        "📏 Foretold 1.2 s, took 1.5 s (25% longer). About 3 queries foretold to wait, 2 waited, "
        "the longest for 700 ms."
    )
    assert line(events.Foretold(2.0, 1.0, -0.5, 1, 0, 0.0)) == (
        "📏 Foretold 2 s, took 1 s (50% shorter). About 1 query foretold to wait, 0 waited."
    )
    assert line(events.Foretold(0.0, 1.0, None, 0, None, None)) == (
        "📏 Foretold 0 ms, took 1 s. Who waited for it could not be seen."
    )


def test_a_schema_that_is_not_the_rehearsed_one_is_an_incident_that_the_channel_sees() -> None:
    slot = run(events.Unlike(("index public.i is here and not there: btree (a)",)))["said:6"]
    assert slot.broadcast
    assert lines(slot.body) == [
        f"🚨 <@U0ENGINEER> *production is not what the rehearsal of #7 left.* {WHY}",
        "• index public.i is here and not there: btree (a)",
        (
            "➡️ Look into it before anything else runs: `/migrate freeze production it is not as #7 was rehearsed`, "
            "then `/migrate validate`."
        ),
    ]
    said = grammar.parse("freeze production it is not as #7 was rehearsed", WORKFLOW)
    assert said == Freeze("production", "it is not as #7 was rehearsed")


def test_every_protected_run_ends_in_its_ways_back() -> None:
    assert run()["recovery"].body.text == "Ways back from #7."
    said = lines(run()["recovery"].body)
    back = "• `/migrate restore production production-backup-2026-11-22T10-00-00.sql` brings the backup back"
    lost = "Lost to it: everything written after <!date^1795341605^{time_secs}|10:00:05 UTC>"
    assert said == [
        "🧭 *Ways back* from #7, should production need one",
        "• `/migrate rollback production last 2` takes them back: lossless, in 30 ms",
        f"{back}, in about 3 s. {lost}",
        PROOF,
    ]
    said = lines(run(rehearsal=None)["recovery"].body)
    assert said[1:] == [
        "• `/migrate rollback production last 2` takes them back, by their down sections; nobody tried them",
        f"{back}. {lost}",
        "• *Proof* it was read back and is as its manifest says; no restore has proven it",
    ]
    none = replace(SEEN, undo="irreversible", no_way_back="a.sql has no way down")
    assert lines(run(rehearsal=none)["recovery"].body)[1] == (
        "• No rollback takes them back; it is irreversible: a.sql has no way down"
    )
    assert "recovery" not in shown(SEEN, State.PLANNED, ASKED, PLANNED)
