"""An environment that is not protected is no way into one that is: not by a login that reaches into its database."""

import logging

from engine import reach
from engine.connection import Session, open_session
from engine.errors import EngineError
from engine.reach import ReachesProtected
from ledger.request import Act
from workers.hands import Hands

log = logging.getLogger("twokey.workers")

#: What runs SQL that somebody wrote, or that stands in a backup.
_RUNS_SQL = frozenset(act for act in Act if act.runs) | {Act.RESTORE}


def guard(hands: Hands, session: Session, act: Act) -> None:
    """Nothing of what is unprotected runs where it could change what is protected, unless twokey.toml says that it may.

    Raises ReachesProtected.
    """
    if act in _RUNS_SQL:
        reach.guard(session, meant=hands.environment.on_protected_server)


def warn(hands: Hands) -> None:
    """Say at start what the environment's login reaches, whatever twokey.toml says of it."""
    if hands.environment.protected:
        return
    try:
        with open_session(hands.database, purpose="twokey reach", limits=hands.looking) as session:
            if found := reach.protected(session):
                log.warning("%s", found.meant if hands.environment.on_protected_server else ReachesProtected(found))
    except EngineError as away:  # nothing runs before this is looked at again
        log.info("%s", away)
