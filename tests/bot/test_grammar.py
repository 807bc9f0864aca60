"""Text → command, and every Slip's sentence."""

from datetime import UTC, datetime, timedelta

import pytest

from bot import grammar
from bot.commands import (
    Backups,
    Cancel,
    Command,
    Do,
    Edits,
    Export,
    Freeze,
    Help,
    History,
    Plan,
    Requests,
    Status,
    Validate,
)
from bot.phrasebook import TABLE
from ledger.request import Act
from ledger.workflow import Workflow

MOMENT = datetime(2026, 12, 1, 9, tzinfo=UTC)
SPAN = (
    "write a span like 30min, 2h or 3d, or a moment like 2026-12-01 09:00, in UTC; "
    "a freeze without an end begins with its reason"
)
#: What could mean a time and is none that is read.
NO_ENDS = (
    *("mon", "Fri", "sunday", "never", "forever", "eod", "tonight", "noon", "now", "today:", "december", "q4", "∞"),
    *("next week", "a few minutes", "half an hour", "the weekend", "end of the day", "end-of-day", "mon-wed", "5 pm"),
    *("2 hours", "in 2 hours", "by friday", "at 17:00", "17:00", "5pm", "1.5h", "~2h", "PT2H", "1/12", "90", "all day"),
    *("tomorow", "wensday", "a while", "about 2h", "2 weeks", "two weeks"),
)
#: What begins like a time and is a reason.
REASONS = (
    *("until the release", "until ada is back", "for maintenance", "may break", "second incident", "on call is away"),
    *("this week's release", "two disks are full", "the 3 hosts are down", "while we look", "monitoring is down"),
    *("infinite loop in a trigger", "#12 left it half done", "end users see errors", "the end"),
)
WHY = "Why? Whoever comes next reads it: `freeze prod 2h the database is being moved`."
HOW_FAR = "How far back? `rollback prod`, or `… last 2`, or `… to 20250818130001_create_users`."


