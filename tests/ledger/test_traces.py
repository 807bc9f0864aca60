"""What a log tells of an error: where it came from, and none of its words."""

import io
import logging

import psycopg
import pytest
from sqlalchemy import create_engine, text

from bot import __main__ as bot
from bot.voice import SlackFailed
from engine.errors import ConnectionLost
from ledger import traces
from playground.embedded import Postgres
from workers import __main__ as workers

#: Put together, since a trace shows the lines of code that led there.
PLANTED = "-".join(("hunter", "2"))


@pytest.fixture(params=[bot.LINES, workers.LINES], ids=["bot", "workers"])
def lines(request: pytest.FixtureRequest) -> traces.Discreet:
    return request.param


def logged(error: BaseException, lines: traces.Discreet) -> str:
    stream = io.StringIO()
    record = logging.LogRecord("twokey.run", logging.WARNING, "", 1, "#7 broke", (), (type(error), error, None))
    traces.to(stream, lines).emit(record)
    return stream.getvalue()


def test_a_rows_value_is_in_no_log(postgres: Postgres, lines: traces.Discreet) -> None:
    with psycopg.connect(postgres.url()) as conn:
        conn.execute("CREATE TEMP TABLE cards (number text UNIQUE)")
        with pytest.raises(psycopg.Error) as refused:
            conn.execute("INSERT INTO cards VALUES (%(it)s), (%(it)s)", {"it": PLANTED})
    assert PLANTED in str(refused.value)  # what is hidden here was there
    try:
        try:
            raise refused.value
        except psycopg.Error as cause:
            raise KeyError(PLANTED) from cause
    except KeyError as error:
        said = logged(error, lines)
    assert PLANTED not in said
    assert "psycopg.errors.UniqueViolation (23505)\nand that led to\n" in said
    assert said.endswith("builtins.KeyError\n")
    assert "test_traces.py" in said


def test_a_statements_parameters_are_in_no_log(postgres: Postgres, lines: traces.Discreet) -> None:
    engine = create_engine(postgres.url().replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as conn, pytest.raises(Exception, match=PLANTED) as refused:
        conn.execute(text("SELECT CAST(:number AS int)"), {"number": PLANTED})
    engine.dispose()
    assert PLANTED not in logged(refused.value, lines)


def test_our_own_words_are_kept_and_what_we_cut_off_stays_off() -> None:
    lost = ConnectionLost("test")
    lost.__context__, lost.__suppress_context__ = ValueError(PLANTED), True
    assert logged(lost, workers.LINES).endswith(f"engine.errors.ConnectionLost: {lost}\n")
    assert "ValueError" not in logged(lost, workers.LINES)


def test_what_the_bot_says_of_slack_is_kept() -> None:
    failed = SlackFailed("say who this is", "internal_error")
    assert logged(failed, bot.LINES).endswith(f"bot.voice.SlackFailed: {failed}\n")
