"""What somebody else keeps in an environment stays there, also when the environment is restored."""

from pathlib import Path

from engine import tallies
from engine.connection import Database, open_session
from tests.support.restore import restored, taken


def test_what_is_kept_stands_there_once_and_in_its_order(shop: Database) -> None:
    with open_session(shop, purpose="twokey test") as session:
        assert tallies.kept(session) == ()
        tallies.keep(session)
        tallies.keep(session, "#2.5 b")
        tallies.keep(session, "#1.4 a", "#2.5 b")
        assert tallies.kept(session) == ("#2.5 b", "#1.4 a")


def test_a_restore_takes_it_along(shop: Database, tmp_path: Path) -> None:
    source = taken(shop, tmp_path)
    with open_session(shop, purpose="twokey test") as session:
        tallies.keep(session, "#7.12 c")
    restored(shop, source)
    with open_session(shop, purpose="twokey test") as session:
        assert tallies.kept(session) == ("#7.12 c",)
