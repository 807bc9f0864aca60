"""The database knows which environment it is."""

from dataclasses import replace

import pytest

from engine import errors, history, identity
from engine.connection import Database, open_session


def meet(database: Database) -> tuple[str, bool]:
    with open_session(database, purpose="x") as session:
        home = history.prepare(session)
        identity.meet(session, home)
        row = session.conn.execute("SELECT name, protected FROM twokey_environment").fetchone()
        assert row
        return row


def test_the_first_contact_is_remembered(development: Database) -> None:
    assert meet(development) == ("development", False)
    assert meet(development) == ("development", False)


def test_an_address_of_another_environment_is_refused(development: Database) -> None:
    meet(development)
    with pytest.raises(errors.WrongEnvironment) as caught:
        meet(replace(development, environment="production", protected=True))
    assert str(caught.value).startswith("The address of production leads to /")
    assert str(caught.value).endswith(
        ", database engine_room, and that database says it is development. Correct the address. "
        "If the database is a copy of development made on purpose, an owner empties public.twokey_environment there."
    )
    assert meet(development) == ("development", False)


def test_protection_is_stored_and_no_file_takes_it_away(development: Database) -> None:
    meet(development)
    assert meet(replace(development, protected=True)) == ("development", True)
    with pytest.raises(errors.WouldUnprotect) as caught:
        meet(development)
    assert str(caught.value) == (
        "development is protected, the database says so, but twokey.toml does not. "
        "Set protected = true there. To unprotect it, an owner sets protected to false in public.twokey_environment."
    )
