"""kill -9 at each step of a rehearsal: the environment is as it was, and the sweep drops the copy."""

import os
import signal
from datetime import timedelta

import pytest

from engine import rehearsal, scratch
from engine.connection import Database, Limits, open_session
from engine.rehearsal import Bench
from engine.restore import Source
from tests.engine.rehearsal.conftest import NOW, Shop
from tests.support.engine import TOOLS
from tests.support.waiting import wait_for


@pytest.mark.parametrize("step", ["Loading", "Comparing", "MigrationStarted", "MigrationDone", "Undoing"])
def test_killed_at_a_step_leaves_nothing_after_the_sweep(shop: Shop, untouched: None, step: str) -> None:
    drawn, bench = shop.plan("UPDATE users SET email = 'x'"), Bench(shop.server, rehearsal.likeness(shop.session))

    def tell(said: object) -> None:
        if type(said).__name__ == step:
            os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if child == 0:
        try:
            rehearsal.rehearse(drawn, Source(shop.backup, TOOLS), bench, limits=Limits(), now=NOW, tell=tell)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    with open_session(Database("scratch", protected=False, dsn=shop.server.dsn), purpose="twokey test") as maintenance:
        assert scratch.sweep(shop.server) == ()  # it is not old, so somebody may still be at work
        cleared: list[str] = []

        def swept() -> bool:
            cleared.extend(scratch.clear(maintenance, older_than=timedelta(0)))
            return bool(cleared)

        wait_for(swept)
    (name,) = cleared
    assert name.startswith("twokey_scratch_rehearsal_production_")
