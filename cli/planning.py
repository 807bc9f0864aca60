"""What would run on an environment, as of now."""

from cli import looking, plan_words
from cli.answer import Answer
from cli.surroundings import Surroundings, here
from engine import catalog, reach
from engine.connection import Session, open_session
from engine.plan import Advice, Plan, draw
from engine.refusals import PlanRefused
from engine.squawk import Squawk
from ledger.workflow import Environment


def plan(word: str) -> Answer:
    """What an apply would run, or why it would be refused."""
    around = here()
    environment = around.environment(word)
    try:
        return plan_words.plan(as_of_now(around, environment), backups=around.workflow.backups)
    except PlanRefused as refused:
        return plan_words.refused(environment.name, refused)


def as_of_now(around: Surroundings, environment: Environment) -> Plan:
    """The plan by a look at it alone. Raises as `drawn` does."""
    purpose = f"twokey look by {around.person}"
    with open_session(around.database(environment), purpose=purpose, limits=around.limits) as session:
        return drawn(around, environment, session)


def drawn(around: Surroundings, environment: Environment, session: Session) -> Plan:
    """The plan as of now. What the environment before has is looked up at this moment too.

    Raises a child of PlanRefused, ReachesProtected, and the engine's errors of looking and of reading files.
    """
    files = around.files()
    gate = looking.gate(around, environment, files)
    stands = looking.look(session, files)
    reach.guard(session, meant=environment.on_protected_server)
    advice = Advice(catalog.read(session), Squawk(around.tools.squawk), around.checkout(files))
    return draw(stands, files, before=gate, limits=around.limits, advice=advice)
