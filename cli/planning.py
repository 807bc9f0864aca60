"""What would run on an environment, as of now."""

from cli import looking, plan_words
from cli.answer import Answer
from cli.surroundings import Surroundings, here
from engine.plan import Advice, Plan, draw
from engine.refusals import PlanRefused
from engine.squawk import Squawk
from ledger.workflow import Environment


def plan(word: str) -> Answer:
    """What an apply would run, or why it would be refused."""
    around = here()
    environment = around.environment(word)
    try:
        return plan_words.plan(drawn(around, environment), backups=around.workflow.backups)
    except PlanRefused as refused:
        return plan_words.refused(environment.name, refused)


def drawn(around: Surroundings, environment: Environment) -> Plan:
    """The plan as of now. Raises a child of PlanRefused, and the engine's errors of looking and of reading files."""
    files = around.files()
    gate = looking.gate(around, environment, files)
    stands, known = looking.closely(around, environment, files)
    advice = Advice(known, Squawk(around.tools.squawk), around.checkout(files))
    return draw(stands, files, before=gate, limits=around.limits, advice=advice)
