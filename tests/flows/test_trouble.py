"""Whatever breaks: nothing is lost, nothing runs twice, and the sentence names the next step."""

import signal
from collections.abc import Callable

import psycopg
import redis

from playground import embedded
from tests.flows.conftest import ADA, BO, CHANNEL, Corridor

#: Files that cannot run, and the words that name what is wrong with each.
REFUSED = {
    "add_cities.sql": (b"SELECT 1;", ("add_cities.sql", "YYYYMMDDHHMMSS_name.sql")),
    "20250818150001_again.sql": (b"SELECT 1;", ("20250818150001_again", "20250818150001_create_audit_table")),
    "20250820100001_empty.sql": (b"\n-- nothing\n", ("20250820100001_empty",)),
    "20250820100002_latin.sql": ("CREATE TABLE caf\xe9 ();".encode("latin-1"), ("20250820100002_latin", "UTF-8")),
    "20250820100003_slip.sql": (b"CREATE TABLE t (\n  id int,,\n);", ("20250820100003_slip.sql:2:10", "42601")),
    "20250820100004_alone.sql": (b"CREATE INDEX CONCURRENTLY i ON users (id);", ("_alone", "CONCURRENTLY")),
}


def test_a_file_that_cannot_run_is_refused_by_name_before_anything_runs(begin: Callable[..., Corridor]) -> None:
    corridor = begin()
    for number, (name, (text, words)) in enumerate(REFUSED.items(), start=1):
        file = corridor.migrations / name
        file.write_bytes(text)
        corridor.channel.types(ADA, "apply dev")
        corridor.channel.shows(f"*development* · apply #{number}", *words)
        file.unlink()
    assert corridor.applied("development") == []
    assert corridor.ledger("SELECT DISTINCT state FROM requests") == [("rejected",)]


def test_a_failing_file_is_rolled_back_and_what_committed_before_it_stays(begin: Callable[..., Corridor]) -> None:
    corridor = begin()
    broken = corridor.migrations / "20250820100000_copy_names.sql"
    broken.write_text("CREATE TABLE names (n int);\nINSERT INTO names\n  SELECT 'Ann-7731'::int;\n")
    corridor.channel.types(ADA, "apply dev")
    card = corridor.channel.shows("*development* · apply", "Failed in `20250820100000_copy_names`, line 3")
    corridor.channel.thread_shows(card, "20250820100000_copy_names.sql:3", "(22P02)", "Committed and stays: `20250818")
    assert len(corridor.applied("development")) == 3
    with psycopg.connect(corridor.parts.dsn["development"]) as conn:
        assert conn.execute("SELECT to_regclass('names')").fetchone() == (None,)
    written = str(corridor.slack.state()) + str(corridor.ledger("SELECT body FROM events"))
    written += "".join(log.read_text() for log in corridor.parts.folder.glob("logs/*.log"))
    assert "Ann-7731" not in written


def test_swapped_databases_are_refused(begin: Callable[..., Corridor]) -> None:
    corridor = begin()
    corridor.bring_to_test()
    corridor.parts.stop("workers")
    corridor.parts.dsn = {**corridor.parts.dsn, "development": corridor.parts.dsn["test"]}
    corridor.start_workers()
    (corridor.migrations / "20250820100000_add_towns.sql").write_text("CREATE TABLE towns (id bigint PRIMARY KEY);")
    corridor.channel.types(ADA, "apply dev")
    corridor.channel.shows("The address of development leads to", "that database says it is test")
    assert len(corridor.applied("test")) == 3


def test_a_database_that_is_down_is_unreachable_while_the_others_answer(begin: Callable[..., Corridor]) -> None:
    corridor = begin()
    corridor.parts.stop("workers")
    secret = "hunter2-is-secret"
    corridor.parts.dsn = {**corridor.parts.dsn, "test": f"postgresql://app:{secret}@127.0.0.1:1/shop"}
    corridor.start_workers()
    corridor.channel.types(ADA, "status")
    corridor.channel.sees(ADA, "test", "unreachable", "development", "3 pending")
    written = str(corridor.slack.state()) + str(corridor.ledger("SELECT body FROM observations"))
    written += "".join(log.read_text() for log in corridor.parts.folder.glob("logs/*.log"))
    assert secret not in written


def test_without_workers_a_question_is_answered_all_the_same(begin: Callable[..., Corridor]) -> None:
    corridor = begin()
    corridor.parts.stop("workers")
    corridor.channel.types(ADA, "status")
    corridor.channel.sees(ADA, "No worker answers for development, test, production. Start one: `python -m workers`.")


def test_with_redis_down_the_request_is_written_and_runs_later(begin: Callable[..., Corridor]) -> None:
    with embedded.valkey() as url:
        corridor = begin(at=url)
        port = redis.Redis.from_url(url).connection_pool.connection_kwargs["port"]
        redis.Redis.from_url(url).shutdown(nosave=True)
    corridor.channel.types(ADA, "apply dev")
    assert corridor.ledger("SELECT state FROM requests") == [("asked",)]
    with embedded.valkey(port=port):
        corridor.slack.wait_for(lambda: len(corridor.applied("development")) == 3, timeout=20)
        corridor.channel.shows("*development* · apply", "Applied")


