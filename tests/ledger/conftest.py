"""Ways to bend a ledger that only its owner has."""

from collections.abc import Callable

import pytest
from sqlalchemy import text

from ledger.book import Book

Say = Callable[[str], None]


@pytest.fixture
def owner_says(ledger: Book) -> Say:
    """Run one statement as the ledger's owner, past the book."""

    def say(statement: str) -> None:
        with ledger._engine.begin() as tx:
            tx.execute(text(statement))

    return say


@pytest.fixture
def past(owner_says: Say) -> Callable[[int], None]:
    """Let a request's time be over since a second ago."""
    return lambda request_id: owner_says(
        f"UPDATE requests SET expires_at = clock_timestamp() - interval '1 s' WHERE id = {request_id}"
    )


@pytest.fixture
def forge(owner_says: Say) -> Say:
    """What the ledger's owner could do, who is the only one that can."""
    return lambda statement: owner_says(f"SET LOCAL session_replication_role = replica; {statement}")
