"""What would run on an environment, as of now."""

from cli import looking, plan_words
from cli.answer import Answer
from cli.surroundings import here
from engine.plan import draw
from engine.refusals import PlanRefused


def plan(word: str) -> Answer:
    """What an apply would run, or why it would be refused."""
    around = here()
    environment, files = around.environment(word), around.files()
    gate = looking.gate(around, environment, files)
    try:
        drawn = draw(looking.at(around, environment, files), files, before=gate, limits=around.limits)
    except PlanRefused as refused:
        return plan_words.refused(environment.name, refused)
    return plan_words.plan(drawn, backups=around.workflow.backups)
