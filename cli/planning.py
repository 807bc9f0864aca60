"""What would run on an environment, as of now."""

from cli import looking, plan_words
from cli.answer import Answer
from cli.surroundings import here
from engine.plan import Advice, draw
from engine.refusals import PlanRefused
from engine.squawk import Squawk


def plan(word: str) -> Answer:
    """What an apply would run, or why it would be refused."""
    around = here()
    environment, files = around.environment(word), around.files()
    gate = looking.gate(around, environment, files)
    try:
        stands, known = looking.closely(around, environment, files)
        advice = Advice(known, Squawk(around.tools.squawk))
        drawn = draw(stands, files, before=gate, limits=around.limits, advice=advice)
    except PlanRefused as refused:
        return plan_words.refused(environment.name, refused)
    return plan_words.plan(drawn, backups=around.workflow.backups)