@pytest.mark.parametrize(
    ("text", "why", "marked"),
    [
        ("aply dev", "“aply” is not a command. Did you mean `apply`?", "aply"),
        ("xyzzy", "“xyzzy” is not a command. `/migrate help` lists what can be said.", "xyzzy"),
        ("<!channel> dev", "“<!channel>” is not a command. `/migrate help` lists what can be said.", "<!channel>"),
        ("help nonsense", "“nonsense” is not a command. `/migrate help` lists what can be said.", "nonsense"),
        ("deploy dev", "“deploy” is not a command. `/migrate help` lists what can be said.", "deploy"),
        ("gen x", "“gen” is not a command. Did you mean `generate`?", "gen"),
        ("re x", "“re” is not a command. `/migrate help` lists what can be said.", "re"),
        ("thwa prod", "“thwa” is not a command. Did you mean `thaw`?", "thwa"),
        ("apply", "Which environment? For example `apply dev`.", ""),
        ("PLAN", "Which environment? For example `plan dev`.", ""),
        ("promote", "Which environment? For example `promote test`.", ""),
        ("certify", "Which environment? For example `certify test`.", ""),
        ("x" * 3000, f"“{'x' * 39}…” is not a command. `/migrate help` lists what can be said.", "x" * 3000),
        ("apply prodd", "“prodd” is not an environment. Did you mean `apply prod`?", "prodd"),
        (
            "plan mars",
            "“mars” is not an environment. There are development, dev, test, production, prod.",
            "mars",
        ),
        ("apply test now", "“now” is a word too many; `apply test` says it all.", "now"),
        ("apply test; drop", "“test;” is not an environment. Did you mean `apply test`?", "test;"),
        ("validate test", "“test” is a word too many; `validate` says it all.", "test"),
        ("status test prod", "“prod” is a word too many; `status test` says it all.", "prod"),
        (
            "promote dev",
            "development is the first environment, so nothing is promoted to it. Say `apply dev`.",
            "promote",
        ),
        ("freeze prod", WHY, ""),
        ("freeze prod 2h", WHY, ""),
        (
            "freeze prod 2026-12-01 sale",
            "Until when? For “2026-12-01”, write it like 2026-12-01 09:00, in UTC.",
            "2026-12-01",
        ),
        (
            "freeze prod 2026-02-30 09:00 sale",
            "Until when? For “2026-02-30”, there is no such moment; write it like 2026-12-01 09:00, in UTC.",
            "2026-02-30",
        ),
        *(
            (f"freeze prod {word} moving", f"Until when? For “{word}”, {SPAN}.", word)
            for word in ("0h", "5x", "99999d", "1h30m", "yesterday", "Tomorrow", "friday", *NO_ENDS)
        ),
        *(
            (f"freeze prod {lead} {rest}", f"Until when? For “{rest}”, {SPAN}.", rest)
            for lead, rest in (("until", "fri"), ("Till", "later"), ("for", "good"), ("until", "further notice"))
        ),
        *((f"freeze prod {word}", f"Until when? For “{word}”, {SPAN}.", word) for word in ("until", "for")),
        *(
            (f"freeze prod for {more} moving", f"Until when? For “{more}”, {SPAN}.", more)
            for more in ("2h 30min", "2026-12-01 09:00 CET", "2026-12-01T09:00 +01:00")
        ),
        ("freeze prod 2h 30 minutes", f"Until when? For “2h 30”, {SPAN}.", "2h 30"),
        ("freeze prod for 2w moving", f"Until when? For “2w”, {SPAN}.", "2w"),
        (
            "freeze prod until 2026-13-01 09:00 sale",
            "Until when? For “2026-13-01”, there is no such moment; write it like 2026-12-01 09:00, in UTC.",
            "2026-13-01",
        ),
        ("thaw prod now", "“now” is a word too many; `thaw prod` says it all.", "now"),
        ("cancel", "Which request? `/migrate requests` lists the open ones.", ""),
        ("export", "Which request? `/migrate history` lists those that have ended.", ""),
        ("cancel seven", "“seven” is not the number of a request. `/migrate requests` lists the open ones.", "seven"),
        ("cancel -1", "“-1” is not the number of a request. `/migrate requests` lists the open ones.", "-1"),
        ("cancel ٧", "“٧” is not the number of a request. `/migrate requests` lists the open ones.", "٧"),
        (
            "cancel 9999999999",
            "“9999999999” is not the number of a request. `/migrate requests` lists the open ones.",
            "9999999999",
        ),
        ("cancel 7 8", "“8” is a word too many; `cancel 7` says it all.", "8"),
        ("rollback", "Which environment? For example `rollback dev`.", ""),
        ("rollback prod last", HOW_FAR, "last"),
        ("restore prod", "Which backup? `/migrate backups prod` lists them.", ""),
        ("discard test", "Which database? `/migrate backups test` lists them.", ""),
        ("generate", "What does it do? For example `generate add_cities`.", ""),
        ("generate dev add", "“add” is a word too many; `generate dev` says it all.", "add"),
        ("baseline prod", "Up to which migration? `/migrate status prod` lists what is pending.", ""),
        ("repair prod a b c d e f g h", "7 files at once are enough. Ask for the rest after them.", "h"),
        ("restore prod a.sql b.sql", "“b.sql” is a word too many; `restore prod a.sql` says it all.", "b.sql"),
        ("backup prod now", "“now” is a word too many; `backup prod` says it all.", "now"),
        ("rollback prod last 0", HOW_FAR, "0"),
        ("rollback prod last ٢", HOW_FAR, "٢"),
        ("rollback prod last 99999", HOW_FAR, "99999"),
        ("rollback prod past 2", HOW_FAR, "2"),
        ("rollback prod last 2 now", HOW_FAR, "now"),
        (
            "rollback prod to " + "x" * 256,
            f"“{'x' * 39}…” is too long to be a name; 255 characters are enough.",
            "x" * 256,
        ),
        ("help me", "“me” is not a command. `/migrate help` lists what can be said.", "me"),
        ("help aply", "“aply” is not a command. Did you mean `apply`?", "aply"),
        (
            "certify test " + "é" * 301,
            "The note has 301 characters; 300 fit. Say it shorter and link to the rest.",
            "é" * 20,
        ),
    ],
)
def test_a_slip_points_at_the_word_and_offers_the_nearest(text: str, why: str, marked: str, workflow: Workflow) -> None:
    with pytest.raises(grammar.Slip) as caught:
        grammar.parse(text, workflow)
    slip = caught.value
    assert str(slip) == why
    assert slip.text[slip.start : slip.start + slip.length].strip() == marked


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("", Help()),
        ("   ", Help()),
        ("help", Help()),
        ("help apply", Help("apply")),
        ("status", Status()),
        ("STATUS Test", Status("test")),
        ("plan dev", Plan("development")),
        ("apply production", Do(Act.APPLY, "production")),
        ("promote prod", Do(Act.APPLY, "production")),
        ("Promote TEST", Do(Act.APPLY, "test")),
        ("certify test", Do(Act.CERTIFY, "test")),
        ("certify test clicked  through & <b>fine</b>", Do(Act.CERTIFY, "test", note="clicked through & <b>fine</b>")),
        ("certify test “clicked through”", Do(Act.CERTIFY, "test", note="clicked through")),
        ("rollback prod", Do(Act.ROLLBACK, "production")),
        ("backup prod", Do(Act.BACKUP, "production")),
        ("backups prod", Backups("production")),
        ("restore test Test.sql", Do(Act.RESTORE, "test", ("Test.sql",))),
        ("discard test shop_before", Do(Act.DISCARD, "test", ("shop_before",))),
        ("Rollback prod LAST 02", Do(Act.ROLLBACK, "production", ("last", "2"))),
        ("rollback prod to 20250818130001_a.sql", Do(Act.ROLLBACK, "production", ("to", "20250818130001_a"))),
        ("generate add_ports", Do(Act.GENERATE, "development", ("add_ports",))),
        ("baseline test 1_a.sql", Do(Act.BASELINE, "test", ("1_a",))),
        ("repair prod", Edits("production")),
        ("repair prod 1_a.sql 2_b 1_a", Do(Act.REPAIR, "production", ("1_a", "2_b"))),
        ("freeze prod the disk is full", Freeze("production", "the disk is full")),
        ("freeze prod 2h the disk", Freeze("production", "the disk", timedelta(hours=2), ("2h",))),
        ("Freeze test FOR 30min “Ada’s test”", Freeze("test", "Ada’s test", timedelta(minutes=30), ("FOR", "30min"))),
        ("freeze prod 2026-12-01 09:00 sale", Freeze("production", "sale", MOMENT, ("2026-12-01", "09:00"))),
        ("freeze prod until 2026-12-01T09:00 a", Freeze("production", "a", MOMENT, ("until", "2026-12-01T09:00"))),
        *((f"freeze prod {why}", Freeze("production", why)) for why in REASONS),
        (
            "freeze prod 2026-12-01 09:00 UTC sale",
            Freeze("production", "sale", MOMENT, ("2026-12-01", "09:00", "UTC")),
        ),
        ("freeze prod 2h local disk", Freeze("production", "local disk", timedelta(hours=2), ("2h",))),
        ("freeze prod 2h 3 disks", Freeze("production", "3 disks", timedelta(hours=2), ("2h",))),
        ("freeze prod till 2026-12-01 09:00 a", Freeze("production", "a", MOMENT, ("till", "2026-12-01", "09:00"))),
        ("thaw prod", Do(Act.THAW, "production")),
        ("validate", Validate()),
        ("history", History()),
        ("history prod", History("production")),
        ("requests", Requests()),
        ("cancel 7", Cancel(7)),
        ("cancel #7", Cancel(7)),
        ("export #7", Export(7)),
    ],
)
def test_what_can_be_said(text: str, command: Command, workflow: Workflow) -> None:
    assert grammar.parse(text, workflow) == command


@pytest.mark.parametrize(
    "text",
    [
        "apply\u00a0dev",
        "  apply   dev ",
        "`apply dev`",
        "“apply dev”",
        "apply ‘dev’",
        "apply\u200b dev\ufeff",
        "Apply\tDEV\n",
        '"apply" dev',
    ],
)
def test_what_phones_and_word_wraps_do_to_a_line_is_tolerated(text: str, workflow: Workflow) -> None:
    assert grammar.parse(text, workflow) == Do(Act.APPLY, "development")


def test_every_command_of_the_table_is_read() -> None:
    assert set(grammar.READERS) == {row.word for row in TABLE}


def test_the_note_keeps_its_inner_quotes_and_case(workflow: Workflow) -> None:
    assert grammar.parse('certify test Ada said "fine"', workflow) == Do(Act.CERTIFY, "test", note='Ada said "fine"')