def test_an_envelope_delivered_twice_is_one_request(begin: Callable[..., Corridor]) -> None:
    corridor = begin()
    corridor.slack.deliver_twice(1)
    corridor.channel.types(ADA, "apply dev")
    corridor.channel.shows("*development* · apply", "Applied")
    assert corridor.ledger("SELECT count(*) FROM requests") == [(1,)]


def test_while_slack_loses_answers_every_message_comes_once_and_in_order(begin: Callable[..., Corridor]) -> None:
    corridor = begin()
    corridor.slack.fault("chat.postMessage", lose_answer=True, times=1)
    corridor.slack.fault("chat.postMessage", status=429, retry_after=1, times=1)
    corridor.channel.types(ADA, "apply dev")
    corridor.channel.shows("*development* · apply", "Applied")
    corridor.channel.types(ADA, "promote test")
    corridor.channel.shows("*test* · apply", "Applied")
    texts = [m["text"] for m in corridor.slack.messages(CHANNEL)]
    assert len(texts) == 2
    assert "development" in texts[0]
    assert "test" in texts[1]
    what_runs_finishes_while_slack_is_down(corridor)


def what_runs_finishes_while_slack_is_down(corridor: Corridor) -> None:
    """And what became of it is told once Slack is back."""
    slow = corridor.migrations / "20250820100000_slow.sql"
    slow.write_text("SELECT count(*) FROM generate_series(1, 30) AS n, pg_sleep(0.1);")
    corridor.channel.types(ADA, "apply dev")
    corridor.slack.wait_for(lambda: corridor.ledger("SELECT state FROM requests WHERE id = 3") == [("applying",)])
    corridor.slack.fault("*", status=503, times=10_000)
    corridor.slack.wait_for(lambda: slow.stem in corridor.applied("development"), timeout=20)
    corridor.slack.wait_for(lambda: corridor.ledger("SELECT state FROM requests WHERE id = 3") == [("applied",)])
    assert not any("✅" in m["text"] for m in corridor.slack.messages(CHANNEL)[2:])
    corridor.slack.mend()
    corridor.channel.shows("*development* · apply #3", "Applied")


def test_two_engineers_at_once_run_one_after_the_other(begin: Callable[..., Corridor]) -> None:
    corridor = begin()
    corridor.channel.types(ADA, "apply dev")
    corridor.channel.types(BO, "apply dev")
    corridor.channel.shows("#2", "development", "nothing")
    assert corridor.ledger("SELECT state FROM requests ORDER BY id") == [("applied",), ("rejected",)]
    assert len(corridor.applied("development")) == 3


def test_a_worker_killed_in_the_middle_is_found_out_and_said(begin: Callable[..., Corridor]) -> None:
    corridor = begin(sweep=True)
    (corridor.migrations / "20250820100000_sleep.sql").write_text("SELECT pg_sleep(600);")
    corridor.channel.types(ADA, "apply dev")
    corridor.slack.wait_for(lambda: len(corridor.applied("development")) == 3, timeout=20)
    corridor.parts.stop("workers", sign=signal.SIGKILL)
    with psycopg.connect(corridor.parts.dsn["development"], autocommit=True) as conn:
        conn.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(600)%'")
    with psycopg.connect(corridor.parts.ledger_url, autocommit=True) as conn:
        conn.execute("UPDATE requests SET beat_at = now() - interval '1 hour'")
    corridor.start_workers()
    corridor.channel.shows("development", "nterrupted", "20250818150001_create_audit_table", "20250820100000_sleep")
    assert corridor.ledger("SELECT state FROM requests") == [("interrupted",)]


def test_an_expired_request_ends_and_cannot_be_approved(begin: Callable[..., Corridor]) -> None:
    corridor = begin(sweep=True)
    corridor.bring_to_test()
    card = corridor.ask_for_production()
    with psycopg.connect(corridor.parts.ledger_url) as conn:
        conn.execute("UPDATE requests SET expires_at = now() WHERE id = 4")
    corridor.channel.shows("production", "Expired")
    corridor.channel.reacts(BO, card, "white_check_mark")
    corridor.channel.sees(BO, "#4 has expired, so a reaction changes nothing.")
    assert corridor.applied("production") == []


def test_with_an_empty_list_of_approvers_nobody_starts_anything(begin: Callable[..., Corridor]) -> None:
    corridor = begin()
    corridor.bring_to_test()
    card, before = corridor.ask_for_production(), corridor.parts.config.read_text()
    corridor.configure(before.replace(f'approvers = ["{BO}"]', "approvers = []"))
    corridor.channel.reacts(BO, card, "white_check_mark")
    corridor.channel.sees(BO, "You are not an approver of production. Its approvers in twokey.toml are empty.")
    corridor.channel.types(ADA, "cancel 4")
    corridor.channel.shows("production", "Cancelled")
    corridor.channel.types(ADA, "apply prod", "Nobody may approve production: its approvers in twokey.toml are empty.")
    assert corridor.applied("production") == []
    corridor.configure(before)
