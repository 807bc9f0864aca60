"""What this environment is now, written down for whoever asked. Never waits for another environment's look."""

import logging

from rq.timeouts import JobTimeoutException

from engine import history, snapshot, standing
from engine.connection import open_session
from engine.errors import BadAddress, EngineError, Unreachable
from engine.files import BadFile
from ledger.errors import LedgerError
from ledger.records import Observation, Question
from workers import answers, sight, watching
from workers.hands import Hands

log = logging.getLogger("twokey.look")


def look(hands: Hands, observation_id: int) -> None:
    """The observation is filled, and if it was the last of a question, the question is answered."""
    try:
        asked = hands.book.observation(observation_id)
        if asked.environment != hands.environment.name:
            log.warning("Observation %d is about %s, not about us.", observation_id, asked.environment)
        elif asked.body is None:
            seen = observe(hands, schema_of=asked.schema_of, whole=_whole(hands, asked))
            if inquiry_id := hands.book.observe(observation_id, seen):
                answer(hands, inquiry_id)
            if seen["state"] in ("ok", "unread"):  # whoever asked has the answer now; the channel hears what is new
                watching.look(hands)
    except LedgerError as away:
        log.warning("%s", away)


def answer(hands: Hands, inquiry_id: int) -> None:
    """The question is answered with what has been observed by now, by us or by whom it takes; the first one stays."""
    try:
        inquiry, observed = hands.book.inquiry(inquiry_id), hands.book.observations(inquiry_id)
        if inquiry.answered_at is not None:
            return
        if other := answers.whose(hands, inquiry, observed):
            hands.doorbell.ring_answer(inquiry_id, other)
        else:
            hands.book.answer(inquiry_id, answers.draw(hands, inquiry, observed))
    except LedgerError as away:
        log.warning("%s", away)


def _whole(hands: Hands, asked: Observation) -> bool:
    """Whether the schema is wanted as it is now: who compares environments is to name the objects that differ."""
    return asked.inquiry_id is not None and hands.book.inquiry(asked.inquiry_id).question is Question.VALIDATE


def observe(hands: Hands, *, schema_of: str | None = None, whole: bool = False) -> sight.Body:
    """This environment as the body of an observation: its standing (its history alone, where no file can be read),
    or why there is none. With the schema that a history made, or `whole`: as it is now.
    """
    try:
        with open_session(hands.database, purpose="twokey look", limits=hands.looking) as session:
            folder = hands.folder()
            if isinstance(folder, BadFile):
                return sight.unread(standing.look(session, None), str(folder))
            here = standing.look(session, folder)
            home = history.prepare(session)
            wanted = snapshot.look(session, home) if whole else schema_of and snapshot.at(session, home, schema_of)
            return sight.clear(here, wanted or None)
    except (Unreachable, BadAddress) as away:
        return sight.blocked("unreachable", str(away))
    except EngineError as wrong:
        return sight.blocked("refused", str(wrong))
    except JobTimeoutException:
        # A server that is stopped or overwhelmed takes the connection and then says nothing.
        return sight.blocked("unreachable", f"{hands.environment.name} let us in and then did not answer in time.")
